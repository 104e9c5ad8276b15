"""What `bconsole` prints: blocks of `Key: value` lines, and why it printed none."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import msgspec

from checks.backup.timing import from_epoch
from checks.evidence import Evidence, FailureKind, Unparsable
from checks.texts import clean

_PAIR = re.compile(r"\s*([A-Za-z]{2,30}): ?(.*)")
_REFUSED = re.compile(r"^(\.?[a-z]+): is an invalid command", re.MULTILINE)
_UNAUTHORIZED = re.compile(r'^No authorization for (Job|Catalog) "([^"\n]*)"', re.MULTILINE)
_NO_CATALOG = "Could not find a Catalog resource"
_LONGEST = dt.timedelta(days=31)
_HOUR = 3600.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One job of the catalog. `start` and `end` are UTC by the director's clock."""

    id: int
    name: str
    type: str
    level: str
    status: str
    client: str
    start: dt.datetime
    end: dt.datetime | None
    doubt: float
    """Seconds by which the start may be off: the catalog keeps it without a zone."""
    files: int
    bytes: int
    errors: int
    pool: str
    purged: bool
    prior: int

    @property
    def seconds(self) -> float | None:
        """How long it ran."""
        return (self.end - self.start).total_seconds() if self.end is not None else None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one session printed."""

    rows: tuple[Row, ...]
    """Each job once, oldest first."""
    retention: dict[str, float]
    """Pool to the days after which its volumes may be overwritten without anybody's doing."""
    words: frozenset[str]
    """Lines that are one name: the jobs that the Director knows."""
    scheduled: frozenset[str]
    """Lines of the schedule."""


def read_session(evidence: Evidence, name: str) -> Told:
    """The answer of a session about a job.

    Raises:
        Unparsable: the console was not let in (`auth`), not allowed something (`denied`, naming the
            ACL), or reached no Director or no such job (`command_failed`).
    """
    text = bytes(evidence.stdout).decode("utf-8", "replace").replace("\r\n", "\n")
    _let_in(text)
    _allowed(text)
    lines = text.split("\n")
    rows: dict[int, Row] = {}
    retention: dict[str, float] = {}
    for block in _blocks(lines):
        if "jobtdate" in block:
            row = _row(block, evidence.probe)
            rows.setdefault(row.id, row)
        elif "volretention" in block and "name" in block:
            held = _number(block, "volretention")
            if _number(block, "recycle") and _number(block, "autoprune"):
                retention[block["name"]] = held / 86400
    words = frozenset(line.strip() for line in lines)
    if name not in words and not any(r.name == name for r in rows.values()):
        raise Unparsable(
            f"no job {clean(name)} in this Director, or the console's JobACL hides it",
            FailureKind.COMMAND_FAILED,
        )
    return Told(
        rows=tuple(sorted(rows.values(), key=lambda r: (r.start, r.id))),
        retention=retention,
        words=words,
        scheduled=frozenset(_schedule(text)),
    )


def _let_in(text: str) -> None:
    if re.search(r"^1000 OK", text, re.MULTILINE):
        return
    said = clean(" ".join(text.split()), 200)
    if "authorization problem" in text:
        raise Unparsable(
            "the console's name or password in its configuration: Director authorization problem",
            FailureKind.AUTH,
        )
    if "Permission denied" in text:
        raise Unparsable(f"right to read the console's configuration: {said}", FailureKind.DENIED)
    raise Unparsable(f"bconsole reached no Director: {said}", FailureKind.COMMAND_FAILED)


def _allowed(text: str) -> None:
    for command in _REFUSED.findall(text):
        if command in ("list", "llist", ".jobs"):
            raise Unparsable(f"the console's CommandACL: {command}", FailureKind.DENIED)
    found = _UNAUTHORIZED.search(text)
    if found:
        raise Unparsable(f"the console's {found[1]}ACL: {clean(found[2])}", FailureKind.DENIED)
    if _NO_CATALOG in text:
        raise Unparsable("the console's CatalogACL", FailureKind.DENIED)


def _blocks(lines: list[str]) -> Iterator[dict[str, str]]:
    """Runs of `Key: value` lines, keys in lower case; the first of a key counts."""
    block: dict[str, str] = {}
    for line in (*lines, ""):
        found = _PAIR.fullmatch(line)
        key = found[1].lower() if found else ""
        if block and (not found or (key in ("jobid", "poolid") and key in block)):
            yield block
            block = {}
        if found:
            block.setdefault(key, found[2].strip())


def _row(block: dict[str, str], probe: str) -> Row:
    seconds = _number(block, "jobtdate")
    stamped = from_epoch(seconds) if seconds else None
    missing = [k for k in ("jobid", "name", "type", "level", "jobstatus") if k not in block]
    if missing or stamped is None:
        what = ", ".join(missing) or f"time JobTDate={clean(block['jobtdate'], 40)}"
        raise Unparsable(f"{probe}: a job without its {what}")
    began, ended = _wall(block.get("starttime", "")), _wall(block.get("endtime", ""))
    span = ended - began if began is not None and ended is not None else None
    # JobTDate is the end of a job that ended, and the start of one that has not.
    start, doubt = stamped, 1.0
    if span is not None and dt.timedelta() <= span <= _LONGEST:
        start = stamped - span
    elif span is not None:
        doubt = _HOUR  # the director's clock was put back in between
    return Row(
        id=int(_number(block, "jobid")),
        name=block["name"],
        type=block["type"],
        level=block["level"],
        status=block["jobstatus"],
        client=_said(block.get("clientname", "")),
        start=start,
        end=stamped if ended is not None else None,
        doubt=doubt,
        files=int(_number(block, "jobfiles")),
        bytes=int(_number(block, "jobbytes")),
        errors=int(_number(block, "joberrors")),
        pool=_said(block.get("poolname", "")),
        purged=bool(_number(block, "purgedfiles")),
        prior=int(_number(block, "priorjobid")),
    )


def _said(value: str) -> str:
    return "" if value == "NULL" else value


def _number(block: dict[str, str], key: str) -> float:
    """A whole number, with or without commas between its thousands; 0 when there is none."""
    text = block.get(key, "").replace(",", "")
    return float(text) if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) else 0.0


def _wall(text: str) -> dt.datetime | None:
    """A time by the director's clock; `0` and zeros mean that it has not come."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - its zone is unknown
    except ValueError:
        return None


def _schedule(text: str) -> list[str]:
    """The lines under `Scheduled Jobs`."""
    section = text.rpartition("\nScheduled Jobs:")[2] if "\nScheduled Jobs:" in text else ""
    return [line.strip() for line in section.partition("\n====\n")[0].split("\n")]
