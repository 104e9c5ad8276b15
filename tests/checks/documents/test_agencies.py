"""The agency directory as a unit sees it."""

from __future__ import annotations

import msgspec
import pytest

from checks.documents.agencies import Directory, Where, is_group
from inventory.model import Agency, Documents, Unit, UnitKind
from tests.helpers.correspondence import AGENCIES, HEALTH, UNIT

HERE = Directory(AGENCIES, UNIT)


def test_codes_old_and_new_in_any_case() -> None:
    assert HERE.code("H26.5") == HERE.code("000.00.05.h26") == HEALTH
    assert HERE.code("H99") == ""


def test_a_code_of_two_agencies_says_nothing() -> None:
    twice = (Agency(code="A.1", old_codes=("X.1",)), Agency(code="A.2", old_codes=("X.1",)))
    assert Directory(twice, UNIT).code("X.1") == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sở Y tế", HEALTH),
        ("SỞ Y TẾ", HEALTH),
        ("So Y te", HEALTH),
        ("Sở Y-tế.", HEALTH),
        ("000.00.05.H26", HEALTH),
        ("Sở Y tế (H26.5)", HEALTH),
        ("UBND phường Ba Đình", "H26.8"),
        ("Ủy ban nhân dân phường Ba Đình", "H26.8"),
        ("Phường Hoàn Kiếm", "H26.1.2"),
        ("Trường tiểu học phường Ba Đình", ""),
        ("Ông Nguyễn Văn A", ""),
        ("UBND các phường", ""),
        ("", ""),
    ],
)
def test_recipients_of_a_register(text: str, code: str) -> None:
    assert HERE.by_text(text) == code


def test_names_that_fold_alike_are_not_guessed() -> None:
    two = (Agency(code="A.1", name="Xã Hòa Bình"), Agency(code="A.2", name="Xã Hoà Bình"))
    assert Directory(two, UNIT).by_text("Xã Hòa Bình") == ""


@pytest.mark.parametrize(
    ("domain", "where", "code"),
    [
        ("soyte.gov.vn", Where.AGENCY, HEALTH),
        ("mail.soyte.gov.vn", Where.AGENCY, HEALTH),
        ("hoankiem.gov.vn", Where.INTERNAL, ""),
        ("x.hoankiem.gov.vn", Where.INTERNAL, ""),
        ("", Where.INTERNAL, ""),
        ("gmail.com", Where.FREE, ""),
        ("chung.gov.vn", Where.SHARED, ""),
        ("khac.gov.vn", Where.OTHER_AGENCY, ""),
        ("soyte.gov.vn.evil.com", Where.OTHER, ""),
        ("vnpt.vn", Where.OTHER, ""),
    ],
)
def test_where_mail_goes(domain: str, where: Where, code: str) -> None:
    found = HERE.by_domain(domain)
    assert (found.where, found.code) == (where, code)


def test_the_unit_is_found_by_code_by_id_or_by_name() -> None:
    assert HERE.own_codes == {"H26.1.2"}
    assert HERE.own_domains == {"hoankiem.gov.vn"}
    said = msgspec.structs.replace(UNIT, name="", documents=Documents(codes=("000.00.12.H26",)))
    assert Directory(AGENCIES, said).own_codes == {"H26.1.2"}
    by_id = Unit(id="H26.6", name="?", kind=UnitKind.AGENCY)
    assert Directory(AGENCIES, by_id).own_codes == {"H26.6"}


def test_own_senders_and_nobody_known() -> None:
    assert HERE.is_own_domain("hoankiem.gov.vn")
    assert not HERE.is_own_domain("soyte.gov.vn")
    assert HERE.is_own_code("000.00.12.h26")
    assert not HERE.is_own_code("H26.5")
    nobody = Directory((), Unit(id="x", name="x", kind=UnitKind.WARD))
    assert nobody.is_own_domain("any.vn")
    assert nobody.is_own_code("any")


def test_own_signs_leave_out_what_others_share() -> None:
    assert HERE.is_own_sign("QD-UBND-HK")
    assert HERE.is_own_sign("UBND-HK-VX")
    assert not HERE.is_own_sign("QD-UBND")
    assert not HERE.is_own_sign("QD-SYT")
    shared = (*AGENCIES, Agency(code="A.9", signs=("UBND-HK",)))
    assert not Directory(shared, UNIT).is_own_sign("QD-UBND-HK")
    plain = msgspec.structs.replace(UNIT, documents=Documents(signs=("UBND",)))
    assert not Directory(AGENCIES, plain).is_own_sign("QD-UBND")


def test_groups() -> None:
    assert is_group("UBND các xã, phường")
    assert not is_group("Sở Y tế")


def test_a_group_is_found_whatever_stands_around_it() -> None:
    grouped = tuple(
        msgspec.structs.replace(a, groups=("UBND các xã, phường",)) for a in AGENCIES[-2:]
    )
    here = Directory((*AGENCIES[:-2], *grouped), UNIT)
    for said in (
        "UBND các xã, phường",
        "Ủy ban nhân dân các XÃ, PHƯỜNG",
        "các xã, phường trên địa bàn",
        "UBND các xã – phường trên địa bàn thành phố Hà Nội",
    ):
        assert here.agencies(said) == {"H26.8", "H26.9"}
    for said in ("UBND các xã", "các xã, phường trên địa bàn quận X", "UBND các phường, xã", ""):
        assert here.agencies(said) == frozenset()
    assert here.agencies("Sở Y tế") == {HEALTH}
