"""The page: complete in itself, closed to markup from outside, readable without colour."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from checks.evidence import Failure, FailureKind
from checks.model import Severity, Status
from checks.results import EvidenceRef
from inventory.model import BackupSet, Person, System
from reports.model import FAMILIES
from reports.to_html import html, policy, script, style, write_html
from tests.helpers.pages import city_page, city_report, parse, report_of
from tests.helpers.scans import STARTED, row, scan, text, unit, waiver

EVIL = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) "
    "\u202eabc\x00\x1b[31m {{7*7}}"
)


def words_of(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def classed(tree: Any, name: str) -> list[Any]:
    return list(tree.find_class(name))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nothing_is_loaded_from_outside(language: str) -> None:
    page = city_page(language)
    tree = parse(page)
    assert not re.search(r"https?:|\bsrc=|@import|srcset", page.replace(style(), ""))
    assert set(re.findall(r"url\(\"?([^)]{5})", style())) <= {"data:", "#p-er", "#p-un"}
    assert all(a.get("href").startswith("#") for a in tree.iter("a", "use"))
    ids = {n.get("id") for n in tree.iter() if n.get("id")}
    assert {a.get("href")[1:] for a in tree.iter("a", "use")} <= ids
    assert not list(tree.iter("link", "iframe", "img", "object", "embed", "base"))
    assert tree.get("lang") == language


def test_the_policy_allows_the_one_style_and_the_one_script() -> None:
    tree = parse(city_page())
    blocks = [tree.xpath("//style"), tree.xpath("//script")]
    assert [len(b) for b in blocks] == [1, 1]
    for (block,), name in zip(blocks, ("style-src", "script-src"), strict=True):
        digest = base64.b64encode(hashlib.sha256(block.text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy()
    assert policy().startswith("default-src 'none'")
    assert tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [policy()]
    assert not [n for n in tree.iter() if n.get("style") is not None]
    assert not [a for n in tree.iter() for a in n.attrib if a.startswith("on")]


def hostile_report() -> Any:
    person = Person(post=EVIL, name=EVIL, email=EVIL)
    system = System(
        id="s",
        unit=EVIL,
        name=EVIL,
        owner="ha-noi",
        servers=("a",),
        level=2,
        backups=(BackupSet(id=EVIL, system="s", kind=EVIL, every=EVIL),),
    )
    proof = EvidenceRef(probe=EVIL, target=EVIL, sha256=EVIL, taken=STARTED)
    fields: dict[str, Any] = {
        "target": EVIL,
        "subject": EVIL,
        "message": text(EVIL),
        "evidence": (proof,),
        "system": "s",
    }
    slots = [["2026-11-21T02:00:00Z", EVIL]]
    rows = [
        row("backup.recent", Status.FAIL, EVIL, detail={"period": EVIL, "newest": EVIL}, **fields),
        row("backup.periodic", Status.FAIL, EVIL, detail={"slots": slots}, **fields),
        row(f"documents.{EVIL}", Status.FAIL, EVIL, waiver=waiver(), **fields),
        row("security.x", Status.UNKNOWN, EVIL,
            failure=Failure(kind=FailureKind.DENIED, detail=EVIL), **fields),
    ]  # fmt: skip
    return report_of(
        scan(
            rows,
            [unit(EVIL, name=EVIL, accountable=person, officer=person)],
            [system],
            id=EVIL,
            tool=EVIL,
        )
    )


def test_what_a_host_says_is_never_markup() -> None:
    page = html(hostile_report())
    tree = parse(page)
    assert len(tree.xpath("//script")) == 1
    assert not list(tree.iter("img"))
    assert not [a for n in tree.iter() for a in n.attrib if a.startswith("on")]
    assert all(a.get("href").startswith("#") for a in tree.iter("a"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    for bad in ("\x00", "\x1b", "\u202e"):
        assert bad not in page
    assert "{{7*7}}" in words_of(tree.body)


def test_a_hostile_id_is_a_harmless_anchor() -> None:
    (view,) = hostile_report().units
    assert re.fullmatch(r"u-x[0-9a-f]{12}", view.anchor)


def test_every_drawing_begins_with_its_title() -> None:
    drawings = list(parse(city_page()).iter("svg"))
    assert len(drawings) > 1000
    for svg in drawings:
        assert svg[0].tag == "title"
        assert svg[0].text
        assert svg.get("aria-hidden") or svg.get("aria-label") or svg.getparent().tag == "svg"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_status_word_has_its_symbol(language: str) -> None:
    tree = parse(city_page(language))
    symbols = {s.get("id") for s in tree.iter("symbol")}
    for status in Status:
        assert f"i-{status}" in symbols
    cells = tree.xpath("//table[@id='m-name']/tbody[2]/tr/td[@data-v]")
    assert len(cells) == 126 * len(FAMILIES)
    for cell in cells:
        title = cell.xpath(".//svg/title")[0].text
        assert words_of(cell.xpath("./span")[0]).startswith(f"{title} {title}")


def test_a_unit_under_the_floor_never_prints_met() -> None:
    dark = {u.id for u in city_report().units if u.dark}
    assert len(dark) == 8
    rows = parse(city_page()).xpath("//table[@id='m-name']/tbody[2]/tr")
    seen = 0
    for shown in rows:
        if shown.get("data-n").split()[-1] in dark:
            seen += 1
            assert "Đạt" not in words_of(shown)
            assert "s-pass" not in shown.get("class")
    assert seen == 8


def test_the_totals_of_the_page_are_those_of_the_report() -> None:
    r = city_report()
    tree = parse(city_page())
    total = words_of(tree.xpath("//tr[@class='sum']")[0])
    for area in r.areas:
        assert f"Đạt {area.units.passed}/{area.units.applicable}" in total
    assert "68 chưa đạt + 3 lỗi + 14 chưa kết luận + 41 đạt + 0 không áp dụng = 126 đơn vị" in (
        words_of(tree)
    )


def test_no_person_and_no_host_above_the_units() -> None:
    top, _, sections = city_page().partition('<section class="units"')
    for name in ("Nguyễn Văn Mẫu", "Trần Thị Thử", "-nas-1", "portal-1"):
        assert name not in top
        assert name in sections


def test_a_waived_finding_is_struck_through_with_its_papers() -> None:
    found = row("backup.a", Status.FAIL, severity=Severity.CRITICAL, waiver=waiver())
    (card,) = classed(parse(html(report_of(scan([found])))), "w")
    said = words_of(card)
    for part in ("12/TB-UBND", "Công chức CNTT", "13/12/2026", "chờ mua sắm"):
        assert part in said
    assert "line-through" in style()
    assert "s-fail" in card.get("class"), "it keeps its status"


def test_a_missing_clear_is_said_in_place() -> None:
    bare = unit("u1", officer=Person())
    page = html(report_of(scan([row("backup.a", Status.FAIL)], [bare])))
    assert "Chưa có: người thực hiện của đơn vị" in page
    assert "5/6 rõ" in page


def test_partial_old_and_empty_scans_say_so() -> None:
    rows = [row("backup.a", Status.PASS)]
    partial = html(report_of(scan(rows, complete=False, planned=5236, judged=812)))
    assert "812/5.236" in partial
    assert "không so sánh" in partial
    old = html(report_of(scan(rows, finished=STARTED.replace(day=20))))
    assert "Số liệu cũ" in old
    empty = html(report_of(scan([])))
    assert "chưa có số liệu" in empty
    assert "100%" not in words_of(parse(empty).xpath("//main")[0])


def test_simulated_data_are_labelled() -> None:
    assert "Dữ liệu mô phỏng" in city_page()
    assert "Dữ liệu mô phỏng" not in html(report_of(scan([row("backup.a", Status.PASS)])))


def test_the_page_stays_small_and_grows_evenly() -> None:
    small, large = city_page(), city_page(more=400)
    assert len(small.encode()) < 3_000_000
    base = len(html(report_of(scan([]))).encode())
    per_unit = [(len(p.encode()) - base) / n for p, n in ((small, 126), (large, 526))]
    assert per_unit[1] < 1.1 * per_unit[0]
    rows = re.findall(r'<tr role="row" class="u .*?</tr>', large, re.DOTALL)
    assert len(rows) == 2 * 526, "two orders"
    assert sum(len(r.encode()) for r in rows) / len(rows) < 1000


def test_writing_gives_one_file() -> None:
    files = write_html(city_report())
    assert list(files) == ["report.html"]
    assert files["report.html"].startswith(b"<!DOCTYPE html>")


# --------------------------------------------------------------------------------------- colours


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):(#[0-9A-F]{6})", block))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    lin = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, str]]:
    found = [tokens(b) for b in re.findall(r":root\{[^}]*\}", style())]
    return [p for p in found if p]


def test_contrast_of_every_pair_that_meets() -> None:
    light, dark, paper = palettes()
    assert light == paper
    assert set(light) == set(dark)
    for p in (light, dark):
        for ground in ("bg", "panel"):
            for name in ("ink", "muted", "accent", "fail", "pass", "unknown-ink", "error", "na"):
                assert contrast(p[name], p[ground]) >= 4.5, (name, ground)
            assert contrast(p["unknown"], p[ground]) >= 3
        assert contrast(p["unknown-ink"], p["tint"]) >= 4.5
        assert contrast(p["pass-ink"], p["pass-fill"]) >= 4.5
        assert contrast(p["bg"], p["fail"]) >= 4.5
        assert contrast(p["pass"], p["pass-fill"]) >= 3


def test_no_colour_stands_outside_the_tokens() -> None:
    outside = re.sub(r":root\{[^}]*\}", "", style().split("}", 2)[2])
    assert not re.findall(r"#[0-9A-Fa-f]{3,8}\b(?=[;}])", outside)


def test_the_script_writes_no_markup() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval", script())


def test_the_sample_city_speaks_with_real_words_only() -> None:
    assert not re.search(r"(engine|backup|security|documents|host)\.[a-z.-]+ \(\w+=", city_page())
