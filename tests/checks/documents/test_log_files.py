"""Time stamps and files of a log."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.sources.logfiles import LogFile, in_order
from checks.documents.sources.logtime import StampReader
from checks.evidence import Unparsable
from tests.helpers.correspondence import NOW, PATIENT, ZONE, entry, gz


def old(day: dt.datetime) -> str:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{months[day.month - 1]} {day.day:2} {day:%H:%M:%S}"


def read_all(
    days: list[dt.datetime], mtime: dt.datetime, zone: ZoneInfo = ZONE
) -> list[dt.datetime | None]:
    text = "".join(f"{old(d)} mx postfix/qmgr[1]: 4PbC4z6W5Qz3tG: removed\n" for d in days).encode()
    reader = StampReader(memoryview(text), mtime, zone)
    return [reader.read(old(d).encode()) for d in days]


def local(*args: int) -> dt.datetime:
    return dt.datetime(*args, tzinfo=ZONE)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("stamp", "utc"),
    [
        ("2026-11-20T08:01:02.123456+07:00", "2026-11-20T01:01:02.123456+00:00"),
        ("2026-11-20T01:01:02Z", "2026-11-20T01:01:02+00:00"),
        ("2026-11-20T08:01:02+0700", "2026-11-20T01:01:02+00:00"),
        ("2026-11-20T08:01:02", "2026-11-20T01:01:02+00:00"),
    ],
)
def test_modern_stamps(stamp: str, utc: str) -> None:
    reader = StampReader(memoryview(b""), NOW, ZONE)
    assert reader.read(stamp.encode()) == dt.datetime.fromisoformat(utc)


@pytest.mark.parametrize("stamp", [b"2026-13-20T08:01:02Z", b"2026-11-20T25:01:02Z", b"Foo 99 1"])
def test_no_such_time(stamp: bytes) -> None:
    assert StampReader(memoryview(b""), NOW, ZONE).read(stamp) is None


def test_the_year_is_that_of_the_file() -> None:
    days = [local(2025, 11, 2, 3, 4, 5), local(2025, 11, 3)]
    assert read_all(days, local(2025, 11, 3, 1)) == days
    assert read_all(days, local(2026, 3, 1)) == days


def test_new_year_inside_a_file() -> None:
    days = [
        local(2025, 12, 30),
        local(2025, 12, 31, 23, 59, 59),
        local(2026, 1, 1),
        local(2026, 1, 2),
    ]
    assert read_all(days, local(2026, 1, 2, 1)) == days


def test_lines_out_of_order_around_new_year() -> None:
    days = [local(2025, 12, 31), local(2026, 1, 1), local(2025, 12, 31, 23), local(2026, 1, 1, 1)]
    assert read_all(days, local(2026, 1, 1, 2)) == days


def test_a_file_of_several_years() -> None:
    days = [local(2024, 3, 1) + dt.timedelta(days=n) for n in range(800)]
    many = [d for d in days for _ in range(60)]
    assert read_all(many, days[-1] + dt.timedelta(hours=2)) == many


def test_leap_day_and_short_jumps_back() -> None:
    days = [local(2024, 2, 28), local(2024, 2, 29), local(2024, 2, 28, 23), local(2024, 3, 1)]
    assert read_all(days, local(2024, 3, 1)) == days


def test_rotated_files_come_in_order_of_time() -> None:
    line = "{} mx postfix/qmgr[1]: 4PbC4z6W5Qz3tG: removed\n"
    texts = {n: line.format(f"2026-11-{n:02}T08:00:00+07:00") for n in (18, 19, 20)}
    files, same = in_order(
        [
            entry("mail.log", texts[20]),
            entry("mail.log.1", texts[19]),
            entry("mail.log.2.gz", gz(texts[18])),
        ],
        ZONE,
    )
    assert [f.name for f in files] == ["mail.log.2.gz", "mail.log.1", "mail.log"]
    assert same == 0


def test_the_same_file_twice_counts_once_even_compressed() -> None:
    text = "2026-11-18T08:00:00+07:00 mx postfix/qmgr[1]: 4PbC4z6W5Qz3tG: removed\n" * 3000
    files, same = in_order(
        [entry("mail.log.1", text), entry("kept.log", text), entry("mail.log.1.gz", gz(text))], ZONE
    )
    assert ([f.name for f in files], same) == (["mail.log.1"], 2)


PACKERS: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, bz2.compress, lzma.compress)
LINES = [
    f"2026-11-18T08:{n // 60:02}:{n % 60:02}+07:00 mx postfix/qmgr[1]: 4PbC4z6W5Qz3tG: removed\n"
    for n in range(3000)
]


@pytest.mark.parametrize("packed", PACKERS, ids=["gzip", "bzip2", "xz"])
def test_packed_twins_count_once(packed: Callable[[bytes], bytes]) -> None:
    text = "".join(LINES)
    for first in (0, 1):
        twins = [entry("mail.log.1", text), entry("mail.log.1.packed", packed(text.encode()))]
        files, same = in_order(twins[::-1] if first else twins, ZONE)
        assert ([f.name for f in files], same) == ([twins[first].name], 1)


def test_the_same_log_as_it_was_earlier_is_a_copy() -> None:
    """A copy made by hand before the log went on, short or long, packed or not."""
    whole = "".join(LINES)
    for count in (1, 5, 700, 2999):
        earlier = "".join(LINES[:count])
        for old in (earlier.encode(), gz(earlier), bz2.compress(earlier.encode())):
            files, same = in_order([entry("kept.log", old), entry("mail.log", whole)], ZONE)
            assert ([f.name for f in files], same) == (["mail.log"], 1), count


def test_logs_that_only_begin_alike_are_both_read() -> None:
    """Exchange begins every file with the same lines; a line may stand in two logs."""
    head = "#Software: Microsoft Exchange Server\r\n#Fields: date-time,event-id\r\n"
    one, two = (f"{head}2026-11-18T0{n}:00:00.000Z,SEND\r\n" for n in (1, 2))
    files, same = in_order([entry("b", two), entry("a", one)], ZONE)
    assert ([f.name for f in files], same) == (["a", "b"], 0)
    files, same = in_order([entry("a", LINES[0] + LINES[1]), entry("b", LINES[0] + LINES[2])], ZONE)
    assert (len(files), same) == (2, 0)


def test_zstd_is_named_and_not_taken_for_text() -> None:
    with pytest.raises(Unparsable, match=r"^mail.log.zst: packed with zstd.*unpack it first$"):
        in_order([entry("mail.log.zst", b"\x28\xb5\x2f\xfd" + bytes(40))], ZONE)


def test_an_xz_file_that_wants_much_memory_is_refused() -> None:
    """Its header asks for a dictionary of some gigabytes."""
    good = lzma.compress(b"x\n", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    assert blocks(good) == b"x\n"
    at = good.index(b"\x21\x01") + 2  # the property byte of LZMA2 in the block header
    greedy = bytearray(good)
    greedy[at] = 37
    start, size = 12, (good[12] + 1) * 4
    greedy[start + size - 4 : start + size] = zlib.crc32(
        bytes(greedy[start : start + size - 4])
    ).to_bytes(4, "little")
    with pytest.raises(Unparsable, match=r"^f: damaged xz file \(Memory usage limit"):
        blocks(bytes(greedy))


@pytest.mark.parametrize(
    ("stamp", "utc"),
    [
        ("2026-11-20 08:01:02", "2026-11-20T01:01:02+00:00"),
        ("2026-11-20 08:01:02.120", "2026-11-20T01:01:02.120000+00:00"),
        ("2026-11-20 08:01:02,120", "2026-11-20T01:01:02.120000+00:00"),
        ("2026-11-20 08:01:02 +0000", "2026-11-20T08:01:02+00:00"),
        ("2026-11-20 08:01:02.5 -0330", "2026-11-20T11:31:02.500000+00:00"),
    ],
)
def test_stamps_of_exim_and_log4j(stamp: str, utc: str) -> None:
    reader = StampReader(memoryview(b""), NOW, ZONE)
    assert reader.read(stamp.encode()) == dt.datetime.fromisoformat(utc)
    lines = [f"{stamp} x\n", "2026-11-20 00:00:00 x\n"]
    files, _ = in_order([entry("late", lines[0]), entry("early", lines[1])], ZONE)
    assert [f.name for f in files] == ["early", "late"]


def blocks(data: bytes) -> bytes:
    return b"".join(bytes(b) for b in LogFile("f", NOW, memoryview(data)).blocks())


def test_blocks_of_plain_and_compressed_files_hold_the_same() -> None:
    text = b"one\ntwo\nthree"
    assert blocks(text) == blocks(gzip.compress(text)) == text
    assert blocks(gzip.compress(b"one\n") + gzip.compress(b"two\n")) == b"one\ntwo\n"


def test_a_damaged_archive_is_named() -> None:
    with pytest.raises(Unparsable, match=r"^f: damaged gzip"):
        blocks(gzip.compress(b"x" * 1000)[:20] + b"\xff" * 40)


@pytest.mark.parametrize("packed", PACKERS, ids=["gzip", "bzip2", "xz"])
def test_several_members_padding_and_damage(packed: Callable[[bytes], bytes]) -> None:
    assert blocks(packed(b"one\n") + packed(b"two\n")) == b"one\ntwo\n"
    assert blocks(packed(b"one\n") + bytes(200_000)) == b"one\n"
    assert blocks(packed(b"one\n") + bytes(70_000) + packed(b"two\n")) == b"one\ntwo\n"
    noise = packed(hashlib.shake_256(b"x").hexdigest(20_000).encode())
    for bad in (noise[:-9], noise[:9000], noise[:4000] + b"\xff" * 4000 + noise[8000:]):
        with pytest.raises(Unparsable, match=r"^f: damaged"):
            blocks(bad)


@pytest.mark.parametrize("packed", PACKERS[1:], ids=["bzip2", "xz"])
def test_bombs_of_other_kinds(packed: Callable[[bytes], bytes]) -> None:
    assert blocks(packed(bytes(50_000_000))) == b""


def test_a_bomb_without_line_ends_takes_no_memory() -> None:
    assert blocks(gzip.compress(b"\0" * 50_000_000)) == b""


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    heads = (b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")
    packed = [p(data)[: len(data)] for p in (gzip.compress, bz2.compress, lzma.compress)]
    for raw in (data, *(h + data for h in heads), *packed):
        try:
            files, _ = in_order([entry("f", raw)], ZONE)
            assert sum(len(blocks(bytes(f.data))) for f in files) >= 0
        except Unparsable as e:
            assert "f: " in str(e)  # noqa: PT017
