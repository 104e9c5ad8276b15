"""`sauro audit` for cron, `sauro watch` as a service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from checks.model import Severity
from scanner import audits
from scanner.cli.common import note, opened, project_option, quiet_option, show, stopping
from scanner.cli.progress import progress
from scanner.cli.scan import severity_option
from scanner.cli.words import LANGUAGE, t
from scanner.exit_codes import exit_code


@click.command(
    help=t(
        "Quét, lập báo cáo, trả mã thoát; mỗi lúc chỉ một lượt.",
        "Scan, report, exit code; one at a time.",
    )
)
@project_option
@severity_option
@quiet_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help=t("thư mục báo cáo", "folder of the reports"),
)
@click.option("--crontab", is_flag=True, help=t("chỉ in dòng crontab", "only print a crontab line"))
@click.option(
    "--systemd",
    is_flag=True,
    help=t("chỉ in service và timer của systemd", "only print a systemd service and timer"),
)
def audit(
    project: Path | None,
    fail_on: str,
    quiet: bool,
    output: Path | None,
    crontab: bool,
    systemd: bool,
) -> int:
    """One whole round."""
    found = opened(project)
    if crontab or systemd:
        show(audits.timer_text(found, Path(sys.argv[0]), systemd=systemd))
        return 0
    with stopping() as stop, progress(quiet=quiet, color=True) as watcher:
        done = audits.audit(found, out=output, stop=stop, watch=watcher, language=LANGUAGE)
    if not quiet:
        show(done.summary)
    for path in done.written:
        if not quiet:
            show(str(path))
    scan = done.scan
    return exit_code(scan.results, Severity(fail_on), complete=scan.info.complete)


@click.command(
    help=t(
        "Chạy audit theo lịch trong sauro.yaml cho tới khi bị dừng.",
        "Run audits on the schedule of sauro.yaml until stopped.",
    )
)
@project_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help=t("thư mục báo cáo", "folder of the reports"),
)
def watch(project: Path | None, output: Path | None) -> int:
    """A service: the inventory is read anew for every round."""
    folder = opened(project).folder
    with stopping() as stop:
        audits.watch(folder, out=output, stop=stop, say=note)
    return 0
