"""Kind `borg`: archives of a Borg repository, 1.2 and 1.4, listed by borg itself.

Borg prints times without a zone, in that of the machine that lists: the listing always runs in
UTC. Its own state (cache, known repositories) is kept in a folder that lives as long as the
listing; under another account borg takes that account's own.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex

import msgspec

from checks.backup.series import BackupPoint, BackupSeries, Origin, PointState, Repository
from checks.backup.sources.base import BackupSource
from checks.backup.sources.match import Found, bind
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.repository import PLACE, address_of, describe, locate
from checks.backup.sources.tool import password_environ, run, sudo_rule
from checks.backup.sources.writer import PROCESSES, clocks_of, is_stale, told_of, utc
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
from inventory.model import BackupSet

KIND = "borg"
ARCHIVES = Probe(
    id="backup.borg",
    title="archives of a Borg repository (borg list, without locks)",
    timeout=60,
    limit=33_554_432,
)
FIGURES = Probe(
    id="backup.borg-figures",
    title="files and bytes of a Borg repository's newest archives (borg info, without locks)",
    # Borg builds an index of the whole repository for this: a big one is left unseen.
    timeout=20,
    limit=4_194_304,
)
STATE = Probe(
    id="backup.borg-state",
    title="append-only setting and locks of a local Borg repository",
    # The file holds the repository's key too: only the one line leaves the host.
    script=lambda p: (
        f"p={shlex.quote(p['path'])}\n"
        '[ -r "$p/config" ] && echo config=read\n'
        "sed -n 's/^append_only *= *\\([01]\\)$/append_only=\\1/p' \"$p/config\" 2>/dev/null\n"
        'for l in "$p"/lock.exclusive/*; do\n'
        '  [ -e "$l" ] && echo "lock=$(stat -c %Y "$l" 2>/dev/null) ${l##*/}"\n'
        "done\n" + PROCESSES.replace("NAME", "borg")
    ),
    timeout=10,
    limit=65_536,
)

FORMAT = "{end}{hostname}{username}{comment}{command_line}"
"""What is asked of each archive besides its name, id and start."""
_NEWEST = "10"
_PLAIN = frozenset({"none", "authenticated", "authenticated-blake2"})
REFUSALS = {
    "PassphraseWrong": "the passphrase of the Borg repository is wrong",
    "NoPassphraseFailure": "the passphrase of the Borg repository (password_file or password)",
    "PasscommandFailure": "the passphrase file of the Borg repository",
    "KeyfileNotFoundError": "the key file of the Borg repository, in the listing account's home",
    "RepoKeyNotFoundError": "the key of the Borg repository",
}
# A folder of its own, so that nobody's cache is touched; keys stay where the account has them.
_OWN_STATE = """\
[ -d "$HOME/.config/borg/keys" ] && export BORG_KEYS_DIR="${BORG_KEYS_DIR:-$HOME/.config/borg/keys}"
BORG_BASE_DIR=$(mktemp -d) || exit 1
export BORG_BASE_DIR
trap 'rm -rf "$BORG_BASE_DIR"' EXIT
"""
_LOCK = re.compile(r"(-?\d{1,12}) (.+)@\d+\.(\d+)-[0-9a-f]+", re.ASCII)
_UNPROVED = Failure(
    kind=FailureKind.NOT_DECLARED,
    detail="Borg does not record its checks and restores in the repository: read it as kind "
    "borgmatic, or register them",
)


class Archive(msgspec.Struct, frozen=True):
    """One row of `borg list --json`; times are naive, in the zone of the listing."""

    id: str
    name: str
    start: dt.datetime
    end: dt.datetime | None = None
    hostname: str = ""
    command_line: list[str] | str = ""


class Encryption(msgspec.Struct, frozen=True):
    """Borg 1's `mode`."""

    mode: str = ""

    @property
    def protects(self) -> bool | None:
        """Whether the data is encrypted; None when Borg does not say."""
        return self.mode not in _PLAIN if self.mode else None


class Archives(msgspec.Struct, frozen=True):
    """`borg list --json`."""

    archives: list[Archive]
    encryption: Encryption = Encryption()


class Stats(msgspec.Struct, frozen=True):
    """Of one archive, in bytes."""

    nfiles: int | None = None
    original_size: int | None = None


class Figure(msgspec.Struct, frozen=True):
    """One row of `borg info --json`."""

    id: str
    stats: Stats = Stats()


class Figures(msgspec.Struct, frozen=True):
    """`borg info --json`."""

    archives: list[Figure]


def requests(subject: Subject) -> list[Request]:
    """The archives, and beside them what can be done without."""
    backup = subject.the_backup
    address = address_of(backup)
    if backup.match is not None and backup.match.tags:
        raise NotDeclared(
            f"backup set {backup.system}/{backup.id}: match without tags, "
            "as Borg's archives have none"
        )
    asked = [
        _asked(backup, ARCHIVES, ("list", "--json", "--bypass-lock", "--format", FORMAT)),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]
    if not backup.run_as:
        # With another account's cache it would stand in the way of that account's backups.
        words = ("info", "--json", "--bypass-lock", *_prefixed(backup), "--last", _NEWEST)
        asked.append(_asked(backup, FIGURES, words, Need.OPTIONAL))
    if locate(address).local:
        path = locate(address).path
        asked += [p.request(backup.server, Need.OPTIONAL, path=path) for p in (PLACE, STATE)]
    return asked


def _prefixed(backup: BackupSet) -> tuple[str, ...]:
    prefix = backup.match.prefix if backup.match else ""
    return ("--glob-archives", f"{prefix}*") if prefix and not re.search(r"[*?\[]", prefix) else ()


def environment(backup: BackupSet) -> tuple[str, ...]:
    """The program's variables that are no secrets: UTC, and no questions about the repository."""
    file = backup.password_file
    return (
        "env",
        "TZ=UTC",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes",
        "BORG_RELOCATED_REPO_ACCESS_IS_OK=yes",
        *((f"BORG_PASSCOMMAND=cat {shlex.quote(file)}",) if file else ()),
    )


def _asked(
    backup: BackupSet, probe: Probe, words: tuple[str, ...], need: Need = Need.REQUIRED
) -> Request:
    address = address_of(backup)
    program = (*environment(backup), "borg", "--log-json", *words, address)
    script = run(backup, program)
    request = probe.request(
        backup.server,
        need,
        repository=address,
        password_file=backup.password_file,
        run_as=backup.run_as,
        **({"prefix": backup.match.prefix} if probe is FIGURES and backup.match else {}),
    )
    return msgspec.structs.replace(
        request,
        script=with_code(script if backup.run_as else _OWN_STATE + script),
        secrets=password_environ(backup, "BORG_PASSPHRASE"),
        sudo=sudo_rule(backup, program),
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """A repository's archives as a series."""
    backup = context.subject.the_backup
    evidence = answers.one(ARCHIVES.id)
    succeeded(evidence, REFUSALS, {})
    listed = read_archives(evidence)
    figures = read_figures(answers.get(FIGURES.id))
    clocks = clocks_of(backup, answers)
    encrypted = listed.encryption.protects
    found = [found_of(a, figures.get(a.id, Stats()), clocks, encrypted) for a in listed.archives]
    points, listing = bind(backup, found)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=listing,
        skew=clocks.skew,
        repositories=(repository_of(context.subject, answers, address_of(backup), encrypted),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def read_archives(evidence: Evidence) -> Archives:
    """The archives of a listing; warnings of ssh before it are passed over.

    Raises:
        Unparsable: it is no list of archives.
    """
    text = bytes(evidence.stdout)
    try:
        return msgspec.json.decode(text[max(0, text.find(b"{")) :], type=Archives)
    except msgspec.DecodeError as e:
        raise Unparsable(f"{evidence.probe}: no list of archives ({clean(str(e))})") from None


def read_figures(evidence: Evidence | None) -> dict[str, Stats]:
    """Files and bytes by archive id; told beside the listing, so a broken answer tells nothing."""
    if evidence is None:
        return {}
    text = bytes(evidence.stdout)
    try:
        found = msgspec.json.decode(text[max(0, text.find(b"{")) :], type=Figures)
    except msgspec.DecodeError:
        return {}
    return {a.id: a.stats for a in found.archives}


def found_of(archive: Archive, stats: Stats, clocks: Clockwork, encrypted: bool | None) -> Found:
    """An archive as a point; its times must have been listed in UTC."""
    start = clocks.true(utc(archive.start))
    empty = stats.nfiles == 0
    unfinished = bool(re.search(r"\.checkpoint(\.\d+)?$", archive.name, re.ASCII))
    done = PointState.INVALID if empty else PointState.OK
    return Found(
        point=BackupPoint(
            id=archive.id,
            start=start.time,
            end=clocks.true(utc(archive.end)).time if archive.end else None,
            uncertainty=start.uncertainty,
            state=PointState.RUNNING if unfinished else done,
            origin=Origin.TOOL,
            clock="writer",
            name=clean(archive.name),
            # Borg lists an archive that ended with warnings (a path missing) like any other.
            notes=("empty_archive" if empty else "outcome_unsaid",),
            paths=_paths(archive.command_line),
            files=stats.nfiles,
            data=stats.original_size,
            encrypted=encrypted,
        ),
        host=archive.hostname,
    )


def _paths(command: list[str] | str) -> tuple[str, ...] | None:
    """What `borg create` was told to save; None when the command does not plainly say."""
    words = shlex.split(command) if isinstance(command, str) and "'" not in command else command
    places = [i for i, word in enumerate(words) if "::" in word]
    if "create" not in words or not places:
        return None
    paths = list(words[places[-1] + 1 :])
    if not paths or any(p.startswith("-") for p in paths):
        return None  # options behind the paths have values that look like paths
    return tuple(sorted({clean(p) for p in paths}))


def repository_of(
    subject: Subject, answers: Answers, address: str, encrypted: bool | None
) -> Repository:
    """What is known of a Borg repository, with what `STATE` told of it when it is a folder."""
    found = describe(subject, address, KIND, answers.get(PLACE.id))
    state = answers.get(STATE.id)
    told = bytes(state.stdout).decode("utf-8", "replace") if state is not None else ""
    unseen = found.unseen | {"proofs": _UNPROVED}
    notes = stale_locks(told, state.taken) if state is not None else ()
    immutable = found.immutable
    if "append_only=1" in told.splitlines():
        if immutable is None:
            immutable = True
            unseen.pop("immutable", None)
        else:
            # On the server that it protects whoever is root there can switch it off.
            notes = (*notes, "append_only_on_own_server")
    elif immutable is None and locate(address).local and "config=read" not in told.splitlines():
        detail = f"the right to read {found.location}/config"
        unseen["immutable"] = Failure(kind=FailureKind.DENIED, detail=detail)
    elif immutable is None:
        detail = (
            "append_only in the repository's config, or borg serve --append-only, where it lies"
        )
        unseen["immutable"] = Failure(kind=FailureKind.NOT_DECLARED, detail=detail)
    return msgspec.structs.replace(
        found, encrypted=encrypted, immutable=immutable, unseen=unseen, notes=notes
    )


def stale_locks(text: str, now: dt.datetime) -> tuple[str, ...]:
    """A note when a run crashed and left its lock: Borg never renews one, so the process counts."""
    told = told_of(text)
    notes = set()
    for lock in told.get("lock", frozenset()):
        found = _LOCK.fullmatch(lock)
        since = from_epoch(float(found[1])) if found else None
        if found is not None and since is not None:
            notes.add(is_stale(now - since, found[2], found[3], told))
    return tuple(sorted(notes - {""}))
