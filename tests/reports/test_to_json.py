"""The public JSON: the fields of the contract, valid against its own schema, pinned by a file."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from checks.model import Status
from checks.results import Scan
from reports.build import build
from reports.formats import FORMATS
from reports.to_json import (
    encode,
    jsonl,
    report_json,
    report_schema,
    result_json,
    scan_json,
    scan_schema,
)
from tests.helpers.scans import NOW, VOICE, city, row, scan, waiver

GOLDEN = Path(__file__).with_name("scan.golden.json")


def small() -> Scan:
    return scan(
        [
            row("backup.recent", Status.FAIL, system="one-stop", subject="database",
                detail={"age": 777600, "newest": "2026-11-14T02:00:00Z"}, waiver=waiver()),
            row("host.clock", Status.UNKNOWN),
            row("documents.routed", Status.PASS, target="u1"),
        ]
    )  # fmt: skip


def test_a_scan_has_the_fields_of_the_contract() -> None:
    made = scan_json(small(), "vi", VOICE)
    assert set(made) == {"schema", "scan", "targets", "results"}
    assert made["schema"] == "sauro.scan/1"
    assert {"id", "started", "finished", "tool", "legal_basis", "complete", "selection",
            "planned", "judged"} <= set(made["scan"])  # fmt: skip
    assert made["scan"]["started"] == "2026-11-22T19:00:00Z"
    fields = {"check", "unit", "system", "target", "subject", "status", "severity", "summary",
              "detail", "failure", "evidence", "waiver", "fingerprint"}  # fmt: skip
    for made_row in made["results"]:
        assert fields <= set(made_row)
    assert made["results"][1]["failure"]["kind"] == "unreachable"
    assert made["results"][2]["failure"] is None


def test_the_golden_file() -> None:
    assert encode(scan_json(small(), "vi", VOICE)).decode() == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_both_documents_are_valid_against_their_schema(language: str) -> None:
    made, opened, back = city()
    jsonschema.validate(scan_json(made, language, VOICE), scan_schema())
    done = build(
        made, previous=city(1)[0], opened=opened, reopened=back, now=NOW, language="vi", voice=VOICE
    )
    plain = report_json(done)
    assert plain["schema"] == "sauro.report/1"
    jsonschema.validate(plain, report_schema())


def test_jsonl_is_one_line_per_row_and_one_for_the_scan() -> None:
    lines = [json.loads(text) for text in jsonl(small(), "en", VOICE)]
    assert [text.get("check") for text in lines] == [
        "backup.recent",
        "host.clock",
        "documents.routed",
        None,
    ]
    assert lines[-1]["schema"] == "sauro.scan/1"
    assert "results" not in lines[-1]
    first = result_json(small().results[0], "en", ZoneInfo("Asia/Ho_Chi_Minh"), VOICE)
    assert lines[0] == first


def test_line_breaks_of_hosts_do_not_break_lines() -> None:
    hostile = scan(
        [row("host.clock", Status.PASS, subject="a\nb\u2028c", detail={"x": float("nan")})]
    )
    assert [text.count("\n") for text in jsonl(hostile, "vi", VOICE)] == [0, 0]
    assert scan_json(hostile, "vi", VOICE)["results"][0]["detail"] == {"x": None}


def test_every_row_stands_in_every_format() -> None:
    made, opened, back = city()
    done = build(
        made, previous=None, opened=opened, reopened=back, now=NOW, language="vi", voice=VOICE
    )
    files = {name: body for write in FORMATS.values() for name, body in write(done, made).items()}
    assert set(files) == {"report.html", "report.json", "scan.json", "scan.jsonl"}
    assert len(json.loads(files["scan.json"])["results"]) == len(made.results)
    assert len(files["scan.jsonl"].splitlines()) == len(made.results) + 1
    units = json.loads(files["report.json"])["units"]
    assert sum(sum(u["rows"].values()) for u in units) == len(made.results)
