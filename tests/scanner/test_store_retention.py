"""The limits on what is kept: details of documents end in the file itself, counts stay."""

from __future__ import annotations

import contextlib
import datetime as dt
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from checks.documents.retention import EXPIRED
from checks.results import Result, ScanInfo
from reports.explain.build import explain
from reports.statistics.build import CHECKS, Ask, statistics
from scanner.store.database import Store
from tests.helpers.correspondence import NOW, UNIT, subject
from tests.helpers.document_events import known, mailed, registered
from tests.helpers.document_scans import rows, scan

DAY = dt.timedelta(days=1)
MARKS = (b"100/2026/QD-UBND-HK", b"mail.csv:100", b"register.csv:100")


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
        assert all(holds(tmp_path, mark) for mark in MARKS)
        store.retire(180, NOW)
        assert not [mark for mark in MARKS if holds(tmp_path, mark)]


def test_nothing_pruned_is_left_in_the_files(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        stored(store, NOW - 200 * DAY)
        clean = scan([], subject(), NOW, "newer").info
        store.begin(msgspec.structs.replace(clean, complete=False), subject().inventory, "p")
        store.finish(clean)
        assert holds(tmp_path, MARKS[0])
        assert store.prune(180, NOW) == 1
        assert not [mark for mark in MARKS if holds(tmp_path, mark)]


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
