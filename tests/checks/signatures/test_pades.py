"""Full validation by pyHanko: what it adds to the light check, and that it never raises its own."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.signatures import pades
from checks.signatures.ber import Unreadable
from checks.signatures.pades import Full, validate
from checks.signatures.pdf import read_pdf
from tests.helpers.signing import Made, make, plain_pdf, signed_pdf, stamped_pdf, updated_pdf

NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 - pyHanko signs by this clock


@pytest.fixture(scope="module")
def root() -> Made:
    return make(authority=True)


@pytest.fixture(scope="module")
def once(root: Made) -> bytes:
    return signed_pdf(plain_pdf(), make("rsa", root))


def full(pdf: bytes, *roots: Made) -> list[Full]:
    claimed = {s.end: s.claimed for s in read_pdf(pdf).signatures}
    return list(validate(pdf, tuple(r.der for r in roots), claimed, NOW).values())


def test_trusted_only_with_the_root(once: bytes, root: Made) -> None:
    (found,) = full(once, root)
    assert (found.intact, found.trusted, found.harmless, found.revoked) == (True, True, True, False)
    for others in ((), (make(authority=True),)):
        (found,) = full(once, *others)
        assert (found.intact, found.trusted) == (True, False)
        assert found.problem


def test_a_second_signature_is_harmless_to_the_first(once: bytes, root: Made) -> None:
    pdf = signed_pdf(once, make("ec", root), "Sig2")
    assert [f.harmless for f in full(pdf, root)] == [True, True]


def test_a_page_written_anew_behind_the_signature_is_seen(once: bytes, root: Made) -> None:
    (found,) = full(updated_pdf(once), root)
    assert (found.intact, found.harmless) == (True, False)


def test_a_time_stamp_counts_when_its_service_is_trusted(root: Made) -> None:
    service = make("rsa", root, stamps=True)
    pdf = signed_pdf(plain_pdf(), make("ec", root), pades=True, stamp=service)
    (found,) = full(pdf, root)
    assert found.stamped is not None
    assert abs(found.stamped - NOW) < dt.timedelta(hours=24)
    other = make("rsa", make(authority=True), stamps=True)
    (found,) = full(signed_pdf(plain_pdf(), make("ec", root), pades=True, stamp=other), root)
    assert found.stamped is None


def test_a_document_time_stamp_behind_it_is_harmless(once: bytes, root: Made) -> None:
    (found,) = full(stamped_pdf(once, make("rsa", root, stamps=True)), root)
    assert (found.intact, found.harmless) == (True, True)


def test_changed_bytes(once: bytes, root: Made) -> None:
    (found,) = full(once.replace(b"BT ET", b"BT XX"), root)
    assert not found.intact


def test_keys_that_are_not_for_signing_and_certificates_out_of_date(root: Made) -> None:
    wrong = signed_pdf(plain_pdf(), make("ec", root, signs=False))
    assert not full(wrong, root)[0].trusted
    past = signed_pdf(plain_pdf(), make("ec", root, end=NOW - dt.timedelta(days=1)))
    assert not full(past, root)[0].trusted


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"%PDF-1.7\n" + b"[" * 100_000, b"\0" * 999])
def test_what_cannot_be_read_is_one_line(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        validate(data, (), {}, NOW)
    assert "\n" not in str(caught.value)


def test_a_large_file_is_left_to_the_light_check(
    once: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pades, "MOST_BYTES", 100)
    with pytest.raises(Unreadable, match="light check"):
        validate(once, (), {}, NOW)


def test_nothing_is_logged(once: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        full(once.replace(b"BT ET", b"BT XX"))
    assert not [r for r in caplog.records if r.name.startswith("pyhanko")]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damage_is_a_value_or_unreadable(once: bytes, data: st.DataObject) -> None:
    pdf = bytearray(once)
    for _ in range(data.draw(st.integers(1, 5))):
        pdf[data.draw(st.integers(0, len(pdf) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Unreadable):
        validate(bytes(pdf), (), {}, NOW)
