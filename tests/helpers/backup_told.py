"""One history told by each backup tool in its own way, for the tests of equal verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from checks.evidence import Evidence
from tests.helpers import backup_told_copies as copies
from tests.helpers import backup_told_databases as databases
from tests.helpers.backup_saying import (
    ARN,
    Run,
)


class Size(StrEnum):
    """What a tool tells of a copy's weight."""

    STORED = "stored"
    DATA = "data"
    NONE = "none"


class Teller(NamedTuple):
    """How one tool tells a history. `failures` is whether it tells a run that failed."""

    kind: str
    tell: Callable[[Sequence[Run]], Sequence[Evidence]]
    keys: Mapping[str, Any]
    size: Size = Size.STORED
    failures: bool = True


_FILE = {"server": "", "path": "export.json"}
TELLERS: dict[str, Teller] = {
    "directory": Teller("directory", copies.by_folder, {"path": "/b/*.dump"}),
    "s3": Teller("s3", copies.by_bucket, {"server": "", "bucket": "bucket", "path": "p"}),
    "rclone": Teller("rclone", copies.by_rclone, {"repository": "remote:r"}),
    "duplicity": Teller("duplicity", copies.by_duplicity, {"repository": "file:///srv/r"}),
    "register": Teller("register", copies.by_register, {"server": "", "path": "r.csv"}),
    # Restic and Borg list what ended with errors like anything else.
    "restic 0.14": Teller(
        "restic",
        lambda runs: copies.by_restic(runs, summary=False),
        {"repository": "/srv/r"},
        Size.NONE,
        failures=False,
    ),
    "restic 0.17": Teller(
        "restic",
        lambda runs: copies.by_restic(runs, summary=True),
        {"repository": "/srv/r"},
        Size.DATA,
        failures=False,
    ),
    "borg": Teller(
        "borg",
        lambda runs: copies.by_borg(runs, figures=True),
        {"repository": "/srv/r"},
        Size.DATA,
        failures=False,
    ),
    "borg as another account": Teller(
        "borg",
        lambda runs: copies.by_borg(runs, figures=False),
        {"repository": "/srv/r", "run_as": "borg"},
        Size.NONE,
        failures=False,
    ),
    "kopia": Teller("kopia", copies.by_kopia, {}, Size.DATA),
    "proxmox": Teller("proxmox", copies.by_proxmox, {"repository": "a@pbs!t@pbs1:main"}),
    "pgbackrest": Teller("pgbackrest", databases.by_pgbackrest, {"name": "main"}),
    "barman": Teller("barman", databases.by_barman, {"name": "main"}),
    "mariadb-backup": Teller("mariadb-backup", databases.by_mariadb, {"path": "/srv/m"}),
    "postgresql": Teller("postgresql", databases.by_postgresql, {"path": "/srv/pg"}),
    # WAL-G lists what it finished, and nothing of what it did not.
    "wal-g": Teller("wal-g", databases.by_walg, {}, failures=False),
    "bacula": Teller("bacula", databases.by_bacula, {"name": "motcua"}),
    "veeam restore points": Teller("veeam", databases.by_veeam_points, _FILE),
    "veeam sessions": Teller("veeam", databases.by_veeam_sessions, _FILE, Size.NONE),
    "windows-backup": Teller("windows-backup", databases.by_windows, _FILE, Size.NONE),
    "aws-backup": Teller(
        "aws-backup", databases.by_aws, {"server": "", "bucket": "bucket", "name": ARN}
    ),
}
"""A name to how that tool, read in that way, tells a history."""
