"""The shape of the YAML files, key by key; `inventory.model` is the shape that programs use.

The structs here are read by `decode`, described by `json_schema` and by `reference`, so a key's
type, limits and meaning stand once.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec

from inventory import durations, rules
from inventory.document_docs import DocumentsDoc, FilesDoc
from inventory.fields import (
    Account,
    Count,
    Id,
    Level,
    Line,
    Login,
    Port,
    ProjectPath,
    Raw,
    Secret,
)
from inventory.fields import says as _says
from inventory.level_docs import AttestationDoc, LevelTotalsDoc
from inventory.model import UnitKind
from inventory.signer_docs import SignerDoc

BACKUP_KINDS = (
    "aws-backup",
    "bacula",
    "barman",
    "borg",
    "borgmatic",
    "directory",
    "duplicity",
    "kopia",
    "mariadb-backup",
    "pgbackrest",
    "postgresql",
    "proxmox",
    "rclone",
    "register",
    "restic",
    "s3",
    "veeam",
    "wal-g",
    "windows-backup",
)
"""Kinds of backup sets that can be read; a new source adds its word here."""


class PersonDoc(Raw, frozen=True):
    """A post, and the person who holds it."""

    post: Annotated[Line, _says("Post, such as `Chủ tịch UBND phường`.")] = ""
    name: Annotated[Line, _says("Name; shown on the unit's own pages only.")] = ""
    email: Annotated[
        str,
        _says(
            "Address for notices.",
            pattern=r"^[^@\s]+@[^@\s]+$",
            max_length=254,
            extra={"what": "an e-mail address"},
        ),
    ] = ""


class SshDoc(Raw, frozen=True):
    """How to log in. A key that is left out is taken from the unit, then from `ssh_config`."""

    user: Annotated[Login | None, _says("Login name.")] = None
    port: Annotated[Port | None, _says("TCP port (22 when nothing says otherwise).")] = None
    key_file: Annotated[str | None, _says("Private key file on the scanning machine.")] = None
    via: Annotated[
        str | None,
        _says('Id of the server to jump through; `""` undoes the unit\'s default.'),
    ] = None


class ServerDoc(Raw, frozen=True):
    """A machine that is connected to at most once in a scan."""

    address: Annotated[
        str,
        _says(
            "Host name or IP address; required for transport `ssh`.",
            pattern=r"^[A-Za-z0-9:\[][A-Za-z0-9._:%\]-]*$",
            max_length=255,
            extra={"what": "a host name or an IP address"},
        ),
    ] = ""
    host_key: Annotated[
        str,
        _says(
            "Pinned public key, `type base64`; without it `known_hosts` decides, and an unknown "
            "key is refused.",
            extra={"check": rules.host_key},
        ),
    ] = ""
    transport: Annotated[
        Literal["ssh", "local", "bundle"],
        _says("`ssh`: log in; `local`: this machine; `bundle`: a sealed bundle is brought."),
    ] = "ssh"
    tags: Annotated[tuple[Id, ...], _says("Words to select by (`--tag`).")] = ()
    site: Annotated[Line, _says("Place where it stands; copies are compared by it.")] = ""
    ssh: Annotated[SshDoc, _says("Login of this server, over the unit's.")] = SshDoc()


class BucketDoc(Raw, frozen=True):
    """An S3 bucket in which backups lie."""

    bucket: Annotated[Line, _says("Name of the bucket.", min_length=1)]
    endpoint: Annotated[
        str,
        _says(
            "URL of the service; empty for Amazon.",
            pattern=r"^https?://[^\s/?#@]+/?$",
            extra={"what": "a URL like https://s3.example.vn, without user and path"},
        ),
    ] = ""
    region: Annotated[Line, _says("Region name.")] = ""
    profile: Annotated[Line, _says("Profile of the AWS configuration that holds the keys.")] = ""
    access_key: Annotated[Secret, _says("Reference: `env:NAME`, `file:PATH`, `command:…`.")] = ""
    secret_key: Annotated[Secret, _says("Reference: `env:NAME`, `file:PATH`, `command:…`.")] = ""
    site: Annotated[Line, _says("Place where it stands.")] = ""


class RestoreTestDoc(Raw, frozen=True):
    """A restore that somebody tried."""

    date: Annotated[dt.date, _says("Day of the test.")]
    result: Annotated[Literal["ok", "failed"], _says("Whether the data came back.")]
    minutes: Annotated[Count | None, _says("How long it took.")] = None
    by: Annotated[Line, _says("Who did it.")] = ""
    document: Annotated[Line, _says("Number of the record of the test.")] = ""


class MatchDoc(Raw, frozen=True):
    """Which points of a shared repository are the set's; every key given must fit."""

    host: Annotated[Line, _says("Host name that the tool recorded.")] = ""
    paths: Annotated[
        tuple[Line, ...], _says("Source paths; each must be among a point's, or above one of them.")
    ] = ()
    tags: Annotated[tuple[Line, ...], _says("Tags that a point must carry, all of them.")] = ()
    prefix: Annotated[Line, _says("Start of the archive's or point's name.")] = ""


class BackupRuleDoc(Raw, frozen=True):
    """The written backup and restore rule of the unit (quy chế sao lưu, phục hồi)."""

    document: Annotated[Line, _says("Its number.", min_length=1)]
    date: Annotated[dt.date, _says("Day it was issued.")]
    reviewed: Annotated[dt.date | None, _says("Day of the last review that confirmed it.")] = None


class BackupExemptDoc(Raw, frozen=True):
    """An approval to have no backup; it lapses after its last day."""

    reason: Annotated[str, _says("Why none is needed.", min_length=1, max_length=4000)]
    document: Annotated[Line, _says("Number of the decision.", min_length=1)]
    approved_by: Annotated[Line, _says("Who approved it.", min_length=1)]
    until: Annotated[dt.date, _says("Last day on which it holds.")]
    servers: Annotated[
        tuple[Id, ...], _says("Only these servers of the system; without it the whole system.")
    ] = ()


class BackupDoc(Raw, frozen=True):
    """One promise of a system: this data, this often, kept this long, in this place."""

    kind: Annotated[
        str,
        _says(
            "Tool or place: " + ", ".join(f"`{k}`" for k in BACKUP_KINDS) + ".",
            extra={"check": rules.known("backup kind", BACKUP_KINDS)},
            extra_json_schema={"enum": list(BACKUP_KINDS)},
        ),
    ]
    server: Annotated[Id, _says("Server where the listing is read; not for kind `s3`.")] = ""
    bucket: Annotated[Id, _says("Bucket id, for the kinds `s3` and `aws-backup` only.")] = ""
    path: Annotated[
        Line,
        _says("Absolute folder with an optional file pattern; the key's prefix for kind `s3`."),
    ] = ""
    protects: Annotated[
        Id, _says("Server whose data it holds; default: the system's only server.")
    ] = ""
    copy_of: Annotated[
        Id, _says("Set of the same system whose data it holds once more, in another place.")
    ] = ""
    every: Annotated[
        str,
        _says(
            "How often a copy is promised: a duration (`1d`) or cron (`0 2 * * *`).",
            extra={"check": rules.every},
        ),
    ] = ""
    grace: Annotated[dt.timedelta | None, _says("How late a copy may come.")] = None
    keep: Annotated[dt.timedelta | None, _says("How long copies are kept.")] = None
    site: Annotated[Line, _says("Place where the copies lie.")] = ""
    effective_from: Annotated[dt.date | None, _says("First day on which the promise counts.")] = (
        None
    )
    restore_tests: Annotated[
        tuple[RestoreTestDoc, ...], _says("Restores that were tried, with their record.")
    ] = ()
    restore_every: Annotated[
        dt.timedelta | None, _says("How often a restore is to be tried, by the unit's own rule.")
    ] = None
    restore_within: Annotated[
        dt.timedelta | None, _says("How long a restore may take, by the unit's own rule.")
    ] = None
    repository: Annotated[
        Line, _says("The tool's repository as the tool takes it: a path or URL, no password in it.")
    ] = ""
    name: Annotated[Line, _says("Stanza, server, job or plan, as the tool calls it.")] = ""
    match: Annotated[
        MatchDoc | None, _says("Which points are this set's, when a repository holds several.")
    ] = None
    run_as: Annotated[
        Account, _says("Account under which the tool runs (`sudo -n -u`); see `sauro sudoers`.")
    ] = ""
    password_file: Annotated[
        Line, _says("Absolute path on the server of the file with the repository's password.")
    ] = ""
    password: Annotated[
        Secret,
        _says("Reference to the repository's password: `env:NAME`, `file:PATH`, `command:…`."),
    ] = ""


class SystemDoc(Raw, frozen=True):
    """An information system; judged once, under its owner, and shown to its users."""

    name: Annotated[Line, _says("Name as in the level dossier.", min_length=1)]
    owner: Annotated[Id, _says("Unit that owns it (chủ quản); exactly one.")]
    operator: Annotated[Id, _says("Unit that runs it (đơn vị vận hành).")] = ""
    security_unit: Annotated[Id, _says("Unit in charge of its security (đơn vị chuyên trách).")] = (
        ""
    )
    used_by: Annotated[tuple[Id, ...], _says("Units that use it.")] = ()
    level: Annotated[Level | None, _says("Security level claimed, 1 to 5.")] = None
    servers: Annotated[tuple[Id, ...], _says("Servers it runs on.")] = ()
    assessment: Annotated[ProjectPath, _says("Level record, a YAML file of the project.")] = ""
    decision: Annotated[
        ProjectPath, _says("Signed PDF of the decision on the level; see [signing](signing.md).")
    ] = ""
    backups: Annotated[dict[Id, BackupDoc], _says("Backup sets by id.")] = {}
    backup_rule: Annotated[
        BackupRuleDoc | None, _says("The unit's written backup and restore rule.")
    ] = None
    backup_exempt: Annotated[
        BackupExemptDoc | None, _says("Approval that it, or some servers of it, need no backup.")
    ] = None
    dossier: Annotated[
        ProjectPath,
        _says(
            "Folder of the level dossier's files; default: `dossier/ID`, and files in `dossier`."
        ),
    ] = ""
    attestations: Annotated[
        tuple[AttestationDoc, ...], _says("A person's word on what no machine can see.")
    ] = ()


class WaiverDoc(Raw, frozen=True):
    """An accepted risk: it marks results, it never changes one."""

    check: Annotated[
        str,
        _says(
            "Check id or pattern (`backup.*`).",
            pattern=r"^[a-z0-9.*?\[\]!_-]+$",
            extra={"what": "a check id or a pattern like backup.*"},
        ),
    ]
    target: Annotated[
        str,
        _says(
            "A system (with its backup sets), `system/backup`, a server, a bucket, the unit "
            "itself (its own rows only), or `*` for everything of the unit.",
            pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?)$",
            extra={"what": "an id, system/backup, or *"},
        ),
    ]
    reason: Annotated[str, _says("Why the risk is accepted.", min_length=1, max_length=4000)]
    document: Annotated[Line, _says("Number of the decision.", min_length=1)]
    approved_by: Annotated[Line, _says("Who accepted it.", min_length=1)]
    owner: Annotated[Line, _says("Who must end it.", min_length=1)]
    until: Annotated[dt.date, _says("Last day on which it holds.")]


class LetterDoc(Raw, frozen=True):
    """What the unit's official letters and the annual report (Form 08) say of it."""

    mandate: Annotated[Line, _says("Document that sets its functions, tasks and powers.")] = ""
    address: Annotated[Line, _says("Postal address.")] = ""
    phone: Annotated[Line, _says("Telephone number of the body.")] = ""
    email: Annotated[Line, _says("E-mail address of the body.")] = ""
    above: Annotated[Line, _says("The body above it in the letterhead.")] = ""
    name: Annotated[Line, _says("Its name in the letterhead, when it is not the unit's.")] = ""
    sign: Annotated[Line, _says("Sign after the number: `UBND-VHXH`.")] = ""
    place: Annotated[Line, _says("Place in the line of the date.")] = ""
    power: Annotated[Line, _says("Power to sign: `TM. ỦY BAN NHÂN DÂN`.")] = ""
    title: Annotated[Line, _says("Title of who signs: `CHỦ TỊCH`.")] = ""
    signer: Annotated[Line, _says("Name of who signs, when it is not `accountable`.")] = ""
    to: Annotated[tuple[Line, ...], _says("Addressees (Kính gửi) of the annual report.")] = ()
    copies: Annotated[tuple[Line, ...], _says("Further recipients (Nơi nhận).")] = ()


class UnitDoc(Raw, frozen=True):
    """A unit and everything that it runs: one document of the inventory."""

    unit: Annotated[Id, _says('Unique id, its code; quote digits: `"00070"`.')]
    name: Annotated[Line, _says("Name.", min_length=1)]
    kind: Annotated[UnitKind, _says("What sort of body it is; units are compared within a kind.")]
    parent: Annotated[Id, _says("Unit above it.")] = ""
    accountable: Annotated[PersonDoc, _says("Answers for the result.")] = PersonDoc()
    officer: Annotated[PersonDoc, _says("Does the work.")] = PersonDoc()
    zone: Annotated[Line, _says("Network zone: which worker can reach it; `--zone`.")] = ""
    external: Annotated[
        bool, _says("Listed only so that others can name it: not scanned, not counted.")
    ] = False
    ssh: Annotated[SshDoc, _says("Login defaults of its servers.")] = SshDoc()
    servers: Annotated[dict[Id, ServerDoc], _says("Servers by id.")] = {}
    buckets: Annotated[dict[Id, BucketDoc], _says("Buckets by id.")] = {}
    systems: Annotated[dict[Id, SystemDoc], _says("Information systems by id.")] = {}
    documents: Annotated[DocumentsDoc | None, _says("Evidence about official correspondence.")] = (
        None
    )
    levels: Annotated[
        FilesDoc | None,
        _says("Register of level records, CSV or XLSX; a system's `assessment` wins over its row."),
    ] = None
    level_totals: Annotated[
        LevelTotalsDoc | None, _says("Figures on levels that the unit reported upwards.")
    ] = None
    attestations: Annotated[
        tuple[AttestationDoc, ...], _says("A person's word on what no machine can see.")
    ] = ()
    signers: Annotated[
        dict[Id, SignerDoc],
        _says("Who may sign, by id; units below this one believe them too."),
    ] = {}
    trust_roots: Annotated[
        tuple[ProjectPath, ...],
        _says("Certificates of authorities that it and the units below trust, PEM or DER."),
    ] = ()
    waivers: Annotated[tuple[WaiverDoc, ...], _says("Accepted risks.")] = ()
    letter: Annotated[LetterDoc, _says("Its letterhead and address.")] = LetterDoc()


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one inventory document, for editors."""
    schema = msgspec.json.schema(UnitDoc)
    fix_durations(schema)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sáu Rõ: one unit of the inventory",
    }
    return head | schema


def fix_durations(node: object) -> None:
    """Describe durations as the files have them (90s, 15m, 3h, 1d, 2w), not as ISO 8601."""
    if isinstance(node, dict):
        if node.get("format") == "duration":
            del node["format"]
            node["pattern"] = durations.PATTERN
        for value in node.values():
            fix_durations(value)
    elif isinstance(node, list):
        for value in node:
            fix_durations(value)
