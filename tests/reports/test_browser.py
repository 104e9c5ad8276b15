"""The page in a real browser: layouts, colours, print, keyboard, with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.helpers.pages import city_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs the Debian package chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(city_page(), encoding="utf-8")
    return file.as_uri()


class Open:
    """Opens the page and fails on any complaint of the browser or any request for a file."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self.said: list[str] = []

    def __call__(self, width: int = 1366, height: int = 768, **how: Any) -> Page:
        page = self._browser.new_page(viewport={"width": width, "height": height}, **how)
        page.on("console", lambda m: self.said.append(m.text))
        page.on("pageerror", lambda e: self.said.append(str(e)))
        page.on(
            "request",
            lambda r: None if r.url.startswith((self._url, "data:")) else self.said.append(r.url),
        )
        page.goto(self._url)
        return page


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Open]:
    opener = Open(browser, url)
    yield opener
    for context in browser.contexts:
        context.close()
    assert opener.said == []


SHOWN = "s => [...document.querySelectorAll(s)].filter(e => e.getClientRects().length)"


def shown(page: Page, selector: str = "#m-name .u") -> int:
    """How many elements take part in the layout."""
    return int(page.evaluate(f"s => ({SHOWN})(s).length", selector))


def texts(page: Page, selector: str) -> list[str]:
    """The texts of what is shown."""
    return list(page.evaluate(f"s => ({SHOWN})(s).map(e => e.textContent.trim())", selector))


def test_the_first_screen_holds_the_third_decision(open_page: Open) -> None:
    page = open_page()
    box = page.locator(".decide tbody tr").nth(2).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366


@pytest.mark.parametrize("width", [320, 360, 768, 901])
def test_no_scrolling_sideways(open_page: Open, width: int) -> None:
    page = open_page(width, 740)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_every_value_has_its_label(open_page: Open) -> None:
    page = open_page(360, 740)
    cell = page.locator("#m-name .u td").first
    assert "Cấp độ an toàn" in cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert cell.evaluate("e => getComputedStyle(e).display") == "grid"
    roles = "e => [e.closest('table'), e.closest('tr'), e].map(n => n.getAttribute('role'))"
    assert cell.evaluate(roles) == ["table", "row", "cell"]


@pytest.mark.parametrize("scripts", [True, False])
def test_filters_work_with_and_without_scripts(open_page: Open, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    assert shown(page) == 126
    page.locator("label[for=fs-fail]").click()
    assert shown(page) == 68
    assert shown(page, "details.unit") == 68
    page.locator("label[for=fk-ward]").click()
    wards = shown(page)
    assert 0 < wards < 68
    page.locator("label[for=fs-overdue]").click()
    page.locator("label[for=fk-all]").click()
    assert shown(page) == 14
    page.locator("label[for=fs-all]").click()
    assert shown(page) == 126


@pytest.mark.parametrize("scripts", [True, False])
def test_the_second_order_is_prebuilt(open_page: Open, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    assert texts(page, "#m-name .u th")[0] == "Phường Ba Đình"
    page.locator("label[for=fo-attention]").click()
    assert shown(page) == 0
    assert shown(page, "#m-attention .u") == 126
    assert "s-fail" in (page.locator("#m-attention .u").first.get_attribute("class") or "")


def test_without_scripts_nothing_pretends_to_work(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator("#search").is_hidden()
    assert page.locator(".matrix button").count() == 0
    page.locator("details.unit > summary").first.click()
    assert page.locator("details.unit .in").first.is_visible()


def test_sorting_and_search(open_page: Open) -> None:
    page = open_page()
    page.locator("#m-name thead button").nth(5).click()
    page.locator("#m-name thead button").nth(5).click()
    overdue = [int(t) for t in texts(page, "#m-name .u td:nth-child(6)")]
    assert overdue == sorted(overdue, reverse=True)
    head = page.locator("#m-name thead th").nth(5)
    assert head.get_attribute("aria-sort") == "descending"
    page.locator("#m-name thead button").nth(0).click()
    names = texts(page, "#m-name .u th")
    assert names.index("Phường Dương Nội") < names.index("Phường Đại Mỗ")
    page.locator("#search").fill("dong da")
    assert texts(page, "#m-name .u th") == ["Phường Đống Đa"]
    page.locator("#search").fill("")
    assert shown(page) == 126


def test_a_link_opens_the_unit(open_page: Open) -> None:
    page = open_page()
    page.locator("#m-name .u a").nth(3).click()
    unit = page.locator("details.unit[open]")
    assert unit.count() == 1
    assert unit.locator(".in").is_visible()


def test_the_keyboard_reaches_everything(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.locator("#fs-all").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#fs-fail").is_checked()
    ring = page.locator("label[for=fs-fail]").evaluate("e => getComputedStyle(e).outlineStyle")
    assert ring == "solid"
    page.keyboard.press("ArrowLeft")
    button = page.locator("#m-name thead button").nth(4)
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("#m-name thead th").nth(4).get_attribute("aria-sort") == "ascending"
    page.locator("details.unit > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.unit[open]").count() == 1


def test_targets_are_large_enough_for_a_finger(open_page: Open) -> None:
    page = open_page(360, 740)
    page.evaluate(
        """const units = [...document.querySelectorAll("details.unit")];
        units.slice(9).forEach(u => u.remove()); units[0].open = true;"""
    )
    small = page.evaluate(
        """[...document.querySelectorAll("label:not(.hide), button, summary, #search")]
        .filter(e => e.offsetParent && e.getBoundingClientRect().height < 24)
        .map(e => e.textContent)"""
    )
    assert small == []


@pytest.mark.parametrize(("scheme", "ground"), [("light", "255, 255, 255"), ("dark", "18, 22, 28")])
def test_light_and_dark(open_page: Open, scheme: Any, ground: str) -> None:
    page = open_page(color_scheme=scheme)
    got = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert got == f"rgb({ground})"


def test_print_is_a4_and_leaves_closed_units_out(open_page: Open) -> None:
    page = open_page(color_scheme="dark")
    closed = page.pdf(prefer_css_page_size=True)
    assert sheet(closed) == (595, 842)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".filters").is_hidden()
    assert page.locator("details.unit").first.is_hidden()
    for drawn in page.locator("svg.bar").all():
        box = drawn.bounding_box()
        assert box is not None, "the bars are printed"
        assert box["width"] > 100
    thead = page.locator("#m-name thead")
    assert thead.evaluate("e => getComputedStyle(e).display") == "table-header-group"
    page.evaluate("document.querySelectorAll('details.unit')[0].open = true")
    assert page.locator("details.unit").first.is_visible()
    assert pages(page.pdf(prefer_css_page_size=True)) > pages(closed)


def sheet(pdf: bytes) -> tuple[int, int]:
    """Width and height of the first sheet, in points."""
    found = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf)
    assert found
    return round(float(found[1])), round(float(found[2]))


def pages(pdf: bytes) -> int:
    """How many sheets a file has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


RULES = """() => {
  const bad = [];
  const all = (s) => [...document.querySelectorAll(s)];
  const ids = all("[id]").map(e => e.id);
  if (new Set(ids).size !== ids.length) bad.push("an id stands twice");
  for (const t of all("table")) if (!t.caption) bad.push("table without caption");
  for (const h of all("th")) if (!h.scope) bad.push("th without scope");
  for (const d of all("dt, dd")) if (!d.closest("dl")) bad.push("dt outside dl");
  for (const l of all("li")) if (!l.closest("ul")) bad.push("li outside ul");
  for (const i of all("input")) if (!(i.labels && i.labels.length)) bad.push("input without label");
  for (const r of all("[aria-labelledby]"))
    if (!document.getElementById(r.getAttribute("aria-labelledby"))) bad.push("no such label");
  for (const s of all("svg[role=img]"))
    if (!s.getAttribute("aria-label")) bad.push("image without name");
  for (const a of all("a, button, summary"))
    if (!a.textContent.trim()) bad.push("nameless control");
  for (const h of all("table h2, table h3")) bad.push("heading inside a table");
  let last = 0;
  for (const h of all("h1, h2, h3, h4, h5")) {
    const level = +h.tagName[1];
    if (level > last + 1) bad.push(`h${last} then h${level}: ${h.textContent}`);
    last = level;
  }
  if (all("h1").length !== 1 || all("main").length !== 1) bad.push("landmarks");
  if (!document.documentElement.lang || !document.title) bad.push("language or title");
  return [...new Set(bad)];
}"""


def test_the_main_rules_of_accessibility(open_page: Open) -> None:
    assert open_page().evaluate(RULES) == []
