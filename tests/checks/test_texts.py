"""The words: complete in both languages, formats exact, text from outside harmless."""

from __future__ import annotations

import ast
import datetime as dt
import re
import string
import unicodedata
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import checks
from checks import texts
from checks.catalogue import builtin
from checks.evidence import FailureKind
from checks.model import Message
from checks.texts import LANGUAGES, clean, day, duration, mend, moment, number, percent, size

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SAMPLES = {
    "duration": 93784,
    "time": "2026-11-21T19:14:00+00:00",
    "date": "2026-11-21",
    "bytes": 1_500_000_000,
    "percent": 0.5,
    "number": 1234,
    "failure": "auth",
    "label": "security/part-design,own word",
    "": "x",
}
FORMS = set(SAMPLES)
CHECKS = {c.id: c for c in builtin().checks}


def placeholders(template: str) -> dict[str, str]:
    """Form by name of a template's values."""
    return {
        name: form or ""
        for _, name, form, _ in string.Formatter().parse(template)
        if name is not None
    }


def every_message() -> Iterator[tuple[str, Mapping[str, str]]]:
    for check_id in CHECKS:
        for name, said in texts.words(check_id)["messages"].items():
            yield f"{check_id}.{name}", said
    for name, said in texts._engine_words()["messages"].items():
        yield f"engine.{name}", said


EVERY = dict(every_message())


@pytest.mark.parametrize("check_id", CHECKS)
def test_every_check_has_all_its_words_in_both_languages(check_id: str) -> None:
    words = texts.words(check_id)
    assert set(words) == {"title", "rationale", "remedy", "product", "messages"}
    for part in ("title", "rationale", "remedy", "product"):
        for language in LANGUAGES:
            said = texts.say(check_id, part, language)
            assert said.strip() == said
            assert said
    assert words["messages"]


@pytest.mark.parametrize("message_id", EVERY)
def test_every_message_renders_in_both_languages(message_id: str) -> None:
    said = EVERY[message_id]
    assert set(said) == set(LANGUAGES)
    wanted = {language: placeholders(said[language]) for language in LANGUAGES}
    # The two languages say the same values; the form of a value may differ in neither.
    assert wanted["vi"] == wanted["en"]
    assert set(wanted["vi"].values()) <= FORMS
    args: dict[str, Any] = {name: SAMPLES[form] for name, form in wanted["vi"].items()}
    for language in LANGUAGES:
        shown = texts.render(Message(id=message_id, args=args), language, ZONE)
        assert shown
        assert "{" not in shown
        assert "}" not in shown


@pytest.mark.parametrize("message_id", EVERY)
def test_a_missing_value_is_noticed(message_id: str) -> None:
    names = placeholders(EVERY[message_id]["vi"])
    if names:
        with pytest.raises(KeyError):
            texts.render(Message(id=message_id), "vi", ZONE)


def test_the_texts_speak_of_no_check_that_does_not_exist() -> None:
    for family in texts.FAMILIES:
        assert set(texts._words(family)) == {i for i in CHECKS if i.startswith(f"{family}.")}


def test_no_key_stands_twice_in_a_text_file() -> None:
    """YAML lets the last one win in silence; a translation would vanish."""

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
        keys = [loader.construct_object(k) for k, _ in node.value]
        assert len(keys) == len(set(keys)), f"{node.start_mark}"
        loader.flatten_mapping(node)
        return {
            loader.construct_object(k): loader.construct_object(v, deep=True) for k, v in node.value
        }

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    root = Path(str(resources.files(checks)))
    found = sorted(root.rglob("texts.yaml"))
    assert len(found) == 5
    for path in found:
        assert yaml.load(path.read_text(encoding="utf-8"), Loader=Strict)  # noqa: S506


_ID = re.compile(r"(?:host|security|backup|documents|engine)\.[a-z-]+\.[a-z][a-z_-]*")


def literals() -> Iterator[tuple[Path, str]]:
    root = Path(str(resources.files(checks)))
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value


def test_every_message_id_in_the_source_has_words() -> None:
    used = [(path.name, text) for path, text in literals() if _ID.fullmatch(text)]
    assert used
    assert [u for u in used if u[1] not in EVERY] == []


def test_no_message_is_a_leftover() -> None:
    """Every word of a message's name stands in some string of the code that could say it."""
    said = {word for _, text in literals() for word in re.split(r"[^a-z0-9]+", text)}
    ours = [m for m in EVERY if not m.startswith("engine.")]  # The scanner says those.
    assert [m for m in ours if not set(re.split("[_-]", m.rsplit(".", 1)[1])) <= said] == []


@given(st.sampled_from(sorted(EVERY)), st.text(max_size=50))
def test_no_value_from_a_host_breaks_out_of_a_sentence(message_id: str, text: str) -> None:
    names = placeholders(EVERY[message_id]["vi"])
    args: dict[str, Any] = {n: text if f in ("", "label") else SAMPLES[f] for n, f in names.items()}
    for language in LANGUAGES:
        shown = texts.render(Message(id=message_id, args=args), language, ZONE)
        assert not any(unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp") for ch in shown)


def test_a_template_reaches_into_nothing() -> None:
    formatter = texts._Formatter("en", ZONE)
    with pytest.raises(KeyError):
        formatter.vformat("{a.__class__}", (), {"a": "x"})
    with pytest.raises(KeyError):
        formatter.vformat("{a[0]}", (), {"a": "x"})
    # A value that looks like a template is only text.
    assert formatter.vformat("{a}", (), {"a": "{b}"}) == "{b}"


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_kind_says_what_mends_it(kind: FailureKind) -> None:
    for language in LANGUAGES:
        assert mend(kind, language)


def test_unknown_words_are_a_fault_of_ours() -> None:
    for wrong in ("host.clock.nothing", "host.nothing.fine", "engine.nothing", "nowhere.a.b"):
        with pytest.raises(KeyError):
            texts.render(Message(id=wrong), "vi", ZONE)


# ---------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (1234, "1.234", "1,234"),
        (-1234567, "-1.234.567", "-1,234,567"),
        (1234.56, "1.234,6", "1,234.6"),
        (0.5, "0,5", "0.5"),
    ],
)
def test_numbers(value: float, vi: str, en: str) -> None:
    assert (number(value, "vi"), number(value, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.0001, "1%"),
        (0.9999, "99%"),
        (0.995, "99%"),
        (125 / 126, "99%"),
        (1 / 126, "1%"),
        (0.5, "50%"),
        (0.804, "80%"),
    ],
)
def test_a_hundred_and_nought_percent_are_exact(share: float, shown: str) -> None:
    assert percent(share) == shown


@given(st.integers(1, 5000), st.data())
def test_percent_of_counts(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert (percent(part / whole) == "100%") == (part == whole)
    assert (percent(part / whole) == "0%") == (part == 0)


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (0, "0 giây", "0 s"),
        (0.4, "0 giây", "0 s"),
        (-0.4, "0 giây", "0 s"),
        (59.6, "1 phút", "1 minute"),
        (59, "59 giây", "59 s"),
        (61, "1 phút", "1 minute"),
        (120, "2 phút", "2 minutes"),
        (3600, "1 giờ", "1 hour"),
        (3660, "1 giờ 1 phút", "1 hour 1 minute"),
        (86400, "1 ngày", "1 day"),
        (86400 + 4 * 3600 + 59, "1 ngày 4 giờ", "1 day 4 hours"),
        (86400 + 60, "1 ngày", "1 day"),
        (9 * 86400 + 3600, "9 ngày", "9 days"),
        (400 * 86400, "400 ngày", "400 days"),
        (-7200, "−2 giờ", "−2 hours"),
    ],
)
def test_durations(seconds: float, vi: str, en: str) -> None:
    assert (duration(seconds, "vi"), duration(seconds, "en")) == (vi, en)


def test_days_and_moments() -> None:
    late = dt.datetime(2026, 11, 21, 19, 14, tzinfo=dt.UTC)
    assert day(dt.date(2026, 11, 3), "vi") == "03/11/2026"
    assert day(dt.date(2026, 11, 3), "en") == "3 Nov 2026"
    # The report's zone decides the day.
    assert moment(late, "vi", ZONE) == "02:14 22/11/2026"
    assert moment(late, "en", ZoneInfo("UTC")) == "19:14 21 Nov 2026"


@pytest.mark.parametrize(
    ("count", "vi", "en"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1000, "1,0 kB", "1.0 kB"),
        (1_500_000_000, "1,5 GB", "1.5 GB"),
        (123_456_789, "123 MB", "123 MB"),
        (5e15, "5000 TB", "5000 TB"),
    ],
)
def test_sizes(count: float, vi: str, en: str) -> None:
    assert (size(count, "vi"), size(count, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("Phường Hoàn Kiếm", "Phường Hoàn Kiếm"),
        ("a\tb\nc\rd", "a b c d"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07x", "]0;titlex"),
        ("abc\u202edcba", "abcdcba"),
        ("\u2066a\u2069", "a"),
        ("a\u200bb\u200db\ufeffc", "abbc"),
        ("a\u2028b\u2029c", "abc"),
        ("a\x00b\x7fc\x9bd", "abcd"),
        ("\ud800x", "x"),
        ("<b>&</b>", "<b>&</b>"),
    ],
)
def test_clean(dirty: str, shown: str) -> None:
    assert clean(dirty) == shown


def test_clean_cuts() -> None:
    assert clean("x" * 300) == "x" * 300
    assert clean("x" * 301) == "x" * 299 + "…"
    assert clean("x" * 301, 10) == "x" * 9 + "…"


@given(st.text(max_size=400), st.integers(1, 50))
def test_clean_text_is_harmless_short_and_stays_so(text: str, longest: int) -> None:
    once = clean(text, longest)
    assert len(once) <= longest
    assert not any(unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Zl", "Zp") for ch in once)
    assert clean(once, longest) == once


def test_every_kind_of_failure_has_a_name_and_a_mend() -> None:
    for kind in FailureKind:
        for language in LANGUAGES:
            assert texts.kind_of_failure(kind, language)
            assert texts.mend(kind, language)
