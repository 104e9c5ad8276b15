"""The catalogue: unique ids, patterns, checks from outside, options from the settings."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from typing import Any, Literal

import pytest

import checks
from checks.catalogue import Catalogue, builtin, catalogue_of, full, options_for
from checks.model import Check, Context, Options, Scope, Severity, Verdict, check, passed
from checks.texts import words


class Limits(Options, frozen=True):
    age: dt.timedelta = dt.timedelta(days=1)
    share: float = 0.5
    count: int = 3
    name: str = "x"
    mode: Literal["a", "b"] = "a"
    most: dt.timedelta | None = None


def make(check_id: str, options: type[Options] | None = None) -> Check:
    more: dict[str, Any] = {"options": options} if options else {}

    @check(check_id, Scope.UNIT, Severity.MAJOR, **more).needs()
    def judge(_: Context) -> Iterable[Verdict]:
        yield passed(f"{check_id}.fine")

    return judge


ONE, TWO, THREE = make("host.one"), make("host.two"), make("backup.one")
SMALL = catalogue_of([ONE, TWO, THREE])

# What entry points of these tests load to.
known = (builtin()["host.clock"],)
unworded = (make("host.without-words"),)
a_list = list(known)
not_checks = ("host.clock",)


def test_lookups() -> None:
    assert SMALL.ids() == ("host.one", "host.two", "backup.one")
    assert SMALL["host.two"] is TWO
    assert SMALL.get("host.three") is None
    with pytest.raises(KeyError, match=r"host\.three"):
        SMALL["host.three"]


def test_patterns() -> None:
    assert SMALL.matching([]) == (ONE, TWO, THREE)
    assert SMALL.matching(["host.*"]) == (ONE, TWO)
    assert SMALL.matching(["*.one", "host.one"]) == (ONE, THREE)
    with pytest.raises(ValueError, match=r"'hots\.\*'.*checks list"):
        SMALL.matching(["host.*", "hots.*"])
    with pytest.raises(ValueError, match="HOST"):
        SMALL.matching(["HOST.*"])


def test_an_id_is_used_once() -> None:
    with pytest.raises(ValueError, match=r"two checks are called 'host\.one'"):
        catalogue_of([ONE, TWO, make("host.one")])


def test_every_topic_module_is_listed() -> None:
    """A module anywhere under `checks` that ends in CHECKS is in the catalogue, whole."""
    listed = set(builtin().ids())
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(checks.__path__, "checks."):
        for c in getattr(importlib.import_module(module.name), "CHECKS", ()):
            found[c.id] = module.name
    assert {i: where for i, where in found.items() if i not in listed} == {}
    assert listed == set(found)


def test_the_first_checks_are_there() -> None:
    wanted = {
        *("host.clock", "backup.declared", "backup.recent", "backup.periodic"),
        *("backup.size-plausible", "security.level-recorded", "security.level-approved"),
        *("security.level-reviewed", "documents.routed", "documents.bypass"),
        "documents.evidence-complete",
    }
    assert wanted - set(builtin().ids()) == set()


def test_every_id_is_family_dot_subject_expectation() -> None:
    for c in builtin().checks:
        family, _, rest = c.id.partition(".")
        assert family in ("host", "security", "backup", "documents")
        assert rest
        assert rest == rest.lower()
        assert "." not in rest


# ---------------------------------------------------------------------------------- from outside


def entry(value: str, name: str = "acme") -> EntryPoint:
    return EntryPoint(name=name, value=value, group="sauro.checks")


def loaded(*entries: EntryPoint) -> Catalogue:
    return full(entries)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("no_such_module_anywhere:CHECKS", "does not load: ModuleNotFoundError"),
        (f"{__name__}:no_such_name", "does not load: AttributeError"),
        (f"{__name__}:a_list", "is not a tuple of checks"),
        (f"{__name__}:not_checks", "is not a tuple of checks"),
        (f"{__name__}:known", r"two checks are called 'host\.clock'"),
        (f"{__name__}:unworded", r"host\.without-words has no words"),
    ],
)
def test_a_broken_entry_is_an_error_that_names_it(value: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"entry point 'acme': .*{complaint}") as e:
        loaded(entry(value))
    assert "\n" not in str(e.value)


def test_a_check_from_outside_joins(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acme_checks"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from checks.model import Scope, Severity, check, passed\n"
        "@check('acme.fine', Scope.UNIT, Severity.INFO).needs()\n"
        "def fine(ctx):\n"
        "    yield passed('acme.fine.good')\n"
        "CHECKS = (fine,)\n"
    )
    both = "{vi: x, en: y}"
    (package / "texts.yaml").write_text(
        f"acme.fine: {{title: {both}, rationale: {both}, remedy: {both}, product: {both}, "
        f"messages: {{good: {both}}}}}\n"
    )
    info = tmp_path / "acme_checks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[sauro.checks]\nacme = acme_checks:CHECKS\n[sauro.texts]\nacme = acme_checks\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from checks import texts  # noqa: PLC0415

    caches = (texts._outside, texts._words)
    for cache in caches:
        cache.cache_clear()
    try:
        found = full()
        assert found.ids() == (*builtin().ids(), "acme.fine")
        assert words("acme.fine")["title"] == {"vi": "x", "en": "y"}
    finally:
        for cache in caches:
            cache.cache_clear()


def test_nothing_is_installed_beside_the_product() -> None:
    assert full(()) == builtin()


# --------------------------------------------------------------------------------------- options


def test_without_a_policy_the_house_defaults_hold() -> None:
    limited = make("host.limited", Limits)
    assert options_for(limited, {}) == Limits()
    assert options_for(limited, {"host.other": {"x": 1}}) == Limits()


def test_the_settings_override() -> None:
    limited = make("host.limited", Limits)
    given = {"age": "36h", "share": 1, "count": 5, "name": "y", "mode": "b", "most": "2w"}
    assert options_for(limited, {"host.limited": given}) == Limits(
        age=dt.timedelta(hours=36),
        share=1.0,
        count=5,
        name="y",
        mode="b",
        most=dt.timedelta(weeks=2),
    )
    assert options_for(limited, {"host.limited": {"most": None}}) == Limits()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"agee": "1d"}, r"host\.limited: no option is called 'agee' \(known: age, share, "),
        ({"age": "soon"}, r"host\.limited\.age: expected a number and a unit"),
        ({"age": 3}, r"host\.limited\.age: "),
        ({"share": "0.5"}, r"host\.limited\.share: Expected `float`, got `str`"),
        ({"count": 1.5}, r"host\.limited\.count: Expected `int`, got `float`"),
        ({"count": True}, r"host\.limited\.count: Expected `int`, got `bool`"),
        ({"name": 5}, r"host\.limited\.name: Expected `str`, got `int`"),
        ({"mode": "c"}, r"host\.limited\.mode: Invalid enum value 'c'"),
        ([], r"host\.limited: must be a mapping"),
        ("x", r"host\.limited: must be a mapping"),
        (7, r"host\.limited: must be a mapping"),
    ],
)
def test_a_wrong_option_is_one_clear_line(given: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^policy: {complaint}") as e:
        options_for(make("host.limited", Limits), {"host.limited": given})
    assert "\n" not in str(e.value)


def test_a_check_without_options_has_none() -> None:
    with pytest.raises(ValueError, match=r"no option is called 'x' \(known: none\)"):
        options_for(ONE, {"host.one": {"x": 1}})


def test_the_whole_policy_is_looked_at() -> None:
    assert set(SMALL.options({})) == {"host.one", "host.two", "backup.one"}
    with pytest.raises(ValueError, match=r"no check is called 'host\.oen'"):
        SMALL.options({"host.oen": {}})
    with pytest.raises(ValueError, match=r"host\.two: no option"):
        SMALL.options({"host.two": {"x": 1}})


def test_a_rule_between_options_is_said_too() -> None:
    with pytest.raises(ValueError, match=r"^policy: host\.clock: must be 0 < minor_seconds"):
        options_for(builtin()["host.clock"], {"host.clock": {"minor_seconds": 1000}})
