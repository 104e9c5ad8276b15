"""The vocabulary of checks: statuses, subjects, facts, verdicts, checks.

A *fact* is the typed value parsed from the evidence (`checks.evidence`) of one subject, and a
*check* is a pure function from facts to verdicts. Nothing here does anything; `scanner` judges.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar, overload
from zoneinfo import ZoneInfo

import msgspec

from checks.evidence import Answers, Failure, FailureKind, Request, Value
from checks.pseudonyms import Pseudonyms
from inventory.model import BackupSet, Inventory, Server, System, Unit

F = TypeVar("F")
F1 = TypeVar("F1")
F2 = TypeVar("F2")
F3 = TypeVar("F3")
Opts = TypeVar("Opts", bound="Options")


class Status(StrEnum):
    """Outcome of one check on one subject."""

    FAIL = "fail"
    ERROR = "error"
    UNKNOWN = "unknown"
    PASS = "pass"  # noqa: S105
    NOT_APPLICABLE = "not_applicable"


STATUS_ORDER: tuple[Status, ...] = (
    Status.FAIL,
    Status.ERROR,
    Status.UNKNOWN,
    Status.PASS,
    Status.NOT_APPLICABLE,
)
"""Worst first."""


class Severity(StrEnum):
    """How much a failure of a check matters."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


SEVERITY_ORDER: tuple[Severity, ...] = (
    Severity.CRITICAL,
    Severity.MAJOR,
    Severity.MINOR,
    Severity.INFO,
)
"""Gravest first."""


# -------------------------------------------------------------------------------------- subjects


class Scope(StrEnum):
    """What a check is asked of."""

    SERVER = "server"
    SYSTEM = "system"
    BACKUP = "backup"
    UNIT = "unit"


class Subject(Value, frozen=True, dict=True):
    """The thing a row speaks of, with the inventory around it.

    `target` and `name` are the row's `target` and `subject`: a server check has the server's id;
    a system check the system's; a backup check the server or bucket in which the copies are read,
    with the set's id as `name`; a unit check the unit's.
    """

    scope: Scope
    inventory: Inventory
    unit: Unit
    target: str
    name: str = ""
    system: System | None = None
    server: Server | None = None
    backup: BackupSet | None = None

    @cached_property
    def key(self) -> str:
        """Stable identity of the subject across scans."""
        parts = [self.scope.value, self.unit.id]
        if self.system is not None:
            parts.append(self.system.id)
        parts += [self.target, self.name]
        return "/".join(parts)

    @property
    def the_system(self) -> System:
        """The system, for scopes that always have one."""
        if self.system is None:
            raise TypeError(f"a subject of scope {self.scope} has no system")
        return self.system

    @property
    def the_backup(self) -> BackupSet:
        """The backup set, for scope backup."""
        if self.backup is None:
            raise TypeError(f"a subject of scope {self.scope} has no backup set")
        return self.backup

    @property
    def the_server(self) -> Server:
        """The server, for scope server."""
        if self.server is None:
            raise TypeError(f"a subject of scope {self.scope} has no server")
        return self.server


class Memory(Value, frozen=True):
    """Something worth keeping beyond the scan that saw it, such as a backup point.

    `kind` and `subject` (a `Subject.key`) say whose; `id` makes it unique there; `data` is JSON, or
    packed where it is much.
    """

    kind: str
    subject: str
    id: str
    time: dt.datetime
    data: bytes
    first_seen: dt.datetime | None = None
    last_seen: dt.datetime | None = None


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a check's thresholds; the fields' defaults are the house's, settings override."""


class NoOptions(Options, frozen=True):
    """For checks without thresholds."""


class Context(Value, frozen=True):
    """What a judging function may know besides its facts. `now` is when the evidence was taken."""

    now: dt.datetime
    zone: ZoneInfo
    legal_basis: int
    subject: Subject
    options: Options = NoOptions()
    coverage_floor: int = 80
    past: tuple[Memory, ...] = ()
    pseudonyms: Pseudonyms | None = None
    """Makes keyed hashes of addresses; without it none is made."""

    def opt(self, kind: type[Opts]) -> Opts:
        """The check's thresholds, typed."""
        if not isinstance(self.options, kind):
            raise TypeError(f"options are {type(self.options).__name__}, not {kind.__name__}")
        return self.options


class Fact(msgspec.Struct, Generic[F], frozen=True, kw_only=True):
    """How a subject's evidence is asked for and read.

    `requests` is pure and may raise `NotDeclared`; `parse` may raise `Unparsable`. A fact with a
    `memory` kind is given what earlier scans saw (`Context.past`), and `remember` says what of this
    one to keep.

    A fact with `resume` may ask for less where it remembers the rest: from the memories of the kind
    `marks` (small, as a plan holds those of all subjects) it makes the requests in place of
    `requests`. When the answer does not fit what is remembered, `parse` raises `AskWhole`, and the
    plain requests follow in the same scan.
    """

    id: str
    requests: Callable[[Subject], Sequence[Request]]
    parse: Callable[[Context, Answers], F]
    memory: str = ""
    remember: Callable[[Context, F], Sequence[Memory]] | None = None
    marks: str = ""
    resume: Callable[[Subject, Sequence[Memory]], Sequence[Request]] | None = None


# ---------------------------------------------------------------------------------------- checks

Arg = str | int | float


class Message(Value, frozen=True):
    """A sentence by id, with its values: the words are data (`checks.texts`), in two languages.

    Times are RFC 3339 strings, dates ISO strings, durations seconds, sizes bytes, shares 0..1.
    """

    id: str
    args: dict[str, Arg] = {}


class Verdict(Value, frozen=True):
    """What a check says of its subject, or of a part of it when `subject` is set."""

    status: Status
    message: Message
    detail: dict[str, Any] = {}
    severity: Severity | None = None
    """Overrides the check's severity (a lesser shortfall; a higher security level)."""
    failure: Failure | None = None
    subject: str = ""


def passed(message: str, detail: dict[str, Any] | None = None, **args: Arg) -> Verdict:
    """A pass, said out loud."""
    return Verdict(status=Status.PASS, message=Message(id=message, args=args), detail=detail or {})


def failed(
    message: str,
    detail: dict[str, Any] | None = None,
    severity: Severity | None = None,
    **args: Arg,
) -> Verdict:
    """A failure that was seen."""
    return Verdict(
        status=Status.FAIL,
        message=Message(id=message, args=args),
        detail=detail or {},
        severity=severity,
    )


def unknown(
    kind: FailureKind, message: str, detail: dict[str, Any] | None = None, **args: Arg
) -> Verdict:
    """Cannot tell: the evidence is there but not enough of it."""
    said = Message(id=message, args=args)
    return Verdict(
        status=Status.UNKNOWN,
        message=said,
        detail=detail or {},
        failure=Failure(kind=kind, detail=message),
    )


def not_applicable(message: str, **args: Arg) -> Verdict:
    """Does not apply, with the proof in the message."""
    return Verdict(status=Status.NOT_APPLICABLE, message=Message(id=message, args=args))


class Check(Value, frozen=True):
    """A check as a value. Its words (title, rationale, remedy, …) are in `checks.texts` by id."""

    id: str
    scope: Scope
    severity: Severity
    judge: Callable[..., Iterable[Verdict]]
    needs: tuple[Fact[Any], ...] = ()
    controls: tuple[str, ...] = ()
    """References such as `TCVN 14423:2026 x.11`, `CIS 11.2`, `ND331 Art. 18`."""
    options: type[Options] = NoOptions

    @property
    def family(self) -> str:
        """`backup`, `security`, `documents` or `host`."""
        return self.id.split(".", 1)[0]


class _Declare:
    """The decorator: keeps the declared metadata until it meets the judging function."""

    def __init__(
        self,
        check_id: str,
        scope: Scope,
        severity: Severity,
        controls: tuple[str, ...],
        options: type[Options],
    ) -> None:
        self._meta = (check_id, scope, severity, controls, options)

    @overload
    def needs(self) -> Callable[[Callable[[Context], Iterable[Verdict]]], Check]: ...
    @overload
    def needs(
        self, one: Fact[F1], /
    ) -> Callable[[Callable[[Context, F1], Iterable[Verdict]]], Check]: ...
    @overload
    def needs(
        self, one: Fact[F1], two: Fact[F2], /
    ) -> Callable[[Callable[[Context, F1, F2], Iterable[Verdict]]], Check]: ...
    @overload
    def needs(
        self, one: Fact[F1], two: Fact[F2], three: Fact[F3], /
    ) -> Callable[[Callable[[Context, F1, F2, F3], Iterable[Verdict]]], Check]: ...
    def needs(self, *facts: Fact[Any]) -> Callable[[Callable[..., Iterable[Verdict]]], Check]:
        """Tie the facts to the parameters of the judging function, in order."""
        check_id, scope, severity, controls, options = self._meta

        def wrap(judge: Callable[..., Iterable[Verdict]]) -> Check:
            return Check(
                id=check_id,
                scope=scope,
                severity=severity,
                controls=controls,
                options=options,
                needs=facts,
                judge=judge,
            )

        return wrap


def check(
    check_id: str,
    scope: Scope,
    severity: Severity,
    *,
    controls: tuple[str, ...] = (),
    options: type[Options] = NoOptions,
) -> _Declare:
    """Declare a check.

    >>> @check("backup.recent", Scope.BACKUP, Severity.MAJOR).needs(SERIES)
    ... def recent(ctx: Context, series: BackupSeries) -> Iterable[Verdict]: ...
    """
    return _Declare(check_id, scope, severity, controls, options)
