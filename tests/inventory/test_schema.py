"""The JSON Schema says what the loader says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from inventory.schema import BACKUP_KINDS, json_schema
from inventory.starter import starter_files


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def documents() -> list[dict[str, Any]]:
    texts = [t for name, t in starter_files().items() if name.startswith("inventory/")]
    found = [d for text in texts for d in yaml.load_all(text, Loader=yaml.BaseLoader)]
    return [_typed(d) for d in found]


def _typed(node: Any) -> Any:
    """What a JSON-minded editor sees: numbers and truth values, dates as text."""
    if isinstance(node, dict):
        return {k: v if k in ("unit", "owner", "operator") else _typed(v) for k, v in node.items()}
    if isinstance(node, list):
        return [v if str(v).startswith("0") else _typed(v) for v in node]
    return {"true": True, "false": False}.get(node, int(node) if str(node).isdigit() else node)


def test_the_starter_fits(validator: Draft202012Validator) -> None:
    found = documents()
    assert [d["unit"] for d in found] == ["ha-noi", "ca-ha-noi", "00070"]
    for document in found:
        validator.validate(document)


@pytest.mark.parametrize(
    "change",
    [
        {"zoen": "core"},
        {"kind": "phuong"},
        {"unit": "../x"},
        {"unit": 70},
        {"ssh": {"port": 0}},
        {"ssh": {"prot": 22}},
        {"servers": {"../x": {"address": "h"}}},
        {"servers": {"s": {"transport": "telnet"}}},
        {"buckets": {"b": {"bucket": "b", "secret_key": "hunter2"}}},
        {"systems": {"y": {"name": "Y"}}},
        {"systems": {"y": {"name": "Y", "owner": "u", "level": 6}}},
        {"systems": {"y": {"name": "Y", "owner": "u", "backups": {"b": {"kind": "restik"}}}}},
        {
            "systems": {
                "y": {"name": "Y", "owner": "u", "backups": {"b": {"kind": "s3", "keep": "P1D"}}}
            }
        },
        {"waivers": [{"check": "a.b"}]},
    ],
)
def test_what_the_loader_refuses_does_not_fit(
    validator: Draft202012Validator, change: dict[str, Any]
) -> None:
    good = {"unit": "u", "name": "U", "kind": "ward"}
    validator.validate(good)
    assert not validator.is_valid(good | change)


def test_durations_are_ours(validator: Draft202012Validator) -> None:
    backup = {"kind": "s3", "keep": "30d", "grace": None}
    system = {"name": "Y", "owner": "u", "backups": {"b": backup}}
    validator.validate({"unit": "u", "name": "U", "kind": "ward", "systems": {"y": system}})


def test_every_key_is_described() -> None:
    blocks = [d for d in json_schema()["$defs"].values() if "properties" in d]
    assert len(blocks) == 23
    bare = [
        f"{block['title']}.{key}"
        for block in blocks
        for key, value in block["properties"].items()
        if not value.get("description")
    ]
    assert bare == []
    assert all(block["additionalProperties"] is False for block in blocks)


def test_the_known_kinds_are_listed() -> None:
    kind = json_schema()["$defs"]["BackupDoc"]["properties"]["kind"]
    assert kind["enum"] == list(BACKUP_KINDS)
