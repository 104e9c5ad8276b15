from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup import recency
from checks.backup.series import BackupSeries, Origin, PointState
from checks.backup.sources.registry import SERIES
from checks.backup.sources.s3 import OBJECTS, UPLOADS
from checks.evidence import Answers, Evidence, Need, Unparsable
from checks.model import Context, Scope, Subject
from inventory.model import BackupSet, Inventory, System, Unit, UnitKind
from tests.helpers.backup_series import NOW, UTC, at


def subject(path: str) -> Subject:
    backup = BackupSet(id="db", system="s", kind="s3", bucket="b", path=path, every="1d")
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="b",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )


def one(key: str, when: str = "2026-11-22T02:00:00Z", size: int = 100) -> dict[str, Any]:
    return {"key": key, "size": size, "last_modified": when, "storage_class": "", "etag": "e"}


def text(*entries: dict[str, Any], capped: str | None = "") -> bytes:
    end = [{"total": len(entries), "bytes": 0, "pages": 1, "capped": capped}]
    return b"".join(
        json.dumps(e).encode() + b"\n" for e in [*entries, *(end if capped is not None else [])]
    )


def read(path: str, listing: bytes, uploads: bytes | None = None) -> BackupSeries:
    given = [(OBJECTS.id, listing)] + ([(UPLOADS.id, uploads)] if uploads is not None else [])
    answers = Answers(
        Evidence(probe=probe, target="b", key="", taken=NOW, stdout=out) for probe, out in given
    )
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(path))
    return SERIES.parse(context, answers)


def names(path: str, *keys: str) -> list[str]:
    return sorted(p.name for p in read(path, text(*(one(k) for k in keys))).points)


def test_which_keys_belong_to_a_path() -> None:
    keys = ("hk-1/a", "hk-1/sub/b", "hk-10/c", "hk-1", "hk-1/", "top-d")
    assert names("hk-1", *keys) == ["a", "b", "hk-1"]
    assert names("/hk-1/", *keys) == ["a", "b", "hk-1"]
    assert names("hk-1/*", *keys) == ["a"]
    assert names("top-", *keys) == ["top-d"]
    assert names("*-d", *keys) == ["top-d"]


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("pg/", "pg"), ("pg/db-*.dump", "pg/db-"), ("*.dump", ""), ("/a/b/x?[12]", "a/b/x")],
)
def test_the_store_is_asked_for_no_more_than_needed(path: str, prefix: str) -> None:
    objects, uploads, *beside = SERIES.requests(subject(path))
    assert {r.need for r in beside} == {Need.OPTIONAL}
    assert objects.params == {"operation": "list", "prefix": prefix}
    assert uploads.params == {"operation": "uploads", "prefix": prefix}
    assert (objects.need, uploads.need) == (Need.REQUIRED, Need.OPTIONAL)


@pytest.mark.parametrize(
    ("key", "stored", "start", "origin", "note"),
    [
        ("db-20261122T020000Z", "2026-11-22T02:30:00Z", "2026-11-22 02:00", Origin.NAME, None),
        ("db-20261122_090000", "2026-11-22T02:30:00Z", "2026-11-22 02:30", Origin.SERVER, None),
        ("db-20261101T020000Z", "2026-11-22T02:30:00Z", "2026-11-01 02:00", Origin.NAME, "copied"),
        ("db-20300101T020000Z", "2026-11-22T02:30:00Z", "2026-11-22 02:30", Origin.SERVER, "named"),
        ("db", "2026-11-22T09:30:00+07:00", "2026-11-22 02:30", Origin.SERVER, None),
    ],
)
def test_which_time_counts(
    key: str, stored: str, start: str, origin: Origin, note: str | None
) -> None:
    (point,) = read("*", text(one(key, stored))).points
    assert (point.start, point.origin) == (at(start), origin)
    assert [n.partition("_")[0] for n in point.notes] == ([note] if note else [])


def test_states_of_objects_and_uploads() -> None:
    listing = text(one("d/a.gz", size=20), one("d/b", size=0), one("d/c.part"), one("d/e.gz"))
    uploads = text(
        {"key": "d/f", "initiated": "2026-11-22T01:00:00Z", "upload_id": "1"},
        {"key": "elsewhere", "initiated": "2026-11-22T01:00:00Z", "upload_id": "2"},
    )
    states = {p.name: p.state for p in read("d", listing, uploads).points}
    assert states == {
        "a.gz": PointState.INVALID,
        "b": PointState.INVALID,
        "c.part": PointState.RUNNING,
        "e.gz": PointState.OK,
        "f": PointState.RUNNING,
    }


def test_a_capped_listing_is_said_to_be_cut_and_a_broken_one_is_no_listing() -> None:
    assert read("d", text(one("d/a"), capped="bytes")).listing.truncated
    assert not read("d", text(one("d/a"))).listing.truncated
    for broken in (b"", text(one("d/a"), capped=None), text() + text(), b'{"key":"a"}\n', b"[]\n"):
        with pytest.raises(Unparsable):
            read("d", broken)


def test_a_large_listing_in_a_view_keeps_the_newest() -> None:
    many = [one(f"d/{n:05}", f"2026-11-{1 + n // 1000:02}T02:00:00Z") for n in range(20_000)]
    series = read("d", memoryview(text(*many)))  # type: ignore[arg-type]
    assert (len(series.points), series.listing.older) == (2000, 18_000)
    assert {p.start.day for p in series.points} == {19, 20}


LINES = st.sampled_from(
    [
        text(one("d/a")),
        text(one("d/b"), capped=None),
        json.dumps(one("d/c", "9999-12-31T23:59:59-14:00")).encode() + b"\n",
        json.dumps(one("d/c", "0001-01-01T00:00:00+14:00")).encode() + b"\n",
        json.dumps(one("d/20261122", "2026-11-22T02:00:00", -5)).encode() + b"\n",
        b'{"total":1,"bytes":1,"pages":1}\n',
        b'{"key":"d/f","initiated":"0001-01-01T00:00:00+14:00"}\n',
        b"\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=99), st.lists(LINES, max_size=6).map(b"".join)),
    st.one_of(st.binary(max_size=99), st.lists(LINES, max_size=6).map(b"".join)),
)
def test_any_answer_is_a_series_or_unparsable(listing: bytes, uploads: bytes) -> None:
    try:
        series = read("d", listing, uploads)
    except Unparsable:
        return
    for check in recency.CHECKS:
        context = Context(
            now=NOW, zone=UTC, legal_basis=2026, subject=subject("d"), options=check.options()
        )
        (verdict,) = check.judge(context, series)
        msgspec.json.encode(verdict)
