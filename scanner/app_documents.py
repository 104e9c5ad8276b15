"""The composition of what is made of stored scans about documents: explanations, statistics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import msgspec

import scanner
from checks.pseudonyms import Pseudonyms
from checks.results import Result, ScanInfo
from checks.texts import clean
from inventory.model import Inventory, Unit
from scanner.errors import UserError
from scanner.store.database import Store

if TYPE_CHECKING:
    from reports.explain.mailbox import MailboxTraces
    from reports.explain.model import Explanation
    from reports.statistics.model import Statistics

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
MAILBOXES = "mailboxes"
"""The store's name of the key with which addresses are hashed."""
_LONGEST_ADDRESS = 320


def scan_asked_for(store: Store, scan_id: str | None) -> str:
    """The id of a scan: the one whose id begins so, else the latest whole one, else the latest.

    Raises:
        UserError: there is none.
    """
    if scan_id is not None:
        return store.find(scan_id).id
    latest = store.latest() or store.latest(complete_only=False)
    if latest is None:
        raise UserError("the store holds no scan yet: run `sauro scan` first")
    return latest.id


def explained(
    store: Store, scan_id: str | None, asked: str, unit: str, language: Language
) -> Explanation:
    """What led to a row, or to what is said of a document of `unit`.

    Raises:
        UserError: there is no scan, or what is asked for is not known.
    """
    from reports.explain.build import ExplainError, explain  # noqa: PLC0415

    found = store.load(scan_asked_for(store, scan_id))

    def earlier(unit: str) -> Iterator[tuple[ScanInfo, Result]]:
        return _mail_rows(store, found.info.simulated, unit)

    try:
        return explain(found, asked, unit, language, earlier)
    except ExplainError as e:
        raise UserError(str(e)) from e


def explanation_text(
    found: Explanation, language: Language, zone: ZoneInfo, *, as_json: bool
) -> str:
    """An explanation as it is printed."""
    if as_json:
        return msgspec.json.format(msgspec.json.encode(found), indent=1).decode()
    from reports.explain.to_text import to_text  # noqa: PLC0415

    return to_text(found, language, zone)


def _mail_rows(
    store: Store, simulated: bool, unit: str, scan_id: str = ""
) -> Iterator[tuple[ScanInfo, Result]]:
    """Rows that list mails, of every scan or of one, of every unit or of one, newest scan first."""
    from reports.explain.sightings import CHECKS  # noqa: PLC0415

    for info in store.list_scans():
        if info.simulated == simulated and scan_id in ("", info.id):
            for row in store.results_of(info.id, CHECKS, unit):
                yield info, row


def address_of(given: bytes) -> bytes:
    """The one address in what was typed or piped in; it is never said again.

    Raises:
        UserError: there is none, or more than one.
    """
    lines = [line.strip() for line in given.splitlines() if line.strip()]
    if len(lines) != 1 or lines[0].count(b"@") != 1 or len(lines[0]) > _LONGEST_ADDRESS:
        raise UserError(
            "standard input holds no single mail address: give one line such as name@example.vn"
        )
    return lines[0]


def mailbox(store: Store, address: bytes, unit: str, scan_id: str | None) -> MailboxTraces:
    """What is stored of an address (as `address_of` gives it), under this project's key.

    Raises:
        UserError: there is no key, so that nothing was hashed; no such scan or unit.
    """
    from reports.explain.mailbox import traces_of  # noqa: PLC0415

    key = store.known_key(MAILBOXES)
    if key is None:
        raise UserError(
            "this project has no key for mailboxes: no scan of documents has hashed an address "
            "since it was made or destroyed; run `sauro scan` first"
        )
    newest = store.find(scan_asked_for(store, scan_id))
    if unit and unit not in store.load(newest.id).inventory.units:
        raise UserError(f"no unit is called {clean(unit)!r}; `sauro inventory list` shows them")
    only = newest.id if scan_id else ""
    return traces_of(address, Pseudonyms(key), _mail_rows(store, newest.simulated, unit, only))


def mailbox_text(found: MailboxTraces, language: Language, zone: ZoneInfo, *, as_json: bool) -> str:
    """The traces of a mailbox as they are printed."""
    if as_json:
        return msgspec.json.format(msgspec.json.encode(found), indent=1).decode()
    from reports.explain.mailbox import to_text  # noqa: PLC0415

    return to_text(found, language, zone)


PERIOD = 30
"""Days counted when no first day is given."""
LONGEST = 366
_MONTHS_OF_SCANS = dt.timedelta(days=62)
"""How long after a day a scan may still have judged it."""


def statistics(
    store: Store,
    units: Sequence[str],
    reporter: str,
    days: tuple[dt.date | None, dt.date | None],
    rest: tuple[int, dt.datetime],
) -> Statistics:
    """Counts of the period for the units named, or for all; `rest` are the small count and now.

    Raises:
        UserError: there is no scan, a unit is not known, or the days are no period.
    """
    from reports.statistics.build import Ask  # noqa: PLC0415
    from reports.statistics.build import statistics as counted  # noqa: PLC0415
    from reports.statistics.verify import believed  # noqa: PLC0415

    small, now = rest
    newest = store.load(scan_asked_for(store, None))
    zone = ZoneInfo(newest.info.timezone)
    first, last = _period(days, newest.info.started.astimezone(zone).date())
    chosen = _units(newest.inventory, units)
    ask = Ask(
        first=first,
        last=last,
        reporter=_reporter(newest.inventory, reporter, chosen),
        units=chosen,
        small=small,
    )
    rows = _rows(store, ask.first, ask.last, simulated=newest.info.simulated)
    return believed(counted(rows, ask, now, f"sauro {scanner.__version__}"))


def _period(
    days: tuple[dt.date | None, dt.date | None], newest: dt.date
) -> tuple[dt.date, dt.date]:
    last = days[1] or newest
    first = days[0] or last - dt.timedelta(days=PERIOD - 1)
    if first > last:
        raise UserError(
            f"the period begins on {first}, after its end {last}: exchange --from and --to"
        )
    if (last - first).days >= LONGEST:
        raise UserError(f"{first} to {last} is longer than {LONGEST} days: ask for a year at most")
    return first, last


def _units(inventory: Inventory, asked: Sequence[str]) -> tuple[Unit, ...]:
    """The units asked for, else every one that is the project's own."""
    for name in asked:
        if name not in inventory.units:
            raise UserError(f"no unit is called {name!r}; `sauro inventory list` shows them")
    own = [u for u in inventory.units.values() if not u.external]
    return tuple(u for u in own if u.id in asked) if asked else tuple(own)


def _reporter(inventory: Inventory, asked: str, chosen: Sequence[Unit]) -> Unit:
    """Who reports: the one named, the only unit, or the one above all of them."""
    if asked:
        found = inventory.units.get(asked)
        if found is None:
            raise UserError(f"no unit is called {asked!r}; `sauro inventory list` shows them")
        return found
    if len(chosen) == 1:
        return chosen[0]
    tops = {u.id for u in chosen if not u.parent} | {u.parent for u in chosen if u.parent}
    tops -= {u.id for u in chosen if u.parent}
    if len(tops) == 1 and (only := inventory.units.get(next(iter(tops)))) is not None:
        return only
    raise UserError("the units have no one unit above them: name who reports by --reporter ID")


def _rows(
    store: Store, first: dt.date, last: dt.date, *, simulated: bool
) -> Iterator[tuple[ScanInfo, Result]]:
    """Rows of whole scans that can speak of the period, the newest scan first."""
    from reports.statistics.build import CHECKS  # noqa: PLC0415

    begin = dt.datetime.combine(first, dt.time(), dt.UTC) - dt.timedelta(days=1)
    end = dt.datetime.combine(last, dt.time(), dt.UTC) + _MONTHS_OF_SCANS
    for info in store.list_scans():
        if info.complete and info.simulated == simulated and begin <= info.started <= end:
            for row in store.results_of(info.id, tuple(CHECKS)):
                yield info, row


def statistics_bytes(found: Statistics, form: Literal["csv", "json"]) -> bytes:
    """The export in one of its forms."""
    if form == "csv":
        from reports.statistics.table import to_csv  # noqa: PLC0415

        return to_csv(found)
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def statistics_read(data: bytes) -> Statistics:
    """An export in either form, believed only when every sum is right.

    Raises:
        UserError: it is no such export, or its sums are wrong.
    """
    from reports.statistics.table import read_csv  # noqa: PLC0415
    from reports.statistics.verify import StatisticsError, read_json  # noqa: PLC0415

    try:
        return read_json(data) if data.lstrip()[:1] == b"{" else read_csv(data)
    except StatisticsError as e:
        raise UserError(f"the export is refused: it {e}") from e


def statistics_schema() -> str:
    """JSON Schema of the export."""
    from reports.statistics.model import json_schema  # noqa: PLC0415

    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=1).decode()
