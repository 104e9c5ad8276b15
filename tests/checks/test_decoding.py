"""Text of any encoding, read line by line from a mapping as from bytes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.decoding import LONGEST_LINE, encoding_of, lines_of, text_of
from checks.evidence import Unparsable
from checks.files import FileEntry


def entry(data: bytes) -> FileEntry:
    mtime = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    return FileEntry(name="so.csv", mtime=mtime, data=memoryview(data))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "utf-8-sig"),
        ("Số".encode(), "utf-8-sig"),
        ("Số".encode("utf-16"), "utf-16"),
        ("Số hiệu, ngày".encode("utf-16-le"), "utf-16-le"),
        ("Số hiệu, ngày".encode("utf-16-be"), "utf-16-be"),
        (b"\xd0\xf4", "cp1258"),
        # What is no UTF-8 only far into the file is none at all.
        (b"a" * 3_000_000 + b"\xd0", "cp1258"),
        # A letter that lies across two pieces of the file is whole.
        (b"a" * ((1 << 20) - 1) + "ố".encode(), "utf-8-sig"),
        (b"a\xe1\xbb", "cp1258"),
    ],
)
def test_encodings(data: bytes, encoding: str) -> None:
    assert encoding_of(data) == encoding


@given(st.text(alphabet='aố\r\n,;"', max_size=60))
def test_the_lines_make_the_text(text: str) -> None:
    found = entry(text.encode())
    assert "".join(lines_of(found, "utf-8-sig")) == text_of(found) == text


def test_a_line_without_end_is_refused_before_it_is_whole() -> None:
    data = entry(b"a\n" + b"x" * (LONGEST_LINE + 1))
    with pytest.raises(Unparsable, match=r"^so.csv:2: longer than"):
        list(lines_of(data, "utf-8"))
