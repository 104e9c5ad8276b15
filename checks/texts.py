"""The words of checks, in Vietnamese and English: data beside the checks, rendered here.

Each family folder has a `texts.yaml`:

    backup.recent:
      title:     {vi: …, en: …}
      rationale: {vi: …, en: …}
      remedy:    {vi: …, en: …}      # the task of a finding: what exactly must be done
      product:   {vi: …, en: …}      # what proves that it is done
      messages:
        stale:   {vi: "… {age:duration} …", en: "… {age:duration} …"}

A message id is `<check id>.<name>`. Values take a form after the colon: `duration` (seconds),
`time` (RFC 3339), `date` (ISO), `bytes`, `percent` (0..1), `number`, `failure` (a kind), `label`
(words of the family's `labels.yaml`, as `family/id`, several split by commas); without one, text
from hosts is stripped of control characters and cut.
"""

from __future__ import annotations

import datetime as dt
import string
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata, resources
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from checks.model import Message

LANGUAGES = ("vi", "en")
GROUP = "sauro.texts"
"""Entry points from outside: the name is a family, the value a package with a `texts.yaml`."""
FAMILIES = ("host", "security", "backup", "documents")
_FOLDERS = {"host": "checks.probes", **{f: f"checks.{f}" for f in FAMILIES if f != "host"}}
LABELLED = ("security",)
"""Families that have a `labels.yaml`."""
_LONGEST = 300


@cache
def _outside() -> metadata.EntryPoints:
    return metadata.entry_points(group=GROUP)


@cache
def _words(family: str) -> dict[str, Any]:
    packages = [_FOLDERS[family]] if family in _FOLDERS else []
    packages += sorted(e.value for e in _outside() if e.name == family)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    words: dict[str, Any] = {}
    for package in packages:
        text = resources.files(package).joinpath("texts.yaml").read_text(encoding="utf-8")
        more = yaml.load(text, Loader=loader)  # noqa: S506 - the safe loader in C
        words = {**more, **words}  # What ships with the product cannot be reworded from outside.
    return words


@cache
def _labels(family: str) -> dict[str, Any]:
    file = resources.files(_FOLDERS[family]).joinpath("labels.yaml")
    words: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return words


def label(value: str, language: str) -> str:
    """Words for things that sentences name: `security/part-design,security/part-plan`.

    What is no label is the user's own word and shown as text; empty gives nothing.
    """
    return ", ".join(_one_label(each, language) for each in value.split(",")) if value else ""


def _one_label(value: str, language: str) -> str:
    family, _, name = value.partition("/")
    known = _labels(family) if family in LABELLED else {}
    return str(known[name][language]) if name in known else clean(value)


@cache
def _engine_words() -> dict[str, Any]:
    text = resources.files("checks").joinpath("texts.yaml").read_text(encoding="utf-8")
    words: dict[str, Any] = yaml.safe_load(text)
    return words


def words(check_id: str) -> Mapping[str, Any]:
    """Every word of a check: title, rationale, remedy, product, messages, each by language."""
    found: Mapping[str, Any] = _words(check_id.split(".", 1)[0])[check_id]
    return found


def say(check_id: str, part: str, language: str) -> str:
    """One of a check's texts: `title`, `rationale`, `remedy` or `product`."""
    text: str = words(check_id)[part][language]
    return text


def mend(kind: str, language: str) -> str:
    """What would mend a failure of this kind."""
    text: str = _engine_words()["mend"][kind][language]
    return text


def kind_of_failure(kind: str, language: str) -> str:
    """A failure kind in words, without its detail."""
    text: str = _engine_words()["kinds"][kind][language]
    return text


def render(message: Message, language: str, zone: ZoneInfo) -> str:
    """The sentence of a message; an unknown id or value is a fault of ours and raises KeyError."""
    owner, name = message.id.rsplit(".", 1)
    if owner == "engine":
        template = _engine_words()["messages"][name][language]
    else:
        template = words(owner)["messages"][name][language]
    return _Formatter(language, zone).vformat(template, (), message.args)


def clean(text: str, longest: int = _LONGEST) -> str:
    """Text from outside made harmless to show: no control, format or bidi characters, cut."""
    if text.isprintable():
        kept = text
    else:
        kept = "".join(
            " " if ch in "\t\n\r" else ch for ch in text if ch in "\t\n\r" or _printable(ch)
        )
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def _printable(ch: str) -> bool:
    return unicodedata.category(ch) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


class _Formatter(string.Formatter):
    def __init__(self, language: str, zone: ZoneInfo) -> None:
        super().__init__()
        self._language = language
        self._zone = zone

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - as the base
        language, zone = self._language, self._zone
        forms: dict[str, Callable[[], str]] = {
            "duration": lambda: duration(float(value), language),
            "time": lambda: moment(dt.datetime.fromisoformat(str(value)), language, zone),
            "date": lambda: day(dt.date.fromisoformat(str(value)), language),
            "bytes": lambda: size(float(value), language),
            "percent": lambda: percent(float(value)),
            "number": lambda: number(value, language),
            "failure": lambda: kind_of_failure(str(value), language),
            "label": lambda: label(str(value), language),
            "": lambda: clean(str(value)),
        }
        return forms[format_spec]()

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:  # noqa: ANN401, ARG002
        # Only plain names: a template never reaches into attributes or items.
        return kwargs[field_name], field_name


def number(value: float, language: str) -> str:
    """1.234,5 in Vietnamese, 1,234.5 in English."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def percent(share: float) -> str:
    """Whole percent; 100 and 0 only when exact."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        whole = 99
    if whole == 0 and share > 0:
        whole = 1
    return f"{whole}%"


_UNITS = ((86400, ("ngày", "day")), (3600, ("giờ", "hour")), (60, ("phút", "minute")))


def duration(seconds: float, language: str) -> str:
    """The two largest parts at most: `9 ngày`, `1 day 4 hours`; days are kept up to any number."""
    left = abs(round(seconds))
    parts = []
    for length, (vi, en) in _UNITS:
        count, left = divmod(left, length)
        if count:
            plural = "" if count == 1 else "s"
            parts.append(f"{count} {vi}" if language == "vi" else f"{count} {en}{plural}")
        elif parts:
            break
        if len(parts) == 2 or (length == 86400 and count >= 3):
            break
    if not parts:
        parts = [f"{left} giây" if language == "vi" else f"{left} s"]
    return ("−" if round(seconds) < 0 else "") + " ".join(parts)


def day(value: dt.date, language: str) -> str:
    """dd/MM/yyyy in Vietnamese, `23 Nov 2026` in English."""
    if language == "vi":
        return f"{value:%d/%m/%Y}"
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{value.day} {months[value.month - 1]} {value.year}"


def moment(value: dt.datetime, language: str, zone: ZoneInfo) -> str:
    """Time and day in the report's zone: `02:14 23/11/2026`."""
    local = value.astimezone(zone)
    return f"{local:%H:%M} {day(local.date(), language)}"


def size(count: float, language: str) -> str:
    """Decimal units, three digits: `1,5 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            text = f"{count:.0f}" if unit == "B" or count >= 100 else f"{count:.1f}"
            return f"{text.replace('.', ',') if language == 'vi' else text} {unit}"
        count /= 1000
    raise AssertionError
