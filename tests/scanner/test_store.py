"""What goes into the store comes out, whole, and finds its way back to the right scan."""

from __future__ import annotations

import datetime as dt
import mmap
import os
import stat
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect
from sqlalchemy.dialects.postgresql import psycopg

from checks.evidence import Evidence, FailureKind
from checks.model import Memory, Status
from checks.results import EvidenceRef, Result, ScanInfo
from inventory.model import Inventory, Unit, UnitKind
from scanner.store import migrations, tables, writes
from scanner.store.codec import from_column, to_column
from scanner.store.database import Store
from scanner.store.errors import StoreError
from tests.helpers import stored
from tests.helpers.places import KINDS, place_of_a_store
from tests.helpers.postgres import Cluster
from tests.helpers.stored import INVENTORY, START, answer, info, mark, outcome, row


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store.open(place) as opened:
        yield opened


def finished(scan: ScanInfo) -> ScanInfo:
    return msgspec.structs.replace(scan, complete=True, finished=scan.started, planned=1, judged=1)


def scanned(store: Store, number: int, *rows: Result, **selection: tuple[str, ...]) -> ScanInfo:
    """A whole scan with these rows."""
    scan = info(number, simulated=False, **selection)
    store.begin(scan, INVENTORY, f"plan {selection}")
    store.save(scan.id, [r.target for r in rows], rows, [], [], [])
    store.finish(finished(scan))
    return scan


# -------------------------------------------------------------------------------------- round trip


def test_a_scan_comes_back_whole(store: Store) -> None:
    scan = info()
    store.begin(scan, INVENTORY, "plan")
    store.save(scan.id, ["b"], [row("b")], [], [], [outcome("b")])
    store.save(scan.id, ["a"], [row("a", Status.PASS)], [], [], [outcome("a")])
    store.finish(finished(scan))
    found = store.load(scan.id)
    assert found.info == finished(scan)
    assert found.inventory == INVENTORY
    assert found.targets == (outcome("a"), outcome("b"))
    assert found.results == (row("a", Status.PASS), row("b"))
    assert store.results_of(scan.id) == list(found.results)
    assert store.done_cases(scan.id) == {"a", "b"}


def test_what_was_saved_is_there_for_the_next_program(place: str) -> None:
    with Store.open(place) as first:
        scan = scanned(first, 0, row("a"))
    url = place if "://" in place else f"sqlite:///{place}"
    with Store.open(url, create=False) as second:
        assert second.load(scan.id).results == (row("a"),)


@pytest.fixture(scope="module", params=KINDS)
def shared(request: pytest.FixtureRequest, database: Cluster) -> Iterator[Store]:
    with place_of_a_store(request.param, database) as found, Store.open(found) as opened:
        yield opened


_numbers = iter(range(10**6))
quick = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@quick
@given(rows=st.lists(stored.results, max_size=4), keys=st.lists(stored.texts, max_size=4))
def test_any_rows_come_back(shared: Store, rows: list[Result], keys: list[str]) -> None:
    scan = info(next(_numbers))
    shared.begin(scan, INVENTORY, "plan")
    shared.save(scan.id, keys, rows, [], [], [])
    found = shared.results_of(scan.id)
    for one in found:
        rows.remove(one)
    assert rows == []
    assert shared.done_cases(scan.id) == frozenset(keys)


@quick
@given(given_evidence=st.lists(stored.evidence, max_size=4, unique_by=lambda e: (e.target, e.key)))
def test_any_evidence_comes_back(shared: Store, given_evidence: list[Evidence]) -> None:
    scan = info(next(_numbers))
    shared.begin(scan, INVENTORY, "plan")
    shared.save(scan.id, [], [], [(e, False) for e in given_evidence], [], [])
    for one in given_evidence:
        assert shared.evidence(one.sha256) == one.stdout
    found = shared.answers(scan.id)
    assert {(e.target, e.key): e for e in found} == {(e.target, e.key): e for e in given_evidence}


@quick
@given(memories=st.lists(stored.memories, max_size=5, unique_by=lambda m: (m.subject, m.id)))
def test_any_memories_come_back(memories: list[Memory]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "s.db") as store:
        scan = info()
        store.begin(scan, INVENTORY, "plan")
        store.save(scan.id, [], [], [], memories, [])
        wanted = defaultdict(list)
        for one in sorted(memories, key=lambda m: m.time):
            wanted[one.subject].append(one)
        found = store.recall("backup.points")
        assert {s: {m.id: m for m in ms} for s, ms in found.items()} == {
            s: {m.id: m for m in ms} for s, ms in wanted.items()
        }
        for many in found.values():
            assert [m.time for m in many] == sorted(m.time for m in many)
        assert store.recall("another kind") == {}


@given(st.text(max_size=20) | st.text(alphabet="\\\\u0d8a\0\ud800\udc80x", max_size=9))
def test_any_text_fits_a_column(text: str) -> None:
    column = to_column(text)
    assert "\0" not in column
    column.encode()
    assert from_column(column) == text


def test_an_inventory_with_text_that_no_encoding_carries(store: Store) -> None:
    unit = Unit(id="u", name="x\ud800", kind=UnitKind.WARD)
    store.begin(info(), Inventory(units={"u": unit}), "plan")
    assert store.load(info().id).inventory.units["u"].name == "x\ufffd"


def test_text_that_no_encoding_carries_loses_no_row(store: Store) -> None:
    scan = info()
    store.begin(scan, INVENTORY, "plan")
    broken = msgspec.structs.replace(row("a"), detail={"name": "x\ud800y", "big": 2**70})
    store.save(scan.id, ["k\udc80"], [broken], [], [], [])
    assert store.results_of(scan.id)[0].detail == {"name": "x\ufffdy", "big": 2**70}
    assert store.done_cases(scan.id) == {"k\udc80"}


def test_rows_of_one_identity_are_all_kept(store: Store) -> None:
    scan = scanned(store, 0, row("a"), row("a", Status.PASS), row("a", Status.ERROR))
    found = store.results_of(scan.id)
    assert [r.status for r in found] == [Status.FAIL, Status.PASS, Status.ERROR]


def test_saving_a_case_again_replaces_its_row(store: Store) -> None:
    scan = info()
    store.begin(scan, INVENTORY, "plan")
    store.save(scan.id, ["a"], [row("a")], [(answer("a"), False)], [], [outcome("a")])
    store.save(scan.id, ["a"], [row("a", Status.PASS)], [(answer("a"), False)], [], [outcome("a")])
    assert store.results_of(scan.id) == [row("a", Status.PASS)]
    assert store.load(scan.id).targets == (outcome("a"),)
    assert store.opened(scan.id) == {}


def test_a_large_inventory_is_stored_once_for_all_scans(store: Store) -> None:
    for number in range(5):
        scanned(store, number, row("a"))
    with store._engine.connect() as connection:
        assert len(connection.execute(tables.inventories.select()).all()) == 1


# ---------------------------------------------------------------------------------------- evidence


def kept(store: Store, *evidence: tuple[Evidence, bool]) -> ScanInfo:
    scan = info()
    store.begin(scan, INVENTORY, "plan")
    store.save(scan.id, [], [], evidence, [], [])
    return scan


def test_equal_outputs_are_stored_once(store: Store) -> None:
    kept(store, *[(answer(f"t{n}", b"same"), False) for n in range(9)])
    with store._engine.connect() as connection:
        assert len(connection.execute(tables.evidence.select()).all()) == 1


def test_of_sensitive_output_only_the_digest_is_in_the_file(tmp_path: Path) -> None:
    secret = os.urandom(32)
    loud = msgspec.structs.replace(answer("a", secret), stderr=secret)
    with Store.open(tmp_path / "s.db") as store:
        scan = kept(store, (loud, True))
        assert store.evidence(loud.sha256) is None
        found = store.answers(scan.id)[0]
    assert found.failure is not None
    assert found.failure.kind is FailureKind.TRUNCATED
    assert loud.sha256 in found.failure.detail
    assert all(secret not in path.read_bytes() for path in tmp_path.iterdir())


def test_output_over_the_cap_is_never_kept_in_part(place: str) -> None:
    with Store.open(place, evidence_cap=10) as store:
        kept(store, (answer("a", b"x" * 10), False), (answer("b", b"y" * 11), False))
        assert store.evidence(answer("a", b"x" * 10).sha256) == b"x" * 10
        assert store.evidence(answer("b", b"y" * 11).sha256) is None


def test_output_first_seen_in_secret_is_kept_when_it_comes_openly(store: Store) -> None:
    kept(store, (answer("a"), True), (answer("b"), False), (answer("c"), True))
    assert store.evidence(answer("a").sha256) == b"ok\n"


def test_streamed_output_is_taken_from_its_mapped_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"line\n" * 5000)
    with (
        (tmp_path / "log").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as view,
    ):
        one = msgspec.structs.replace(answer("a"), stdout=view)
        kept(store, (one, False))
        digest = one.sha256
    assert store.evidence(digest) == b"line\n" * 5000


# ---------------------------------------------------------------------------------------- memories


def memory(**fields: object) -> Memory:
    plain = {"kind": "k", "subject": "s", "id": "p1", "time": START, "data": b"1"}
    return Memory(**(plain | fields))  # type: ignore[arg-type]


def test_a_memory_keeps_its_first_sighting_and_takes_the_freshest_data(store: Store) -> None:
    for number, data in ((1, b"early"), (3, b"late"), (2, b"late to arrive")):
        scan = info(number)
        store.begin(scan, INVENTORY, f"plan {number}")
        store.save(scan.id, [], [], [], [memory(data=data)], [])
    (found,) = store.recall("k")["s"]
    assert found.data == b"late"
    assert found.first_seen == info(1).started
    assert found.last_seen == info(3).started


# ----------------------------------------------------------------------------------- finding scans


def test_an_unfinished_scan_of_the_same_plan_can_go_on(store: Store) -> None:
    assert store.resumable("plan") is None
    for number in (1, 2):
        store.begin(info(number), INVENTORY, "plan")
    store.begin(info(3), INVENTORY, "another")
    assert store.resumable("plan") == info(2)
    assert store.resumable("plan", not_before=info(2).started) == info(2)
    assert store.resumable("plan", not_before=info(3).started) is None
    store.finish(finished(info(2)))
    assert store.resumable("plan") is None


def test_entering_a_scan_twice_is_fine_but_two_under_one_id_are_not(store: Store) -> None:
    store.begin(info(), INVENTORY, "plan")
    store.begin(info(), INVENTORY, "plan")
    with pytest.raises(StoreError, match="another scan"):
        store.begin(info(), INVENTORY, "another plan")
    store.finish(finished(info()))
    with pytest.raises(StoreError, match="another scan"):
        store.begin(info(), INVENTORY, "plan")


def test_the_scan_before_is_complete_and_of_the_same_selection(store: Store) -> None:
    first = scanned(store, 1, row("a"), units=("x", "y"))
    scanned(store, 2, row("a"))
    store.begin(info(3, units=("x", "y")), INVENTORY, "plan")
    store.begin(info(4, units=("x", "y"), simulated=True), INVENTORY, "plan")
    store.finish(finished(info(4, units=("x", "y"), simulated=True)))
    last = scanned(store, 5, row("a"), units=("y", "x"))
    assert store.before(last.id) == finished(first)
    assert store.before(first.id) is None
    with pytest.raises(StoreError, match="no scan"):
        store.before("nothing")


def test_latest_and_list(store: Store) -> None:
    assert store.latest() is None
    assert store.list_scans() == []
    whole = scanned(store, 1, row("a"))
    store.begin(info(2), INVENTORY, "plan")
    assert store.latest() == finished(whole)
    assert store.latest(complete_only=False) == info(2)
    assert [i.id for i in store.list_scans()] == [info(2).id, whole.id]


def test_ids_are_found_by_their_start(store: Store) -> None:
    one, two = scanned(store, 0), scanned(store, 1)
    assert store.find(one.id).id == one.id
    assert store.find(two.id[:13]).id == two.id
    with pytest.raises(StoreError, match="give more of the id") as caught:
        store.find("2026")
    assert "\n" not in str(caught.value)
    for odd in ("2027", "%", "_", "'", "\0", "\ud800"):
        with pytest.raises(StoreError, match="no scan"):
            store.find(odd)


@pytest.mark.parametrize("ask", ["load", "before", "opened", "reopened", "open_in_the_dark"])
def test_a_scan_that_is_not_there_is_named(store: Store, ask: str) -> None:
    with pytest.raises(StoreError, match="no scan 'nothing'"):
        getattr(store, ask)("nothing")


def test_nothing_can_be_written_to_a_scan_that_is_not_there(store: Store) -> None:
    with pytest.raises(StoreError, match="no scan"):
        store.save("nothing", ["k"], [], [], [], [])
    with pytest.raises(StoreError, match="no scan"):
        store.finish(info())


# ------------------------------------------------------------------------------------------- prune


def test_pruning_keeps_the_last_whole_scan_of_each_selection(store: Store) -> None:
    old = [scanned(store, n, row("a", Status.FAIL)) for n in range(3)]
    other = scanned(store, 3, row("a"), units=("x",))
    store.begin(info(4), INVENTORY, "killed")
    assert store.prune(1, START + dt.timedelta(days=30)) == 3
    assert [i.id for i in store.list_scans()] == [other.id, old[2].id]
    assert store.opened(old[2].id) == {mark("a"): START}
    assert store.results_of(old[2].id) == [row("a")]
    assert store.results_of(old[0].id) == []


def test_pruning_removes_what_nothing_refers_to(store: Store) -> None:
    old, new = info(0), info(100)
    for scan, output in ((old, b"old"), (new, b"new")):
        store.begin(scan, INVENTORY, scan.id)
        heard = [(answer("a", output), False), (answer("a", b"both", key="k"), False)]
        store.save(scan.id, [], [], heard, [memory(id=scan.id)], [])
        store.finish(finished(scan))
    assert store.prune(1, new.started) == 1
    assert store.evidence(answer("a", b"old").sha256) is None
    assert store.evidence(answer("a", b"new").sha256) == b"new"
    assert store.evidence(answer("a", b"both").sha256) == b"both"
    assert [m.id for m in store.recall("k")["s"]] == [new.id]


def test_pruning_everything_is_refused(store: Store) -> None:
    scanned(store, 0, row("a"))
    with pytest.raises(StoreError, match="one day"):
        store.prune(0, START)


# -------------------------------------------------------------------------------------------- keys


def test_a_key_is_made_once_and_stays(place: str) -> None:
    with Store.open(place) as store:
        assert store.known_key("mailboxes") is None
        assert store.key("mailboxes", lambda: b"a" * 32) == b"a" * 32
        assert store.key("other", lambda: b"c" * 32) == b"c" * 32
    with Store.open(place) as store:
        assert store.key("mailboxes", lambda: b"b" * 32) == b"a" * 32
        assert store.known_key("mailboxes") == b"a" * 32


def test_of_two_programs_that_make_a_key_at_once_both_use_one(place: str) -> None:
    with Store.open(place) as one, Store.open(place) as other:

        def slow() -> bytes:
            other.key("mailboxes", lambda: b"o" * 32)
            return b"s" * 32

        assert one.key("mailboxes", slow) == b"o" * 32 == other.known_key("mailboxes")


def test_a_destroyed_key_is_gone_and_the_next_is_another(store: Store) -> None:
    assert not store.destroy_key("mailboxes")
    store.key("mailboxes", lambda: b"a" * 32)
    store.key("other", lambda: b"c" * 32)
    assert store.destroy_key("mailboxes")
    assert store.known_key("mailboxes") is None
    assert store.known_key("other") == b"c" * 32
    assert store.key("mailboxes", lambda: b"b" * 32) == b"b" * 32


def test_nothing_of_a_destroyed_key_is_left_in_the_files(tmp_path: Path) -> None:
    made = bytes(range(100, 132))
    with Store.open(tmp_path / "s.db") as store:
        store.key("mailboxes", lambda: made)
        assert any(made in f.read_bytes() for f in tmp_path.iterdir())
        store.destroy_key("mailboxes")
        assert not any(made in f.read_bytes() for f in tmp_path.iterdir())


# ------------------------------------------------------------------------------------------ layout


def test_the_tables_are_what_the_migrations_make(store: Store) -> None:
    seen = inspect(store._engine)
    assert set(seen.get_table_names()) == set(tables.metadata.tables)
    for name, table in tables.metadata.tables.items():
        made = {c["name"]: (str(c["type"]), c["nullable"]) for c in seen.get_columns(name)}
        dialect = store._engine.dialect
        wanted = {c.name: (str(c.type.compile(dialect)), bool(c.nullable)) for c in table.columns}
        assert {k: v[0] for k, v in made.items()} == {k: v[0] for k, v in wanted.items()}
        key = seen.get_pk_constraint(name)["constrained_columns"]
        assert key == [c.name for c in table.primary_key.columns]
        optional = {c.name for c in table.columns if c.nullable}
        assert optional == {k for k, v in made.items() if v[1] and k not in key}


def test_migrations_are_numbered_from_one() -> None:
    assert [m.version for m in migrations.MIGRATIONS] == list(
        range(1, len(migrations.MIGRATIONS) + 1)
    )


def test_later_migrations_are_taken_once_and_in_order(tmp_path: Path) -> None:
    ours = migrations.MIGRATIONS
    last = len(ours)
    more = [
        migrations.Migration(last + 1, "a", lambda c: _run(c, "CREATE TABLE two (a TEXT)")),
        migrations.Migration(last + 2, "b", lambda c: _run(c, "ALTER TABLE two ADD COLUMN b TEXT")),
    ]
    engine = create_engine(f"sqlite:///{tmp_path}/s.db")
    with engine.begin() as connection:
        taken = migrations.migrate(connection, "s", (*ours, more[0]))
        assert taken == [*range(1, last + 2)]
    with engine.begin() as connection:
        assert migrations.migrate(connection, "s", (*ours, *more)) == [last + 2]
        assert migrations.migrate(connection, "s", (*ours, *more)) == []
        assert migrations.version(connection) == last + 2
    engine.dispose()


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/s.db")
    with engine.begin() as connection:
        migrations.migrate(connection, "s", migrations.MIGRATIONS[:1])
    engine.dispose()
    with Store.open(tmp_path / "s.db") as store:
        assert store.key("mailboxes", lambda: b"k" * 32) == b"k" * 32


def _run(connection: object, statement: str) -> None:
    connection.exec_driver_sql(statement)  # type: ignore[attr-defined]


def test_every_statement_is_one_that_postgresql_knows() -> None:
    texts = writes.Statements(psycopg.dialect()).texts  # type: ignore[no-untyped-call]
    assert "%(data)s" in texts["results"]
    assert all("excluded" in t or "DO NOTHING" in t for n, t in texts.items() if "turn" not in n)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.begin(info(), INVENTORY, "plan")
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_rows_that_are_read_share_what_is_equal(store: Store) -> None:
    ref = EvidenceRef(probe="p", target="a", sha256="0" * 64, taken=info().started)
    rows = [
        msgspec.structs.replace(row("a", check=check), evidence=(ref,))
        for check in ("host.clock", "host.other")
    ]
    scan = scanned(store, 0, *rows)
    one, two = store.load(scan.id).results
    assert one.evidence is two.evidence
    assert one.unit is two.unit
