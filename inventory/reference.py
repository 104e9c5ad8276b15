"""The reference of the inventory's keys, generated from the schema into `docs/inventory.md`."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from typing import Any

from msgspec import NODEFAULT, UNSET
from msgspec import inspect as mi

from inventory.durations import format_duration
from inventory.fields import ID_PATTERN
from inventory.schema import UnitDoc


def reference_markdown() -> str:
    """The whole page: the head written by hand, then a table of keys for each block."""
    head = resources.files("inventory").joinpath("reference_head.md").read_text(encoding="utf-8")
    root = mi.type_info(UnitDoc)
    assert isinstance(root, mi.StructType)  # noqa: S101 - for the type checker
    blocks: dict[type, tuple[str, mi.StructType]] = {}
    _gather(root, "", blocks)
    return head.rstrip() + "\n\n" + "\n".join(_block(path, info) for path, info in blocks.values())


def _gather(info: mi.StructType, path: str, into: dict[type, tuple[str, mi.StructType]]) -> None:
    """Every block once, under the path where it stands first."""
    if info.cls in into:
        return
    into[info.cls] = (path, info)
    for field in info.fields:
        below, suffix = _inner(field.type)
        if below is not None:
            _gather(below, f"{path}.{field.encode_name}{suffix}".removeprefix("."), into)


def _inner(info: mi.Type) -> tuple[mi.StructType | None, str]:
    """The block inside a type, and how a path goes through to it."""
    info = _bare(info)
    if isinstance(info, mi.StructType):
        return info, ""
    if isinstance(info, mi.DictType):
        below, suffix = _inner(info.value_type)
        return below, ".ID" + suffix
    if isinstance(info, mi.VarTupleType):
        below, suffix = _inner(info.item_type)
        return below, "[]" + suffix
    if isinstance(info, mi.UnionType):
        return next((_inner(t) for t in info.types if _inner(t)[0]), (None, ""))
    return None, ""


def _bare(info: mi.Type) -> mi.Type:
    while isinstance(info, mi.Metadata):
        info = info.type
    return info


def _block(path: str, info: mi.StructType) -> str:
    title = f"## `{path}`" if path else "## The document"
    rows = [
        f"| `{f.encode_name}` | {_type(f.type)} | {_default(f)} | {_meaning(f.type)} |"
        for f in info.fields
    ]
    head = ["| key | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([title, "", str(info.cls.__doc__), "", *head, *rows, ""])


def _meaning(info: mi.Type) -> str:
    words: dict[str, Any] = (info.extra_json_schema or {}) if isinstance(info, mi.Metadata) else {}
    return str(words.get("description", "")).replace("|", "\\|")


def _default(field: mi.Field) -> str:
    if field.required:
        return "required"
    value: object = field.default
    if value is NODEFAULT or value is UNSET or value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dt.timedelta):
        return f"`{format_duration(value)}`"
    return "" if isinstance(_bare(field.type), mi.StructType) else f"`{value}`"


def _type(info: mi.Type) -> str:  # noqa: PLR0911 - one line per type
    info = _bare(info)
    if isinstance(info, mi.UnionType):
        return " or ".join(_type(t) for t in info.types if not isinstance(t, mi.NoneType))
    if isinstance(info, mi.StructType):
        return "block"
    if isinstance(info, mi.DictType):
        return f"map of {_type(info.key_type)} to {_type(info.value_type)}"
    if isinstance(info, mi.VarTupleType):
        return f"list of {_type(info.item_type)}"
    if isinstance(info, mi.LiteralType):
        return ", ".join(f"`{v}`" for v in info.values)
    if isinstance(info, mi.EnumType):
        return ", ".join(f"`{v.value}`" for v in info.cls)
    if isinstance(info, mi.IntType) and info.ge is not None:
        return (
            f"whole number, {info.ge} to {info.le}" if info.le else f"whole number from {info.ge}"
        )
    if isinstance(info, mi.StrType) and info.pattern == ID_PATTERN:
        return "id"
    names = {
        mi.StrType: "text",
        mi.IntType: "whole number",
        mi.BoolType: "`true` or `false`",
        mi.DateType: "date",
        mi.TimeDeltaType: "duration",
    }
    return names[type(info)]


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference_markdown())
