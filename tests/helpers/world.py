"""A small inventory and a catalogue of tiny checks, for tests of the engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

from checks.evidence import Answers, Evidence, Failure, FailureKind, Need, Probe, Request
from checks.model import Check, Context, Fact, NoOptions, Scope, Severity, Subject, Verdict, check
from inventory.model import BackupSet, Inventory, Server, System, Unit, UnitKind
from scanner.judge import Judge

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ECHO = Probe(id="test.echo", title="says something", script=lambda p: f"echo {p.get('word', '')}")


def inventory(units: int = 1, servers: int = 2) -> Inventory:
    """Units `u0`…, each with servers `u0-s0`… and one system `u0-sys` with one backup set."""
    every_server = {
        f"u{u}-s{s}": Server(id=f"u{u}-s{s}", unit=f"u{u}", address="127.0.0.1")
        for u in range(units)
        for s in range(servers)
    }
    systems = {
        f"u{u}-sys": System(
            id=f"u{u}-sys",
            unit=f"u{u}",
            name=f"System {u}",
            owner=f"u{u}",
            level=2,
            servers=tuple(f"u{u}-s{s}" for s in range(servers)),
            backups=(
                BackupSet(
                    id="db", system=f"u{u}-sys", kind="directory", server=f"u{u}-s0", path="/b"
                ),
            ),
        )
        for u in range(units)
    }
    return Inventory(
        units={
            f"u{u}": Unit(id=f"u{u}", name=f"Unit {u}", kind=UnitKind.WARD) for u in range(units)
        },
        servers=every_server,
        systems=systems,
    )


def echo(
    needs: Callable[[Subject], Iterable[Request]], fact_id: str = "test.words", **more: Any
) -> Fact[list[str]]:
    """A fact: the words that came back, in the order asked."""

    def parse(_: Context, answers: Answers) -> list[str]:
        return [bytes(e.stdout).decode() for e in answers.all(ECHO.id)]

    return Fact(id=fact_id, requests=lambda s: tuple(needs(s)), parse=parse, **more)


def of_servers(need: Need) -> Fact[list[str]]:
    """Asks every server of the subject's system."""
    return echo(lambda s: [ECHO.request(i, need) for i in s.the_system.servers])


def one_server() -> Fact[list[str]]:
    """Asks the subject's own server."""
    return echo(lambda s: [ECHO.request(s.the_server.id)])


def make(
    judge: Callable[[Context, list[str]], Iterable[Verdict]],
    fact: Fact[list[str]],
    scope: Scope = Scope.SERVER,
    check_id: str = "host.test",
) -> Check:
    """A check of one fact."""
    return check(check_id, scope, Severity.MAJOR).needs(fact)(judge)


def answer(target: str, text: str = "fine", key: str = "test.echo") -> Evidence:
    """What a target said."""
    return Evidence(
        probe="test.echo", target=target, key=key, taken=NOW, stdout=text.encode(), exit=0
    )


def failure(
    target: str, kind: FailureKind = FailureKind.UNREACHABLE, detail: str = "refused"
) -> Evidence:
    """That a target could not be asked."""
    return Evidence(
        probe="test.echo",
        target=target,
        key="test.echo",
        taken=NOW,
        failure=Failure(kind=kind, detail=detail),
    )


def a_judge() -> Judge:
    """A judge with house options and no past."""
    return Judge(
        started=NOW,
        zone=ZONE,
        legal_basis=2026,
        coverage_floor=80,
        options=lambda _: NoOptions(),
        past=lambda _kind, _subject: (),
    )
