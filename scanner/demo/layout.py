"""Where things lie in the demo's folder."""

from __future__ import annotations

from pathlib import Path

from scanner.demo.plot import SetPlot, SystemPlot


def host_home(out: Path, host: str) -> Path:
    """The folder that stands for a server's whole file system."""
    return out / "hosts" / host


def set_folder(out: Path, system: SystemPlot, backup: SetPlot) -> Path:
    """Where the copies of a backup set lie."""
    return host_home(out, backup.store or system.host) / "srv" / "backups" / system.id / backup.id


def mail_log(out: Path, unit: str, host: str) -> Path:
    """Where a unit's mail log lies: on its server, or handed over as a file of the project."""
    if host:
        return host_home(out, host) / "var" / "log" / "mail.log"
    return out / "mail" / f"{unit}.log"
