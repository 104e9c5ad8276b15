"""Kind `proxmox`: snapshots of a Proxmox Backup Server's datastore.

Either `path`, an export in the project (the API's `/snapshots` or the client's JSON), or `server`
with `repository` (`user@realm!token@host:datastore`) read by `proxmox-backup-client` there; `name`
is the namespace. This rests on documented fields, not on a run of the tool.
"""

from __future__ import annotations

import re

import msgspec

from checks.backup.series import BackupPoint, BackupSeries, Origin, PointState, Repository
from checks.backup.sources.base import BackupSource
from checks.backup.sources.exports import (
    Record,
    export_request,
    first,
    fresh_records,
    records,
    text,
    whole,
)
from checks.backup.sources.match import Found, bind
from checks.backup.sources.outcome import outcome, succeeded, with_code
from checks.backup.sources.tool import password_environ, run, sudo_rule
from checks.backup.timing import from_epoch
from checks.evidence import (
    Answers,
    Failure,
    FailureKind,
    NotDeclared,
    Probe,
    Request,
    Source,
    Unparsable,
)
from checks.files import FileEntry
from checks.model import Context, Subject
from inventory.model import BackupSet

KIND = "proxmox"
EXPORT = Probe(
    id="backup.proxmox-export",
    title="export of the snapshots of a Proxmox Backup Server",
    source=Source.FILES,
    limit=33_554_432,
)
LIST = Probe(
    id="backup.proxmox",
    title="snapshots of a Proxmox Backup Server (proxmox-backup-client snapshot list)",
    timeout=60,
    limit=33_554_432,
)
_REFUSALS = {
    "authentication failed": "password or token of the Proxmox Backup Server",
    "401 Unauthorized": "password or token of the Proxmox Backup Server",
    "password input": "password_file or password of the Proxmox Backup Server",
}
_BESIDE = ("index.json.blob", "client.log.blob")
"""Files that are never encrypted, whatever the backup is."""
_ADDRESS = re.compile(r"[A-Za-z0-9@!._:\[\]/-]{1,300}", re.ASCII)


def requests(subject: Subject) -> list[Request]:
    """The export, or the client's list."""
    backup = subject.the_backup
    where = f"backup set {backup.system}/{backup.id}"
    if backup.path:
        return [export_request(backup, EXPORT)]
    if not backup.server:
        raise NotDeclared(f"{where}: server on which proxmox-backup-client runs, or path")
    address = backup.repository.strip()
    if not _ADDRESS.fullmatch(address) or address.startswith("-"):
        raise NotDeclared(f"{where}: repository (user@realm!token@host:datastore)")
    file = (f"PBS_PASSWORD_FILE={backup.password_file}",) if backup.password_file else ()
    space = (f"--ns={backup.name}",) if backup.name else ()
    program = (
        *("env", *file, "proxmox-backup-client", "snapshot", "list"),
        *(f"--repository={address}", *space, "--output-format=json"),
    )
    asked = LIST.request(backup.server, repository=address, name=backup.name, run_as=backup.run_as)
    return [
        msgspec.structs.replace(
            asked,
            script=with_code(run(backup, program)),
            secrets=password_environ(backup, "PBS_PASSWORD"),
            sudo=sudo_rule(backup, program),
        )
    ]


def read(context: Context, answers: Answers) -> BackupSeries:
    """The set's snapshots as a series; a datastore of several guests needs `match`."""
    backup = context.subject.the_backup
    listed = [_found(r) for r in _listed(context, answers, backup) if _is_snapshot(r)]
    points, listing = bind(backup, listed)
    unseen = {
        field: Failure(kind=FailureKind.NOT_DECLARED, detail=what)
        for field, what in (
            ("immutable", "who may prune the datastore, which a list of snapshots does not say"),
            ("deletable", "the roles of the token with which the protected server writes"),
            ("proofs", "restores are in the task log of the server: register them"),
        )
    }
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=listing,
        repositories=(
            Repository(platform=KIND, location=backup.repository or backup.path, unseen=unseen),
        ),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _listed(context: Context, answers: Answers, backup: BackupSet) -> list[Record]:
    if backup.path:
        return fresh_records(context, answers.one(EXPORT.id))
    evidence = answers.one(LIST.id)
    done = outcome(evidence)
    if done.code and "permission check failed" in done.errors:
        raise Unparsable(f"role DatastoreAudit on the datastore: {done.said}", FailureKind.DENIED)
    succeeded(evidence, _REFUSALS, {})
    body = bytes(evidence.stdout)
    if not body.strip().startswith((b"[", b"{")):
        raise Unparsable(f"{LIST.id}: the answer is no JSON")
    return list(records(FileEntry(name=LIST.id, mtime=evidence.taken, data=body)))


def _is_snapshot(record: Record) -> bool:
    return "backuptime" in record


def _found(record: Record) -> Found:
    seconds = whole(record, "backuptime")
    start = from_epoch(seconds) if seconds is not None else None
    kind, guest = text(record, "backuptype"), text(record, "backupid")
    if start is None or not guest:
        raise Unparsable(f"a snapshot without its backup-id and backup-time ({kind}/{guest})")
    size = whole(record, "size")
    state = first(record, "verification")
    said = text({str(k).lower(): v for k, v in state.items()}, "state") if _is(state) else ""
    notes = (
        *(("no_size",) if size is None else ()),
        *(("protected",) if first(record, "protected") is True else ()),
    )
    point = BackupPoint(
        id=f"{kind}/{guest}/{seconds}",
        start=start,
        size=size,
        # Without a size a snapshot is unfinished or its index cannot be read.
        state=PointState.INVALID if size is None or said == "failed" else PointState.OK,
        origin=Origin.TOOL,
        clock="store",
        name=f"{kind}/{guest}/{start:%Y-%m-%dT%H:%M:%SZ}",
        notes=notes,
        encrypted=_encrypted(first(record, "files")),
        # No record, or an empty one, means that nobody ever verified it.
        verified={"ok": True, "failed": False}.get(said),
    )
    return Found(point=point, host=guest, tags=frozenset({kind, f"{kind}/{guest}"}))


def _is(value: object) -> bool:
    return isinstance(value, dict)


def _encrypted(files: object) -> bool | None:
    """Whether every file is encrypted; None when the list does not tell of all."""
    modes = []
    for file in files if isinstance(files, list) else ():
        if not isinstance(file, dict):
            return None
        if file.get("filename") not in _BESIDE:
            modes.append(file.get("crypt-mode"))
    return None if not modes or None in modes else all(m == "encrypt" for m in modes)
