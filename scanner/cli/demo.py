"""`sauro demo`: a simulated fleet, scanned over real SSH, reported and compared with its truth."""

from __future__ import annotations

import random
from pathlib import Path

import click

from checks.results import Scan
from inventory.model import Selection
from scanner import app
from scanner.cli.common import note, show, stopping
from scanner.cli.progress import progress
from scanner.cli.words import LANGUAGE, t
from scanner.errors import FAULT
from scanner.exit_codes import CLEAN
from scanner.project import open_project
from scanner.store.database import Store


@click.command(
    help=t(
        "Dựng, quét và báo cáo 126 đơn vị mô phỏng.", "Build, scan and report 126 simulated units."
    )
)
@click.option("--units", type=click.IntRange(3, 126), default=126, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
)
@click.option("--seed", type=int, default=6, show_default=True)
def demo(units: int, out: Path, seed: int) -> int:
    """Plant, scan, report, compare; a difference from the planted truth is a fault of ours."""
    from scanner.demo.demo import run_demo  # noqa: PLC0415

    with stopping() as stop, progress(quiet=False, color=True) as watch:

        def scan(folder: Path) -> Scan:
            project = open_project(folder)
            with Store.open(project.store_url) as store:
                scanned = app.scan(project, store, Selection(), stop=stop, watch=watch)
                return app.rows_of(store, scanned)

        lots = random.Random(seed)  # noqa: S311 - which unit is planted with what, not a secret
        differences = run_demo(out, units, app.utc_now(), lots, scan, note, language=LANGUAGE)
    project = open_project(out)
    with Store.open(project.store_url) as store:
        written = app.report(
            store, scan_id=None, forms=(), language=project.settings.language, out=out / "reports"
        )
        latest = store.latest(complete_only=False)
        if latest is not None:
            show(app.printed(store, store.load(latest.id), "table", LANGUAGE, color=False))
    for path in written:
        show(t(f"Báo cáo: {path.resolve()}", f"Report: {path.resolve()}"))
    return FAULT if differences else CLEAN
