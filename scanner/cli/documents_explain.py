"""`sauro documents explain`: what led to a verdict, or whether an address is meant."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scanner import app_documents
from scanner.cli.common import note, opened, project_option, show
from scanner.cli.words import LANGUAGE, t
from scanner.errors import UserError
from scanner.exit_codes import CLEAN, UNSEEN
from scanner.store.database import Store

_INPUT = 4096
"""Bytes of standard input that are read for an address."""


@click.command(
    "explain",
    help=t(
        "Điều gì dẫn tới một kết luận, tới từng tệp và dòng. ID là mã trong báo cáo "
        "(documents.bypass/4f2a), hoặc số văn bản cùng --unit. Với --address -: một địa chỉ thư "
        "đọc từ đầu vào chuẩn có phải là hộp thư mà báo cáo nêu bằng mã hay không.",
        "What led to a verdict, down to file and line. ID is the code in a report "
        "(documents.bypass/4f2a), or a document number with --unit. With --address -: whether an "
        "address, read from standard input, is a mailbox that the reports name by a code.",
    ),
)
@click.argument("asked", metavar="[ID]", required=False)
@project_option
@click.option("--unit", default="", metavar="ID", help=t("đơn vị", "the unit"))
@click.option(
    "--scan",
    "scan_id",
    metavar="ID",
    help=t("lượt quét (mặc định: mới nhất)", "which scan (default: the latest)"),
)
@click.option(
    "--address",
    metavar="-",
    help=t(
        "đọc một địa chỉ thư từ đầu vào chuẩn, tra mã của nó trong mọi lượt quét (hoặc --scan)",
        "read an address from standard input and look for its code in all scans (or --scan)",
    ),
)
@click.option("--json", "as_json", is_flag=True, help=t("in JSON", "print JSON"))
@click.option(
    "--language",
    type=click.Choice(("vi", "en")),
    default=LANGUAGE,
    help=t("ngôn ngữ (mặc định theo LANG)", "language (default: that of LANG)"),
)
def explain(  # noqa: PLR0913 - one parameter per option
    asked: str | None,
    *,
    project: Path | None,
    unit: str,
    scan_id: str | None,
    address: str | None,
    as_json: bool,
    language: app_documents.Language,
) -> int:
    """0 when something is listed; 2 when nothing is stored about the number or address."""
    if (asked is None) == (address is None):
        raise UserError("give either an ID or --address -: `sauro documents explain --help`")
    if address not in (None, "-"):
        # What was typed is not said again, but others may have seen it already.
        raise UserError(
            "an address on the command line can be seen by everybody on this machine and stays in "
            "its history: write --address - and give it on standard input"
        )
    found = opened(project)
    given = None if asked else app_documents.address_of(_input())
    with Store.open(found.store_url, create=False) as store:
        if given is not None:
            traces = app_documents.mailbox(store, given, unit, scan_id)
            show(app_documents.mailbox_text(traces, language, found.zone, as_json=as_json))
            return CLEAN if traces.found else UNSEEN
        about = app_documents.explained(store, scan_id, asked or "", unit, language)
    show(app_documents.explanation_text(about, language, found.zone, as_json=as_json))
    return CLEAN if about.found else UNSEEN


def _input() -> bytes:
    """One line that is typed, or all that is piped in."""
    if sys.stdin.isatty():
        note(t("Địa chỉ thư:", "Mail address:"))
        return sys.stdin.buffer.readline(_INPUT)
    return sys.stdin.buffer.read(_INPUT)
