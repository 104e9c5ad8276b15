"""The statistics that go upwards: right sums, nothing twice, and no export believed unchecked."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import EventKind, SourceKind
from checks.documents.flows import CELLS, OTHERS, flows_of
from checks.documents.kinds import kind_of, kinds
from checks.documents.numbers import TYPES
from checks.evidence import Failure, FailureKind
from checks.model import Message, Severity, Status
from checks.results import Result, ScanInfo
from inventory.model import Unit, UnitKind
from reports.statistics.build import Ask, statistics
from reports.statistics.model import Both, Statistics, json_schema
from reports.statistics.table import COLUMNS, read_csv, to_csv
from reports.statistics.verify import StatisticsError, believed, read_json
from tests.helpers.correspondence import CULTURE, HEALTH, NOW, PATIENT, subject
from tests.helpers.document_events import (
    arrived,
    delivered,
    known,
    mailed,
    registered,
    report,
    sent,
)
from tests.helpers.document_scans import rows, scan

WARD = Unit(id="00070", name="Phường Hoàn Kiếm", kind=UnitKind.WARD)
OTHER = Unit(id="00071", name="Phường Cửa Nam", kind=UnitKind.WARD)
LAST = dt.date(2026, 11, 20)
FIRST = LAST - dt.timedelta(days=29)
Rows = list[tuple[ScanInfo, Result]]


def ask(*units: Unit, **more: Any) -> Ask:
    given = {"first": FIRST, "last": LAST, "reporter": WARD, "units": units or (WARD,), **more}
    return Ask(**given)


def made(found: Rows, asked: Ask | None = None) -> Statistics:
    return believed(statistics(found, asked or ask(), NOW, "sauro 0"))


def row(
    flows: Any,
    *,
    check: str = "documents.routed",
    unit: str = "00070",
    days: tuple[dt.date, dt.date] = (FIRST, LAST),
    **detail: Any,
) -> Result:
    return Result(
        check=check,
        unit=unit,
        system=None,
        target=unit,
        subject="",
        status=Status.PASS,
        severity=Severity.MAJOR,
        message=Message(id=f"{check}.enough"),
        detail={
            "flows": flows,
            "period": [d.isoformat() for d in days],
            "coverage": 0.9,
            **detail,
        },
    )


def info(days_ago: int = 0, scan_id: str = "", *, simulated: bool = False) -> ScanInfo:
    head = scan([], subject(), NOW - dt.timedelta(days=days_ago), scan_id or f"s-{days_ago}").info
    return msgspec.structs.replace(head, simulated=simulated)


def judged(*events: Any, more: Any = ()) -> Rows:
    found = rows(known(*events, more=tuple(more)), subject())
    return [(info(), r) for r in found]


def total(found: Statistics, direction: str = "outgoing") -> dict[str, int]:
    counts = getattr(found.units[0].total, direction)
    return {"": counts.total, **counts.results}


def by(found: Statistics, name: str, direction: str = "outgoing") -> dict[tuple[str, str], int]:
    return {
        (s.partner, s.type): getattr(s, direction).total
        for s in found.units[0].subtotals
        if s.by == name
    }


# ----------------------------------------------------------------------- from evidence to counts


def test_what_the_checks_counted_is_what_goes_up() -> None:
    letters: dict[str, Any] = {"sign": "UBND-HK"}
    found = made(
        judged(
            *registered(100, "Sở Y tế", "Sở Văn hóa"),
            mailed(100),
            sent(100, CULTURE),
            *registered(7, **letters),
            sent(7, kind=EventKind.REFUSED, **letters),
        )
    )
    assert total(found) == {"": 33, "routed": 31, "bypass": 1, "refused": 1}
    assert by(found, "partner") == {(HEALTH, ""): 32, (CULTURE, ""): 1}
    assert by(found, "type") == {("", "QD"): 32, ("", "CV"): 1}
    assert by(found, "partner_type") == {(HEALTH, "QD"): 31, (HEALTH, "CV"): 1, (CULTURE, "QD"): 1}
    assert found.types["QD"].written == "QĐ"
    assert found.units[0].outgoing_seen.days == 30


@pytest.mark.parametrize("check", ["documents.incoming-registered", "documents.routed"])
@pytest.mark.parametrize(
    ("detail", "kind", "says"),
    [
        ({}, FailureKind.NOT_DECLARED, "not_declared"),
        ({"flows": {}}, FailureKind.TRUNCATED, "truncated"),
        # Several senders and none known to be this unit: the counts may be another's.
        ({"flows": {"2026-11-01": {"H26.5 QD routed": 9}}}, FailureKind.NOT_DECLARED,
         "not_declared"),
    ],
)  # fmt: skip
def test_what_was_not_seen_is_no_zero(
    check: str, detail: dict[str, Any], kind: FailureKind, says: str
) -> None:
    base = row({}, check=check)
    unseen = msgspec.structs.replace(
        base,
        status=Status.UNKNOWN,
        detail={**base.detail, "flows": None, **detail},
        failure=Failure(kind=kind, detail="x"),
    )
    found = made([(info(), unseen)])
    direction = "incoming" if check.endswith("incoming-registered") else "outgoing"
    assert getattr(found.units[0].total, direction) is None
    assert getattr(found.total, direction) is None
    assert getattr(found.units[0], f"{direction}_seen").missing == says


def test_documents_without_a_directory_or_a_list_of_deliveries_are_no_zero() -> None:
    events = known(*registered(100), arrived(5), more=(report(SourceKind.INCOMING),))
    bare = subject(agencies=())
    found = made([(info(), r) for r in rows(events, bare)])
    assert found.units[0].total == Both(incoming=None, outgoing=None)


def test_arrivals_are_counted_by_sender_and_kind() -> None:
    book = report(SourceKind.INCOMING, "incoming.csv", "incoming")
    came = report(SourceKind.GATEWAY, "received.csv", "received")
    found = made(
        judged(delivered(5), arrived(5), delivered(6, sign="BC-SYT"), arrived(9), more=(book, came))
    )
    counts = total(found, "incoming")
    assert counts[""] == 2
    assert counts["entered"] == 1
    assert by(found, "type", "incoming") == {("", "CV"): 1, ("", "BC"): 1, ("", "QD"): 0}


# -------------------------------------------------------------------------------- days and scans


def test_each_day_is_counted_by_the_newest_scan_that_judged_it() -> None:
    day, later = "2026-11-01", "2026-11-05"
    old = row({day: {"H26.5 QD pending": 4}, "2026-09-20": {"H26.5 QD routed": 2}},
              days=(dt.date(2026, 9, 20), dt.date(2026, 11, 3)))  # fmt: skip
    new = row({day: {"H26.5 QD routed": 4}, later: {"H26.5 QD bypass": 1}, "2026-12-09": {}})
    found = made([(info(0), new), (info(9), old)], ask(first=dt.date(2026, 9, 20), last=LAST))
    assert total(found) == {"": 7, "bypass": 1, "routed": 6}
    assert found.units[0].outgoing_seen.days == 62
    assert found.header.scans == ("s-0", "s-9")


def test_days_that_no_scan_judged_are_not_counted_as_seen() -> None:
    found = made([(info(), row({}, days=(dt.date(2026, 11, 11), LAST)))])
    assert found.units[0].outgoing_seen.days == 10
    assert total(found) == {"": 0}


def test_a_scan_without_counts_leaves_the_days_to_the_one_before() -> None:
    blind = msgspec.structs.replace(row({}), detail={"counts": {"routed": 9}})
    day = "2026-11-01"
    found = made([(info(0), blind), (info(1), row({day: {"H26.5 QD routed": 3}}))])
    assert total(found) == {"": 3, "routed": 3}
    assert made([(info(0), blind)]).units[0].outgoing_seen.missing == "older_scan"
    assert made([]).units[0].outgoing_seen.missing == "no_scan"


def test_the_least_coverage_of_the_scans_is_said() -> None:
    found = made(
        [
            (info(0), row({}, days=(dt.date(2026, 11, 10), LAST), coverage=0.8)),
            (info(1), row({}, coverage=0.5)),
        ]
    )
    assert found.units[0].outgoing_seen.coverage == 0.5


@pytest.mark.parametrize(
    "flows",
    [
        None,
        [],
        "x",
        {"2026-11-01": 5},
        {"2026-11-01": {"H26.5 QD routed": -1}},
        {"2026-11-01": {"H26.5 QD routed": True}},
        {"2026-11-01": {"H26.5 QD": 1, "=cmd() QD routed": 1, "a\x1b[0m QD routed": 1, "": 1}},
        {5: {}},
    ],
)
def test_details_of_any_shape_do_no_harm(flows: Any) -> None:
    found = made([(info(), row(flows)), (info(1), row({"2026-11-02": {"H26.5 QD routed": 1}}))])
    assert total(found)[""] in {0, 1}


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["2026-11-01", "H26.5 QD routed", "* * late"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["2026-11-01", "H26.5 QD routed", "* * late"]) | st.text(max_size=5), inner
    ),
    max_leaves=15,
)  # fmt: skip


@pytest.mark.parametrize("share", [float("inf"), float("nan"), -1, 2, True, None])
def test_a_coverage_that_is_no_share_is_not_passed_on(share: Any) -> None:
    found = made([(info(), row({"2026-11-02": {"H26.5 QD routed": 1}}, coverage=share))])
    assert found.units[0].outgoing_seen.coverage in {None, 1.0}


@PATIENT
@given(json_values, json_values, json_values)
def test_any_detail_gives_sums_that_close(flows: Any, period: Any, coverage: Any) -> None:
    odd = {"flows": flows, "period": period, "coverage": coverage}
    good = row({"2026-11-02": {"H26.5 QD routed": 1}})
    found = made([(info(), msgspec.structs.replace(good, detail={**good.detail, **odd})),
                  (info(1), good)])  # fmt: skip
    assert read_csv(to_csv(found)).total == found.total


# ----------------------------------------------------------------------------------------- bounds


def test_more_counts_than_are_kept_are_summed_not_lost() -> None:
    day = dt.date(2026, 11, 2)
    flows = flows_of([(day, f"H{n}.1", "QD", "routed") for n in range(50)], limit=10)
    cells = flows[day.isoformat()]
    assert sum(cells.values()) == 50
    assert cells[f"{OTHERS} {OTHERS} routed"] == 40
    assert CELLS >= 1000


def test_kinds_are_those_that_numbers_know() -> None:
    assert set(kinds()) == TYPES
    assert [kind_of(s) for s in ("QD-UBND-HK", "UBND-VX", "NQ/TW", "TTR-SYT", "XYZ", "")] == [
        "QD", "CV", "NQ", "TTR", "CV", "CV",
    ]  # fmt: skip
    for each in kinds().values():
        assert set(each) == {"written", "vi", "en"}


# --------------------------------------------------------------------------------- sums that close


names = st.sampled_from(["H26.5", "H26.6", "H26.7", "*", "000.00.05.H26"])
cells = st.dictionaries(
    st.tuples(names, st.sampled_from(["QD", "CV", "BC", "*"]), st.sampled_from(["routed", "late"])),
    st.integers(1, 30),
    max_size=8,
)


def flowing(cells_of: dict[tuple[str, str, str], int]) -> dict[str, dict[str, int]]:
    return {"2026-11-01": {" ".join(key): n for key, n in cells_of.items()}}


@PATIENT
@given(st.lists(st.tuples(cells, cells), max_size=2), st.integers(0, 12))
def test_any_counts_close_in_both_forms(units: list[Any], small: int) -> None:
    both = (WARD, OTHER)[: len(units)]
    found: Rows = []
    for unit, (out, came) in zip(both, units, strict=True):
        found.append((info(), row(flowing(out), unit=unit.id)))
        check = "documents.incoming-registered"
        found.append((info(), row(flowing(came), unit=unit.id, check=check)))
    stats = made(found, ask(*both, small=small))
    assert read_json(msgspec.json.encode(stats)) == stats
    back = read_csv(to_csv(stats))
    plain = msgspec.structs.replace(stats.header, tool="", scans=())
    assert back.header == plain
    assert back.total == stats.total
    for one, other in zip(back.units, stats.units, strict=True):
        assert sorted(one.subtotals, key=repr) == sorted(other.subtotals, key=repr)
        assert one.total == other.total
    assert stats.total.outgoing is None or stats.total.outgoing.total == sum(
        n for out, _ in units for n in out.values()
    )


@PATIENT
@given(cells, cells, st.integers(2, 12))
def test_no_small_part_is_told_apart(out: dict[Any, int], came: dict[Any, int], small: int) -> None:
    check = "documents.incoming-registered"
    found = made(
        [(info(), row(flowing(out))), (info(), row(flowing(came), check=check))], ask(small=small)
    )
    subtotals = found.units[0].subtotals
    assert {s.by for s in subtotals} <= {"partner", "type"}
    for sub in subtotals:
        for counts in (sub.incoming, sub.outgoing):
            assert counts is not None
            assert not counts.results
            alone = sum(s.by == sub.by for s in subtotals) == 1
            assert counts.total == 0 or counts.total >= small or alone


# ---------------------------------------------------------------------------- exports not believed


def example() -> Statistics:
    return made(
        [
            (info(), row(flowing({("H26.5", "QD", "routed"): 6, ("H26.6", "CV", "late"): 2}))),
            (info(), row(flowing({("H26.5", "BC", "entered"): 3}),
                         check="documents.incoming-registered")),
            (info(), row(flowing({("H26.6", "QD", "routed"): 5}), unit="00071")),
        ],
        ask(WARD, OTHER),
    )  # fmt: skip


def spots(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where counts stand in a JSON export."""
    if isinstance(value, bool):
        return
    if isinstance(value, int) and at[-1] not in {"days", "small"}:
        yield at
    for key, part in value.items() if isinstance(value, dict) else ():
        if key != "header":
            yield from spots(part, (*at, key))
    for n, part in enumerate(value if isinstance(value, list) else ()):
        yield from spots(part, (*at, n))


@pytest.mark.parametrize("change", [1, -1, 1000])
def test_no_count_can_be_changed_unnoticed(change: int) -> None:
    whole = json.loads(msgspec.json.encode(example()))
    found = [*spots(whole)]
    assert len(found) > 30
    for at in found:
        doc = json.loads(json.dumps(whole))
        part = doc
        for key in at[:-1]:
            part = part[key]
        if part[at[-1]] + change < 0:
            continue
        part[at[-1]] += change
        with pytest.raises(StatisticsError):
            read_json(json.dumps(doc).encode())


def test_no_count_of_the_table_can_be_changed_unnoticed() -> None:
    lines = [*csv.reader(io.StringIO(to_csv(example()).decode("utf-8-sig"), newline=""))]
    counted = [n for n, line in enumerate(lines) if line[-1].isdigit()]
    assert len(counted) > 30
    for n in counted:
        changed = [[*line] for line in lines]
        changed[n][-1] = str(int(changed[n][-1]) + 1)
        with pytest.raises(StatisticsError):
            read_csv(written(changed))
    for n in counted:
        # A line of nothing may be missing without any sum changing.
        if lines[n][-1] != "0":
            with pytest.raises(StatisticsError):
                read_csv(written([*lines[:n], *lines[n + 1 :]]))
        with pytest.raises(StatisticsError):
            read_csv(written([*lines, lines[n]]))


def written(lines: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "sauro.documents-statistics/9"}, "schema"),
        ({"units": 5}, "units"),
        ({"more": 1}, "unknown field"),
        ({"total": {"incoming": None, "outgoing": None}}, "seen in one place"),
    ],
)
def test_another_shape_is_refused(change: dict[str, Any], says: str) -> None:
    doc = json.loads(msgspec.json.encode(example())) | change
    with pytest.raises(StatisticsError, match=says):
        read_json(json.dumps(doc).encode())


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b"null", b'{"schema": 1}'],
)
def test_what_is_no_export_is_refused_in_one_line(data: bytes) -> None:
    for read in (read_json, read_csv):
        with pytest.raises(StatisticsError) as caught:
            read(data)
        assert "\n" not in str(caught.value)


def test_the_table_refuses_rows_of_several_reports_and_broken_cells() -> None:
    good = to_csv(example()).decode("utf-8-sig")
    with pytest.raises(StatisticsError, match="several reports"):
        read_csv(good.replace("2026-11-20", "2026-11-19", 1).encode())
    with pytest.raises(StatisticsError, match="cannot be read"):
        read_csv(good.replace("2026-11-20", "soon").encode())
    with pytest.raises(StatisticsError, match="line 2"):
        read_csv(f"{','.join(COLUMNS)}\na,b\n".encode())


# ----------------------------------------------------------------------------------- spreadsheets


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "'quoted", 'a,b"c'])
def test_no_cell_can_become_a_formula(name: str) -> None:
    unit = msgspec.structs.replace(WARD, name=name)
    data = to_csv(made(judged(), ask(unit, reporter=unit)))
    assert data.startswith(b"\xef\xbb\xbf")
    for line in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line)
    assert read_csv(data).units[0].name == name.replace("\t", " ")


# ----------------------------------------------------------------------------------------- schema


def test_the_schema_in_the_documentation_is_the_one_that_holds() -> None:
    file = Path(__file__).parents[2] / "docs" / "documents-statistics.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema())), (
        "run: sauro documents statistics --schema > docs/documents-statistics.schema.json"
    )


def test_an_export_fits_its_schema_and_others_do_not() -> None:
    doc = json.loads(msgspec.json.encode(example()))
    check = jsonschema.Draft202012Validator(json_schema())
    check.validate(doc)
    doc["units"][0]["subtotals"][0]["partner"] = "Nguyễn Văn A"
    assert not check.is_valid(doc)
    with pytest.raises(StatisticsError):
        read_json(json.dumps(doc).encode())
