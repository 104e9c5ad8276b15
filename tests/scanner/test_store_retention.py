"""The limits on what is kept: details of documents end in the file itself, counts stay."""

from __future__ import annotations

import contextlib
import datetime as dt
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from checks.documents.retention import EXPIRED, MARKS, REMEMBERED
from checks.documents.sources.mails import Counted
from checks.documents.sources.remembered import (
    VERSION,
    Mark,
    Remembered,
    mark_bytes,
    packed,
    unpacked,
)
from checks.model import Memory
from checks.results import Result, ScanInfo
from reports.explain.build import explain
from reports.statistics.build import CHECKS, Ask, statistics
from scanner.store.database import Store
from tests.helpers.correspondence import NOW, UNIT, subject
from tests.helpers.document_events import known, mailed, registered
from tests.helpers.document_scans import rows, scan

DAY = dt.timedelta(days=1)
TRACES = (b"100/2026/QD-UBND-HK", b"mail.csv:100", b"register.csv:100")


def judged() -> list[Result]:
    return rows(known(*registered(100), mailed(100)), subject())


def stored(store: Store, at: dt.datetime, until: dt.datetime | None = None) -> ScanInfo:
    """A whole scan with a bypass in it, and a row that is none of the documents'."""
    found = judged()
    other = msgspec.structs.replace(
        found[0], check="backup.recent", fingerprint="b" * 16, detail={"pairs": ["kept"]}
    )
    whole = scan([*found, other], subject(), at, f"{at:%Y%m%dT%H%M%S}")
    info = msgspec.structs.replace(whole.info, documents_until=until, complete=False)
    store.begin(info, whole.inventory, info.id)
    store.save(info.id, ["k"], whole.results, [], [], [])
    done = msgspec.structs.replace(info, complete=True)
    store.finish(done)
    return done


def test_old_details_end_and_counts_stay(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        old, new = stored(store, NOW - 200 * DAY), stored(store, NOW)
        before = store.results_of(old.id)
        assert store.retire(180, NOW) == 1
        after = store.results_of(old.id)
        assert [r.fingerprint for r in after] == [r.fingerprint for r in before]
        assert [r.status for r in after] == [r.status for r in before]
        for one, other in zip(after, before, strict=True):
            if one.check.startswith("documents."):
                assert one.detail[EXPIRED] == NOW.isoformat()
                assert one.detail.get("counts") == other.detail.get("counts")
            else:
                assert one == other
        assert store.results_of(new.id) != after
        assert store.find(old.id).documents_ended == NOW
        assert store.find(new.id).documents_ended is None
        assert store.retire(180, NOW) == 0


def raw(folder: Path) -> list[bytes]:
    """Everything in the store's files, and what unpacks from it at any place."""
    whole = b"".join(f.read_bytes() for f in sorted(folder.iterdir()))
    found, at = [whole], whole.find(b"x\x01")
    while at >= 0:
        unpacker = zlib.decompressobj()
        # By pieces, so that what stands before a break of the stream is seen.
        with contextlib.suppress(zlib.error):
            pieces = (whole[n : n + 64] for n in range(at, at + 65_536, 64))
            found.extend(unpacker.decompress(piece) for piece in pieces)
        at = whole.find(b"x\x01", at + 1)
    return [b"".join(found), *found[:1]]


def holds(folder: Path, mark: bytes) -> bool:
    return any(mark in part for part in raw(folder))


def test_nothing_ended_is_left_in_the_files(tmp_path: Path) -> None:
    """Neither in the pages that were freed nor in the log beside the file."""
    with Store.open(tmp_path / "s.db") as store:
        stored(store, NOW - 200 * DAY)
        assert all(holds(tmp_path, mark) for mark in TRACES)
        store.retire(180, NOW)
        assert not [mark for mark in TRACES if holds(tmp_path, mark)]


def test_nothing_pruned_is_left_in_the_files(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        stored(store, NOW - 200 * DAY)
        clean = scan([], subject(), NOW, "newer").info
        store.begin(msgspec.structs.replace(clean, complete=False), subject().inventory, "p")
        store.finish(clean)
        assert holds(tmp_path, TRACES[0])
        assert store.prune(180, NOW) == 1
        assert not [mark for mark in TRACES if holds(tmp_path, mark)]


@pytest.mark.parametrize(
    ("days", "until", "ended"),
    [
        (0, None, 0),
        (0, NOW - DAY, 1),
        (0, NOW + DAY, 0),
        (500, NOW - DAY, 1),
        (100, NOW + DAY, 1),
        (200, None, 0),
    ],
)
def test_the_promise_of_a_scan_and_the_setting_both_hold(
    tmp_path: Path, days: int, until: dt.datetime | None, ended: int
) -> None:
    with Store.open(tmp_path / "s.db") as store:
        stored(store, NOW - 150 * DAY, until)
        assert store.retire(days, NOW) == ended


def test_trends_and_statistics_survive_the_details(place: str) -> None:
    with Store.open(place) as store:
        old = stored(store, NOW)
        ask = Ask(
            first=dt.date(2026, 10, 22), last=dt.date(2026, 11, 20), reporter=UNIT, units=(UNIT,)
        )

        def counted() -> Any:
            found = [(old, r) for r in store.results_of(old.id, tuple(CHECKS))]
            return statistics(found, ask, NOW, "t").units

        before, opened = counted(), store.opened(old.id)
        assert before[0].total.outgoing.results == {"bypass": 1, "routed": 30}
        assert store.retire(30, NOW + 31 * DAY) == 1
        assert counted() == before
        assert store.opened(old.id) == opened


def test_an_explanation_says_that_the_details_are_gone(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        old = stored(store, NOW - 200 * DAY)
        row = next(r for r in store.results_of(old.id) if r.check == "documents.bypass")
        store.retire(180, NOW)
        found = explain(store.load(old.id), row.fingerprint, "", "en")
        assert found.cases == ()
        assert found.total == 1
        assert any("removed at the end of their time on 20 Nov 2026" in n for n in found.notes)
        asked = explain(store.load(old.id), "100/QĐ-UBND-HK", UNIT.id, "en")
        assert not asked.found
        assert any("removed at the end" in n for n in asked.notes)


def remembered(at: dt.datetime) -> list[Memory]:
    """What a scan at that time keeps of a mail log: a mail of every tenth day before."""
    days = [at - n * DAY for n in range(8, 200, 10)]
    base = Counted(
        events=tuple(msgspec.structs.replace(mailed(100), time=day) for day in days),
        mails=4000,
        days=frozenset(day.date() for day in days),
        hours=frozenset(int(day.timestamp()) // 3600 for day in days),
        first=days[-1],
        last=days[0],
    )
    known = Remembered(
        mark=Mark(version=VERSION, since=at - 7 * DAY, begins=()),
        until=at - 6 * DAY,
        knows="x",
        base=base,
        rest=Counted(mails=7),
        names={},
        known_since=at,
    )
    data = packed(known)
    assert data is not None
    key = subject().key
    return [
        Memory(kind=REMEMBERED, subject=key, id="log", time=days[-1], data=data),
        Memory(kind=MARKS, subject=key, id="log", time=days[-1], data=mark_bytes(known.mark)),
        Memory(kind="backup.point", subject=key, id="p", time=days[-1], data=b"{}"),
    ]


def recalled(store: Store) -> Remembered | None:
    found = store.recall(REMEMBERED, subject().key).get(subject().key, ())
    return unpacked(found[0].data) if found else None


def test_what_is_remembered_of_a_log_ends_by_the_time_of_its_mails(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        info = stored(store, NOW)
        store.save(info.id, [], [], [], remembered(NOW), [])
        whole = recalled(store)
        store.retire(60, NOW)
        found = recalled(store)
        assert whole
        assert found
        cutoff = NOW - 60 * DAY
        assert len(found.base.events) == 6 < len(whole.base.events)
        assert min(e.time for e in found.base.events if e.time) >= cutoff
        assert min(found.base.days) >= cutoff.date()
        assert found.base.first == cutoff
        assert (found.base.mails, found.mark) == (4000, whole.mark)
        assert store.retire(60, NOW) == 0
        assert recalled(store) == found
        store.retire(0, NOW + 999 * DAY)
        assert recalled(store) == found


@pytest.mark.parametrize("again", [False, True], ids=["by the old scan", "by a newer scan"])
def test_what_a_scan_remembered_ends_with_its_promise(tmp_path: Path, again: bool) -> None:
    with Store.open(tmp_path / "s.db") as store:
        old = stored(store, NOW, NOW + 90 * DAY)
        store.save(old.id, [], [], [], remembered(NOW), [])
        new = stored(store, NOW + 80 * DAY, NOW + 900 * DAY)
        if again:
            store.save(new.id, [], [], [], remembered(NOW + 80 * DAY), [])
        assert store.retire(0, NOW + 91 * DAY) == 1
        assert (recalled(store) is not None) == again
        assert bool(store.recall(MARKS)) == again
        assert store.recall("backup.point")


def test_a_memory_that_cannot_be_read_is_forgotten(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        info = stored(store, NOW)
        bad = [msgspec.structs.replace(m, data=b"bad") for m in remembered(NOW)]
        store.save(info.id, [], [], [], bad, [])
        store.retire(60, NOW)
        (found,) = store.recall(REMEMBERED)[subject().key]
        assert found.data == b""
