"""Whom to believe: chains of every shape, declared keys, dates, and files that cannot be read."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from checks.signatures.certificates import certificates, holder
from checks.signatures.detached import cms_signatures
from checks.signatures.model import Signature
from checks.signatures.trust import Declared, Judged, Standing, Trust, judge
from checks.signatures.writing import cms_file
from tests.helpers.signing import END, START, Made, make

DATA = b"data"
AT = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def named(name: str) -> dict[x509.ObjectIdentifier, str]:
    return {NameOID.COMMON_NAME: name}


@pytest.fixture(scope="module")
def root() -> Made:
    return make(authority=True, who=named("Root"))


@pytest.fixture(scope="module")
def middle(root: Made) -> Made:
    return make("rsa", root, authority=True, who=named("Middle"))


def signature(
    one: Made, *, at: dt.datetime = AT, above: tuple[x509.Certificate, ...] | None = None
) -> Signature:
    blob = cms_file([DATA], one.key, one.certificate, one.above if above is None else above, at)
    (found,) = cms_signatures(DATA, blob)
    assert found.holds
    return found


def judged(found: Signature, *roots: Made, now: dt.datetime = NOW) -> Judged:
    return judge(found, Trust(roots=tuple(r.der for r in roots)), now)


def test_a_chain_over_an_authority_between(root: Made, middle: Made) -> None:
    found = signature(make("ec", middle))
    assert judged(found, root).standing is Standing.TRUSTED
    assert judged(found, make(authority=True), root).standing is Standing.TRUSTED
    # The authority between may be trusted itself, and then needs nothing above.
    assert judged(found, middle).standing is Standing.TRUSTED


def test_without_the_authority_between_there_is_no_chain(root: Made, middle: Made) -> None:
    one = make("ec", middle)
    found = judged(signature(one, above=()), root)
    assert (found.standing, found.chain[:8]) == (Standing.STRANGER, "no chain")
    # Given beside the root, it serves.
    assert judged(signature(one, above=()), root, middle).standing is Standing.TRUSTED


def test_a_person_cannot_certify_another(root: Made) -> None:
    person = make("ec", root, who=named("Person"))
    assert judged(signature(make("ec", person)), root).standing is Standing.STRANGER


@pytest.mark.parametrize(("authority", "certifies"), [(False, True), (True, False)])
def test_an_authority_must_be_one_in_every_respect(
    root: Made, authority: bool, certifies: bool
) -> None:
    half = make("ec", root, authority=authority, certifies=certifies, who=named("Half"))
    assert judged(signature(make("ec", half)), root).standing is Standing.STRANGER


def test_an_authority_of_the_same_name_is_another(root: Made) -> None:
    other = make(authority=True, who=named("Root"))
    assert judged(signature(make("ec", other)), root).standing is Standing.STRANGER


def test_a_certificate_that_is_not_for_signing(root: Made) -> None:
    assert judged(signature(make("ec", root, signs=False)), root).standing is Standing.STRANGER


@pytest.mark.parametrize(("kind", "above"), [("rsa", "ec"), ("ec", "rsa"), ("ed25519", "ec")])
def test_keys_of_the_kinds_that_authorities_use(kind: str, above: str) -> None:
    top = make(above, authority=True)
    found = judged(signature(make(kind, top)), top)
    assert found.standing is Standing.TRUSTED, found.chain


def test_chains_that_the_verifier_does_not_know_are_not_checked() -> None:
    top = make("ed25519", authority=True)
    one = make("ec", top)
    found = judged(signature(one), top)
    assert (found.standing, found.chain[:12]) == (Standing.UNCHECKED, "not-checked:")
    declared = Declared(id="s", key=holder(one.certificate).key)
    trust = Trust(declared=(declared,), roots=(top.der,))
    assert judge(signature(one), trust, NOW).standing is Standing.DECLARED


def test_a_self_signed_certificate_is_trusted_by_nobody(root: Made) -> None:
    assert judged(signature(make("ec")), root).standing is Standing.STRANGER
    assert judged(signature(make("ec"))).standing is Standing.UNCHECKED


def test_dates_are_judged_at_the_time_that_the_signer_claims(root: Made) -> None:
    one = make("ec", root)
    found = judged(signature(one), root, now=END + dt.timedelta(days=900))
    assert (found.in_date, found.at, found.standing) == (True, AT, Standing.TRUSTED)
    early = judged(signature(one, at=START - dt.timedelta(days=1)), root)
    assert (early.in_date, early.standing) == (False, Standing.STRANGER)
    late = judged(signature(one, at=END + dt.timedelta(days=1)), root, now=END.replace(year=2040))
    assert late.in_date is False


def test_a_signature_without_a_time_is_judged_now(root: Made) -> None:
    one = msgspec.structs.replace(signature(make("ec", root)), claimed=None)
    assert (judged(one, root).at, judged(one, root).in_date) == (NOW, True)
    assert judged(one, root, now=END + dt.timedelta(days=1)).in_date is False


def test_a_time_in_the_future_is_told_and_not_used(root: Made) -> None:
    one = make("ec", root)
    assert judged(signature(one, at=NOW + dt.timedelta(hours=20)), root).ahead is False
    found = judged(signature(one, at=NOW + dt.timedelta(days=2)), root)
    assert (found.ahead, found.at) == (True, NOW)


def test_a_declared_key_counts_whatever_certificate_it_is_in(root: Made) -> None:
    one = make("ec", root)
    found = signature(one)
    declared = Declared(id="s", key=holder(one.certificate).key, name="Bà Lan")
    said = judge(found, Trust(declared=(declared,)), NOW)
    assert (said.standing, said.who, said.chain) == (Standing.DECLARED, declared, "not-checked")
    said = judge(found, Trust(declared=(declared,), roots=(root.der,)), NOW)
    assert (said.standing, said.chain) == (Standing.DECLARED, "trusted")
    nobody = Declared(id="s", key="")
    assert judge(found, Trust(declared=(nobody,)), NOW).standing is Standing.STRANGER
    broken = msgspec.structs.replace(found, key="")
    assert judge(broken, Trust(declared=(nobody,)), NOW).standing is Standing.STRANGER


def test_certificates_in_the_blob_that_cannot_be_read_lead_nowhere(root: Made) -> None:
    found = msgspec.structs.replace(signature(make("ec", root)), others=(b"junk", root.der))
    assert judged(found, root).standing is Standing.TRUSTED
    assert judge(found, Trust(roots=(b"junk",)), NOW).standing is Standing.UNCHECKED


def test_why_there_is_no_chain_quotes_no_certificate(root: Made) -> None:
    # The library's errors hold the whole subject, identity card number included.
    for one in (make("ec", root, end=AT - dt.timedelta(days=1)), make("ec"), make("rsa-1024")):
        found = judged(signature(one), root)
        assert found.standing is Standing.STRANGER
        for secret in ("012345678901", "0101234567", "CMND", "a@hanoi", "Nguyễn"):
            assert secret not in found.chain
        assert found.chain.startswith("no chain to a trusted root: validation failed")


def test_several_certificates_in_one_file(root: Made, middle: Made) -> None:
    assert certificates(root.pem + b"text between\n" + middle.pem) == (root.der, middle.der)
    assert certificates(root.der) == (root.der,)
