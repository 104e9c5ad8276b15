"""The decision's PDF: real signatures from the project folder to the verdict, light and full."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from cryptography.x509.oid import NameOID

from checks.catalogue import options_for
from checks.evidence import Answers, FailureKind, Unparsable
from checks.model import Context, Scope, Severity, Status, Subject, Verdict
from checks.security.decision import DECISION, DECISION_FILE, decision_signed
from checks.security.level_record import DossierPart, LevelRecord
from checks.signatures import pades
from checks.signatures.ber import Unreadable
from checks.texts import render
from inventory.model import Inventory, Signer, System, Unit, UnitKind
from scanner.transports.base import SizeLimits
from scanner.transports.files import FilesTransport
from tests.helpers.signing import (
    Made,
    make,
    openssl_cms,
    plain_pdf,
    signed_pdf,
    stamped_pdf,
    updated_pdf,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 - pyHanko signs by this clock
PATH = "decisions/sys.pdf"
CHECK = decision_signed.id


@pytest.fixture(params=["light", "full"])
def depth(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of looking, with and without pyHanko."""
    monkeypatch.setattr(pades, "available", lambda: request.param == "full")
    return str(request.param)


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pades, "available", lambda: False)


@pytest.fixture(scope="module")
def root() -> Made:
    return make(authority=True)


@pytest.fixture(scope="module")
def leader(root: Made) -> Made:
    return make("rsa", root)


@pytest.fixture(scope="module")
def once(leader: Made) -> bytes:
    return signed_pdf(plain_pdf(), leader)


class World:
    """A project folder with one decision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signers: tuple[Signer, ...] = ()
        self.roots: tuple[str, ...] = ()
        (folder / "decisions").mkdir()

    def decide(self, pdf: bytes) -> None:
        (self.folder / PATH).write_bytes(pdf)

    def trust(self, root: Made) -> None:
        (self.folder / "root.crt").write_bytes(root.pem)
        self.roots = ("root.crt",)

    def declare(self, one: Made) -> None:
        (self.folder / "one.crt").write_bytes(one.pem)
        self.signers = (Signer(id="s", name="Con dấu Công an", certificate="one.crt"),)

    def judge(
        self,
        record: LevelRecord | None = None,
        options: dict[str, Any] | None = None,
        now: dt.datetime = NOW,
        **system: Any,
    ) -> Verdict:
        unit = Unit(
            id="ca", name="CA", kind=UnitKind.AGENCY, signers=self.signers, trust_roots=self.roots
        )
        given: dict[str, Any] = {"security_unit": "ca", "decision": PATH, "level": 2} | system
        one = System(id="sys", unit="hk", name="S", owner="hk", **given)
        hk = Unit(id="hk", name="HK", kind=UnitKind.WARD)
        subject = Subject(
            scope=Scope.SYSTEM,
            inventory=Inventory(units={"hk": hk, "ca": unit}, systems={"sys": one}),
            unit=hk,
            target="sys",
            system=one,
        )
        ctx = Context(
            now=now,
            zone=ZONE,
            legal_basis=2026,
            subject=subject,
            options=options_for(decision_signed, {CHECK: options} if options else {}),
        )
        files = FilesTransport(self.folder, SizeLimits(), lambda: NOW)
        found = DECISION.parse(ctx, Answers(files.collect(DECISION.requests(subject))))
        (verdict,) = decision_signed.judge(ctx, found, record)
        assert isinstance(verdict, Verdict)
        text = msgspec.json.encode(verdict).decode()
        for language in ("vi", "en"):
            text += render(verdict.message, language, ZONE)
        for secret in ("012345678901", "0101234567", "a@hanoi"):
            assert secret not in text
        return verdict


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def said(verdict: Verdict) -> tuple[str, str, Severity | None]:
    return verdict.message.id.rpartition(".")[2], verdict.status.value, verdict.severity


def test_signed_whole_and_trusted(world: World, once: bytes, root: Made, depth: str) -> None:
    world.decide(once)
    world.trust(root)
    found = world.judge()
    assert said(found) == ("signed-trusted", "pass", None)
    english = render(found.message, "en", ZONE)
    assert "Nguyễn Văn A, UBND phường Hoàn Kiếm" in english
    assert "signer's own clock" in english
    assert ("light check" in english) == (depth == "light")
    assert found.detail["validated"] == depth
    assert found.detail["not_checked"]
    assert found.detail["signatures"][0]["covers_whole_file"] is True


def test_a_declared_signer_without_roots(
    world: World, once: bytes, leader: Made, depth: str
) -> None:
    world.decide(once)
    world.declare(leader)
    found = world.judge()
    assert said(found) == ("signed-declared", "pass", None)
    assert "trust chain not checked" in render(found.message, "en", ZONE)
    assert depth


def test_with_nobody_to_compare_trust_is_not_checked(world: World, once: bytes, depth: str) -> None:
    world.decide(once)
    found = world.judge()
    assert said(found) == ("unchecked", "unknown", None)
    assert found.failure is not None
    assert (found.failure.kind, depth) == (FailureKind.NOT_DECLARED, depth)


def test_a_stranger_fails(world: World, once: bytes, depth: str) -> None:
    world.decide(once)
    world.trust(make(authority=True))
    assert said(world.judge()) == ("stranger", "fail", Severity.MAJOR)
    assert said(world.judge(level=4)) == ("stranger", "fail", Severity.CRITICAL)
    (world.folder / "root.crt").write_bytes(b"damaged")
    assert said(world.judge()) == ("unread", "unknown", None), depth


def test_two_signatures_are_both_named(world: World, once: bytes, root: Made, depth: str) -> None:
    seal = make("ec", root, who={NameOID.COMMON_NAME: "Con dấu"})
    world.decide(signed_pdf(once, seal, "Sig2", pades=True))
    world.trust(root)
    found = world.judge()
    assert said(found) == ("signed-trusted", "pass", None)
    assert found.message.args["count"] == 2
    assert found.message.args["who"] == "Nguyễn Văn A, UBND phường Hoàn Kiếm; Con dấu"
    assert [s["covers_whole_file"] for s in found.detail["signatures"]] == [False, True], depth


def test_the_last_signer_must_be_known_whoever_signed_before(
    world: World, once: bytes, root: Made, depth: str
) -> None:
    # Somebody alters a signed decision and covers it with a signature of his own.
    world.decide(signed_pdf(once, make("ec", make(authority=True)), "Sig2"))
    world.trust(root)
    assert said(world.judge()) == ("stranger", "fail", Severity.MAJOR), depth
    world.decide(signed_pdf(updated_pdf(once), make("ec", make(authority=True)), "Sig2"))
    assert world.judge().status is Status.FAIL


def test_a_changed_byte(world: World, once: bytes, root: Made, depth: str) -> None:
    world.decide(once.replace(b"BT ET", b"BT XX"))
    world.trust(root)
    found = world.judge()
    assert said(found) == ("changed", "fail", Severity.MAJOR)
    assert "Nguyễn Văn A" in str(found.message.args["who"]), depth


def test_a_page_written_anew_behind_the_signature(
    world: World, once: bytes, root: Made, depth: str
) -> None:
    pdf = updated_pdf(once)
    world.decide(pdf)
    world.trust(root)
    found = world.judge()
    if depth == "light":
        assert said(found) == ("appended", "fail", Severity.MAJOR)
        assert found.message.args["count"] == len(pdf) - len(once)
    else:
        assert said(found) == ("suspicious", "fail", Severity.MAJOR)


def test_long_term_proof_behind_it_is_told_by_the_full_validation_only(
    world: World, once: bytes, root: Made, depth: str
) -> None:
    world.decide(stamped_pdf(once, make("rsa", root, stamps=True)))
    world.trust(root)
    wanted = ("extended", "unknown") if depth == "light" else ("signed-trusted", "pass")
    assert said(world.judge())[:2] == wanted


def test_a_trusted_time_stamp_is_better_than_the_signers_clock(
    world: World, root: Made, leader: Made, depth: str
) -> None:
    service = make("rsa", root, stamps=True)
    world.decide(signed_pdf(plain_pdf(), leader, pades=True, stamp=service))
    world.trust(root)
    english = render(world.judge().message, "en", ZONE)
    assert ("trusted time stamp" in english) == (depth == "full")


def test_a_certificate_that_a_list_in_the_file_revokes(
    world: World, once: bytes, root: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.decide(once)
    world.trust(root)
    revoked = pades.Full(intact=True, trusted=False, revoked=True, harmless=True)
    monkeypatch.setattr(pades, "validate", lambda *_: {len(once): revoked})
    assert said(world.judge()) == ("revoked", "fail", Severity.MAJOR)
    not_ours = pades.Full(intact=False, trusted=False, revoked=False, harmless=True)
    monkeypatch.setattr(pades, "validate", lambda *_: {len(once): not_ours})
    assert said(world.judge()) == ("changed", "fail", Severity.MAJOR)
    # A signature that the document itself does not know of is no signature of the document.
    monkeypatch.setattr(pades, "validate", lambda *_: {})
    assert said(world.judge()) == ("suspicious", "fail", Severity.MAJOR)


def test_when_the_full_validation_gives_up_the_light_one_stands_and_says_so(
    world: World, once: bytes, root: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gives_up(*_: object) -> None:
        raise Unreadable("cannot be read whole")

    world.decide(once)
    world.trust(root)
    monkeypatch.setattr(pades, "validate", gives_up)
    found = world.judge()
    assert said(found) == ("signed-trusted", "pass", None)
    assert (found.detail["validated"], found.detail["problem"]) == ("light", "cannot be read whole")


@pytest.mark.usefixtures("light")
def test_without_a_signature_and_without_a_pdf(world: World) -> None:
    world.decide(plain_pdf())
    assert said(world.judge()) == ("unsigned", "fail", Severity.MINOR)
    world.decide(b"hello")
    with pytest.raises(Unparsable, match="not a PDF"):
        world.judge()


@pytest.mark.usefixtures("light")
def test_when_no_file_is_handed_over(world: World) -> None:
    nothing: dict[str, Any] = {"decision": ""}
    assert said(world.judge(**nothing)) == ("none", "not_applicable", None)
    record = LevelRecord(system="sys", dossier=(DossierPart(part="plan", file="x.pdf"),))
    assert said(world.judge(record, **nothing)) == ("none", "not_applicable", None)
    record = LevelRecord(system="sys", dossier=(DossierPart(part="approval", file="88.PDF"),))
    found = world.judge(record, **nothing)
    assert said(found) == ("named", "unknown", None)
    assert found.message.args["key"] == "systems.sys.decision"
    found = world.judge(options={"required_from": 2}, **nothing)
    assert said(found) == ("missing", "fail", Severity.MINOR)
    with pytest.raises(ValueError, match="required_from"):
        world.judge(options={"required_from": 0}, **nothing)


def test_only_declared_signers_when_the_settings_say_so(
    world: World, once: bytes, root: Made, leader: Made, depth: str
) -> None:
    world.decide(once)
    world.trust(root)
    assert said(world.judge(options={"declared_only": True}))[0] == "stranger"
    world.declare(leader)
    assert said(world.judge(options={"declared_only": True}))[0] == "signed-trusted", depth


@pytest.mark.usefixtures("light")
def test_certificates_out_of_date_and_signatures_ahead_of_time(world: World, root: Made) -> None:
    old = make("ec", root, end=NOW - dt.timedelta(days=1))
    world.declare(old)
    world.decide(signed_pdf(plain_pdf(), old))
    assert said(world.judge())[0] == "out-of-date"
    one = make("ec", root)
    world.declare(one)
    world.decide(signed_pdf(plain_pdf(), one))
    assert said(world.judge(now=NOW - dt.timedelta(days=3)))[0] == "ahead"
    # Long after its certificate ended, a decision stays signed by who it was.
    assert world.judge(now=NOW + dt.timedelta(days=9999)).status is Status.PASS


@pytest.mark.usefixtures("light")
def test_a_large_decision_is_read_and_its_evidence_not_kept(
    world: World, root: Made, leader: Made
) -> None:
    world.trust(root)
    world.decide(signed_pdf(plain_pdf(b"% " + b"x" * 3_000_000), leader))
    assert world.judge().status is Status.PASS
    assert DECISION_FILE.sensitive
    assert DECISION_FILE.stream


def test_a_cms_file_is_no_pdf(world: World, leader: Made, tmp_path: Path) -> None:
    world.decide(openssl_cms(tmp_path, b"x", leader))
    with pytest.raises(Unparsable):
        world.judge()
