"""The signature of a record: real keys, real files, from the project folder to the verdict."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.catalogue import options_for
from checks.evidence import Answers, FailureKind, Need, NotDeclared
from checks.model import Check, Context, Scope, Severity, Status, Subject, Verdict
from checks.security.signed import SIGNED, record_signed
from checks.signatures.declared import roots_of, signers_of
from checks.texts import render
from inventory.model import Inventory, Signer, System, Unit, UnitKind
from scanner.transports.base import SizeLimits
from scanner.transports.files import FilesTransport
from tests.helpers.signing import END, Made, make, openssl_cms

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 - openssl signs by this clock
RECORD = b"system: sys\nlevel: 2\n"
PATH = "records/sys.yaml"


class World:
    """A project folder with one record, and an inventory that declares signers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signers: dict[str, list[Signer]] = {}
        self.roots: dict[str, tuple[str, ...]] = {}
        self.write(PATH, RECORD)

    def write(self, path: str, data: bytes) -> str:
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        return path

    def key(self, unit: str = "hk", *, post: str = "Chủ tịch") -> Ed25519PrivateKey:
        key = Ed25519PrivateKey.generate()
        number = sum(map(len, self.signers.values()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path = self.write(f"keys/{number}.pub", public)
        signer = Signer(id=f"s{number}", name=f"Bà {number}", post=post, public_key=path)
        self.signers.setdefault(unit, []).append(signer)
        return key

    def certificate(self, one: Made, unit: str = "hk") -> None:
        path = self.write("keys/one.crt", one.pem)
        signer = Signer(id="c", name="Con dấu UBND", certificate=path)
        self.signers.setdefault(unit, []).append(signer)

    def trust(self, root: Made, unit: str = "city") -> None:
        self.roots[unit] = (self.write("keys/roots.pem", root.pem),)

    def sign(self, key: Ed25519PrivateKey, data: bytes = RECORD) -> None:
        self.write(PATH + ".sig", base64.b64encode(key.sign(data)))

    def subject(self, **system: Any) -> Subject:
        def unit(unit_id: str, parent: str = "") -> Unit:
            return Unit(
                id=unit_id,
                name=unit_id,
                kind=UnitKind.WARD,
                parent=parent,
                signers=tuple(self.signers.get(unit_id, ())),
                trust_roots=self.roots.get(unit_id, ()),
            )

        units = {
            "city": unit("city"),
            "hk": unit("hk", "city"),
            "ca": unit("ca", "city"),
            "other": unit("other", "city"),
        }
        given: dict[str, Any] = {"owner": "city", "operator": "hk", "security_unit": "ca"}
        given |= {"assessment": PATH, "level": 2} | system
        the_system = System(id="sys", unit="hk", name="S", **given)
        return Subject(
            scope=Scope.SYSTEM,
            inventory=Inventory(units=units, systems={"sys": the_system}),
            unit=units["hk"],
            target="sys",
            system=the_system,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def context(check: Check, subject: Subject, options: dict[str, Any] | None = None) -> Context:
    return Context(
        now=NOW,
        zone=ZONE,
        legal_basis=2026,
        subject=subject,
        options=options_for(check, {check.id: options} if options else {}),
    )


def judge(world: World, options: dict[str, Any] | None = None, **system: Any) -> Verdict:
    """The verdict by way of the real transport."""
    subject = world.subject(**system)
    files = FilesTransport(world.folder, SizeLimits(), lambda: NOW)
    ctx = context(record_signed, subject, options)
    found = SIGNED.parse(ctx, Answers(files.collect(SIGNED.requests(subject))))
    (verdict,) = record_signed.judge(ctx, found)
    assert isinstance(verdict, Verdict)
    for language in ("vi", "en"):
        assert render(verdict.message, language, ZONE)
    text = msgspec.json.encode(verdict).decode()
    for secret in ("012345678901", "0101234567", "a@hanoi"):
        assert secret not in text
    return verdict


def said(verdict: Verdict) -> tuple[str, str]:
    return verdict.message.id.rpartition(".")[2], verdict.status.value


def test_a_record_signed_with_a_declared_key_passes(world: World) -> None:
    world.key()
    world.sign(world.key(post="Phó Chủ tịch"))
    found = judge(world)
    assert said(found) == ("signed-key", "pass")
    assert found.message.args["who"] == "Bà 1 (Phó Chủ tịch)"
    (one,) = found.detail["signatures"]
    assert (one["standing"], one["chain"]) == ("declared", None)


@pytest.mark.parametrize("unit", ["hk", "city", "ca"])
def test_signers_of_the_unit_of_those_above_and_of_the_security_unit_count(
    world: World, unit: str
) -> None:
    world.sign(world.key(unit))
    assert judge(world).status is Status.PASS


def test_the_signer_of_another_unit_does_not_count(world: World) -> None:
    key = world.key("other")
    world.key("hk")
    world.sign(key)
    assert said(judge(world)) == ("no-match", "fail")


@pytest.mark.parametrize("changed", [RECORD + b"\n", RECORD.replace(b"2", b"3"), b"", RECORD[:-1]])
def test_a_changed_record_fails_however_small_the_change(world: World, changed: bytes) -> None:
    world.sign(world.key())
    world.write(PATH, changed)
    found = judge(world)
    assert (said(found), found.severity) == (("no-match", "fail"), Severity.MAJOR)
    assert judge(world, level=3).severity is Severity.CRITICAL


def test_without_a_signature_it_depends_on_the_level_by_the_house_default(world: World) -> None:
    world.key()
    found = judge(world)
    assert said(found) == ("unsigned", "unknown")
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED
    found = judge(world, level=3)
    assert (said(found), found.severity) == (("missing", "fail"), Severity.MINOR)
    assert said(judge(world, {"required_from": 2})) == ("missing", "fail")
    assert said(judge(world, {"required_from": 6}, level=5)) == ("unsigned", "unknown")
    assert said(judge(world, level=None)) == ("unsigned", "unknown")
    for wrong in (0, 7):
        with pytest.raises(ValueError, match="required_from"):
            judge(world, {"required_from": wrong})


def test_a_signature_with_no_key_to_compare_is_not_judged(world: World) -> None:
    world.sign(Ed25519PrivateKey.generate())
    assert said(judge(world)) == ("no-key", "unknown")


def test_a_key_of_another_kind_is_no_key_to_compare_with(world: World) -> None:
    world.certificate(make("rsa"))
    world.sign(Ed25519PrivateKey.generate())
    assert said(judge(world)) == ("no-key", "unknown")


def test_the_key_of_a_declared_certificate_signs_bare_too(world: World) -> None:
    one = make("ed25519")
    world.certificate(one)
    assert isinstance(one.key, Ed25519PrivateKey)
    world.sign(one.key)
    assert said(judge(world)) == ("signed-key", "pass")
    world.sign(Ed25519PrivateKey.generate())
    assert said(judge(world)) == ("no-match", "fail")


def test_a_trusted_signature_in_order_counts_more_than_a_declared_one_that_is_not(
    world: World,
) -> None:
    root = make(authority=True)
    old = make("ec", root, end=NOW - dt.timedelta(days=1))
    world.certificate(old)
    world.trust(root)
    world.write(PATH + ".p7s", openssl_cms(world.folder, RECORD, old, make("ec", root)))
    assert said(judge(world)) == ("signed-trusted", "pass")


def test_a_key_that_cannot_be_read_accuses_nobody(world: World) -> None:
    world.sign(world.key())
    (world.folder / "keys/0.pub").unlink()
    found = judge(world)
    assert said(found) == ("unread", "unknown")
    assert "keys/0.pub" in str(found.message.args["what"])
    world.write("keys/0.pub", b"not a key")
    assert said(judge(world)) == ("unread", "unknown")
    # Another key fits: what is unread does not matter.
    world.sign(world.key())
    assert judge(world).status is Status.PASS


def test_a_damaged_signature_file_fails(world: World) -> None:
    world.key()
    world.write(PATH + ".sig", b"hello")
    assert said(judge(world)) == ("unreadable", "fail")
    world.write(PATH + ".sig", b"")
    assert said(judge(world)) == ("unreadable", "fail")


def test_a_signature_that_may_not_be_read_is_no_missing_one(world: World) -> None:
    world.key()
    (world.folder / (PATH + ".sig")).symlink_to("/etc/hostname")
    requests = SIGNED.requests(world.subject())
    files = FilesTransport(world.folder, SizeLimits(), lambda: NOW)
    failed = [(r, e.failure) for r, e in zip(requests, files.collect(requests), strict=True)]
    # The engine keeps the check from being called: what must be there is refused.
    ((request, failure),) = [(r, f) for r, f in failed if f is not None]
    assert (request.probe, request.need) == ("security.record-sig", Need.REQUIRED)
    assert failure.kind is FailureKind.DENIED


def test_without_a_record_there_is_nothing_to_ask(world: World) -> None:
    with pytest.raises(NotDeclared, match="assessment"):
        SIGNED.requests(world.subject(assessment=""))


# ---------------------------------------------------------------------------------------- X.509


def p7s(world: World, one: Made, data: bytes = RECORD, *more: str) -> None:
    world.write(PATH + ".p7s", openssl_cms(world.folder, data, one, more=more))


def test_a_declared_certificate_passes_and_says_that_trust_was_not_checked(world: World) -> None:
    one = make("rsa", make(authority=True))
    world.certificate(one)
    p7s(world, one)
    found = judge(world)
    assert said(found) == ("signed-declared", "pass")
    assert "not checked" in render(found.message, "en", ZONE)
    assert found.message.args["who"] == "Con dấu UBND"
    # Without its certificate in the blob the declared one serves.
    p7s(world, one, RECORD, "-nocerts")
    assert said(judge(world)) == ("signed-declared", "pass")


def test_a_chain_to_a_trusted_root_passes(world: World) -> None:
    root = make(authority=True)
    one = make("ec", root)
    world.trust(root)
    p7s(world, one)
    found = judge(world)
    assert said(found) == ("signed-trusted", "pass")
    assert found.message.args["who"] == "Nguyễn Văn A, UBND phường Hoàn Kiếm"
    assert said(judge(world, {"declared_only": True})) == ("stranger", "fail")


def test_strangers_fail_and_with_nobody_to_compare_nothing_is_said(world: World) -> None:
    p7s(world, make("ec", make(authority=True)))
    assert said(judge(world)) == ("unchecked", "unknown")
    world.trust(make(authority=True))  # another authority of the same name
    assert said(judge(world)) == ("stranger", "fail")
    (world.folder / "keys/roots.pem").write_bytes(b"damaged")
    assert said(judge(world)) == ("unread", "unknown")


def test_a_record_changed_after_a_cms_signature_names_who_signed(world: World) -> None:
    one = make("ec", make(authority=True))
    world.certificate(one)
    p7s(world, one)
    world.write(PATH, RECORD.replace(b"2", b"1"))
    found = judge(world)
    assert said(found) == ("changed", "fail")
    assert "Nguyễn Văn A" in str(found.message.args["who"])


def test_one_broken_signature_among_good_ones_fails(world: World) -> None:
    one = make("ec", make(authority=True))
    world.certificate(one)
    p7s(world, one)
    world.sign(world.key(), b"something else")
    assert said(judge(world)) == ("no-match", "fail")


def test_certificates_out_of_date_and_weak_algorithms(world: World) -> None:
    root = make(authority=True)
    old = make("ec", root, end=NOW - dt.timedelta(days=1))
    world.certificate(old)
    p7s(world, old)
    assert said(judge(world)) == ("out-of-date", "fail")
    world.signers.clear()
    one = make("rsa", root)
    world.certificate(one)
    p7s(world, one, RECORD, "-md", "sha1")
    found = judge(world)
    assert (said(found), found.severity) == (("weak", "fail"), Severity.MINOR)


def test_kinds_that_are_not_read_are_not_judged(world: World) -> None:
    one = make("ec", make(authority=True))
    p7s(world, one, RECORD, "-nocerts")
    assert said(judge(world)) == ("no-certificate", "unknown")
    p7s(world, one, RECORD, "-noattr")
    assert said(judge(world)) == ("unsupported", "unknown")


def test_the_detail_tells_dates_and_that_the_time_is_the_signers_word(world: World) -> None:
    one = make("ec", make(authority=True))
    world.certificate(one)
    p7s(world, one)
    (signature,) = judge(world).detail["signatures"]
    assert signature["certificate_until"] == END.isoformat()
    assert signature["signed_self_reported"] is True
    assert signature["issuer"] == "Root"
    json.dumps(signature)


def test_whose_word_counts() -> None:
    units = {
        "a": Unit(id="a", name="A", kind=UnitKind.CITY, parent="b", trust_roots=("r", "s")),
        "b": Unit(id="b", name="B", kind=UnitKind.CITY, parent="a", trust_roots=("r",)),
    }
    inventory = Inventory(units=units)
    assert roots_of(inventory, ["b", "nowhere"]) == ("r", "s")
    assert signers_of(inventory, ["a"]) == ()
