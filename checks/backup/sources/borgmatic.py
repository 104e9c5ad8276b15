"""Kind `borgmatic`: Borg's archives by way of borgmatic, which knows the passphrase, and checks.

borgmatic's own listing waits for a running backup and hides what does not fit its name format; so
it is asked to run Borg's listing. The files in which it notes when a check last passed are read
beside it: a trial extraction and a comparison with the originals are more than a check.
"""

from __future__ import annotations

import re

import msgspec

from checks.backup.series import BackupSeries, Proof, ProofKind, Repository
from checks.backup.sources import borg
from checks.backup.sources.base import BackupSource
from checks.backup.sources.match import bind
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.repository import PLACE, address_of, locate
from checks.backup.sources.tool import run, sudo_rule
from checks.backup.sources.writer import clocks_of
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

KIND = "borgmatic"
ARCHIVES = Probe(
    id="backup.borgmatic",
    title="archives of a repository of borgmatic (borgmatic borg list, without locks)",
    timeout=90,
    limit=33_554_432,
)
PASSED = Probe(
    id="backup.borgmatic-checks",
    title="when borgmatic's checks last passed (times of the files in its state folder)",
    timeout=10,
    limit=262_144,
)

_KINDS = {
    "repository": ProofKind.CHECK,
    "archives": ProofKind.CHECK,
    "data": ProofKind.VERIFY,
    "spot": ProofKind.EXTRACT,
    "extract": ProofKind.EXTRACT,
}
_REFUSALS = {
    "is incorrect": "the passphrase of the repository in borgmatic's configuration is wrong",
    "cquire a passphrase": "the passphrase of the repository in borgmatic's configuration",
    "asscommand supplied": "the passphrase command of borgmatic's configuration",
}
_NOTED = re.compile(
    r"check=(\d{1,12})[.,]?\d* .*/checks/([0-9a-f]{1,128})/([a-z]{1,20})(?:/[0-9a-z]{1,128})?",
    re.ASCII,
)
_OWN_CHECKS = """\
for d in "${XDG_STATE_HOME:-$HOME/.local/state}/borgmatic/checks" "$HOME/.borgmatic/checks"; do
  [ -r "$d" ] || continue
  echo state=read
  find "$d" -type f -exec stat -c 'check=%Y %n' {} + 2>/dev/null ||
    find "$d" -type f -exec stat -f 'check=%m %N' {} +
done
"""


class Listed(msgspec.Struct, frozen=True):
    """Borg's own words on a repository; borgmatic adds the label."""

    id: str = ""
    location: str = ""
    label: str = ""


class Rows(msgspec.Struct, frozen=True):
    """`borg list --json`, or one element of `borgmatic repo-list --json`."""

    archives: list[borg.Archive]
    encryption: borg.Encryption = borg.Encryption()
    repository: Listed = Listed()


def requests(subject: Subject) -> list[Request]:
    """The archives, and beside them the records of checks and what else can be done without."""
    backup = subject.the_backup
    where = f"backup set {backup.system}/{backup.id}"
    address = address_of(backup)
    if backup.match is not None and backup.match.tags:
        raise NotDeclared(f"{where}: match without tags, as Borg's archives have none")
    if backup.password or backup.password_file:
        raise NotDeclared(f"{where}: no password, as borgmatic has its own in its configuration")
    if backup.name and not backup.name.startswith("/"):
        raise NotDeclared(f"{where}: name as the absolute path of borgmatic's configuration")
    asked = [_archives(backup), _checks(backup), CLOCK.request(backup.server, Need.OPTIONAL)]
    if locate(address).local and address.startswith("/"):
        more = (PLACE, borg.STATE)
        asked += [p.request(backup.server, Need.OPTIONAL, path=address) for p in more]
    return asked


def _archives(backup: BackupSet) -> Request:
    address = address_of(backup)
    config = ("--config", backup.name) if backup.name else ()
    # Old versions write to the system's log unless they are given a file.
    own = ("borgmatic", "--log-file", "/dev/null", *config, "borg", "--repository", address)
    listing = ("list", "--json", "--bypass-lock", "--format", borg.FORMAT)
    program = ("env", "TZ=UTC", *own, *listing)
    request = ARCHIVES.request(
        backup.server, repository=address, config=backup.name, run_as=backup.run_as
    )
    return msgspec.structs.replace(
        request, script=with_code(run(backup, program)), sudo=sudo_rule(backup, program)
    )


def _checks(backup: BackupSet) -> Request:
    request = PASSED.request(backup.server, Need.OPTIONAL, run_as=backup.run_as)
    if not backup.run_as:
        return msgspec.structs.replace(request, script=with_code(_OWN_CHECKS))
    home = "/root" if backup.run_as == "root" else f"/home/{backup.run_as}"
    folders = (f"{home}/.local/state/borgmatic/checks", f"{home}/.borgmatic/checks")
    program = ("find", *folders, "-type", "f", "-printf", "check=%T@ %p\\n")
    return msgspec.structs.replace(
        request, script=with_code(run(backup, program)), sudo=sudo_rule(backup, program)
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """A repository's archives and the records of its checks as a series."""
    backup = context.subject.the_backup
    evidence = answers.one(ARCHIVES.id)
    succeeded(evidence, _REFUSALS, {})
    listed = read_rows(evidence, address_of(backup))
    clocks = clocks_of(backup, answers)
    encrypted = listed.encryption.protects
    points, listing = bind(
        backup, [borg.found_of(a, borg.Stats(), clocks, encrypted) for a in listed.archives]
    )
    checks = answers.get(PASSED.id)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=listing,
        skew=clocks.skew,
        repositories=(_repository(context.subject, answers, listed),),
        proofs=read_checks(checks, listed.repository.id, clocks) if checks else (),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def read_rows(evidence: Evidence, address: str) -> Rows:
    """The rows of the declared repository; warnings before the JSON are passed over.

    Raises:
        Unparsable: it is no listing, or one of other repositories only.
    """
    text = bytes(evidence.stdout)
    starts = [at for sign in (b"{", b"[{") if (at := text.find(sign)) >= 0]
    try:
        found = msgspec.json.decode(text[min(starts, default=0) :], type=list[Rows] | Rows)
    except msgspec.DecodeError as e:
        raise Unparsable(f"{evidence.probe}: no list of archives ({clean(str(e))})") from None
    if isinstance(found, Rows):
        return found
    named = (r.repository for r in found)
    fits = [address in (n.location, n.label, n.id) for n in named]
    if len(found) == 1 or sum(fits) == 1:
        return found[0] if len(found) == 1 else found[fits.index(True)]
    raise Unparsable(f"{evidence.probe}: {clean(address)} is none of the {len(found)} repositories")


def read_checks(evidence: Evidence, repository: str, clocks: Clockwork) -> tuple[Proof, ...]:
    """The last time that each check of a repository passed, oldest first.

    Only checks that ended well leave a file; borgmatic passes over Borg's mere warnings.
    """
    last: dict[str, float] = {}
    for line in bytes(evidence.stdout).decode("utf-8", "replace").splitlines():
        noted = _NOTED.fullmatch(line)
        if noted is None or noted[2] != repository or noted[3] not in _KINDS:
            continue
        last[noted[3]] = max(last.get(noted[3], 0.0), float(noted[1]))
    proofs = [
        Proof(kind=_KINDS[check], time=clocks.true(time).time, ok=True, name=f"borgmatic {check}")
        for check, seconds in last.items()
        if (time := from_epoch(seconds)) is not None
    ]
    return tuple(sorted(proofs, key=lambda p: (p.time, p.name)))


def _repository(subject: Subject, answers: Answers, listed: Rows) -> Repository:
    address = listed.repository.location or address_of(subject.the_backup)
    found = borg.repository_of(subject, answers, address, listed.encryption.protects)
    unseen = dict(found.unseen)
    unseen.pop("proofs", None)
    checks = answers.get(PASSED.id)
    if checks is None:
        failed = [e.failure for e in answers.failures() if e.probe == PASSED.id and e.failure]
        unseen["proofs"] = failed[0] if failed else _no_state()
    elif not any(word in bytes(checks.stdout) for word in (b"state=read", b"check=")):
        unseen["proofs"] = _no_state()
    return msgspec.structs.replace(found, unseen=unseen)


def _no_state() -> Failure:
    return Failure(
        kind=FailureKind.NOT_DECLARED,
        detail="borgmatic's state folder (~/.local/state/borgmatic/checks) in the home of the "
        "account that runs its checks",
    )
