"""`sauro scan`: collect, judge, store, print."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click
import msgspec

from checks.model import Severity
from scanner import app
from scanner.cli.common import (
    color_option,
    note,
    opened,
    project_option,
    quiet_option,
    selection,
    selection_options,
    show,
    stopping,
)
from scanner.cli.progress import progress
from scanner.cli.words import LANGUAGE, t
from scanner.errors import UserError
from scanner.exit_codes import exit_code
from scanner.files import write_whole
from scanner.store.database import Store

EVER = dt.datetime.min.replace(tzinfo=dt.UTC)

severity_option = click.option(
    "--fail-on",
    type=click.Choice([s.value for s in Severity]),
    default=Severity.MAJOR.value,
    show_default=True,
    help=t("mức làm mã thoát thành 1", "severity from which the exit code is 1"),
)


@click.command(help=t("Quét phần đã chọn.", "Scan the selection."))
@project_option
@selection_options
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="PATTERN",
    help=t("mẫu mã phép kiểm tra", "pattern of check ids"),
)
@click.option(
    "--workers", type=click.IntRange(1, 512), help=t("số kết nối cùng lúc", "connections at once")
)
@severity_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "jsonl"]),
    default="table",
    show_default=True,
    help=t("dạng in ra", "what is printed"),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=t("ghi ra tệp", "write to a file"),
)
@click.option(
    "--resume", is_flag=True, help=t("làm tiếp lượt quét dở", "go on with the unfinished scan")
)
@quiet_option
@color_option
def scan(**given: Any) -> int:  # noqa: ANN401
    """Scan, print, return the exit code."""
    chosen = {k: given[k] for k in ("units", "systems", "servers", "tags", "zones")}
    project = opened(given["project"])
    if given["workers"]:
        ssh = msgspec.structs.replace(project.settings.ssh, workers=given["workers"])
        settings = msgspec.structs.replace(project.settings, ssh=ssh)
        project = msgspec.structs.replace(project, settings=settings)
    try:
        wanted = selection(chosen, given["checks"])
        project.catalogue.matching(wanted.checks)
    except ValueError as e:
        raise UserError(str(e)) from e
    with (
        Store.open(project.store_url) as store,
        stopping() as stop,
        progress(quiet=given["quiet"], color=not given["no_color"]) as watch,
    ):
        scanned = app.scan(
            project,
            store,
            wanted,
            resume_since=EVER if given["resume"] else None,
            stop=stop,
            watch=watch,
        )
        found = app.rows_of(store, scanned)
        color = not given["no_color"]
        text = app.printed(store, found, given["form"], LANGUAGE, color=color)
    if given["output"]:
        write_whole(given["output"], text.encode())
    else:
        show(text)
    if not found.info.complete and not given["quiet"]:
        note(
            t(
                "Lượt quét dở dang: chạy lại với --resume.",
                "The scan is unfinished: run again with --resume.",
            )
        )
    return exit_code(found.results, Severity(given["fail_on"]), complete=found.info.complete)
