"""The demo: plant a world, play its servers, have it scanned, hold the scan against the truth."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checks.results import Scan
from scanner.demo.expect import expect
from scanner.demo.places import reserve
from scanner.demo.plant import fleet, plan, plant
from scanner.demo.session import ZONE
from scanner.demo.table import table
from scanner.demo.truth import Differences, compare, write_truth
from scanner.errors import UserError

MARK = "SIMULATED"
"""The file by which a folder is known as a demo's, and its reports as simulated."""


_STEPS = {
    "vi": (
        "Đã dựng {units} đơn vị, {hosts} máy chủ, {faults} lỗi cài sẵn (dữ liệu mô phỏng)",
        "{hosts} máy chủ SSH đang chạy trên máy này",
    ),
    "en": (
        "Built {units} units, {hosts} servers, {faults} planted faults (simulated data)",
        "{hosts} SSH servers are up on this machine",
    ),
}


def run_demo(  # noqa: PLR0913 - what the demo cannot know by itself
    out: Path,
    units: int,
    now: dt.datetime,
    random: Random,
    scan: Callable[[Path], Scan],
    say: Callable[[str], None],
    *,
    language: str = "vi",
) -> Differences:
    """Plant `units` units (3 to 126) in `out`, scan them while their servers run, compare.

    An earlier demo in `out` is replaced. `scan` gets the project folder; `now` is aware and close
    to the clock that the scan will read; `say` hears one line per step and then the table of what
    was planted beside what was found, in `language` (vi or en).

    Raises:
        UserError: `out` holds something that is no demo, or cannot be written; too few or too many
            units; no free ports; the scan was stopped.
    """
    out = out.absolute()
    make_room(out)
    try:
        plot = plan(units, now, ZoneInfo(ZONE), random)
    except ValueError as e:
        raise UserError(str(e)) from e
    try:
        reserved = reserve(len(plot.hosts))
        planted = plant(out, plot, reserved.endpoints, random, Ed25519PrivateKey.generate)
    except OSError as e:
        raise UserError(f"{out}: the demo cannot be built: {e}; choose another --out") from e
    truth = expect(plot)
    write_truth(out / "truth.json", truth)
    counts = {
        "units": len(plot.units),
        "hosts": len(plot.hosts),
        "faults": len(truth.planted),
    }
    built, running = _STEPS[language]
    say(built.format(**counts))
    with fleet(planted, reserved):
        say(running.format(**counts))
        found = scan(out)
    if not found.info.complete:
        raise UserError("the demo's scan was stopped before its end: nothing was compared")
    differences = compare(truth, found)
    for line in table(differences, language):
        say(line)
    return differences


def make_room(out: Path) -> None:
    """Remove an earlier demo; anything else that is in the way is left alone and refused."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MARK).is_file():
        raise UserError(f"{out}: is not empty and no earlier demo; choose another --out")
    try:
        shutil.rmtree(out)
    except OSError as e:
        raise UserError(f"{out}: the earlier demo cannot be removed: {e.strerror}") from e
