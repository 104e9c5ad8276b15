"""The rows of official correspondence that each story must end in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.model import FailureKind, Status
from scanner.demo.kinds import HostKind
from scanner.demo.plot import DocsStory, HostPlot, Plot, UnitPlot
from scanner.demo.truth import Expected

_PASS = (Status.PASS, "")
_FAIL = (Status.FAIL, "")
_UNKNOWN = (Status.UNKNOWN, "")
_UNDECLARED = (Status.UNKNOWN, FailureKind.NOT_DECLARED)

_ROWS: dict[DocsStory, dict[str, tuple[Status, str]]] = {
    DocsStory.FINE: {"evidence-complete": _PASS, "routed": _PASS, "bypass": _PASS},
    DocsStory.BYPASS: {"evidence-complete": _PASS, "routed": _FAIL, "bypass": _FAIL},
    DocsStory.UNTRACED: {"evidence-complete": _PASS, "routed": _FAIL, "bypass": _PASS},
    DocsStory.NO_GATEWAY: {"evidence-complete": _FAIL, "routed": _UNKNOWN, "bypass": _UNKNOWN},
    DocsStory.NO_HEADERS: {"evidence-complete": _FAIL, "routed": _PASS, "bypass": _UNKNOWN},
    DocsStory.NO_REGISTER: {
        "evidence-complete": _FAIL,
        "routed": _UNDECLARED,
        "bypass": _UNKNOWN,
    },
    DocsStory.UNDECLARED: {
        "evidence-complete": _UNDECLARED,
        "routed": _UNDECLARED,
        "bypass": _UNDECLARED,
    },
}


def documents_rows(unit: UnitPlot, hosts: Mapping[str, HostPlot], plot: Plot) -> Iterator[Expected]:
    """The three rows of a unit."""
    del plot
    story = unit.docs.story
    mail = hosts[unit.docs.mail_host].kind if unit.docs.mail_host else HostKind.NORMAL
    for name, (said, kind) in _ROWS[story].items():
        yield Expected(
            check=f"documents.{name}",
            unit=unit.place.code,
            target=unit.place.code,
            status=said,
            failure=kind,
            planted="" if story is DocsStory.FINE else f"documents.{story}",
        )
    del mail
