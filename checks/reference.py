"""The catalogue as text: one check for the command line, all of them for `docs/checks.md`.

`python -m checks.reference > docs/checks.md` writes the page anew; a test holds it to the code.
"""

from __future__ import annotations

import datetime as dt
import inspect
import sys
import types
from collections.abc import Mapping
from typing import Any, get_args, get_origin

import msgspec

from checks.catalogue import Catalogue, builtin
from checks.model import Check, NoOptions
from checks.texts import LANGUAGES, say
from inventory.durations import format_duration

_LABELS: dict[str, dict[str, str]] = {
    "scope": {"vi": "Đối tượng", "en": "Asked of"},
    "severity": {"vi": "Mức độ", "en": "Severity"},
    "needs": {"vi": "Bằng chứng cần có", "en": "Needs"},
    "controls": {"vi": "Căn cứ", "en": "Controls"},
    "rationale": {"vi": "Vì sao", "en": "Why"},
    "remedy": {"vi": "Cách khắc phục", "en": "Remedy"},
    "product": {"vi": "Sản phẩm chứng minh", "en": "What proves it done"},
    "options": {"vi": "Tùy chọn (mặc định)", "en": "Options (default)"},
    "about": {"vi": "Ý nghĩa tùy chọn", "en": "About the options"},
    "none": {"vi": "không có", "en": "none"},
}

_INTRO = """\
# Checks

Generated from the code by `python -m checks.reference > docs/checks.md`: do not edit by hand.

A result is `pass`, `fail`, `unknown`, `error` or `not_applicable`. Evidence that is missing makes
a result `unknown`, never `pass`. Options stand in `sauro.yaml`, by check:

```yaml
policy:
  host.clock: {minor_seconds: 30}
```

Lengths of time are written `90s 15m 3h 1d 2w`. The severity is the one of a failure in general; a
single failure may carry another, when it is slight or when the system's security level is high.
"""


def check_markdown(check: Check, language: str) -> str:
    """One check in one language, as a section of Markdown without a trailing newline."""
    lines = [f"## `{check.id}`", "", f"**{say(check.id, 'title', language)}**", ""]
    lines += [f"- {_label(key, language)}: {value}" for key, value in _facts(check, language)]
    for part in ("rationale", "remedy", "product"):
        lines += ["", f"{_label(part, language)}: {say(check.id, part, language)}"]
    return "\n".join(lines)


def checks_markdown(catalogue: Catalogue) -> str:
    """The page of the whole catalogue: a table of contents, then every check in two languages."""
    lines = [_INTRO, "| check | severity | tiêu đề | title |", "|---|---|---|---|"]
    for c in catalogue.checks:
        titles = " | ".join(_cell(say(c.id, "title", lang)) for lang in LANGUAGES)
        lines.append(f"| [`{c.id}`](#{_anchor(c.id)}) | {c.severity} | {titles} |")
    for c in catalogue.checks:
        lines += ["", _both(c)]
    return "\n".join(lines) + "\n"


def _both(check: Check) -> str:
    lines = [f"## `{check.id}`"]
    lines += ["", " · ".join(f"**{say(check.id, 'title', lang)}**" for lang in LANGUAGES), ""]
    lines += [f"- {_label(key, 'en')}: {value}" for key, value in _facts(check, "en")]
    for language in LANGUAGES:
        for part in ("rationale", "remedy", "product"):
            lines += ["", f"{_label(part, language)}: {say(check.id, part, language)}"]
    return "\n".join(lines)


def _facts(check: Check, language: str) -> list[tuple[str, str]]:
    none = _label("none", language)
    return [
        ("scope", check.scope.value),
        ("severity", check.severity.value),
        ("needs", ", ".join(f"`{fact.id}`" for fact in check.needs) or none),
        ("controls", ", ".join(check.controls) or none),
        ("options", "; ".join(_options(check)) or none),
        *([("about", about)] if (about := _about(check)) else []),
    ]


def _about(check: Check) -> str:
    """What the options mean, from their docstring; empty when there are none."""
    if check.options is NoOptions or not check.options.__struct_fields__:
        return ""
    return " ".join((inspect.getdoc(check.options) or "").split())


def _options(check: Check) -> list[str]:
    return [
        f"`{f.encode_name}`: {_kind(f.type)} ({_default(f)})"
        for f in msgspec.structs.fields(check.options)
    ]


_NAMES: dict[Any, str] = {
    int: "whole number",
    float: "number",
    str: "text",
    bool: "true or false",
    dt.timedelta: "length of time",
    dt.date: "date",
    type(None): "null",
}


def _kind(kind: Any) -> str:  # noqa: ANN401 - an annotation may be any object
    origin, args = get_origin(kind), get_args(kind)
    if kind in _NAMES:
        return _NAMES[kind]
    if isinstance(kind, types.UnionType) or str(origin) == "typing.Union":
        return " or ".join(_kind(a) for a in args)
    if origin is dict:
        return f"mapping of {_kind(args[0])} to {_kind(args[1])}"
    if origin in (tuple, list, frozenset, set):
        return f"list of {_kind(args[0])}"
    if args:
        return " or ".join(f"`{a}`" for a in args)
    return getattr(kind, "__name__", str(kind))


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if value is msgspec.NODEFAULT:
        made = field.default_factory
        value = made() if callable(made) else None
    if isinstance(value, dt.timedelta):
        return f"`{format_duration(value)}`"
    if value is None:
        return "by the rule set"
    if isinstance(value, Mapping) and not value:
        return "empty"
    return f"`{value}`"


def _label(key: str, language: str) -> str:
    return _LABELS[key][language]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(check_id: str) -> str:
    """The anchor that GitHub gives a heading: no dots."""
    return check_id.replace(".", "")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(checks_markdown(builtin()))
