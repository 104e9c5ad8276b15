"""The project folder and its `sauro.yaml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from inventory import rules
from inventory.decode import decode_yaml
from inventory.problems import InvalidInput, Problem, shown
from inventory.yaml_nodes import Mapping as MappingNode
from inventory.yaml_nodes import line_of, read_nodes
from scanner.transports.base import SizeLimits, SshLimits

SETTINGS_FILE = "sauro.yaml"
_MAX_BYTES = 1024 * 1024


class KeepLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `keep:` block of the settings, in days; 0 means without end."""

    scan_days: Annotated[int, Meta(ge=0, le=36500)] = 0
    """Older scans are removed, but the last whole one of each selection stays."""
    document_days: Annotated[int, Meta(ge=0, le=36500)] = 180
    """Numbers, places and hashes of documents of older scans are removed; counts stay."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `sauro.yaml` says; every key has a default."""

    inventory: Annotated[str, Meta(min_length=1)] = "inventory"
    """File or folder of YAML files, relative to the project folder."""
    store: Annotated[str, Meta(min_length=1)] = "sauro.db"
    """SQLite file, relative to the project folder, or a PostgreSQL URL."""
    language: Literal["vi", "en"] = "vi"
    legal_basis: Literal[2016, 2026] = 2026
    timezone: Annotated[str, Meta(extra={"check": rules.zone})] = "Asia/Ho_Chi_Minh"
    agencies: Annotated[str, Meta(min_length=1)] = "agencies.csv"
    """The agency directory (CSV); it must exist when it is named, and may be missing otherwise."""
    holidays: tuple[dt.date, ...] = ()
    """Days off beside the public holidays that the program knows (a day given in exchange)."""
    working_days: tuple[dt.date, ...] = ()
    """Saturdays, Sundays or holidays on which offices work."""
    coverage_floor: Annotated[int, Meta(ge=0, le=100)] = 80
    ssh: SshLimits = SshLimits()
    limits: SizeLimits = SizeLimits()
    keep: KeepLimits = KeepLimits()
    watch: Annotated[str, Meta(extra={"check": rules.every})] = "0 2 * * *"
    """How often `sauro watch` scans: a duration, or cron in the time zone above."""
    policy: dict[str, dict[str, Any]] = {}
    """`{check id: {option: value}}`, raw; checked against the catalogue by who has one."""

    @property
    def postgresql(self) -> bool:
        """Whether the store is a PostgreSQL URL."""
        return self.store.startswith("postgresql")


def find_project(start: Path, given: Path | None, environ: Mapping[str, str]) -> Path:
    """The project folder: `--project`, else `SAURO_PROJECT`, else the working folder itself.

    No folder above the working folder is looked at, so that a command never writes where nobody
    meant it to. Raises InvalidInput when the folder has no `sauro.yaml`.
    """
    named = environ.get("SAURO_PROJECT", "")
    if given is not None:
        folder, source = start / given, "--project"
    elif named:
        folder, source = start / named, "SAURO_PROJECT"
    else:
        folder, source = start, ""
    if (folder / SETTINGS_FILE).is_file():
        return folder
    remedy = f"correct {source}" if source else "go to the project folder, or name it by --project"
    message = (
        f"{folder} has no {SETTINGS_FILE}: {remedy}, or make a project there with `sauro init`"
    )
    raise InvalidInput([Problem("", 0, source, message)])


def load_settings(project: Path) -> Settings:
    """Read `sauro.yaml`; raises InvalidInput with every problem."""
    path = project / SETTINGS_FILE
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot be read ({error.strerror}): make it readable"
        raise InvalidInput([Problem(str(path), 0, "", message)]) from None
    if len(data) > _MAX_BYTES:
        message = f"is larger than {_MAX_BYTES // 1024} KiB: these are not settings"
        raise InvalidInput([Problem(SETTINGS_FILE, 0, "", message)])
    documents = read_nodes(data, SETTINGS_FILE)
    # A project may rest on defaults alone: a file of comments is a file of settings.
    if not documents.problems and not documents.documents:
        return Settings()
    settings = decode_yaml(data, Settings, SETTINGS_FILE)
    (root,) = documents.documents
    faults = _faults(settings)
    named = isinstance(root, MappingNode) and any(k.text == "agencies" for k, _ in root.entries)
    if named and not (project / settings.agencies).is_file():
        message = f"there is no file {shown(settings.agencies)}: create it or remove the key"
        faults.append(("agencies", message))
    if faults:
        raise InvalidInput(
            sorted(
                Problem(SETTINGS_FILE, line_of(root, tuple(key.split("."))), key, message)
                for key, message in faults
            )
        )
    return settings


def _faults(settings: Settings) -> list[tuple[str, str]]:
    """Rules that the types cannot say, as (key, message)."""
    ssh, limits = settings.ssh, settings.limits
    faults = []
    if limits.section_bytes > limits.host_bytes:
        faults.append(("limits.section_bytes", "is over host_bytes: lower it, or raise host_bytes"))
    if ssh.connect_timeout > ssh.host_timeout:
        faults.append(("ssh.connect_timeout", "is over host_timeout: lower it"))
    if "://" in settings.store and not settings.postgresql:
        # The URL may hold a password: it is not repeated.
        faults.append(("store", "expected a file or a postgresql:// URL: correct it"))
    return faults
