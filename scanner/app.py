"""The composition root: puts inventory, checks, transports, store and reports together.

The only module of `scanner` that knows the reports, and the only one that reads the clock. The
command line calls these functions and prints what they return.
"""

from __future__ import annotations

import datetime as dt
import gc
import random
import secrets
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import msgspec

import scanner
from checks.changes import Changes, compare, obstacle
from checks.evidence import Evidence, Request
from checks.model import Check, Memory, Options
from checks.pseudonyms import KEY_BYTES, Pseudonyms
from checks.results import Scan, ScanInfo
from inventory.model import Selection
from scanner import run as engine
from scanner.app_documents import MAILBOXES
from scanner.collect import Collector
from scanner.errors import UserError
from scanner.files import write_whole
from scanner.judge import Judge
from scanner.plan import Plan, going_on
from scanner.pool import visit_all
from scanner.project import Project
from scanner.store.database import Store

if TYPE_CHECKING:
    from reports.form08.model import Ask
    from reports.model import Report

Language = Literal["vi", "en"]


def utc_now() -> dt.datetime:
    """The wall clock, the only reading of it."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251


def collector(project: Project) -> Collector:
    """The one that reaches targets, with this project's limits."""
    return Collector(
        project.inventory,
        ssh=project.settings.ssh,
        limits=project.settings.limits,
        project=project.folder,
        clock=utc_now,
        jitter=random.SystemRandom(),
    )


class Scanned(msgspec.Struct, frozen=True):
    """A scan that is over: what it brought lies in the store."""

    info: ScanInfo
    rest: Plan
    """The cases that a stopped scan did not reach."""


def scan(
    project: Project,
    store: Store,
    selection: Selection,
    *,
    resume_since: dt.datetime | None = None,
    stop: threading.Event | None = None,
    watch: Callable[[engine.Progress], None] = lambda _: None,
) -> Scanned:
    """Scan the selection and store it; a stopped scan comes back with `complete` false.

    Its rows are not in memory then: `rows_of` reads them. With `resume_since` the latest unfinished
    scan of the same question goes on where it was stopped, if it began at that time or later.
    """
    stop = stop or threading.Event()
    whole = project.plan(selection)
    digest = whole.digest(project.inventory, selection, project.settings)
    info = store.resumable(digest, not_before=resume_since) if resume_since else None
    if info is None:
        info = _new_info(project, selection, len(whole.cases))
        store.begin(info, project.inventory, digest)
    past = _past(store, whole)
    left = going_on(whole.without(store.done_cases(info.id)), past)
    judge = _judge(project, info, past, _pseudonyms(store, whole))
    with _undisturbed():
        engine.run(
            left,
            Scan(info=info, inventory=project.inventory),
            visit=_visitor(project, stop),
            judge=judge,
            keep=store,
            watch=watch,
        )
    rest = whole.without(store.done_cases(info.id)) if stop.is_set() else Plan(())
    if rest.cases:
        return Scanned(info, rest)
    info = _finish(store, info)
    _let_go(project, store)
    return Scanned(info, rest)


def rows_of(store: Store, scanned: Scanned) -> Scan:
    """A scan with all of its rows, and one for each case that it did not reach."""
    return engine.with_the_unscanned(store.load(scanned.info.id), scanned.rest)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let the interpreter keep out of a scan's way until it is over.

    The garbage collector leaves what is loaded and planned alone: to walk all of it again and again
    took an eighth of the time of judging. Threads take turns ten times more rarely: they wait for
    the network anyway, and every turn taken from the one that judges costs both.
    """
    before, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.freeze()
    gc.set_threshold(10_000, *before[1:])
    sys.setswitchinterval(0.05)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*before)
        gc.unfreeze()


def _new_info(project: Project, selection: Selection, planned: int) -> ScanInfo:
    started = utc_now()
    return ScanInfo(
        id=engine.started_id(started, secrets.token_hex(3)),
        started=started,
        tool=f"sauro {scanner.__version__}",
        legal_basis=project.settings.legal_basis,
        timezone=project.settings.timezone,
        selection=selection,
        planned=planned,
        simulated=project.simulated,
        coverage_floor=project.settings.coverage_floor,
        documents_until=_until(started, project.settings.keep.document_days),
    )


def _until(started: dt.datetime, days: int) -> dt.datetime | None:
    return started + dt.timedelta(days=days) if days else None


def _finish(store: Store, info: ScanInfo) -> ScanInfo:
    counts = store.counts(info.id)
    info = msgspec.structs.replace(
        info,
        finished=utc_now(),
        complete=True,
        planned=sum(counts.values()),
        judged=sum(n for status, n in counts.items() if status in engine.JUDGED),
    )
    store.finish(info)
    return info


def _let_go(project: Project, store: Store) -> None:
    """Enforce the limits of the settings on what is kept of earlier scans."""
    keep, now = project.settings.keep, utc_now()
    store.retire(keep.document_days, now)
    if keep.scan_days:
        store.prune(keep.scan_days, now)


def _visitor(project: Project, stop: threading.Event) -> engine.Visitor:
    ssh = project.settings.ssh

    def visit(asked: Mapping[str, tuple[Request, ...]]) -> Generator[list[engine.Visited]]:
        return visit_all(asked, collector(project), ssh.workers, ssh.processes, stop)

    return visit


def _judge(
    project: Project,
    info: ScanInfo,
    past: Callable[[str, str], tuple[Memory, ...]],
    pseudonyms: Pseudonyms | None,
) -> Judge:
    def options(check: Check) -> Options:
        return project.options[check.id]

    return Judge(
        started=info.started,
        zone=ZoneInfo(info.timezone),
        legal_basis=info.legal_basis,
        coverage_floor=info.coverage_floor,
        options=options,
        past=past,
        pseudonyms=pseudonyms,
    )


def _pseudonyms(store: Store, whole: Plan) -> Pseudonyms | None:
    """What hashes addresses in this project; its key is made by the first scan of documents."""
    if not any(case.check.family == "documents" for case in whole.cases):
        return None
    return Pseudonyms(store.key(MAILBOXES, lambda: secrets.token_bytes(KEY_BYTES)))


def _past(store: Store, whole: Plan) -> Callable[[str, str], tuple[Memory, ...]]:
    """What earlier scans remembered, read once for every kind that the plan's facts keep.

    Of facts that go on where a scan stopped only the marks are: the rest is much, and is read when
    its subject is judged.
    """
    facts = {fact.id: fact for case in whole.cases for fact in case.check.needs}.values()
    kinds = {fact.marks for fact in facts} | {fact.memory for fact in facts if not fact.marks}
    known = {kind: store.recall(kind) for kind in sorted(kinds - {""})}

    def past(kind: str, subject: str) -> tuple[Memory, ...]:
        found = known[kind] if kind in known else store.recall(kind, subject)
        return found.get(subject, ())

    return past


def examine(
    project: Project, selection: Selection, stop: threading.Event
) -> Iterator[tuple[str, list[Evidence]]]:
    """Visit the selection's targets and hand on what came back; nothing is judged or stored."""
    for together in _visitor(project, stop)(project.plan(selection).visits):
        for target, evidence, _ in together:
            yield target, evidence


def figures(store: Store, found: Scan, language: Language) -> Report:
    """The report's figures of a scan, against the one before it."""
    from reports.build import build  # noqa: PLC0415

    before = store.before(found.info.id)
    return build(
        found,
        previous=store.load(before.id) if before else None,
        opened=store.opened(found.info.id),
        reopened=store.reopened(found.info.id),
        dark_open=store.open_in_the_dark(found.info.id),
        dark_open_before=store.open_in_the_dark(before.id) if before else frozenset(),
        now=utc_now(),
        language=language,
    )


def printed(store: Store, found: Scan, form: str, language: Language, *, color: bool) -> str:
    """A scan as the command line shows it: `table`, `json` or `jsonl`."""
    if form == "table":
        from reports.to_terminal import summary_text  # noqa: PLC0415 - rich is slow to load

        return summary_text(figures(store, found, language), color=color, width=100)
    from reports import to_json  # noqa: PLC0415

    if form == "jsonl":
        return "\n".join(to_json.jsonl(found, language))
    return to_json.encode(to_json.scan_json(found, language)).decode().rstrip()


def report(
    store: Store,
    *,
    scan_id: str | None,
    forms: Sequence[str],
    language: Language,
    out: Path,
    ask: Ask | None = None,
) -> list[Path]:
    """Render a stored scan (the latest when no id is given) and write its files.

    `ask` is what the annual report, `form08`, is asked for.

    Raises:
        UserError: there is no scan, no such format, the form cannot be made as asked, or the folder
            cannot be written.
    """
    from reports.formats import FORM08, FORMATS  # noqa: PLC0415 - loads the writers' libraries

    if ask is not None and FORM08 not in forms:
        raise UserError(
            "an owner, a unit or days are asked of the annual report only: add --format form08"
        )
    known = [*FORMATS, FORM08]
    unknown = sorted(set(forms) - set(known))
    if unknown:
        raise UserError(f"no format is called {unknown[0]!r}; there are: {', '.join(known)}")
    if scan_id is None:
        latest = store.latest() or store.latest(complete_only=False)
        if latest is None:
            raise UserError("the store holds no scan yet: run `sauro scan` first")
        scan_id = latest.id
    found = store.load(store.find(scan_id).id)
    shown = [f for f in dict.fromkeys(forms or ("html", "json")) if f != FORM08]
    files = _form08(found, ask, language) if FORM08 in forms else {}
    if shown:
        counted = figures(store, found, language)
        for form in shown:
            files |= FORMATS[form](counted, found)
    for name, data in files.items():
        write_whole(out / name, data)
    return [out / name for name in files]


def asked(owner: str, unit: str, first: dt.date | None, last: dt.date | None) -> Ask | None:
    """What the annual report is asked for; None when nothing of it is said."""
    if not (owner or unit or first or last):
        return None
    from reports.form08.model import Ask  # noqa: PLC0415

    return Ask(owner=owner, unit=unit, first=first, last=last)


def _form08(found: Scan, ask: Ask | None, language: Language) -> dict[str, bytes]:
    from reports.form08.model import Ask, FormError  # noqa: PLC0415
    from reports.formats import form08  # noqa: PLC0415

    try:
        return form08(found, ask or Ask(), language)
    except FormError as e:
        raise UserError(str(e)) from e


def changes(store: Store, old: str | None, new: str | None) -> tuple[Changes, Scan]:
    """What changed between two scans, by default the latest and the one before; and the newer.

    Raises:
        UserError: there are no two scans, or they did not ask the same.
    """
    if old is not None and new is not None:
        before, after = store.find(old), store.find(new)
    else:
        latest = store.latest()
        earlier = store.before(latest.id) if latest else None
        if latest is None or earlier is None:
            raise UserError("the store holds no two whole scans of one selection to compare yet")
        before, after = earlier, latest
    reason = obstacle(before, after)
    if reason:
        raise UserError(f"{before.id} and {after.id} cannot be compared: {_OBSTACLES[reason]}")
    newer = store.load(after.id)
    found = compare(
        store.results_of(before.id),
        newer.results,
        reopened=store.reopened(after.id),
        dark_open=store.open_in_the_dark(before.id) | store.open_in_the_dark(after.id),
    )
    return found, newer


_OBSTACLES = {
    "incomplete": "one of them is unfinished; go on with it by `sauro scan --resume`",
    "selection": "they were made of different selections",
    "simulated": "one of them is of simulated units",
}
