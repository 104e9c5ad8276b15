"""One parser of documents under coverage-guided fuzzing: fuzz/parse.py TARGET [libFuzzer options].

A parser may refuse what it is given (`Unparsable`, `Unreadable`). Anything else that it raises, a
run over the time limit or over the memory limit is a finding. `fuzz/run` gives it seeds.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["checks", "inventory"]):
    from checks.documents.agencies import Directory
    from checks.documents.evidence import FILE_KINDS
    from checks.documents.mail_logs import MAIL_KINDS
    from checks.documents.numbers import Finder
    from checks.documents.senders import Addresses
    from checks.documents.sources.mailboxes import read_mailboxes
    from checks.documents.sources.reading import Reading
    from checks.documents.sources.sheets import signer_of
    from checks.evidence import Unparsable
    from checks.files import FileEntry
    from checks.pseudonyms import KEY_BYTES, Pseudonyms
    from checks.signatures.ber import Unreadable
    from checks.signatures.cms import read_cms, verify
    from checks.signatures.pdf import read_pdf
    from inventory.model import Agency, Documents, Unit, UnitKind

_NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
_UNIT = Unit(
    id="hoan-kiem",
    name="Hoàn Kiếm",
    kind=UnitKind.WARD,
    documents=Documents(codes=("H26.1.2",), domains=("hoankiem.gov.vn",)),
)
_AGENCIES = (
    Agency(code="H26.5", name="Sở Y tế", mail_domains=("soyte.gov.vn",)),
    Agency(code="H26.6", name="Sở Văn hóa"),
)


def _reading() -> Reading:
    return Reading(
        name="fuzz",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        directory=Directory(_AGENCIES, _UNIT),
        finder=Finder({"QĐ-UBND-HK", "BC-UBND-HK"}),
        addresses=Addresses(pseudonyms=Pseudonyms(bytes(KEY_BYTES))),
    )


def _entry(data: bytes, name: str) -> FileEntry:
    return FileEntry(name=name, mtime=_NOW, data=memoryview(data))


def _pdf(data: bytes) -> None:
    for found in read_pdf(data).signatures:
        signer_of(found.signature)


def _cms(data: bytes) -> None:
    for found in verify(read_cms(data), [memoryview(b"content")]):
        signer_of(found)


def _targets() -> dict[str, Callable[[bytes], object]]:
    found: dict[str, Callable[[bytes], object]] = {"pdf": _pdf, "cms": _cms}
    for name, read in MAIL_KINDS.items():
        found[name] = lambda data, read=read: read([_entry(data, "mail.log")], _reading())
    for kind in FILE_KINDS:
        found[kind.key] = lambda data, kind=kind: kind.read(
            [_entry(data, f"{kind.key}.csv")], _reading()
        )
    for box in ("eml", "mbox"):
        found[box] = lambda data, box=box: read_mailboxes([_entry(data, "a")], _reading(), box)
    return found


def main() -> None:
    """Fuzz the target named first; without one, name them all."""
    targets = _targets()
    if len(sys.argv) < 2:
        print(" ".join(targets))
        return
    if sys.argv[1] not in targets:
        sys.exit(f"there is no parser {sys.argv[1]!r}: name one of {', '.join(targets)}")
    target = targets[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        try:
            target(data)
        except (Unparsable, Unreadable):
            return

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
