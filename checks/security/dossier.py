"""Is the dossier behind a level whole, are its files there, and are they the ones approved?"""

from __future__ import annotations

import hashlib
import posixpath
import unicodedata
from collections.abc import Iterable, Iterator

import msgspec

from checks.evidence import (
    FILES,
    Answers,
    FailureKind,
    Need,
    Probe,
    Request,
    Source,
    Unparsable,
)
from checks.files import unpack
from checks.model import (
    Arg,
    Check,
    Context,
    Fact,
    Scope,
    Severity,
    Subject,
    Verdict,
    check,
    passed,
    unknown,
)
from checks.security.detail import level_detail
from checks.security.judging import (
    Shortfall,
    basis_of,
    highest,
    mark,
    of_other,
    severity,
    shortfall,
)
from checks.security.level_record import DossierPart, LevelRecord
from checks.security.record import RECORD
from checks.security.rules import NeededPart, rules
from checks.texts import clean
from inventory.model import System

_ID = "security.dossier-complete"
_EMPTY = hashlib.sha256(b"").hexdigest()
_HEX = frozenset("0123456789abcdef")

DOSSIER_FILES = Probe(
    id="security.dossier",
    title="SHA-256 of the files of a level dossier in the project folder",
    source=Source.FILES,
    limit=4 * 1024**3,
)


class Folder(msgspec.Struct, frozen=True):
    """What lies where the dossier's files are kept: path to SHA-256, empty when unreadable.

    `deep` folders were looked at with everything below them, `flat` ones without.
    """

    files: dict[str, str]
    deep: tuple[str, ...]
    flat: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether a file would have been seen if it were there."""
        above = posixpath.dirname(path)
        return above in self.flat or any(f"{above}/".startswith(f"{f}/") for f in self.deep)


def places(system: System) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders that are looked at with all below them, and folders that are looked at alone."""
    if system.dossier:
        return (normal(system.dossier),), ()
    return (f"dossier/{system.id}",), ("dossier",)


def normal(path: str) -> str:
    """A path as it is compared: composed letters, no `./` and no double slashes."""
    return posixpath.normpath(unicodedata.normalize("NFC", path.strip()))


def _requests(subject: Subject) -> list[Request]:
    deep, flat = places(subject.the_system)
    patterns = [f"{folder}/**/*" for folder in deep] + [f"{folder}/*" for folder in flat]
    return [
        DOSSIER_FILES.request(FILES, Need.MEMBER, path=pattern, reduce="sha256")
        for pattern in patterns
    ]


def _parse(ctx: Context, answers: Answers) -> Folder:
    files: dict[str, str] = {}
    for evidence in answers.all(DOSSIER_FILES.id):
        for entry in unpack(evidence.stdout):
            said = bytes(entry.data).decode("ascii", "replace")
            if said and not _is_digest(said):
                raise Unparsable(f"{DOSSIER_FILES.id}: no digest of {clean(entry.name)}")
            files[normal(entry.name)] = said
    deep, flat = places(ctx.subject.the_system)
    return Folder(files=files, deep=deep, flat=flat)


FOLDER: Fact[Folder] = Fact(id=DOSSIER_FILES.id, requests=_requests, parse=_parse)
"""The digests of a system's dossier files."""


def _is_digest(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)


@check(
    _ID,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 21", "ND331 Art. 22"),
).needs(RECORD, FOLDER)
def dossier_complete(ctx: Context, record: LevelRecord, folder: Folder) -> Iterable[Verdict]:
    """Every part that the level asks for is listed, its file is there and is the one recorded.

    A file outside the folders that were looked at is not known, never missing.
    """
    detail = level_detail(ctx, record) | {
        "dossier": [_said(p, folder) for p in record.dossier],
        "folders": [*folder.deep, *folder.flat],
    }
    other = list(of_other(ctx, record))
    if not other and not record.dossier and not ctx.subject.the_system.assessment:
        yield unknown(FailureKind.NOT_DECLARED, f"{_ID}.not-listed", detail)
        return
    parts = [*_absent_parts(ctx, record), *_file_faults(ctx, record, folder)]
    faults = other or sorted(parts, key=lambda s: (not s.grave, s.name != "file-changed"))
    if faults:
        yield shortfall(_ID, faults, detail, severity(ctx, record))
        return
    if highest(ctx, record) is None:
        yield unknown(FailureKind.NOT_DECLARED, f"{_ID}.no-level", detail)
        return
    yield _unseen(record, folder, detail) or passed(
        f"{_ID}.complete", detail, count=len(record.dossier)
    )


def _absent_parts(ctx: Context, record: LevelRecord) -> Iterator[Shortfall]:
    level = highest(ctx, record) or 1
    listed = {p.part.strip() for p in record.dossier if p.file.strip()}
    for needed in rules().bases[basis_of(rules(), ctx, record)].dossier:
        if level >= needed.from_level and needed.part not in listed:
            yield Shortfall("part-missing", _needed(needed, level))


def _needed(needed: NeededPart, level: int) -> dict[str, Arg]:
    return {
        "part": f"security/part-{needed.part}",
        "level": level,
        "article": f"security/{needed.article}",
        "mark": mark(needed.certain),
    }


def _file_faults(ctx: Context, record: LevelRecord, folder: Folder) -> Iterator[Shortfall]:
    known = {n.part for n in rules().bases[basis_of(rules(), ctx, record)].dossier}
    for part in record.dossier:
        said: dict[str, Arg] = {"file": clean(part.file.strip(), 200)}
        path = normal(part.file)
        if not part.file.strip():
            if part.part.strip() not in known:  # The others are told as missing parts.
                yield Shortfall("no-file", {"part": clean(part.part, 120)}, grave=False)
            continue
        wanted, found = part.sha256.strip().lower(), folder.files.get(path)
        if found is None and folder.covers(path):
            yield Shortfall("file-missing", said)
        elif found == _EMPTY:
            yield Shortfall("file-empty", said)
        elif found and _is_digest(wanted) and found != wanted:
            yield Shortfall("file-changed", said)
        if not _is_digest(wanted):
            yield Shortfall("bad-digest" if wanted else "no-digest", said, grave=False)


def _unseen(record: LevelRecord, folder: Folder, detail: dict[str, object]) -> Verdict | None:
    for part in record.dossier:
        path = normal(part.file)
        said = {"file": clean(part.file.strip(), 200)}
        if not part.file.strip() or folder.files.get(path):
            continue
        if path in folder.files:
            return unknown(FailureKind.DENIED, f"{_ID}.unreadable", detail, **said)
        where = ", ".join([*folder.deep, *folder.flat])
        return unknown(FailureKind.NOT_DECLARED, f"{_ID}.elsewhere", detail, where=where, **said)
    return None


def _said(part: DossierPart, folder: Folder) -> dict[str, object]:
    found = folder.files.get(normal(part.file))
    return {
        "part": clean(part.part, 120),
        "file": clean(part.file, 200) or None,
        "sha256": clean(part.sha256, 80) or None,
        "found": found or None,
    }


CHECKS: tuple[Check, ...] = (dossier_complete,)
