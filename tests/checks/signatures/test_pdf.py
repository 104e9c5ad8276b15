"""Signed PDFs made by pyHanko, read by the light check: whole, changed, extended, and hostile."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.signatures.ber import Unreadable
from checks.signatures.model import Fault
from checks.signatures.pdf import MOST_SIGNATURES, PdfSignature, read_pdf
from checks.signatures.writing import cms_file
from tests.helpers.signing import Made, make, openssl_cms, plain_pdf, signed_pdf, stamped_pdf


@pytest.fixture(scope="module")
def root() -> Made:
    return make(authority=True)


@pytest.fixture(scope="module")
def once(root: Made) -> bytes:
    return signed_pdf(plain_pdf(), make("rsa", root))


@pytest.fixture(scope="module")
def twice(once: bytes, root: Made) -> bytes:
    return signed_pdf(once, make("ec", root), "Sig2", pades=True)


def only(pdf: bytes) -> PdfSignature:
    (found,) = read_pdf(pdf).signatures
    return found


def test_a_pdf_without_signatures() -> None:
    assert read_pdf(plain_pdf()).signatures == ()


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
@pytest.mark.parametrize("pades", [False, True])
def test_a_signature_that_covers_the_whole_file(kind: str, pades: bool, root: Made) -> None:
    pdf = signed_pdf(plain_pdf(), make(kind, root), pades=pades)
    found = only(pdf)
    assert found.whole
    assert (found.added, found.end) == (0, len(pdf))
    assert found.kind == ("ETSI.CAdES.detached" if pades else "adbe.pkcs7.detached")
    assert found.claimed is not None
    assert abs(found.claimed - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)  # noqa: TID251
    holder = found.signature.holder
    assert holder is not None
    assert (holder.person.name, holder.person.organisation) == (
        "Nguyễn Văn A",
        "UBND phường Hoàn Kiếm",
    )
    assert "CMND" not in str(holder.person) + str(holder.issuer)


def test_a_memoryview_reads_the_same(once: bytes) -> None:
    assert read_pdf(memoryview(once)) == read_pdf(once)


def test_two_signatures_the_first_covers_its_revision(once: bytes, twice: bytes) -> None:
    first, second = read_pdf(twice).signatures
    assert (first.signature.holds, first.whole, first.end) == (True, False, len(once))
    assert first.added == len(twice) - len(once)
    assert (second.whole, second.added) == (True, 0)


@pytest.mark.parametrize("more", [b"\n", b"x", b"% comment\n", b"\0" * 500])
def test_what_is_appended_after_signing_is_counted(once: bytes, more: bytes) -> None:
    found = only(once + more)
    assert (found.signature.holds, found.whole, found.added) == (True, False, len(more))


def test_any_byte_changed_breaks_it(once: bytes) -> None:
    start, end = (m.start() for m in (re.search(rb"<0?3082|<3080|<30", once), ENDS(once)))  # type: ignore[union-attr]
    for at in [*range(0, start, 97), *range(end + 1, len(once), 89)]:
        changed = bytearray(once)
        changed[at] ^= 1
        try:
            found = read_pdf(bytes(changed)).signatures
        except Unreadable:
            assert at < 8  # no longer a PDF
            continue
        assert not any(s.signature.holds for s in found), at


def ENDS(pdf: bytes) -> re.Match[bytes]:  # noqa: N802
    found = re.search(rb"0{40}>", pdf)
    assert found is not None
    return found


def test_a_signature_cut_off_from_its_file_is_broken(once: bytes) -> None:
    assert only(once[:-1]).signature.fault is Fault.RANGE
    half = read_pdf(once[: len(once) // 2]).signatures
    assert not any(s.signature.holds for s in half)


def test_a_document_time_stamp_is_told_from_a_signature(once: bytes, root: Made) -> None:
    service = make("rsa", root, stamps=True)
    pdf = stamped_pdf(once, service)
    found = read_pdf(pdf)
    signed, stamp = found.signatures
    assert found.people == (signed,)
    assert (stamp.signature.kind, stamp.whole, signed.whole) == ("timestamp", True, False)
    assert stamp.claimed is not None
    changed = read_pdf(pdf.replace(b"BT ET", b"BT XX"))
    assert [s.signature.fault for s in changed.signatures] == [Fault.CHANGED, Fault.CHANGED]


def test_a_signature_that_carries_a_time_stamp_says_so(root: Made) -> None:
    service = make("rsa", root, stamps=True)
    found = only(signed_pdf(plain_pdf(), make("ec", root), pades=True, stamp=service))
    assert found.whole
    assert found.signature.stamped


# ------------------------------------------------------------------------------------- hostile


def ranged(pdf: bytes, span: str) -> bytes:
    """The PDF with another range, as long as the old one."""

    def instead(match: re.Match[bytes]) -> bytes:
        return f"/ByteRange [{span}]".encode().ljust(len(match[0]))

    changed, count = re.subn(rb"/ByteRange \[[0-9 ]+\] *", instead, pdf)
    assert count == 1
    assert len(changed) == len(pdf)
    return changed


@pytest.mark.parametrize(
    "span",
    [
        "0 100 99999 10",
        "0 999999999 1 1",
        "0 1 2 999999999999",
        "0 -1 50 10",
        "-5 10 20 30",
        "0 100 50 10",
        "0 100 100 10",
        "0 0 10 10",
        "10 100 300 10",
        "0 100 300 -7",
        "0 9 8 99 7 6",
        "0 10",
        "",
        "0 100 99999999999999999999 1",
    ],
)
def test_ranges_that_lie_are_faults(once: bytes, span: str) -> None:
    pdf = ranged(once, span)
    found = read_pdf(pdf).signatures
    assert len(found) == 1
    assert not any(s.signature.holds or s.whole for s in found)


def hand_made(sign: Callable[[bytes], bytes], hole: bytes = b"", *, start: int = 0) -> bytes:
    """A signature over everything but its contents and `hole`, which stands right behind them.

    `sign` gives the contents in hex; `start` is what the range says of its first byte.
    """
    head = b"%%PDF-1.4\n1 0 obj << /Type /Sig /ByteRange [%d %04d %04d %04d] /Contents "
    tail = b" >> endobj\n%%EOF\n"
    room = 8000
    size = len(head % (start, 0, 0, 0))
    head = head % (start, size, size + room + 2 + len(hole), len(tail))
    contents = sign(head + tail)
    assert len(contents) <= room
    return head + b"<" + contents.ljust(room, b"0") + b">" + hole + tail


def test_a_range_that_leaves_out_more_than_the_signature_is_no_cover(root: Made) -> None:
    """The digest holds over the range, and yet something stands in the file that nobody signed."""
    one = make("ec", root)

    def sign(content: bytes) -> bytes:
        now = dt.datetime.now(dt.UTC)  # noqa: TID251
        return cms_file([content], one.key, one.certificate, (), now).hex().encode()

    assert only(hand_made(sign)).whole
    for hole in (b"(visible text that nobody signed)", b" ", b"00", b"<3030>"):
        assert only(hand_made(sign, hole)).signature.fault is Fault.RANGE
    assert only(hand_made(lambda c: sign(c) + b"  ")).signature.fault is Fault.RANGE
    # Digits beyond the signature that are no padding hide something too.
    assert only(hand_made(lambda c: sign(c) + b"77")).signature.fault is Fault.UNREADABLE
    assert only(hand_made(sign, start=7)).signature.fault is Fault.RANGE


def test_one_place_holds_one_signer_and_no_content_of_its_own(root: Made, tmp_path: Path) -> None:
    one, two = make("ec", root), make("ec", root)

    def both(content: bytes) -> bytes:
        return openssl_cms(tmp_path, content, one, two).hex().encode()

    def enclosing(content: bytes) -> bytes:
        return openssl_cms(tmp_path, content, one, more=("-nodetach",)).hex().encode()

    assert only(hand_made(both)).signature.fault is Fault.UNREADABLE
    assert only(hand_made(enclosing)).signature.fault is Fault.UNSUPPORTED


def test_a_signature_moved_into_another_pdf_is_broken(once: bytes) -> None:
    other = plain_pdf(b"BT (another) Tj ET")
    signature = once[once.index(b"/ByteRange") - 9000 :]
    assert not any(s.signature.holds for s in read_pdf(other + signature).signatures)


def test_many_signatures_end_at_once(once: bytes) -> None:
    many = b"".join(b"/ByteRange [0 %d %d 5]\n" % (n + 9, n + 99) for n in range(100_000))
    began = time.monotonic()
    with pytest.raises(Unreadable, match=str(MOST_SIGNATURES)):
        read_pdf(once + many)
    # The same one over and over is one.
    again = b"/ByteRange [0 1 2 3]\n" * 100_000
    assert len(read_pdf(once + again).signatures) == 2
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"PK\x03\x04", b"\0" * 5000 + b"%PDF-1.4", b"%PDF-1.4"[:4]]
)
def test_what_is_no_pdf(data: bytes) -> None:
    with pytest.raises(Unreadable, match="not a PDF"):
        read_pdf(data)


def test_a_pdf_beyond_the_limit(monkeypatch: pytest.MonkeyPatch, once: bytes) -> None:
    monkeypatch.setattr("checks.signatures.pdf.MOST_BYTES", 1000)
    with pytest.raises(Unreadable, match="larger"):
        read_pdf(once)


def test_kinds_that_are_not_read_say_so(once: bytes) -> None:
    # Same length, so that nothing else is wrong with it.
    old = once.replace(b"/adbe.pkcs7.detached", b"/adbe.x509.rsa.sha1x")
    assert only(old).signature.fault is Fault.UNSUPPORTED


def test_the_name_alone_is_no_signature() -> None:
    text = plain_pdf() + b"\n% a text about /ByteRange and /ByteRangeX [0 1 2 3]\n"
    assert read_pdf(text).signatures == ()
    # A place kept free for one that was never made is one that does not hold.
    assert (
        only(plain_pdf() + b"/ByteRange [0 /******* /***** /****]").signature.fault is Fault.RANGE
    )
    assert only(plain_pdf() + b"/ByteRange 12 0 R").signature.fault is Fault.RANGE


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_a_value_or_unreadable(twice: bytes, data: st.DataObject) -> None:
    pdf = bytearray(twice)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(pdf) - 1))
        pdf[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(pdf)))
    for one in (bytes(pdf), bytes(pdf[:cut]), bytes(pdf[cut:])):
        try:
            found = read_pdf(one)
        except Unreadable:
            continue
        for signature in found.signatures:
            assert 0 <= signature.added <= len(one)
            # Whatever holds covers from the first byte on, but for itself.
            if signature.whole:
                assert signature.end == len(one)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(-5, 10**9), max_size=6))
def test_any_bytes_behind_the_mark(noise: bytes, numbers: list[int]) -> None:
    span = " ".join(map(str, numbers)).encode()
    pdf = b"%PDF-1.4 " + noise + b"/ByteRange [" + span + b"] <30> " + noise
    assert not any(s.signature.holds for s in read_pdf(pdf).signatures)


@pytest.mark.parametrize("noise", [b"1" * 400, b"1 " * 4000 + b"x", b"*" * 400, b"/*" * 400 + b"1"])
def test_a_range_that_never_ends_takes_no_time(noise: bytes) -> None:
    # Found by fuzzing: forty digits without an end held the reader for ever.
    before = time.process_time()
    assert read_pdf(b"%PDF-1.4 /ByteRange [" + noise + b" none").signatures == ()
    assert time.process_time() - before < 1
