"""One history, told by each tool in its own way, ends in one verdict."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from checks.backup.keeping import automatic, history_sufficient, retained
from checks.backup.recency import periodic, recent
from checks.backup.restore import restore_tested
from checks.backup.series import BackupSeries
from checks.backup.sources.borg import ARCHIVES
from checks.backup.sources.directory import LISTING
from checks.backup.sources.register import TABLE
from checks.backup.sources.registry import SERIES
from checks.backup.sources.restic import SNAPSHOTS
from checks.backup.sources.s3 import OBJECTS
from checks.evidence import Answers, Evidence
from checks.files import FileEntry, pack
from checks.model import Check, Context, Severity, Subject
from inventory.model import RestoreTest
from tests.helpers.backup_judging import OLD, TODAY, a_set, a_system, about, judge, said
from tests.helpers.backup_series import DAY, NOW, UTC, daily

SNAPSHOTS_OF_KOPIA = "backup.kopia"
Times = Sequence[dt.datetime]


def folder(times: Times) -> bytes:
    fields = ["root", "/b"]
    for n, time in enumerate(times):
        stamp = int(time.timestamp())
        fields += [f"{stamp} {stamp} 0 1000 {n + 1}", f"/b/db-{time:%Y%m%dT%H%M%S}Z.dump"]
    return "\0".join([*fields, "end", "0", ""]).encode()


def bucket(times: Times) -> bytes:
    lines: list[dict[str, Any]] = [
        {"key": f"p/{n}.dump", "size": 1000, "last_modified": time.isoformat()}
        for n, time in enumerate(times)
    ]
    lines.append({"total": len(times), "bytes": 0, "pages": 1, "capped": ""})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def restic(times: Times) -> bytes:
    hanoi = dt.timezone(dt.timedelta(hours=7))
    return json.dumps(
        [
            {
                "time": time.astimezone(hanoi).isoformat(),
                "hostname": "h",
                "paths": ["/srv"],
                "id": f"{n:064x}",
            }
            for n, time in enumerate(times)
        ]
    ).encode()


def borg(times: Times) -> bytes:
    rows = [
        {
            "id": f"{n:064x}",
            "name": f"h-{n}",
            "start": time.replace(tzinfo=None).isoformat(timespec="microseconds"),
            "hostname": "h",
        }
        for n, time in enumerate(times)
    ]
    return json.dumps({"archives": rows, "encryption": {"mode": "repokey"}}).encode()


def rclone(times: Times) -> bytes:
    rows = [
        {"Path": f"{time:db-%Y%m%dT%H%M%SZ}.dump", "Size": 1000, "ModTime": time.isoformat()}
        for time in times
    ]
    return json.dumps(rows).encode()


def duplicity(times: Times) -> bytes:
    names = [
        f"duplicity-full.{time:%Y%m%dT%H%M%S}Z.{end}"
        for time in times
        for end in ("vol1.difftar.gpg", "manifest.gpg")
    ]
    fields = ["root", "/srv/r"]
    for n, name in enumerate(names):
        stamp = int(times[n // 2].timestamp())
        fields += [f"{stamp} {stamp} 0 1000 {n + 1}", f"/srv/r/{name}"]
    return "\0".join([*fields, "end", "0", ""]).encode()


def kopia(times: Times) -> bytes:
    rows = [
        {
            "id": f"{n:032x}",
            "source": {"host": "h", "userName": "root", "path": "/srv"},
            "startTime": time.isoformat(),
            "endTime": time.isoformat(),
            "stats": {"totalSize": 1000, "fileCount": 10, "errorCount": 0},
        }
        for n, time in enumerate(times)
    ]
    return json.dumps(rows).encode()


TOOLS: dict[str, tuple[str, Callable[[Times], bytes], dict[str, Any]]] = {
    "directory": (LISTING.id, folder, {"path": "/b/*.dump"}),
    "s3": (OBJECTS.id, bucket, {"server": "", "bucket": "bucket", "path": "p"}),
    "restic": (SNAPSHOTS.id, restic, {"repository": "/srv/r"}),
    "rclone": ("backup.rclone", rclone, {"repository": "remote:r"}),
    "duplicity": (LISTING.id, duplicity, {"repository": "file:///srv/r"}),
    "kopia": (SNAPSHOTS_OF_KOPIA, kopia, {}),
    "borg": (ARCHIVES.id, borg, {"repository": "/srv/r"}),
}


def times(*skip: int, count: int = 31, newest: str = "2026-11-22 02:00") -> list[dt.datetime]:
    return [p.start for p in daily(count, newest, skip)]


TRIED = {"restore_tests": (RestoreTest(date=TODAY - 40 * DAY, result="ok", document="1"),)}
HISTORIES: dict[str, tuple[Times, dict[str, Any], dict[Check, tuple[str, str, Any]]]] = {
    "perfect": (
        times(),
        TRIED,
        {
            recent: ("fresh", "pass", None),
            periodic: ("regular", "pass", None),
            history_sufficient: ("enough", "pass", None),
            retained: ("kept", "pass", None),
            automatic: ("regular", "pass", None),
            restore_tested: ("registered", "pass", None),
        },
    ),
    "stopped": (
        times(newest="2026-11-17 02:00"),
        {},
        {
            recent: ("stale", "fail", Severity.CRITICAL),
            periodic: ("gap", "fail", Severity.CRITICAL),
            retained: ("kept", "pass", None),
            restore_tested: ("never", "fail", Severity.CRITICAL),
        },
    ),
    "hole": (
        times(3),
        {},
        {recent: ("fresh", "pass", None), periodic: ("hole", "fail", Severity.MINOR)},
    ),
    "gap": (
        times(3, 4),
        {},
        {recent: ("fresh", "pass", None), periodic: ("gap", "fail", Severity.CRITICAL)},
    ),
    "pruned early": (times(count=10), {}, {retained: ("short", "fail", Severity.CRITICAL)}),
    "nothing": (
        [],
        {},
        {
            recent: ("none", "fail", Severity.CRITICAL),
            periodic: ("none", "fail", Severity.CRITICAL),
            retained: ("none", "fail", Severity.CRITICAL),
            automatic: ("unseen", "unknown", None),
        },
    ),
    "from the future": (
        [*times(), NOW + 900 * DAY],
        {},
        {recent: ("future", "fail", Severity.MINOR), periodic: ("regular", "pass", None)},
    ),
}


def told(tool: str, made: Times, **more: Any) -> tuple[Subject, BackupSeries]:
    probe, say, keys = TOOLS[tool]
    backup = a_set(kind=tool, effective_from=OLD, **keys | more)
    subject = about(a_system(backup, level=3), backup)
    evidence = Evidence(
        probe=probe, target="h", key="", taken=NOW, stdout=say(made), stderr=b"sauro-exit 0\n"
    )
    now = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject)
    return subject, SERIES.parse(now, Answers([evidence]))


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("tool", TOOLS)
def test_whoever_tells_it(tool: str, history: str) -> None:
    made, more, expected = HISTORIES[history]
    subject, series = told(tool, made, **more)
    found = {check.id: said(judge(check, series, subject)) for check in expected}
    assert found == {check.id: verdict for check, verdict in expected.items()}


def test_a_register_ends_in_the_same_but_is_never_automatic() -> None:
    rows = "".join(f"{t:%Y-%m-%d %H:%M};backup;ok\n" for t in times())
    text = "date;type;result\n" + rows
    backup = a_set(kind="register", server="", path="r.csv", effective_from=OLD, **TRIED)
    subject = about(a_system(backup, level=3), backup)
    stdout = pack([FileEntry(name="r.csv", mtime=NOW, data=text.encode())])
    evidence = Evidence(probe=TABLE.id, target="files", key="", taken=NOW, stdout=stdout)
    now = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject)
    series = SERIES.parse(now, Answers([evidence]))
    for check, expected in HISTORIES["perfect"][2].items():
        verdict = said(judge(check, series, subject))
        assert verdict == (
            expected if check is not automatic else ("by_hand", "fail", Severity.CRITICAL)
        )
