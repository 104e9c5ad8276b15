"""Kind `duplicity`: full and incremental sets, by file names or by duplicity itself.

A repository in a folder is read by its file names: that needs neither duplicity nor a password,
shows sizes, and duplicity would make the folder if it were not there. Elsewhere
`duplicity collection-status` tells of the sets, with an archive folder that lives as long as that.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    in_order,
)
from checks.backup.sources.base import BackupSource
from checks.backup.sources.directory import LISTING, Entry, read_listing
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.repository import PLACE, address_of, describe, locate
from checks.backup.sources.tool import password_environ, run
from checks.backup.sources.writer import clocks_of, utc
from checks.backup.timing import Clockwork, from_epoch
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
from checks.probes.host import CLOCK
from checks.texts import clean

KIND = "duplicity"
STATUS = Probe(
    id="backup.duplicity",
    title="sets of a duplicity repository elsewhere (duplicity collection-status)",
    timeout=90,
    limit=4_194_304,
)

_TIME = r"(\d{8}T\d{6}Z)"
_FULL = re.compile(rf"(.*)duplicity-full\.{_TIME}\.(?:vol(\d+)\.difftar|manifest)(.*)", re.ASCII)
_PART = re.compile(
    rf"(.*)duplicity-inc\.{_TIME}\.to\.{_TIME}\.(?:vol(\d+)\.difftar|manifest)(.*)", re.ASCII
)
_ROW = re.compile(rf" (full|inc) {_TIME} \d+ (enc|noenc)", re.ASCII)
_LEFT = re.compile(r"(orphaned|incomplete)-sets-num (\d{1,9})", re.ASCII)
_REFUSALS = {
    "authentication failed": "the password or key of the place where the copies lie",
    "Authentication failed": "the password or key of the place where the copies lie",
    "Permission denied (publickey": "the key of the place where the copies lie",
}
_UNPROVED = Failure(
    kind=FailureKind.NOT_DECLARED,
    detail="duplicity does not record its verify and restore runs: register them",
)


class Set(msgspec.Struct, kw_only=True):
    """One set while its files are gathered. `since` is the time of the set an increment needs."""

    time: str
    since: str = ""
    volumes: set[int] = msgspec.field(default_factory=set)
    size: int = 0
    whole: bool = False
    """Its manifest, which is written last, is there."""
    encrypted: bool = True
    written: int = 0
    """When its last file was written, as the host stamped it; 0 when that is not known."""


def requests(subject: Subject) -> list[Request]:
    """The file names of a folder, or what duplicity says of a repository elsewhere."""
    backup = subject.the_backup
    where = f"backup set {backup.system}/{backup.id}"
    found = locate(address_of(backup))
    match = backup.match
    if match is not None and (match.host or match.paths or match.tags):
        raise NotDeclared(f"{where}: match with prefix only, as duplicity's sets have no more")
    if backup.run_as:
        raise NotDeclared(
            f"{where}: no run_as, as duplicity would keep the state and the lock of that account; "
            "let the listing account read the folder or reach the place"
        )
    clock = CLOCK.request(backup.server, Need.OPTIONAL)
    if found.local:
        folder = found.path.rstrip("/") or "/"
        return [
            LISTING.request(backup.server, path=folder, pattern="*"),
            PLACE.request(backup.server, Need.OPTIONAL, path=folder),
            clock,
        ]
    return [status_request(subject), clock]


def status_request(subject: Subject) -> Request:
    """What asks duplicity itself, for repositories that are no folder of the server."""
    backup = subject.the_backup
    address = address_of(backup)
    prefix = backup.match.prefix if backup.match else ""
    words = ("duplicity", "collection-status", "--log-fd", "1", "-v0")
    more = ("--file-prefix", prefix) if prefix else ()
    listing = run(backup, (*words, *more, "--archive-dir", "ARCHIVES", address))
    script = (
        "d=$(mktemp -d) || exit 1\ntrap 'rm -rf \"$d\"' EXIT\n"
        # The folder's name is made up on the host, so it cannot be among the quoted words.
        + listing.replace("--archive-dir ARCHIVES", '--archive-dir "$d"', 1)
    )
    return msgspec.structs.replace(
        STATUS.request(backup.server, repository=address, prefix=prefix),
        script=with_code(script),
        secrets=password_environ(backup, "FTP_PASSWORD"),
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """The sets of a repository as a series."""
    subject = context.subject
    backup = subject.the_backup
    clocks = clocks_of(backup, answers)
    listed = answers.get(LISTING.id)
    if listed is not None:
        entries, whole = read_listing(listed)
        prefix = backup.match.prefix if backup.match else None
        points = _chained(read_names(entries, prefix), clocks)
        listing = Listing(truncated=not whole, total=len(points))
    else:
        points, listing = read_status(answers.one(STATUS.id), clocks)
    repository = describe(subject, address_of(backup), KIND, answers.get(PLACE.id))
    newest = max(points, key=lambda p: p.start, default=None)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=in_order(points),
        listing=listing,
        skew=clocks.skew,
        repositories=(
            msgspec.structs.replace(
                repository,
                encrypted=newest.encrypted if newest else None,
                unseen=repository.unseen | {"proofs": _UNPROVED},
            ),
        ),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def read_names(entries: Iterable[Entry], prefix: str | None) -> list[Set]:
    """The sets whose files lie in a folder.

    Raises:
        Unparsable: there are sets of several prefixes, and none is declared.
    """
    sets: dict[tuple[str, str, str], Set] = {}
    for entry in entries:
        full, part = _FULL.fullmatch(entry.name), _PART.fullmatch(entry.name)
        if full is not None:
            start, since, time, volume, ending = full[1], "", full[2], full[3], full[4]
        elif part is not None:
            start, since, time, volume, ending = part.groups()
        else:
            continue
        if (prefix is not None and start != prefix) or _moment(time) is None:
            continue
        found = sets.setdefault((start, since, time), Set(time=time, since=since))
        found.size += entry.size
        found.written = max(found.written, entry.mtime)
        found.encrypted = found.encrypted and ending.endswith((".gpg", ".g"))
        found.whole = found.whole or (volume is None and ".part" not in ending)
        if volume is not None:
            found.volumes.add(int(volume[:9]))
    starts = sorted({start for start, _, _ in sets})
    if len(starts) > 1:
        named = ", ".join(repr(s) for s in starts[:5])
        raise Unparsable(
            f"the folder holds sets of {len(starts)} prefixes ({clean(named)}); "
            "the key 'match' must say whose prefix is this set's",
            FailureKind.NOT_DECLARED,
        )
    return list(sets.values())


def _chained(sets: list[Set], clocks: Clockwork) -> list[BackupPoint]:
    """Sets as points; the base of an increment is the set that was made at the time it names."""
    made = {s.time: _id(s.time, full=not s.since) for s in sets}
    return [_point(s, made.get(s.since, _id(s.since, full=True)), clocks) for s in sets]


def _point(found: Set, base: str, clocks: Clockwork) -> BackupPoint:
    start = clocks.true(_utc(found.time))
    written = from_epoch(found.written) if found.written else None
    lacking = found.volumes != set(range(1, len(found.volumes) + 1)) or not found.volumes
    state = PointState.RUNNING
    if found.whole:
        state = PointState.INVALID if lacking else PointState.OK
    full = not found.since
    return BackupPoint(
        id=_id(found.time, full=full),
        start=start.time,
        end=max(start.time, clocks.true(written).time) if written and found.whole else None,
        uncertainty=start.uncertainty,
        # What an increment weighs hangs on what changed: small is no sign of a fault.
        size=found.size if full else None,
        state=state,
        origin=Origin.TOOL,
        clock="writer",
        name=_id(found.time, full=full),
        group=_group(full=full),
        notes=("volume_missing",) if found.whole and lacking else (),
        kind=PointKind.FULL if full else PointKind.INCREMENTAL,
        base="" if full else base,
        encrypted=found.encrypted,
    )


def _id(time: str, *, full: bool) -> str:
    return f"{'full' if full else 'inc'}.{time}"


def _group(*, full: bool) -> str:
    return "full" if full else "inc"


def _moment(time: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(time, "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None


def _utc(time: str) -> dt.datetime:
    found = _moment(time)
    if found is None:
        raise Unparsable(f"a set of duplicity has no time that could be: {time}")
    return utc(found)


def read_status(evidence: Evidence, clocks: Clockwork) -> tuple[list[BackupPoint], Listing]:
    """The sets of `collection-status`, by the part that is written for machines, in UTC.

    Raises:
        Unparsable: it did not work, or that part is not there.
    """
    succeeded(evidence, _REFUSALS, {})
    text = bytes(evidence.stdout).decode("utf-8", "replace")
    left = {name: int(number) for name, number in _LEFT.findall(text)}
    if left.keys() != {"orphaned", "incomplete"}:
        raise Unparsable(f"{evidence.probe}: the status broke off")
    points = list(_rows(text.splitlines(), clocks))
    notes = tuple(f"{name}_sets" for name in ("incomplete", "orphaned") if left[name])
    return points, Listing(total=len(points) + sum(left.values()), notes=notes)


def _rows(lines: Iterable[str], clocks: Clockwork) -> Iterator[BackupPoint]:
    before = ""
    for line in lines:
        row = _ROW.fullmatch(line.rstrip())
        if row is None:
            continue
        full = row[1] == "full"
        start = clocks.true(_utc(row[2]))
        yield BackupPoint(
            id=_id(row[2], full=full),
            start=start.time,
            uncertainty=start.uncertainty,
            origin=Origin.TOOL,
            clock="writer",
            name=_id(row[2], full=full),
            group=_group(full=full),
            kind=PointKind.FULL if full else PointKind.INCREMENTAL,
            base="" if full else before,
            encrypted=row[3] == "enc",
        )
        before = _id(row[2], full=full)
