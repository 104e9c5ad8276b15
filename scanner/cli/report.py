"""`sauro report`, `sauro diff`, `sauro history`: what stands in the store."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from checks.changes import Change
from checks.model import Severity
from checks.texts import render, say
from scanner import app
from scanner.cli.common import opened, project_option, show
from scanner.cli.scan import severity_option
from scanner.cli.words import LANGUAGE, t
from scanner.errors import UserError
from scanner.exit_codes import exit_code
from scanner.store.database import Store


@click.command(help=t("Lập báo cáo từ một lượt quét đã lưu.", "Render a stored scan."))
@project_option
@click.option(
    "--scan",
    "scan_id",
    metavar="ID",
    help=t("lượt quét (mặc định: mới nhất)", "which scan (default: the latest)"),
)
@click.option(
    "--format",
    "forms",
    multiple=True,
    metavar="F",
    help=t(
        "dạng, lặp lại được: html, json, jsonl, form08 (mặc định: html, json)",
        "format, repeatable: html, json, jsonl, form08 (default: html and json)",
    ),
)
@click.option(
    "--owner",
    metavar="ID",
    default="",
    help=t("form08: chủ quản nào", "form08: of which owner"),
)
@click.option(
    "--unit",
    metavar="ID",
    default="",
    help=t("form08: đơn vị nào", "form08: of which unit"),
)
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    help=t(
        "form08: ngày đầu kỳ số liệu (YYYY-MM-DD)", "form08: first day of the data (YYYY-MM-DD)"
    ),
)
@click.option(
    "--to",
    "last",
    type=click.DateTime(["%Y-%m-%d"]),
    help=t("form08: ngày chốt (YYYY-MM-DD)", "form08: last day of the data (YYYY-MM-DD)"),
)
@click.option(
    "--language",
    type=click.Choice(["vi", "en"]),
    help=t("ngôn ngữ báo cáo", "language of the report"),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help=t("thư mục ghi ra (mặc định: reports)", "folder to write to (default: reports)"),
)
def report(  # noqa: PLR0913 - one parameter per option
    project: Path | None,
    scan_id: str | None,
    *,
    forms: tuple[str, ...],
    language: app.Language | None,
    output: Path | None,
    owner: str,
    unit: str,
    first: dt.datetime | None,
    last: dt.datetime | None,
) -> None:
    """Write the files and say where they are."""
    found = opened(project)
    with Store.open(found.store_url) as store:
        written = app.report(
            store,
            scan_id=scan_id,
            forms=forms,
            language=language or found.settings.language,
            out=output or found.folder / "reports",
            ask=app.asked(owner, unit, _day(first), _day(last)),
        )
    for path in written:
        show(str(path))


def _day(value: dt.datetime | None) -> dt.date | None:
    return value.date() if value else None


@click.command(help=t("Điều gì đã thay đổi giữa hai lượt quét.", "What changed between two scans."))
@project_option
@click.argument("old", required=False)
@click.argument("new", required=False)
@severity_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def diff(project: Path | None, old: str | None, new: str | None, fail_on: str, form: str) -> int:
    """The two latest by default; the exit code speaks of the newer one."""
    if old and not new:
        raise UserError("diff takes no scan or two: `sauro diff OLD NEW`")
    found = opened(project)
    with Store.open(found.store_url) as store:
        changes, newer = app.changes(store, old, new)
    if form == "json":
        show(msgspec.json.format(msgspec.json.encode(changes), indent=1).decode())
        return exit_code(newer.results, Severity(fail_on), complete=newer.info.complete)
    for name, vi, en in _CLASSES:
        rows: tuple[Change, ...] = getattr(changes, name)
        show(f"{t(vi, en)}: {len(rows)}")
        for change in rows:
            show(f"  {_line(change, found.zone)}")
    came = len(changes.new) + len(changes.reopened)
    left = len(changes.fixed) + len(changes.gone)
    text = f"{changes.open_now} = {changes.open_before} + {came} − {left}"
    show(t(f"Việc đang mở: {text}", f"Open findings: {text}"))
    return exit_code(newer.results, Severity(fail_on), complete=newer.info.complete)


def _line(change: Change, zone: ZoneInfo) -> str:
    row = change.new or change.old
    if row is None:
        return change.fingerprint
    place = " ".join(p for p in (row.unit, row.system or row.target, row.subject) if p)
    said = render(row.message, LANGUAGE, zone)
    return f"{place} · {say(row.check, 'title', LANGUAGE)}: {said}"


_CLASSES = (
    ("new", "Mới phát sinh", "New"),
    ("reopened", "Tái phát", "Reopened"),
    ("fixed", "Đã khắc phục", "Fixed"),
    ("gone", "Không còn trong phạm vi", "No longer in scope"),
    ("lost", "Mất quan sát", "Lost sight"),
    ("regained", "Quan sát lại được", "Seen again"),
)


@click.command(help=t("Các lượt quét đã lưu, mới nhất trước.", "The stored scans, newest first."))
@project_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def history(project: Path | None, form: str) -> None:
    """A line a scan."""
    found = opened(project)
    with Store.open(found.store_url) as store:
        infos = store.list_scans()
    if form == "json":
        show(msgspec.json.format(msgspec.json.encode(infos), indent=1).decode())
        return
    for info in infos:
        state = t("đủ", "complete") if info.complete else t("dở dang", "unfinished")
        local = info.started.astimezone(found.zone)
        show(f"{info.id}  {local:%d/%m/%Y %H:%M}  {state}  {info.judged}/{info.planned}")
