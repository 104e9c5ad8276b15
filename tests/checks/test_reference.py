"""The pages about checks are true: the catalogue has not drifted, the recipe runs."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml

from checks import texts
from checks.catalogue import Catalogue, builtin
from checks.model import Check, Options, Severity
from checks.reference import check_markdown, checks_markdown

DOCS = Path(__file__).parents[2] / "docs"
RECIPE = (DOCS / "add-a-check.md").read_text(encoding="utf-8")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_the_page_has_not_drifted() -> None:
    page = (DOCS / "checks.md").read_text(encoding="utf-8")
    assert page == checks_markdown(builtin()), "run: python -m checks.reference > docs/checks.md"


@pytest.mark.parametrize("check", builtin().checks, ids=lambda c: c.id)
def test_a_check_is_explained_whole(check: Check) -> None:
    page = checks_markdown(Catalogue((check,)))
    for language in texts.LANGUAGES:
        shown = check_markdown(check, language)
        assert f"`{check.id}`" in shown
        for part in ("title", "rationale", "remedy", "product"):
            said = texts.say(check.id, part, language)
            assert said in shown
            assert said in page
        for name in check.options.__struct_fields__:
            assert f"`{name}`" in shown
        for control in check.controls:
            assert control in shown


def test_options_show_what_may_be_written_and_the_default() -> None:
    clock = check_markdown(builtin()["host.clock"], "en")
    assert "`minor_seconds`: number (`60.0`)" in clock
    review = check_markdown(builtin()["security.level-reviewed"], "en")
    assert "`level_5_months`: whole number or null (by the rule set)" in review
    approved = check_markdown(builtin()["security.level-approved"], "en")
    assert "`delegates`: mapping of text to list of text (empty)" in approved


class Odd(Options, frozen=True):
    """Every shape that an option may have."""

    wait: dt.timedelta = dt.timedelta(hours=36)
    words: tuple[str, ...] = ("a",)
    limits: dict[str, int] = {}
    mode: Literal["a", "b"] = "a"
    maybe: Severity | None = None


def test_options_of_every_shape_can_be_read() -> None:
    clock = builtin()["host.clock"]
    shown = check_markdown(msgspec.structs.replace(clock, options=Odd), "en")
    assert "`wait`: length of time (`36h`)" in shown
    assert "`words`: list of text (`('a',)`)" in shown
    assert "`limits`: mapping of text to whole number (empty)" in shown
    assert "`mode`: `a` or `b` (`a`)" in shown
    assert "- About the options: Every shape that an option may have." in shown
    assert "`maybe`: Severity or null (by the rule set)" in shown


def test_the_page_is_written_whatever_the_locale() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "checks.reference"],
        cwd=DOCS.parent,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode("utf-8") == checks_markdown(builtin())


def test_every_link_of_the_table_of_contents_has_its_heading() -> None:
    page = checks_markdown(builtin())
    anchors = re.findall(r"\]\(#([^)]+)\)", page)
    headings = [h.replace(".", "") for h in re.findall(r"^## `(.+)`$", page, re.MULTILINE)]
    assert anchors == headings
    assert len(set(anchors)) == len(anchors) == len(builtin().checks)


# -------------------------------------------------------------------------------------- the recipe


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", RECIPE, re.MULTILINE | re.DOTALL)


def load(path: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """The module of the recipe and its tests, loaded under the names that it gives them."""
    module, tests = blocks("python")
    disk = load(tmp_path / "disk.py", "checks.probes.disk", module, monkeypatch)
    return disk, load(tmp_path / "test_disk.py", "recipe_tests", tests, monkeypatch)


def test_the_recipe_tests_pass(recipe: tuple[ModuleType, ModuleType]) -> None:
    ran = [getattr(recipe[1], name)() for name in dir(recipe[1]) if name.startswith("test_")]
    assert len(ran) == 2


def test_the_recipe_probe_runs_in_a_real_shell(recipe: tuple[ModuleType, ModuleType]) -> None:
    disk = recipe[0]
    script = disk.DISKS.request("s").script
    done = subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, check=True)
    assert disk.read_disks(done.stdout.decode())


def test_the_recipe_words_fit_the_recipe_check(
    recipe: tuple[ModuleType, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = blocks("yaml")
    words: dict[str, Any] = yaml.safe_load(block)
    disk, tests = recipe
    (check,) = disk.CHECKS
    assert set(words) == {check.id}
    monkeypatch.setattr(texts, "words", words.__getitem__)
    said = [tests.judge(disk.Disk("/srv", 100, used)).message for used in (50, 95)]
    assert [texts.render(m, "en", ZONE) for m in said] == [
        "The fullest disk is /srv, 50% used.",
        "/srv is 95% full, over the limit of 90%.",
    ]
    assert {m.id for m in said} == {f"{check.id}.{n}" for n in words[check.id]["messages"]}
    assert all(texts.render(m, "vi", ZONE) for m in said)
    assert check_markdown(check, "vi").startswith("## `host.disk-space`")


def test_the_recipe_names_things_that_exist() -> None:
    """Names in code font that look like ours are ours."""
    rooms = [importlib.import_module(f"checks.{name}") for name in ("evidence", "model")]
    for name in ("Probe", "Request", "Evidence", "Fact", "Need", "Options", "Unparsable"):
        assert f"`{name}" in RECIPE or f"{name}(" in RECIPE
        assert any(hasattr(room, name) for room in rooms)
    for path in re.findall(r"`(checks/[a-z_/]+\.(?:py|yaml))`", RECIPE):
        if path != "checks/probes/disk.py":
            assert (DOCS.parent / path).is_file(), path
