"""The page about the settings names every key with its default."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scanner.config import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def test_every_key_stands_on_the_page_with_its_default() -> None:
    settings = Settings()
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, msgspec.Struct):
            for inner, default in msgspec.structs.asdict(value).items():
                shown = f"{default:g}" if isinstance(default, float) else default
                assert f"| `{name}.{inner}` | `{shown}` |" in PAGE
        else:
            shown = "[]" if value == () else value
            assert f"| `{name}` | `{shown}` |" in PAGE
