"""Live progress on standard error: a bar on a terminal, a line every so often otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from checks.model import Status
from scanner.cli.words import t
from scanner.run import Progress

Watcher = Callable[[Progress], None]
_EVERY = 10.0
"""Seconds between lines where there is no terminal."""


def counts(progress: Progress) -> str:
    """The rows so far, in words."""
    rows = progress.rows
    return t(
        f"đạt {rows[Status.PASS]} · chưa đạt {rows[Status.FAIL]} · "
        f"chưa kết luận {rows[Status.UNKNOWN]} · lỗi {rows[Status.ERROR]}",
        f"met {rows[Status.PASS]} · not met {rows[Status.FAIL]} · "
        f"cannot tell {rows[Status.UNKNOWN]} · error {rows[Status.ERROR]}",
    )


@contextmanager
def progress(*, quiet: bool, color: bool) -> Iterator[Watcher]:
    """A watcher to hand to a scan."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(color=color) as watcher:
            yield watcher
    else:
        yield _lines(time.monotonic)


@contextmanager
def _bar(*, color: bool) -> Iterator[Watcher]:
    from rich.console import Console  # noqa: PLC0415 - only where there is a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    console = Console(stderr=True, no_color=not color)
    columns = (
        TextColumn(t("Máy chủ và tệp", "Targets")),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with RichProgress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=None)

        def watcher(now: Progress) -> None:
            shown.update(
                task, total=now.targets, completed=now.targets_done, description=counts(now)
            )

        yield watcher


def _lines(clock: Callable[[], float]) -> Watcher:
    began = clock()
    last = began

    def watcher(now: Progress) -> None:
        nonlocal last
        at = clock()
        if now.targets_done < now.targets and at - last < _EVERY:
            return
        last = at
        left = ""
        if 0 < now.targets_done < now.targets:
            seconds = (at - began) / now.targets_done * (now.targets - now.targets_done)
            left = t(f", còn khoảng {seconds:.0f} giây", f", about {seconds:.0f} s left")
        print(f"{now.targets_done}/{now.targets}{left} · {counts(now)}", file=sys.stderr)

    return watcher
