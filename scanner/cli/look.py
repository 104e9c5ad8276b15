"""Commands that look without scanning: `doctor`, `probes`, `sudoers`, `checks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from checks.catalogue import full
from checks.texts import clean, mend, say
from scanner import app
from scanner.cli.common import (
    color_option,
    opened,
    project_option,
    quiet_option,
    selection,
    selection_options,
    show,
    stopping,
)
from scanner.cli.words import LANGUAGE, t
from scanner.errors import UserError
from scanner.exit_codes import CLEAN, UNSEEN
from scanner.shell import shown
from scanner.sudoers import rules


@click.command(
    help=t(
        "Thử mọi kết nối và quyền đọc; nêu chỗ thiếu và cách sửa.",
        "Try every connection and read right; say what is missing and what mends it.",
    )
)
@project_option
@selection_options
@quiet_option
@color_option
def doctor(project: Path | None, quiet: bool, no_color: bool, **chosen: Any) -> int:  # noqa: ANN401, ARG001
    """Visit everything, store nothing."""
    found = opened(project)
    ill = well = 0
    with stopping() as stop:
        for target, evidence in app.examine(found, selection(chosen), stop):
            failures = {(e.failure.kind, e.failure.detail): e for e in evidence if e.failure}
            if not failures:
                well += 1
                if not quiet:
                    show(f"✓ {target}: {t('đọc được cả', 'all readable, answers')} {len(evidence)}")
                continue
            ill += 1
            for (kind, detail), one in failures.items():
                what = "" if len(failures) == 1 and len(evidence) > 1 else f" {one.probe}"
                show(f"✕ {target}{what}: {kind}: {clean(detail)}")
                show(f"    → {mend(kind, LANGUAGE)}")
    show(t(f"{well} ổn, {ill} cần sửa.", f"{well} fine, {ill} to mend."))
    return UNSEEN if ill or not well else CLEAN


@click.command(
    help=t(
        "In mọi lệnh sẽ chạy trên từng máy chủ.", "Print every command that would run, per target."
    )
)
@project_option
@selection_options
def probes(project: Path | None, **chosen: Any) -> None:  # noqa: ANN401
    """Everything that will ever run, word for word."""
    for target, requests in opened(project).plan(selection(chosen)).visits.items():
        show(f"# {target}")
        for request in requests:
            show(shown(request))


@click.command(
    help=t(
        "Quyền đọc tối thiểu mà tài khoản quét cần.", "The least rights the scanning account needs."
    )
)
@project_option
@selection_options
def sudoers(project: Path | None, **chosen: Any) -> None:  # noqa: ANN401
    """The sudo rules that are needed, and the paths that must be readable."""
    found = opened(project)
    for target, requests in found.plan(selection(chosen)).visits.items():
        server = found.inventory.servers.get(target)
        if server is None:
            continue
        show(f"# {target}")
        needed = rules(server.ssh.user or "sauro", requests)
        if not needed:
            show(t("#   không cần sudo", "#   needs no sudo"))
        for line in needed:
            show(line)
        for path in sorted({r.params["path"] for r in requests if "path" in r.params}):
            show(f"#   {t('phải đọc được', 'must be able to read')}: {path}")


@click.group(help=t("Danh mục phép kiểm tra.", "The catalogue of checks."))
def checks() -> None:
    """Group of the catalogue commands."""


@checks.command("list", help=t("Một dòng cho mỗi phép kiểm tra.", "A line for each check."))
def list_() -> None:
    """Id, severity and title."""
    for check in full().checks:
        show(f"{check.id:32} {check.severity:9} {say(check.id, 'title', LANGUAGE)}")


@checks.command(help=t("Giải thích một phép kiểm tra.", "Explain one check."))
@click.argument("check_id", metavar="ID")
def explain(check_id: str) -> None:
    """Everything that the catalogue says of a check."""
    from checks.reference import check_markdown  # noqa: PLC0415

    found = full().get(check_id)
    if found is None:
        raise UserError(f"no check is called {check_id!r}; `sauro checks list` shows them")
    show(check_markdown(found, LANGUAGE))
