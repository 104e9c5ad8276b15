"""The whole record: every key that it may hold, old records, and the schema for editors."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from checks.evidence import Unparsable
from checks.security.level_record import Done, LevelRecord, parse_record, record_schema
from scanner.cli.main import main

WHOLE = """\
system: hk-one-stop
level: 2
type: internal
owner: ha-noi
operator: "00070"
security_unit: ca-ha-noi
criteria:
  personal_data: true
  private_data: true
  subjects: 12000
  sensitive_data: false
  state_secret: true
  harm: harm
  procedures: false
  conditional_business: false
  serves: one_agency
  round_the_clock: false
  international: false
  works_grade: IV
  national_data: false
proposal:   {document: 12/TTr-UBND, date: 2026-02-01, level: 3}
regulation: {document: 5/QĐ-UBND, date: 2026-01-10}
appraisal:  {by: ca-ha-noi, document: 31/BC-CAHN, date: 2026-02-20}
approval:   {by: ca-ha-noi, document: 88/QĐ-CAHN, date: 2026-03-01}
approval_expected: 2026-03-10
legal_basis: 2016
dossier:
  - {part: overview, file: dossier/overview.pdf, sha256: "00ff"}
plan:
  status: partly
  expected: 2026-12-31
  document: 89/QĐ-CAHN
  measures:
    - id: mfa
      name: Xác thực đa yếu tố
      done: {attested_by: Tổ CNTT, date: 2026-05-01, valid_for: 365d, explanation: Đã bật,
             document: 3/BC-CNTT}
    - {id: backup, done: {attested_by: Tổ CNTT, date: 2026-05-01, until: 2026-12-31}}
inspections:
  - {date: 2026-06-01, kind: periodic, by: "00070", document: 40/BC-CAHN}
changes:
  - {date: 2026-07-01, kind: connection, note: Nối với kho dữ liệu, document: 9/TB-UBND}
"""


def keys(kind: type[msgspec.Struct], found: object) -> set[str]:
    """Names of fields that are empty in a value that should fill them all."""
    return {f for f in kind.__struct_fields__ if not getattr(found, f) and f != "level"}


def test_every_key_is_read() -> None:
    record = parse_record(WHOLE.encode(), "r.yaml")
    assert keys(LevelRecord, record) == set()
    assert record.criteria is not None
    false = {k for k in record.criteria.__struct_fields__ if getattr(record.criteria, k) is False}
    assert keys(type(record.criteria), record.criteria) == false
    assert (record.proposed_level, record.level, record.approved_level) == (3, 2, 2)
    assert record.plan is not None
    assert record.plan.measures[0].done == Done(
        attested_by="Tổ CNTT",
        date=dt.date(2026, 5, 1),
        valid_for=dt.timedelta(days=365),
        explanation="Đã bật",
        document="3/BC-CNTT",
    )
    assert msgspec.json.decode(msgspec.json.encode(record), type=LevelRecord) == record


def test_without_a_decision_no_level_is_approved() -> None:
    assert parse_record(b"level: 2\n", "r.yaml").approved_level is None
    assert parse_record(b"level: 2\n", "r.yaml").proposed_level == 2


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = record_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def as_json(text: str) -> Any:
    # Editors check the text of a date, not a date.
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_the_schema_says_what_the_parser_says(validator: Draft202012Validator) -> None:
    whole = as_json(WHOLE)
    validator.validate(whole)
    wrong: list[dict[str, Any]] = [
        {"levell": 2},
        {"type": "ward"},
        {"legal_basis": 2020},
        {"plan": {"status": "soon"}},
        {"plan": {"measures": [{"name": "x"}]}},
        {"plan": {"measures": [{"id": "x", "done": {"attested_by": "a", "date": 5}}]}},
        {"changes": [{"date": "2026-01-01"}]},
        {"changes": [{"date": "2026-01-01", "kind": "mood"}]},
        {"criteria": {"serves": "everybody"}},
        {"criteria": {"personal_data": "yes"}},
    ]
    for change in wrong:
        assert not validator.is_valid(whole | change), change
        with pytest.raises(Unparsable):
            parse_record(json.dumps(change).encode(), "r.yaml")


def test_every_key_of_the_schema_is_described() -> None:
    blocks = [d for d in record_schema()["$defs"].values() if "properties" in d]
    assert len(blocks) == 9
    bare = [
        f"{block['title']}.{key}"
        for block in blocks
        for key, value in block["properties"].items()
        if not value.get("description")
    ]
    assert bare == []


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "schema", "--record"]) == 0
    assert json.loads(capsys.readouterr().out) == as_json(json.dumps(record_schema()))
