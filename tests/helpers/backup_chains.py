"""Chains of full and partial copies as the tools tell them that say what hangs on what."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from checks.backup.sources import (
    directory,
    mariadb_backup,
    pgbackrest,
    walg,
)
from checks.evidence import Evidence
from tests.helpers import backup_told_databases as databases
from tests.helpers.backup_saying import (
    HANOI,
    LASTS,
    Run,
    answer,
    as_json,
    clock,
    folders,
    listed,
)
from tests.helpers.backup_series import NOW


class Link(NamedTuple):
    """A run of a chain. `base` is the start of the run that it was made onto; None of a full."""

    start: dt.datetime
    base: dt.datetime | None = None


def _duplicity(links: Sequence[Link]) -> list[Evidence]:
    files = []
    for link in links:
        since = f"inc.{link.base:%Y%m%dT%H%M%SZ}.to" if link.base else "full"
        name = f"duplicity-{since}.{link.start:%Y%m%dT%H%M%SZ}"
        files.append((f"{name}.vol1.difftar.gpg", link.start, 1000))
        files.append((f"{name}.manifest.gpg", link.start, 10))
    return [answer(directory.LISTING, listed("/srv/r", files))]


def _pgbackrest(links: Sequence[Link]) -> list[Evidence]:
    info, *beside = databases.by_pgbackrest([Run(link.start) for link in links])
    (stanza,) = json.loads(bytes(info.stdout))
    for row, link in zip(stanza["backup"], links, strict=True):
        row["label"] = f"{link.start:%Y%m%d-%H%M%S}{'I' if link.base else 'F'}"
        if link.base:
            full = any(known.start == link.base and not known.base for known in links)
            prior = f"{link.base:%Y%m%d-%H%M%S}{'F' if full else 'I'}"
            row |= {"type": "incr", "prior": prior}
    logs = {
        f"15-1/{1:016X}/{n:024X}-{n:040x}.gz": {"type": "file", "time": int(NOW.timestamp()) - 3600}
        for n in range(1, 10)
    }
    return [
        answer(pgbackrest.INFO, as_json([stanza])),
        answer(pgbackrest.WAL, as_json(logs)),
        *beside,
    ]


def _mariadb(links: Sequence[Link]) -> list[Evidence]:
    found = []
    for link in links:
        values: dict[str, object] = {
            "info": 1,
            "uuid": f"u{link.start:%j%H}",
            "start_time": f"{link.start.astimezone(HANOI):%Y-%m-%d %H:%M:%S}",
            "end_time": f"{link.start.astimezone(HANOI):%Y-%m-%d %H:%M:%S}",
            "backup_type": "incremental" if link.base else "full-backuped",
            "from_lsn": int(link.base.timestamp()) if link.base else 0,
            "to_lsn": int(link.start.timestamp()),
            "data": 1,
            "kilobytes": 1000,
        }
        found.append((f"{link.start:%Y-%m-%d}", values))
    return [answer(mariadb_backup.LISTING, folders("/srv/m", found)), clock()]


def _walg(links: Sequence[Link]) -> list[Evidence]:
    def position(time: dt.datetime) -> str:
        return f"{int(time.timestamp()):024X}"

    rows = [
        {
            "backup_name": f"base_{position(link.start)}"
            + (f"_D_{position(link.base)}" if link.base else ""),
            "start_time": link.start.isoformat(),
            "finish_time": (link.start + LASTS).isoformat(),
            "compressed_size": 1000,
        }
        for link in links
    ]
    return [answer(walg.LIST, as_json(rows)), clock()]


CHAINS: dict[str, Callable[[Sequence[Link]], Sequence[Evidence]]] = {
    "duplicity": _duplicity,
    "pgbackrest": _pgbackrest,
    "mariadb-backup": _mariadb,
    "wal-g": _walg,
}
"""The tools that tell onto which copy each of their partial ones was made."""
