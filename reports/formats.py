"""The formats a report can be written in: a name, and a function to files.

A new format is a writer of its own (`to_<format>.py`) and one line here. Writers are imported
when they are used, so that naming the formats costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from checks.results import Scan
from reports.form08.model import Ask
from reports.model import Report

Writer = Callable[[Report, Scan], dict[str, bytes]]
"""From a report and its scan to file names and their contents."""


def _html(report: Report, _: Scan) -> dict[str, bytes]:
    from reports.to_html import write_html  # noqa: PLC0415 - loads when used

    return write_html(report)


def _json(report: Report, scan: Scan) -> dict[str, bytes]:
    from reports.to_json import encode, report_json, scan_json  # noqa: PLC0415 - loads when used

    return {
        "report.json": encode(report_json(report)),
        "scan.json": encode(scan_json(scan, report.language)),
    }


def _jsonl(report: Report, scan: Scan) -> dict[str, bytes]:
    from reports.to_json import jsonl  # noqa: PLC0415 - loads when used

    return {"scan.jsonl": "".join(f"{row}\n" for row in jsonl(scan, report.language)).encode()}


def form08(scan: Scan, ask: Ask, language: str) -> dict[str, bytes]:
    """The annual report, Form 08, as DOCX and XLSX; FormError when it cannot be made as asked."""
    from reports.form08.build import build_form  # noqa: PLC0415 - loads when used
    from reports.form08.to_docx import write_docx  # noqa: PLC0415 - loads when used
    from reports.form08.to_xlsx import write_xlsx  # noqa: PLC0415 - loads when used

    form = build_form(scan, ask, language)
    return {f"{form.stem}.docx": write_docx(form), f"{form.stem}.xlsx": write_xlsx(form)}


FORM08 = "form08"
"""The one format that is of a part of the scan, and so is asked for with more than its name."""

FORMATS: dict[str, Writer] = {"html": _html, "json": _json, "jsonl": _jsonl}
