"""`sauro documents explain`: what led to a verdict, from the store alone."""

from __future__ import annotations

from pathlib import Path

import click

from scanner import app_documents
from scanner.cli.common import opened, project_option, show
from scanner.cli.words import LANGUAGE, t
from scanner.exit_codes import CLEAN, UNSEEN
from scanner.store.database import Store


@click.command(
    "explain",
    help=t(
        "Điều gì dẫn tới một kết luận, tới từng tệp và dòng. ID là mã trong báo cáo "
        "(documents.bypass/4f2a), hoặc số văn bản cùng --unit.",
        "What led to a verdict, down to file and line. ID is the code in a report "
        "(documents.bypass/4f2a), or a document number with --unit.",
    ),
)
@click.argument("asked", metavar="ID")
@project_option
@click.option("--unit", default="", metavar="ID", help=t("đơn vị", "the unit"))
@click.option(
    "--scan",
    "scan_id",
    metavar="ID",
    help=t("lượt quét (mặc định: mới nhất)", "which scan (default: the latest)"),
)
@click.option("--json", "as_json", is_flag=True, help=t("in JSON", "print JSON"))
@click.option(
    "--language",
    type=click.Choice(("vi", "en")),
    default=LANGUAGE,
    help=t("ngôn ngữ (mặc định theo LANG)", "language (default: that of LANG)"),
)
def explain(
    asked: str,
    *,
    project: Path | None,
    unit: str,
    scan_id: str | None,
    as_json: bool,
    language: app_documents.Language,
) -> int:
    """0 when something is listed; 2 when nothing is stored about the number."""
    found = opened(project)
    with Store.open(found.store_url, create=False) as store:
        about = app_documents.explained(store, scan_id, asked, unit, language)
    show(app_documents.explanation_text(about, language, found.zone, as_json=as_json))
    return CLEAN if about.found else UNSEEN
