"""A log cut anywhere, into files or pieces, says the same; and a long one takes no more memory."""

from __future__ import annotations

import datetime as dt
import itertools
import mmap
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.numbers import Finder
from checks.documents.sources import logfiles
from checks.documents.sources.logfiles import LogFile, pieces
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.postfix_lines import Piece
from checks.files import FileEntry
from tests.helpers.correspondence import NOW, PATIENT, ZONE, Mail, entry, log, word

FINDER = Finder(["QĐ-UBND-HK"])
NUMBER = "12/QĐ-UBND-HK"


def interleaved() -> bytes:
    """Mails whose lines lie between each other; each second one goes through a content filter."""
    lines: list[str] = []
    for n in range(12):
        at = f"2026-11-10T08:00:{n:02}"
        to = (f"a@p{n}.gov.vn",)
        mail = Mail(at, f"{n + 1}/QĐ-UBND-HK", to=to, queue=f"4PbC4z6W5Qz3tG{n:02}")
        if n % 2:
            lines += mail.lines()
            continue
        inner = Mail(at, to=to, queue=f"4PbC4z6W5Qz3tK{n:02}")
        hop = f"sent (250 2.0.0 Ok: queued as {inner.queue})"
        lines += [*mail.lines()[:-2], *inner.lines()[:-1]]
        lines.append(mail.delivery(to[0], hop, relay="127.0.0.1[127.0.0.1]:10024", seconds=2.5))
        lines += [mail.removed(), inner.removed(3.1)]
    return "".join(sorted(lines)).encode()


TEXT = interleaved()


def read(*parts: bytes) -> MailLog:
    ages = range(len(parts), 0, -1)
    files = [
        entry(f"mail.log.{age}", part, NOW - dt.timedelta(hours=age))
        for age, part in zip(ages, parts, strict=True)
    ]
    return read_postfix(files, "mx", ZONE, FINDER)


def said(found: MailLog) -> tuple[object, ...]:
    """What must not depend on the cuts: all but files and line numbers."""
    report = found.report
    events = sorted(
        (str(e.key), e.recipient, str(e.time), e.place.sha256, e.place.ref, str(e.mail))
        for e in found.events
    )
    return events, report.lines, report.mails, report.mails_with_headers, report.first, report.last


def test_the_whole_log_says_what_was_sent() -> None:
    found = read(TEXT)
    assert sorted((str(e.key), e.recipient) for e in found.events) == sorted(
        (f"{n + 1:02}/QD-UBND-HK", f"p{n}.gov.vn") for n in range(12)
    )
    assert found.report.mails == 12


@PATIENT
@given(st.lists(st.integers(0, TEXT.count(b"\n")), max_size=5))
def test_a_log_rotated_between_any_lines_says_the_same(cuts: list[int]) -> None:
    lines = TEXT.splitlines(keepends=True)
    ends = [0, *sorted(cuts), len(lines)]
    parts = [b"".join(lines[a:b]) for a, b in itertools.pairwise(ends)]
    assert said(read(*parts)) == said(read(TEXT))


@PATIENT
@given(st.integers(1, 3000))
def test_the_size_of_pieces_changes_nothing(size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logfiles, "_PIECE", size)
        found = read(TEXT)
    whole = read(TEXT)
    assert said(found) == said(whole)
    assert [e.place for e in found.events] == [e.place for e in whole.events]


@PATIENT
@given(st.binary(max_size=200), st.integers(1, 40))
def test_pieces_are_the_text_and_know_their_lines(text: bytes, size: int) -> None:
    text = text.replace(b"a", b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logfiles, "_PIECE", size)
        patch.setattr(logfiles, "_LONGEST_LINE", 60)
        # Bytes of a packed file would be unpacked.
        found = list(pieces(LogFile("m", NOW, memoryview(b"x" + text))))
    assert b"".join(found) == b"\nx" + text
    last = 0
    for piece in found:
        last = Piece("m", piece, last).last
    assert last == text.count(b"\n") + 1


def test_a_line_without_end_is_given_up_and_the_next_ones_are_read() -> None:
    text = log(Mail("2026-11-10T08:00:00", NUMBER)).encode()
    found = read(b"2026-11-10T07:00:00.0+07:00 mx x: " + b"y" * 3_000_000 + b"\n" + text)
    assert [e.place.line for e in found.events] == [4]


def test_what_a_line_quotes_is_no_line_of_its_own() -> None:
    """A rejected greeting imitates a delivery of a mail that is under way."""
    mail = Mail("2026-11-10T08:00:00", NUMBER)
    forged = mail.delivery("x@gmail.com").rstrip("\n")
    reject = f"{forged[:33]}mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from x: helo=<{forged}>\n"
    text = [*mail.opened(), *mail.headers(), *mail.queued(), reject, mail.removed()]
    assert read("".join(text).encode()).events == ()


def test_windows_line_ends_give_the_same_hash() -> None:
    text = log(Mail("2026-11-10T08:00:00", NUMBER)).encode()
    (plain,), (other,) = read(text).events, read(text.replace(b"\n", b"\r\n")).events
    assert plain.place == other.place


def peak() -> int:
    """The most memory that this process has had, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("old", [False, True])
def test_a_long_log_takes_no_more_memory(old: bool) -> None:
    """Of a mapped file of 120 MB a few pieces at a time are in memory, whatever its stamps."""
    start = "Nov 10 08:00:00" if old else "2026-11-10T08:00:00.000000+07:00"
    rest = f" mx postfix/anvil[3]: statistics: max connection rate 1/60s {word('x' * 60)}\n"
    line = (start + rest).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail.log"
        with path.open("wb") as out:
            for _ in range(120):
                out.write(line * (1_000_000 // len(line)))
            out.write(log(Mail("2026-11-10T08:00:00", NUMBER)).encode())
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        before = peak()
        made = FileEntry(name="mail.log", mtime=NOW, data=memoryview(data))
        found = read_postfix([made], "mx", ZONE, FINDER)
    assert len(found.events) == 1
    assert peak() - before < 60_000


def test_lines_cut_within_their_stamps_leave_the_others_whole() -> None:
    whole = TEXT.decode().splitlines(keepends=True)
    cut = read("".join(f"{line[:12]}\n{line}" for line in whole).encode())
    plain = read(TEXT)
    assert plain.events
    assert said(cut) == said(plain)
    assert [e.place.line for e in cut.events] == [2 * e.place.line for e in plain.events]


@pytest.mark.parametrize("damaged", [b"08:00:0x", b"08:0x:03", b"0\xff:00:03"])
def test_a_stamp_that_is_no_time_is_counted_and_tells_no_time(damaged: bytes) -> None:
    old = re.sub(rb"2026-11-10T([0-9:]{8})\S+", rb"Nov 10 \1", TEXT)
    assert not read(old).report.unparsed
    found = read(old.replace(b"08:00:03", damaged))
    assert found.report.unparsed
    assert 0 < len(found.events) < len(read(old).events)
