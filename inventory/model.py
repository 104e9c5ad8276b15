"""The nouns of an inventory, as frozen values.

Everything here is plain data: it can be compared, hashed into evidence, stored with a scan and
read back years later. Loading and checking live in `inventory.load`.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every inventory value: frozen, keyword only, small when stored."""


class UnitKind(StrEnum):
    """What sort of public body a unit is; units are only ever compared within a kind."""

    CITY = "city"
    DEPARTMENT = "department"
    WARD = "ward"
    COMMUNE = "commune"
    SPECIAL_ZONE = "special_zone"
    AGENCY = "agency"


class Person(Value, frozen=True):
    """A post and, on unit pages only, the person who holds it."""

    post: str = ""
    name: str = ""
    email: str = ""


class SshSettings(Value, frozen=True):
    """How to log in. Empty fields fall back: server, then unit, then ssh_config, then defaults."""

    user: str = ""
    port: int = 0
    key_file: str = ""
    via: str = ""
    """Server id of the jump host."""


class Server(Value, frozen=True):
    """One machine that is connected to at most once in a scan."""

    id: str
    unit: str
    address: str
    host_key: str = ""
    """Pinned public key, `type base64`; empty means known_hosts decides."""
    transport: Literal["ssh", "local", "bundle"] = "ssh"
    tags: tuple[str, ...] = ()
    site: str = ""
    ssh: SshSettings = SshSettings()
    """Already merged with the unit's defaults."""


class Bucket(Value, frozen=True):
    """An S3 bucket in which backups lie, or what a unit hands over about its documents."""

    id: str
    unit: str
    bucket: str
    endpoint: str = ""
    region: str = ""
    profile: str = ""
    access_key: str = ""
    """Reference (`env:`, `file:`, `command:`), never the key itself."""
    secret_key: str = ""
    """Reference (`env:`, `file:`, `command:`), never the key itself."""
    site: str = ""


class RestoreTest(Value, frozen=True):
    """A restore that somebody tried, as registered: a person's word with a document."""

    date: dt.date
    result: Literal["ok", "failed"]
    minutes: int | None = None
    by: str = ""
    document: str = ""


class PointFilter(Value, frozen=True):
    """Binds points of a shared repository to a set; every field given must fit."""

    host: str = ""
    paths: tuple[str, ...] = ()
    """Each must be among a point's paths, or above one of them."""
    tags: tuple[str, ...] = ()
    prefix: str = ""
    """Start of the archive's or point's name."""


class BackupRule(Value, frozen=True):
    """The unit's written backup and restore rule."""

    document: str
    date: dt.date
    reviewed: dt.date | None = None


class BackupExemption(Value, frozen=True):
    """A system or server approved to have no backup, by whom, why and until when."""

    reason: str
    document: str
    approved_by: str
    until: dt.date
    servers: tuple[str, ...] = ()
    """Only these servers of the system; empty for the whole system."""


class BackupSet(Value, frozen=True):
    """One promise of a system: this data, this often, kept this long, in this place."""

    id: str
    system: str
    kind: str
    """`directory`, `s3`, … ; `checks.backup.sources` says which kinds exist."""
    server: str = ""
    """Server id where the listing is read; empty for kind s3."""
    bucket: str = ""
    """Bucket id for kind s3."""
    path: str = ""
    """Directory with an optional file pattern, or the prefix in a bucket."""
    protects: str = ""
    """Server id whose data it holds; filled with the system's only server when there is one."""
    copy_of: str = ""
    """Set of the same system whose data it holds once more; empty when it holds data of its own."""
    every: str = ""
    """A duration (`1d`) or a cron expression (`0 2 * * *`); empty when the unit declared none."""
    grace: dt.timedelta | None = None
    keep: dt.timedelta | None = None
    site: str = ""
    effective_from: dt.date | None = None
    """First day on which the promise counts; slots before it are not expected."""
    restore_tests: tuple[RestoreTest, ...] = ()
    repository: str = ""
    """The tool's repository as the tool itself takes it: a path or URL on `server`."""
    name: str = ""
    """Stanza, server, job or plan, for tools whose repositories hold several."""
    match: PointFilter | None = None
    """Which points of a shared repository are this set's."""
    run_as: str = ""
    """Account on the server under which the tool runs (`sudo -n -u`)."""
    password_file: str = ""
    """Absolute path on the server of the repository's password."""
    password: str = ""
    """Reference (`env:`, `file:`, `command:`) resolved by the scanner, never the password."""
    restore_within: dt.timedelta | None = None
    """How long a restore may take by the unit's own rule."""
    restore_every: dt.timedelta | None = None
    """How often a restore is to be tried by the unit's own rule."""


class Attestation(Value, frozen=True):
    """A person's word for what no machine can see; it holds from `date` to `until`, both included.

    `control` is a word of `checks/security/rules.yaml`, or `plan.ID` for a measure of the plan.
    """

    control: str
    explanation: str
    attested_by: str
    date: dt.date
    until: dt.date
    document: str = ""


class LevelTotals(Value, frozen=True):
    """Figures on levels that a unit reported upwards; None where it reported none.

    `levels` are the systems of level 1 to 5.
    """

    document: str = ""
    date: dt.date | None = None
    systems: int | None = None
    levels: tuple[int | None, ...] = ()
    unclassified: int | None = None
    dossiers: int | None = None
    appraised: int | None = None
    approved: int | None = None
    inspected: int | None = None


class System(Value, frozen=True):
    """An information system: judged once, under its owner, and shown to every unit that uses it."""

    id: str
    unit: str
    """The unit in whose file it stands; its rows roll up there."""
    name: str
    owner: str
    operator: str = ""
    security_unit: str = ""
    used_by: tuple[str, ...] = ()
    level: int | None = None
    servers: tuple[str, ...] = ()
    assessment: str = ""
    """Path of the level record, relative to the project folder."""
    backups: tuple[BackupSet, ...] = ()
    backup_rule: BackupRule | None = None
    backup_exempt: BackupExemption | None = None
    decision: str = ""
    """Path of the signed PDF of the decision on the level, relative to the project folder."""
    dossier: str = ""
    """Folder of the level dossier's files in the project; empty for `dossier/ID` and `dossier`."""
    attestations: tuple[Attestation, ...] = ()


class Signer(Value, frozen=True):
    """Somebody who may sign records and decisions: a public key or a certificate, never both."""

    id: str
    name: str
    post: str = ""
    public_key: str = ""
    """Path of the public key, relative to the project folder."""
    certificate: str = ""
    """Path of the X.509 certificate, relative to the project folder."""


class FileSource(Value, frozen=True):
    """A register or a gateway export: a path or pattern, and how its columns are called."""

    path: str
    columns: dict[str, str] = {}
    """`{ours: theirs}` for exports whose headers differ."""
    bucket: str = ""
    """Bucket id; `path` is then a key or pattern of its objects."""


class MailSource(Value, frozen=True):
    """A mail or proxy log: on a server of the unit, in a bucket, or in a file of the project."""

    kind: str
    path: str
    server: str = ""
    """Server id; empty means that `path` is a file of the project."""
    bucket: str = ""
    """Bucket id, instead of a server; `path` is then a key or pattern of its objects."""
    timezone: str = ""
    """Zone of old-style timestamps; empty means the project's."""


class WrittenOrder(Value, frozen=True):
    """The paper that allows mailboxes to be read, and until when (last day)."""

    document: str
    date: dt.date
    by: str
    purpose: str
    until: dt.date


class MailboxSource(Value, frozen=True):
    """Mailboxes of which headers and attachment names are read, only under a written order."""

    kind: str
    """`maildir`, `mbox` or `eml`."""
    path: str
    order: WrittenOrder


class Documents(Value, frozen=True):
    """What a unit hands over about its official correspondence."""

    signs: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    """The unit's own agency codes on the axis, when the directory does not know them."""
    domains: tuple[str, ...] = ()
    """The unit's own mail domains."""
    senders: tuple[str, ...] = ()
    """Its own mailboxes, for domains that it shares with other bodies; `*` is any text."""
    register: FileSource | None = None
    """Outgoing register."""
    incoming: FileSource | None = None
    """Incoming register."""
    postal: FileSource | None = None
    """Register of letters sent by post."""
    gateway: FileSource | None = None
    """What the gateway sent, one row per recipient."""
    received: FileSource | None = None
    """What the gateway delivered to the unit."""
    packets: FileSource | None = None
    """edXML packets and status messages."""
    x_road: FileSource | None = None
    """Operational monitoring data of an X-Road security server."""
    mail: tuple[MailSource, ...] = ()
    mailboxes: tuple[MailboxSource, ...] = ()
    proxy: tuple[MailSource, ...] = ()
    """Web proxy logs: an indicator of volume, never proof of a bypass."""
    target: int | None = None
    """Percent of due pairs that must be routed, when the unit set its own."""


class Waiver(Value, frozen=True):
    """An accepted risk. It annotates results and is counted apart; it never changes a status."""

    check: str
    """Check id or shell-style pattern (`backup.*`)."""
    target: str
    """Unit, system, server or bucket id, or `system/backup`; `*` for all of the unit."""
    unit: str
    """The unit in whose file it stands; it reaches no other unit's rows."""
    reason: str
    document: str
    approved_by: str
    owner: str
    until: dt.date
    """The last day on which it holds, in the project's time zone."""


class Letter(Value, frozen=True):
    """What a unit's official letters and the annual report say of it; empty: not declared."""

    mandate: str = ""
    """Number of the document that sets its functions, tasks and powers."""
    address: str = ""
    phone: str = ""
    email: str = ""
    above: str = ""
    """The body above it in the letterhead."""
    name: str = ""
    """Its name in the letterhead, when it is not the unit's."""
    sign: str = ""
    """What follows the number: `UBND-VHXH`."""
    place: str = ""
    power: str = ""
    title: str = ""
    signer: str = ""
    to: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


class Unit(Value, frozen=True):
    """A public body. `id` is a code and the key; names repeat between provinces."""

    id: str
    name: str
    kind: UnitKind
    parent: str = ""
    accountable: Person = Person()
    officer: Person = Person()
    zone: str = ""
    external: bool = False
    """Listed only so that others can name it (an approver, an owner): not scanned, not counted."""
    documents: Documents | None = None
    levels: FileSource | None = None
    """Register of level records, one row a system; a record file wins over it."""
    level_totals: LevelTotals | None = None
    attestations: tuple[Attestation, ...] = ()
    signers: tuple[Signer, ...] = ()
    """Who may sign for it; believed by every unit below, and where it is a system's unit."""
    trust_roots: tuple[str, ...] = ()
    """Paths of root certificates that it and every unit below it trust."""
    letter: Letter = Letter()


class Agency(Value, frozen=True):
    """A row of the agency directory: who is on the document axis, under which codes."""

    code: str
    old_codes: tuple[str, ...] = ()
    name: str = ""
    mail_domains: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Names under which a register means this agency among others (`UBND các xã, phường`)."""


class Inventory(Value, frozen=True):
    """Everything declared, keyed by id, in the order it was read."""

    units: dict[str, Unit] = {}
    servers: dict[str, Server] = {}
    buckets: dict[str, Bucket] = {}
    systems: dict[str, System] = {}
    agencies: tuple[Agency, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    holidays: tuple[dt.date, ...] = ()
    """Days off that the settings add to the public holidays known."""
    working_days: tuple[dt.date, ...] = ()
    """Days that the settings make working days (a Saturday worked for a day off)."""


class Selection(Value, frozen=True):
    """Which part of the inventory a command speaks of; empty fields mean everything."""

    units: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """Patterns of check ids."""
