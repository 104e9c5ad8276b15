"""What several commands share: the project and selection options, the console, stopping."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from inventory.model import Selection
from scanner.cli.words import t
from scanner.config import find_project
from scanner.project import Project, open_project

C = TypeVar("C", bound=Callable[..., Any])

project_option = click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=t("thư mục dự án (có sauro.yaml)", "project folder (with sauro.yaml)"),
)
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help=t("chỉ in kết quả và lỗi", "print results and errors only")
)
color_option = click.option(
    "--no-color", is_flag=True, help=t("không tô màu", "no colours"), envvar="NO_COLOR"
)


def selection_options(command: C) -> C:
    """Add `--unit --system --server --tag --zone`, each repeatable."""
    helps = {
        "zone": t("vùng mạng", "network zone"),
        "tag": t("nhãn máy chủ", "server tag"),
        "server": t("mã máy chủ", "server id"),
        "system": t("mã hệ thống", "system id"),
        "unit": t("mã đơn vị", "unit id"),
    }
    for name, text in helps.items():
        command = click.option(
            f"--{name}", f"{name}s", multiple=True, metavar=name.upper(), help=text
        )(command)
    return command


def selection(chosen: dict[str, tuple[str, ...]], checks: tuple[str, ...] = ()) -> Selection:
    """The selection of a command's options."""
    return Selection(checks=checks, **chosen)


def opened(project: Path | None) -> Project:
    """The project that the command speaks of."""
    folder = find_project(Path.cwd(), project, os.environ)
    return open_project(folder)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one ends the process at once."""
    stop = threading.Event()
    known = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()
        line = t(
            "sauro: đang dừng, giữ phần đã kết luận…", "sauro: stopping, what is judged stays…"
        )
        print(line, file=sys.stderr)

    for number in known:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, former in known.items():
            signal.signal(number, former)


def show(text: str) -> None:
    """Results go to standard output."""
    click.echo(text)


def note(text: str) -> None:
    """Everything else goes to standard error."""
    click.echo(text, err=True)
