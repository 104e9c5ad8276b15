"""The ten-second summary: short, plain when told, and no name can steer the terminal."""

from __future__ import annotations

import subprocess
import sys

from checks.model import Status
from inventory.model import Unit
from reports.build import build
from reports.model import Report
from reports.to_terminal import summary_text
from tests.helpers.scans import NOW, STARTED, VOICE, city, row, scan, text, unit


def of_city() -> Report:
    made, opened, back = city()
    return build(
        made, previous=city(1)[0], opened=opened, reopened=back, now=NOW, language="vi", voice=VOICE
    )


def one(named: Unit, **fields: object) -> Report:
    made = scan([row("backup.a", Status.FAIL, named.id, **fields)], [named])
    return build(
        made, previous=None, opened={}, reopened=frozenset(), now=NOW, language="vi", voice=VOICE
    )


def test_what_it_says_and_in_which_order() -> None:
    shown = summary_text(of_city(), False, 200, "demo/report.html")
    marks = ["Dữ liệu mô phỏng", "41/126 đơn vị", "Cấp độ an toàn", "Đã quan sát", "Cần chỉ đạo",
             "Phường Hoàn Kiếm", "Báo cáo: demo/report.html"]  # fmt: skip
    places = [shown.index(m) for m in marks]
    assert places == sorted(places)
    assert len(shown.splitlines()) < 24
    assert "\x1b" not in shown


def test_lines_fit_the_width() -> None:
    for width in (60, 80, 100):
        assert max(map(len, summary_text(of_city(), False, width).splitlines())) <= width


def test_colour_only_when_asked() -> None:
    assert "\x1b[" in summary_text(of_city(), True, 100)


def test_names_neither_mark_up_nor_escape() -> None:
    evil = unit("u1", name="[red]Xã[/red] \x1b]0;x\x07\x1b[2J :smile:")
    shown = summary_text(one(evil, message=text("[bold]a\x1b[31m\u202eb")), False, 100)
    assert "[red]Xã[/red]" in shown
    assert ":smile:" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_an_unfinished_scan_says_so_first() -> None:
    made = scan([row("backup.a", Status.PASS)], complete=False, planned=9, judged=1)
    done = build(
        made,
        previous=None,
        opened={},
        reopened=frozenset(),
        now=STARTED,
        language="vi",
        voice=VOICE,
    )
    assert "1/9" in summary_text(done, False, 100).splitlines()[0]


def test_importing_the_writers_is_cheap() -> None:
    code = (
        "import sys, reports.formats, reports.to_terminal;"
        "print([m for m in ('rich', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
