"""Kind `rclone`: files of an rclone remote, each of them a copy.

rclone shows the time that the original had; the time of the upload is asked for beside it. The
older of both decides: an old dump that was uploaded today is an old dump.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex

import msgspec

from checks.backup.names import base, date_in, group_of, is_companion, is_empty, is_unfinished
from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointState,
    Repository,
)
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.repository import PLACE, address_of, describe
from checks.backup.sources.tool import password_environ, run, sudo_rule
from checks.backup.sources.writer import utc
from checks.backup.timing import NO_CLOCK, Stamp, choose, read_name
from checks.evidence import (
    Answers,
    Evidence,
    Failure,
    FailureKind,
    Need,
    NotDeclared,
    Probe,
    Request,
    Unparsable,
)
from checks.model import Context, Subject
from checks.texts import clean
from inventory.model import BackupSet

KIND = "rclone"
FILES = Probe(
    id="backup.rclone",
    title="files of an rclone remote with the times of their originals (rclone lsjson)",
    timeout=90,
    limit=33_554_432,
)
UPLOADED = Probe(
    id="backup.rclone-uploaded",
    title="files of an rclone remote with the times of their upload (rclone lsjson)",
    timeout=90,
    limit=33_554_432,
)
TYPES = Probe(
    id="backup.rclone-types",
    title="names and types of the configured rclone remotes (rclone listremotes)",
    timeout=20,
    limit=65_536,
)

_REFUSALS = {
    "decrypt configuration": "the password of rclone's configuration (password or password_file)",
    "unable to decrypt": "the password of rclone's configuration (password or password_file)",
    "AccessDenied": "the right to list the rclone remote",
    "403": "the right to list the rclone remote",
    "401": "the credentials of the rclone remote",
    "unable to authenticate": "the credentials of the rclone remote",
}
_HERE = frozenset({"local"})
_WRAPPERS = frozenset(
    {"alias", "cache", "chunker", "combine", "compress", "crypt", "hasher", "union"}
)
_SECRET = re.compile(r"(?:pass|secret|key|token)[a-z_]*=", re.IGNORECASE)
_COPIED = dt.timedelta(hours=12)
_UNPROVED = Failure(
    kind=FailureKind.NOT_DECLARED, detail="rclone keeps no record of checks and restores: register"
)


class Row(msgspec.Struct, frozen=True, rename="pascal"):
    """One row of `rclone lsjson`; `Size` is -1 when the remote does not say."""

    path: str
    size: int
    mod_time: dt.datetime


_rows = msgspec.json.Decoder(list[Row])


def requests(subject: Subject) -> list[Request]:
    """The files with both of their times, and what the remote is."""
    backup = subject.the_backup
    address = _address(backup)
    words = ("lsjson", "-R", "--files-only", "--no-mimetype")
    asked = [
        _asked(backup, FILES, (*words, address)),
        _asked(backup, UPLOADED, (*words, "--use-server-modtime", address), Need.OPTIONAL),
    ]
    if _is_path(address):
        return [*asked, PLACE.request(backup.server, Need.OPTIONAL, path=address)]
    return [*asked, _asked(backup, TYPES, ("listremotes", "--long"), Need.OPTIONAL)]


def _address(backup: BackupSet) -> str:
    where = f"backup set {backup.system}/{backup.id}"
    address = address_of(backup)
    if _SECRET.search(address):
        raise NotDeclared(
            f"{where}: repository without a secret in it (use rclone's configuration)"
        )
    if address.startswith("-"):
        raise NotDeclared(f"{where}: repository that does not begin with a hyphen")
    match = backup.match
    if match is not None and (match.host or match.paths or match.tags):
        raise NotDeclared(f"{where}: match with prefix only, as files have no more")
    return address


def _is_path(address: str) -> bool:
    return address.startswith("/") or ":" not in address


def _asked(
    backup: BackupSet, probe: Probe, words: tuple[str, ...], need: Need = Need.REQUIRED
) -> Request:
    file = backup.password_file
    secret = ("--password-command", f"cat {shlex.quote(file)}") if file else ()
    program = ("rclone", "--ask-password=false", *secret, *words)
    request = probe.request(
        backup.server,
        need,
        **({"repository": backup.repository} if probe is not TYPES else {}),
        password_file=file,
        run_as=backup.run_as,
    )
    return msgspec.structs.replace(
        request,
        script=with_code(run(backup, program)),
        secrets=password_environ(backup, "RCLONE_CONFIG_PASS"),
        sudo=sudo_rule(backup, program),
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """A remote's files as a series."""
    backup = context.subject.the_backup
    evidence = answers.one(FILES.id)
    succeeded(evidence, _REFUSALS, {})
    uploaded = _times(answers.get(UPLOADED.id))
    listed = read_files(evidence)
    prefix = backup.match.prefix if backup.match else ""
    rows = [r for r in listed if base(r.path).startswith(prefix) and not is_companion(r.path)]
    _refuse_mirror(backup, rows)
    points, older = newest(_point(r, uploaded.get(r.path)) for r in rows)
    notes = () if uploaded else ("upload_times_unseen",)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            total=len(listed),
            ignored=len(listed) - len(rows),
            older=older,
            notes=(*notes, *(("nothing_matched",) if listed and not rows else ())),
        ),
        repositories=(_repository(context.subject, answers),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def read_files(evidence: Evidence) -> list[Row]:
    """The rows of a listing.

    Raises:
        Unparsable: it is no whole list of files; that of a missing folder ends after `[`.
    """
    text = bytes(evidence.stdout)
    try:
        return _rows.decode(text[max(0, text.find(b"[")) :])
    except msgspec.DecodeError as e:
        raise Unparsable(f"{evidence.probe}: no list of files ({clean(str(e))})") from None


def _times(evidence: Evidence | None) -> dict[str, dt.datetime]:
    """Upload times by path; told beside the listing, so a broken answer tells nothing."""
    try:
        rows = read_files(evidence) if evidence is not None else []
    except Unparsable:
        return {}
    return {r.path: utc(r.mod_time) for r in rows}


def _refuse_mirror(backup: BackupSet, rows: list[Row]) -> None:
    """What `rclone sync` leaves is one state of many files: it takes over every loss and virus.

    Raises:
        Unparsable: no name has a date, and no two names are alike.
    """
    groups = {r.path.removesuffix(base(r.path)) + group_of(r.path) for r in rows}
    if len(rows) < 2 or len(groups) < len(rows) or any(date_in(r.path) for r in rows):
        return
    raise Unparsable(
        f"{clean(backup.repository)} is a mirror of {len(rows)} files, none with a date in its "
        "name: declare the bucket behind it with its versions, or the place of --backup-dir",
        FailureKind.NOT_DECLARED,
    )


def _point(row: Row, uploaded: dt.datetime | None) -> BackupPoint:
    original = utc(row.mod_time)
    stored = uploaded or original
    named = date_in(row.path)
    origin = Origin.MTIME if original <= stored else Origin.SERVER
    chosen = choose(
        Stamp(min(original, stored)), read_name(named, NO_CLOCK) if named else None, None, origin
    )
    notes = list(chosen.notes)
    if stored - original > _COPIED and "copied_or_touched" not in notes:
        notes.append("copied_or_touched")
    state = PointState.OK
    if is_unfinished(row.path) or row.path.endswith(".partial"):
        state = PointState.RUNNING
    elif row.size >= 0 and is_empty(row.path, row.size):
        state = PointState.INVALID
        notes.append("empty_archive" if row.size else "empty_file")
    return BackupPoint(
        id=f"{row.path}@{int(original.timestamp())}",
        start=chosen.start,
        end=stored if stored > chosen.start else None,
        uncertainty=chosen.uncertainty,
        size=row.size if row.size >= 0 else None,
        state=state,
        origin=chosen.origin,
        clock="writer",
        name=base(row.path),
        notes=tuple(notes),
        encrypted=True if row.path.lower().endswith((".gpg", ".age", ".pgp")) else None,
    )


def _repository(subject: Subject, answers: Answers) -> Repository:
    address = _address(subject.the_backup)
    if _is_path(address):
        found = describe(subject, address, KIND, answers.get(PLACE.id))
        return msgspec.structs.replace(found, unseen=found.unseen | {"proofs": _UNPROVED})
    found = describe(subject, f"rclone:{address}", KIND, None)
    kind = _types(answers.get(TYPES.id)).get(address.partition(":")[0], "")
    unseen = found.unseen | {"proofs": _UNPROVED}
    remote = None if not kind or kind in _WRAPPERS else kind not in _HERE
    if remote is not None:
        unseen.pop("remote", None)
    if kind != "crypt":
        unseen["encrypted"] = Failure(
            kind=FailureKind.NOT_DECLARED,
            detail=f"whether the place behind {clean(address)} encrypts: declare the bucket",
        )
    return msgspec.structs.replace(
        found,
        id=clean(address),
        location=clean(address),
        server=subject.the_backup.server if remote is False else "",
        remote=remote,
        encrypted=True if kind == "crypt" else None,
        unseen=unseen,
    )


def _types(evidence: Evidence | None) -> dict[str, str]:
    """`store: s3` lines as type by name."""
    text = bytes(evidence.stdout).decode("utf-8", "replace") if evidence is not None else ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): kind.split()[0] for name, _, kind in pairs if kind.split()}
