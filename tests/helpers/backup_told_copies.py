"""A history as the tools tell it that keep files, objects and snapshots."""

from __future__ import annotations

from collections.abc import Sequence

from checks.backup.sources import (
    borg,
    directory,
    kopia,
    proxmox,
    register,
    restic,
    s3,
)
from checks.evidence import Evidence, Probe
from tests.helpers.backup_saying import (
    HANOI,
    Run,
    answer,
    as_json,
    exported,
    lines,
    listed,
)


def _bytes(run: Run) -> int:
    """A dump of which the program died leaves a file with nothing in it."""
    return 0 if run.failed else run.size * 1024


def by_folder(runs: Sequence[Run]) -> list[Evidence]:
    """A folder of dumps."""
    files = [(f"db-{r.start:%Y%m%dT%H%M%S}Z.dump", r.start, _bytes(r)) for r in runs]
    return [answer(directory.LISTING, listed("/b", files))]


def by_bucket(runs: Sequence[Run]) -> list[Evidence]:
    """A bucket of dumps, whose names tell the day only."""
    found = [
        {"key": f"p/db-{r.day}.dump", "size": _bytes(r), "last_modified": r.start.isoformat()}
        for r in runs
    ]
    return [answer(s3.OBJECTS, lines(found))]


def by_rclone(runs: Sequence[Run]) -> list[Evidence]:
    """A remote of dumps, listed in Hà Nội."""
    rows = [
        {
            "Path": f"db-{r.start:%Y%m%dT%H%M%SZ}.dump",
            "Size": _bytes(r),
            "ModTime": r.start.astimezone(HANOI).isoformat(),
        }
        for r in runs
    ]
    return [answer(Probe(id="backup.rclone", title=""), as_json(rows))]


def by_duplicity(runs: Sequence[Run]) -> list[Evidence]:
    """A folder of full sets."""
    files = []
    for run in runs:
        name = f"duplicity-full.{run.start:%Y%m%dT%H%M%S}Z"
        # The first volume never came; the manifest and the second did.
        files.append((f"{name}.vol{1 + run.failed}.difftar.gpg", run.start, run.size * 1024))
        files.append((f"{name}.manifest.gpg", run.start, 0))
    return [answer(directory.LISTING, listed("/srv/r", files))]


def by_register(runs: Sequence[Run]) -> list[Evidence]:
    """A table that people keep."""
    rows = [
        f"{r.start:%Y-%m-%d %H:%M};backup;{'failed' if r.failed else 'ok'};{r.size} KB\n"
        for r in runs
    ]
    return exported(register.TABLE, ("r.csv", ("date;type;result;size\n" + "".join(rows)).encode()))


def by_restic(runs: Sequence[Run], *, summary: bool) -> list[Evidence]:
    """Snapshots, with what newer versions count when `summary`."""
    rows = []
    for n, run in enumerate(runs):
        if run.failed:
            continue  # it stopped before the snapshot was written
        figures = {
            "summary": {
                "backup_start": run.start.isoformat(),
                "backup_end": run.end.isoformat(),
                "total_files_processed": run.size,
                "total_bytes_processed": run.size * 1024,
            }
        }
        rows.append(
            {
                "time": run.start.astimezone(HANOI).isoformat(),
                "hostname": "h",
                "paths": ["/srv"],
                "id": f"{n:064x}",
            }
            | (figures if summary else {})
        )
    return [answer(restic.SNAPSHOTS, as_json(rows))]


def by_borg(runs: Sequence[Run], *, figures: bool) -> list[Evidence]:
    """Archives, with the sizes of the newest when `figures`."""
    rows, stats = [], []
    for n, run in enumerate(runs):
        rows.append(
            {
                "id": f"{n:064x}",
                # A broken-off run leaves a checkpoint, which is listed like an archive.
                "name": f"h-{run.day}{'.checkpoint' if run.failed else ''}",
                "start": run.start.replace(tzinfo=None).isoformat(timespec="microseconds"),
                "hostname": "h",
            }
        )
        size = {"nfiles": run.size, "original_size": run.size * 1024}
        stats.append({"id": f"{n:064x}", "stats": size})
    said = [answer(borg.ARCHIVES, as_json({"archives": rows, "encryption": {"mode": "repokey"}}))]
    newest = sorted(zip(runs, stats, strict=True), key=lambda p: p[0].start)[-10:]
    if figures:
        said.append(answer(borg.FIGURES, as_json({"archives": [s for _, s in newest]})))
    return said


def by_kopia(runs: Sequence[Run]) -> list[Evidence]:
    """Snapshots of one machine."""
    rows = [
        {
            "id": f"{n:032x}",
            "source": {"host": "h", "userName": "root", "path": "/srv"},
            "startTime": r.start.isoformat(),
            "endTime": r.end.isoformat(),
            "stats": {"totalSize": r.size * 1024, "fileCount": 10, "errorCount": 0},
        }
        | ({"incomplete": "canceled"} if r.failed else {})
        for n, r in enumerate(runs)
    ]
    return [answer(kopia.SNAPSHOTS, as_json(rows))]


def by_proxmox(runs: Sequence[Run]) -> list[Evidence]:
    """Snapshots of one guest."""
    rows = [
        {"backup-type": "vm", "backup-id": "101", "backup-time": int(r.start.timestamp())}
        # What is unfinished or broken has no size.
        | ({} if r.failed else {"size": r.size * 1024})
        for r in runs
    ]
    return [answer(proxmox.LIST, as_json(rows))]
