"""The rows of official correspondence that each story must end in.

A unit hands over three kinds of evidence; completeness has a row for each. Routing needs the
register and the gateway, a bypass is only ruled out when mail with its headers was seen as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.plot import AxisStory, DocsStory, UnitPlot
from scanner.demo.truth import Expected

Said = tuple[Status, str, str]
"""Status, severity of a failure, failure kind of an unknown."""

_PASS: Said = (Status.PASS, "", "")
_MINOR: Said = (Status.FAIL, Severity.MINOR, "")
_CRITICAL: Said = (Status.FAIL, Severity.CRITICAL, "")
_MAJOR: Said = (Status.FAIL, Severity.MAJOR, "")
_NOT_DECLARED: Said = (Status.UNKNOWN, "", FailureKind.NOT_DECLARED)
_NOT_ASKED: Said = (Status.NOT_APPLICABLE, "", "")
_NO_FILE: Said = (Status.UNKNOWN, "", FailureKind.COMMAND_FAILED)
_BLIND: Said = (Status.UNKNOWN, "", FailureKind.TRUNCATED)

_EVIDENCE = "evidence-complete"
_PAIRS = ("routed", "bypass", "receipts", "timely", "unregistered")
"""What takes both the register and the gateway's list."""
_OF_LOGS = ("mail-visible", "log-gap", "log-clock")
"""What has a row for each mail log."""
_FINE = {
    f"{_EVIDENCE}/register": _PASS,
    f"{_EVIDENCE}/gateway": _PASS,
    f"{_EVIDENCE}/received": _PASS,
    f"{_EVIDENCE}/incoming": _PASS,
    f"{_EVIDENCE}/mail": _PASS,
    **{f"{name}/mail": _PASS for name in _OF_LOGS},
    **dict.fromkeys(_PAIRS, _PASS),
    "numbering": _PASS,
    "secret-mark": _PASS,
    "incoming-registered": _PASS,
    "incoming-numbering": _PASS,
    "signed": _NOT_ASKED,
    "web-uploads": _NOT_ASKED,
}
_BY_PACKETS = {
    **{row: said for row, said in _FINE.items() if row != f"{_EVIDENCE}/gateway"},
    f"{_EVIDENCE}/packets": _PASS,
    "signed": _PASS,
}
_AXIS: dict[AxisStory, dict[str, Said]] = {
    AxisStory.PACKETS: _BY_PACKETS,
    AxisStory.UNSIGNED: {**_BY_PACKETS, "signed": _MAJOR},
    # What was mailed while the exchange had failed is exempt: the rate and the bypasses are fine.
    AxisStory.OUTAGE: {**_FINE, f"{_EVIDENCE}/x_road": _PASS},
}
"""Told by units whose correspondence is otherwise in order, and whose mail can be read."""
_ROWS: dict[DocsStory, dict[str, Said]] = {
    DocsStory.FINE: _FINE,
    DocsStory.BYPASS: {**_FINE, "routed": _MAJOR, "bypass": _MAJOR},
    DocsStory.UNTRACED: {**_FINE, "routed": _MAJOR},
    DocsStory.PAPER: {**_FINE, f"{_EVIDENCE}/postal": _PASS, "routed": _MAJOR},
    DocsStory.LATE: {**_FINE, "timely": _MINOR},
    DocsStory.NO_RECEIPT: {**_FINE, "routed": _MAJOR, "receipts": _MINOR},
    DocsStory.GAPS: {**_FINE, "numbering": _MINOR, "incoming-numbering": _MINOR},
    # What the register lacks is a gap in its numbers as well.
    DocsStory.UNREGISTERED: {**_FINE, "unregistered": _MAJOR, "numbering": _MINOR},
    DocsStory.SECRET: {**_FINE, "secret-mark": _CRITICAL},
    DocsStory.NOT_ENTERED: {**_FINE, "incoming-registered": _MINOR},
    DocsStory.NO_GATEWAY: {
        **_FINE,
        f"{_EVIDENCE}/gateway": _NO_FILE,
        **dict.fromkeys(_PAIRS, _NO_FILE),
    },
    DocsStory.NO_HEADERS: {
        **_FINE,
        "mail-visible/mail": _MINOR,
        "bypass": _BLIND,
        "secret-mark": _BLIND,
    },
    DocsStory.NO_REGISTER: {
        **_FINE,
        f"{_EVIDENCE}/register": _MINOR,
        **dict.fromkeys(_PAIRS, _NOT_DECLARED),
        "numbering": _NOT_DECLARED,
    },
    DocsStory.UNDECLARED: {
        **dict.fromkeys(
            (
                _EVIDENCE,
                *_OF_LOGS,
                *_PAIRS,
                "numbering",
                "secret-mark",
                "signed",
                "incoming-registered",
                "incoming-numbering",
            ),
            _NOT_DECLARED,
        ),
        "web-uploads": _NOT_ASKED,
    },
}


def documents_rows(unit: UnitPlot, mail_failure: str, mail_planted: str) -> Iterator[Expected]:
    """The rows of a unit; `mail_failure` is why its mail server could not be read, if so.

    `mail_planted` is the key of what was planted there.
    """
    story, axis = unit.docs.story, unit.docs.axis
    rows, told = _ROWS[story], "" if story is DocsStory.FINE else f"documents.{story}"
    if axis is not AxisStory.LIST:
        rows, told = _AXIS[axis], f"axis.{axis}"
    for row, (status, severity, failure) in rows.items():
        name, _, part = row.partition("/")
        planted = told
        by_mail = part == "mail" or name in ("bypass", "secret-mark")
        if mail_failure and status is Status.PASS and by_mail:
            status, failure, planted = Status.UNKNOWN, mail_failure, mail_planted  # noqa: PLW2901
            # Without any log at all there is one row for all of them.
            part = "" if name in _OF_LOGS else part
        yield Expected(
            check=f"documents.{name}",
            unit=unit.place.code,
            target=unit.place.code,
            subject=part,
            status=status,
            severity=severity,
            failure=failure,
            planted=planted,
        )
