"""The packed form of files: round trip of anything, damage is never read as an answer."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FILES, Need, Probe, Source, Unparsable
from checks.files import FileEntry, files_request, pack, unpack

MOMENT = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
entries = st.builds(
    FileEntry,
    name=st.text(st.characters(codec="utf-8"), max_size=30),
    mtime=st.datetimes(timezones=st.just(dt.UTC)),
    data=st.binary(max_size=200),
)


@given(st.lists(entries, max_size=5))
def test_any_files_come_back_as_they_went_in(files: list[FileEntry]) -> None:
    assert unpack(pack(files)) == files
    assert [bytes(e.data) for e in unpack(memoryview(pack(files)))] == [e.data for e in files]


@given(st.binary(max_size=200))
def test_garbage_is_unparsable_and_never_crashes(data: bytes) -> None:
    try:
        unpack(data)
    except Unparsable:
        return
    assert data == b"" or data.startswith(b"{")


def test_a_cut_file_is_unparsable() -> None:
    whole = pack([FileEntry(name="a.csv", mtime=MOMENT, data=b"1;2\n" * 10)])
    for cut in range(1, len(whole)):
        with pytest.raises(Unparsable):
            unpack(whole[:cut])


def test_a_view_is_sliced_and_not_copied() -> None:
    whole = memoryview(pack([FileEntry(name="a.csv", mtime=MOMENT, data=b"abc")]))
    data = unpack(whole)[0].data
    assert isinstance(data, memoryview)
    assert data.obj is whole.obj


def test_request_names_the_pattern_and_the_project() -> None:
    probe = Probe(id="documents.register", title="register", source=Source.FILES)
    request = files_request(probe, "registers/*.csv", Need.MEMBER)
    assert (request.target, request.source, request.params, request.need) == (
        FILES,
        Source.FILES,
        {"path": "registers/*.csv"},
        Need.MEMBER,
    )
    with pytest.raises(ValueError, match=r"host\.clock"):
        files_request(Probe(id="host.clock", title="clock"), "x")
