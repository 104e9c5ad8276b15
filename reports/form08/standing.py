"""Where one system stands by its results: what is proved, what is refuted, what nobody can tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.evidence import Value
from checks.model import Severity, Status
from checks.results import Result
from checks.texts import clean
from reports.form08.model import PlanState, Seen, State, Window

RECORDED = "security.level-recorded"
APPROVED = "security.level-approved"
REVIEWED = "security.level-reviewed"
PLANNED = "security.plan-implemented"
SIGNED = "security.record-signed"
DECIDED = "security.decision-signed"
CHECKS = (RECORDED, APPROVED, REVIEWED, PLANNED, SIGNED, DECIDED)
"""The checks that the form counts; those of the plan and of signatures may be missing."""
DOUBTS = (
    SIGNED,
    DECIDED,
    "security.level-plausible",
    "security.dossier-complete",
    "security.redetermination-due",
    "security.transition",
    "security.statistics-consistent",
)
"""Checks whose failures put a figure of the form in doubt; the last speaks of units."""
_FALSE = ("no-match", "changed", "forged", "range", "appended", "suspicious", "revoked")
"""Messages of a signature by which a file is not what was signed."""
_OF_ANOTHER = (f"{RECORDED}.other-system", f"{RECORDED}.no-system")
_PLANS: dict[str, PlanState] = {"not_started": "not_started", "partly": "partly", "fully": "fully"}


class Paper(Value, frozen=True):
    """A paper with its number and date."""

    document: str
    date: dt.date
    by: str = ""


class Look(Value, frozen=True):
    """An inspection; without a document it does not count."""

    date: dt.date
    kind: str
    document: str


class Standing(Value, frozen=True):
    """What the rows of one system tell. True is proved, False refuted, None nobody could tell.

    `record` is whether there is a level record that speaks of this system.
    """

    rows: dict[str, Result]
    record: bool | None
    others: tuple[Result, ...] = ()
    """The rows of the system's further security checks."""
    classified: bool | None = None
    dossier: bool | None = None
    appraised: bool | None = None
    approved: bool | None = None
    inspected: bool | None = None
    level: int | None = None
    state: State = ""
    approval: Paper | None = None
    """The decision that the checks accept, of any date."""
    claimed: Paper | None = None
    """The decision as the record has it, accepted or not."""
    proposal: Paper | None = None
    regulation: Paper | None = None
    approval_expected: dt.date | None = None
    plan: PlanState = ""
    """As far as it is attested; a bare "all done" in the record is nothing that counts."""
    plan_declared: PlanState = ""
    """As the record says."""
    plan_expected: dt.date | None = None
    looks: tuple[Look, ...] = ()
    seen: tuple[Seen, ...] = ()


def standing(results: Sequence[Result], window: Window, until: dt.date) -> Standing:
    """Read the rows of one system; papers dated after `until` are not there yet."""
    rows = {r.check: r for r in results if r.check in CHECKS}
    others = tuple(r for r in results if r.check not in CHECKS)
    record = _record(rows)
    if not record:
        return Standing(
            rows=rows,
            record=record,
            others=others,
            classified=record,
            dossier=record,
            appraised=record,
            approved=record,
            inspected=record,
        )
    detail = rows[RECORDED].detail
    approved, appraised = _approved(rows, detail, until), _appraised(rows, detail, until)
    proposal = _paper(detail, "proposed")
    proposed = proposal is not None and proposal.date <= until
    looks = tuple(_looks(looked(rows).detail))
    seen = _seen(looks, window, until)
    declared = _mapping(detail.get("plan"))
    return Standing(
        rows=rows,
        record=True,
        others=others,
        classified=bool(detail.get("type")),
        dossier=True if proposed else appraised,
        appraised=appraised,
        approved=approved,
        inspected=approved if "periodic" in seen else False,
        level=_level(detail),
        state=_state(approved, appraised, proposed=proposed),
        approval=_paper(detail, "approved") if _accepted(rows.get(APPROVED)) else None,
        claimed=_paper(detail, "approved"),
        proposal=proposal,
        regulation=_in_time(_paper(detail, "regulation"), until),
        approval_expected=_date(detail.get("approval_expected")),
        plan=_plan(rows.get(PLANNED), declared),
        plan_declared=_PLANS.get(str(declared.get("status")), ""),
        plan_expected=_date(declared.get("expected")),
        looks=looks,
        seen=seen,
    )


def forged(row: Result | None) -> bool:
    """Whether a signature shows that a file is not what was signed: then it says nothing."""
    if row is None or row.status is not Status.FAIL:
        return False
    return row.message.id.rpartition(".")[2] in _FALSE


def _record(rows: Mapping[str, Result]) -> bool | None:
    row = rows.get(RECORDED)
    if row is None:
        return None
    if forged(rows.get(SIGNED)):
        return None  # Nobody can tell what stood in the record before it was changed.
    told = {s.get("message") for s in _mappings(row.detail.get("shortfalls"))}
    if "state" in row.detail and told.isdisjoint(_OF_ANOTHER):
        return True
    return False if row.status is Status.FAIL else None


def _accepted(row: Result | None) -> bool:
    """Whether the check lets the approval stand: it passes, or what is wrong is formal only."""
    if row is None:
        return False
    formal = row.status is Status.FAIL and row.severity in (Severity.MINOR, Severity.INFO)
    return row.status is Status.PASS or formal


def _judged(row: Result | None) -> bool:
    return row is not None and row.status in (Status.PASS, Status.FAIL)


def _approved(rows: Mapping[str, Result], detail: Mapping[str, Any], until: dt.date) -> bool | None:
    row = rows.get(APPROVED)
    if forged(rows.get(DECIDED)):
        return None
    if _accepted(row):
        return _in_time(_paper(detail, "approved"), until) is not None
    return False if _judged(row) or detail.get("approved") is None else None


def _appraised(
    rows: Mapping[str, Result], detail: Mapping[str, Any], until: dt.date
) -> bool | None:
    if _approved(rows, detail, until):
        return True
    row = rows.get(APPROVED)
    if _in_time(_paper(detail, "appraised"), until) is None:
        # An approval that nobody could judge may stand for an appraisal that the record left out.
        return _approved(rows, detail, until)
    if row is None or not _judged(row):
        return None
    wrong = (str(s.get("message")) for s in _mappings(row.detail.get("shortfalls")))
    return not any(w.startswith(f"{APPROVED}.appraisal-") for w in wrong)


def _state(approved: bool | None, appraised: bool | None, *, proposed: bool) -> State:
    if approved is None or (appraised is None and not approved):
        return ""
    if approved:
        return "approved"
    if appraised:
        return "appraised"
    return "submitted" if proposed else "draft"


def _plan(row: Result | None, declared: Mapping[str, Any]) -> PlanState:
    """Column 10: what the check counted, else the record's word unless it says that all is done."""
    found = _mapping(row.detail.get("plan")) if row is not None else declared
    status = _PLANS.get(str(found.get("status")), "")
    proved = row is not None and row.status is Status.PASS
    return "" if status == "fully" and not proved else status


def looked(rows: Mapping[str, Result]) -> Result:
    """The row whose detail tells the inspections."""
    row = rows.get(REVIEWED)
    return row if row is not None and "reviewed" in row.detail else rows[RECORDED]


def _seen(looks: tuple[Look, ...], window: Window, until: dt.date) -> tuple[Seen, ...]:
    """Column 12. Before use is done once and counts for ever, periodic only in the period."""
    good = [k for k in looks if k.document and k.date <= until]
    found: list[Seen] = []
    if any(k.kind == "before_use" for k in good):
        found.append("before_use")
    if any(k.kind == "periodic" and k.date >= window.first for k in good):
        found.append("periodic")
    return tuple(found)


# ---------------------------------------------------------------------------------- reading details


def _level(detail: Mapping[str, Any]) -> int | None:
    for key in ("proposed_level", "level"):
        value = detail.get(key)
        if type(value) is int and 1 <= value <= 5:
            return value
    return None


def _looks(detail: Mapping[str, Any]) -> Iterator[Look]:
    for said in _mappings(detail.get("reviewed")):
        date = _date(said.get("date"))
        if date is not None:
            document = said.get("document")
            yield Look(
                date=date,
                kind=str(said.get("kind")),
                document=_text(document),
            )


def _paper(detail: Mapping[str, Any], key: str) -> Paper | None:
    said = _mapping(detail.get(key))
    document, date = _text(said.get("document")), _date(said.get("date"))
    if not document or date is None:
        return None
    return Paper(document=document, date=date, by=_text(said.get("by")))


def _in_time(paper: Paper | None, until: dt.date) -> Paper | None:
    return paper if paper is not None and paper.date <= until else None


def _text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def _date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list | tuple) else []
