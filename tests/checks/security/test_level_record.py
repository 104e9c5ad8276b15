"""Reading a level record: what it may hold, and where the complaint of a wrong one points."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FILES, Answers, Evidence, Need, NotDeclared, Source, Unparsable
from checks.files import FileEntry, pack
from checks.model import Context, Scope, Subject
from checks.security.record import (
    RECORD,
    RECORD_IF_DECLARED,
    Decision,
    Inspection,
    LevelRecord,
    Plan,
    parse_record,
    well_formed,
)
from inventory.model import Inventory, System, Unit, UnitKind

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)

CONTRACT = """\
system: hk-one-stop
level: 2
type: internal
criteria: {personal_data: true, subjects: 12000, sensitive_data: false, state_secret: false, \
serves: one_agency}
proposal:   {document: 12/TTr-UBND, date: 2026-02-01}
regulation: {document: 5/QĐ-UBND, date: 2026-01-10}
appraisal:  {by: ca-ha-noi, document: 31/BC-CAHN, date: 2026-02-20}
approval:   {by: ca-ha-noi, document: 88/QĐ-CAHN, date: 2026-03-01}
dossier:
  - {part: overview, file: dossier/overview.pdf, sha256: abcd}
plan: {status: partly, expected: 2026-12-31}
inspections:
  - {date: 2026-06-01, kind: periodic, by: "00070", document: 40/BC-CAHN}
"""


def subject(assessment: str) -> Subject:
    unit = Unit(id="u", name="U", kind=UnitKind.WARD)
    system = System(id="sys", unit="u", name="S", owner="u", assessment=assessment)
    return Subject(
        scope=Scope.SYSTEM,
        inventory=Inventory(units={"u": unit}, systems={"sys": system}),
        unit=unit,
        target="sys",
        system=system,
    )


def context(assessment: str = "records/sys.yaml") -> Context:
    return Context(now=NOW, zone=ZoneInfo("UTC"), legal_basis=2026, subject=subject(assessment))


def read(*files: bytes) -> Answers:
    entries = [FileEntry(name=f"records/{i}.yaml", mtime=NOW, data=f) for i, f in enumerate(files)]
    return Answers(
        [Evidence(probe="security.record", target=FILES, key="k", taken=NOW, stdout=pack(entries))]
    )


def test_the_record_of_the_contract() -> None:
    found = parse_record(CONTRACT.encode(), "r.yaml")
    assert (found.system, found.level, found.type) == ("hk-one-stop", 2, "internal")
    assert found.approval == Decision(
        by="ca-ha-noi", document="88/QĐ-CAHN", date=dt.date(2026, 3, 1)
    )
    assert found.plan == Plan(status="partly", expected=dt.date(2026, 12, 31))
    assert found.inspections == (
        Inspection(date=dt.date(2026, 6, 1), by="00070", document="40/BC-CAHN"),
    )
    assert found.criteria is not None
    assert found.criteria.subjects == 12000
    # A stored record reads back as it was.
    assert msgspec.json.decode(msgspec.json.encode(found), type=LevelRecord) == found


def test_what_is_left_out_is_empty_not_invented() -> None:
    found = parse_record(b"system: a\nlevel: 3\n", "r.yaml")
    assert found == LevelRecord(system="a", level=3)
    assert (found.approval, found.proposal, found.criteria, found.plan) == (None,) * 4
    assert parse_record(b"system: a\napproval: {}\n", "r.yaml").approval == Decision()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "r.yaml"),
        ("- a\n", "r.yaml:1"),
        ("system: a\nlevel: two\n", "r.yaml:2: level"),
        ("system: a\nlevel: 2\nlevel: 3\n", "r.yaml:3: "),
        ("system: a\nlevell: 2\n", "r.yaml:2: levell"),
        ("system: a\napproval: {date: 2026-02-30}\n", "r.yaml:2: approval.date"),
        ("system: a\nplan: {status: soon}\n", "r.yaml:2: plan.status"),
        ("system: a\ninspections:\n  - {kind: periodic}\n", "r.yaml:3: inspections[0]"),
        ("a: &x [1]\nb: [*x, *x]\n", "r.yaml:"),
        ("system: [", "r.yaml"),
        ("system: a\n---\nsystem: b\n", "r.yaml"),
    ],
)
def test_a_wrong_record_is_unparsable_at_its_place(text: str, place: str) -> None:
    with pytest.raises(Unparsable) as e:
        parse_record(text.encode(), "r.yaml")
    assert place in str(e.value)
    assert "\n" not in str(e.value)


def test_many_faults_are_named_three_and_counted() -> None:
    text = "system: a\n" + "".join(f"x{i}: 1\n" for i in range(8))
    with pytest.raises(Unparsable, match=r"r\.yaml:2: x0.*r\.yaml:4: x2.*\(\+5\)$"):
        parse_record(text.encode(), "r.yaml")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_complain(data: bytes) -> None:
    try:
        parse_record(data, "r.yaml")
    except Unparsable:
        return


@pytest.mark.parametrize(
    "number",
    [
        "88/QĐ-CAHN",
        "12/TTr-UBND",
        "5/QĐ-UBND",
        "05/QĐ-UBND",
        "123/UBND-VHXH",
        "52/2025/NQ-HĐND",
        "4434/TTr-SKHCN",
        "12/2026/TT-BCA",
        " 12/TB-UBND ",
        "7/Q\u0110-A&B.C",
        "07/QĐ-UBND",
    ],
)
def test_well_formed(number: str) -> None:
    assert well_formed(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "88",
        "QĐ-UBND",
        "QĐ-UBND/88",
        "57-NQ/TW",
        "88/",
        "/QĐ-UBND",
        "88/QĐ - UBND",
        "88/QĐ-",
        "88/QĐ--UBND",
        "88\\QĐ-UBND",
        "mới trình",
        "88/qđ-ubnd",
        "88/QĐ-UBND\nx",
        "88/QĐ-UBND<script>",
        "٨٨/QĐ-UBND",
        "123456789012/QĐ-UBND",
    ],
)
def test_not_well_formed(number: str) -> None:
    assert not well_formed(number)


def test_a_system_without_a_record() -> None:
    with pytest.raises(NotDeclared, match=r"systems\.sys\.assessment"):
        RECORD.requests(subject(""))
    assert RECORD_IF_DECLARED.requests(subject("")) == []
    assert RECORD_IF_DECLARED.parse(context(""), Answers([])) is None


def test_a_declared_record_is_required() -> None:
    for fact in (RECORD, RECORD_IF_DECLARED):
        (request,) = fact.requests(subject("records/sys.yaml"))
        assert (request.target, request.source) == (FILES, Source.FILES)
        assert request.params == {"path": "records/sys.yaml"}
        assert request.need is Need.REQUIRED


def test_exactly_one_file_is_read() -> None:
    text = CONTRACT.encode()
    for fact in (RECORD, RECORD_IF_DECLARED):
        found = fact.parse(context(), read(text))
        assert found == parse_record(text, "x")
        for files in ((), (text, text)):
            with pytest.raises(Unparsable, match=f"{len(files)} files match"):
                fact.parse(context(), read(*files))
        # A declared record that did not arrive is never "none recorded".
        with pytest.raises(Unparsable):
            fact.parse(context(), Answers([]))
