"""A store that is killed, crowded, locked, full, read-only, damaged, foreign or too new."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checks.model import Status
from scanner.errors import UserError
from scanner.store.database import Store
from scanner.store.errors import StoreError
from tests.helpers.stored import INVENTORY, answer, info, outcome, row

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from scanner.store.database import Store
from tests.helpers.stored import INVENTORY, answer, info, outcome, row

path, number, many = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Store.open(path) as store:
    scan = info(number)
    store.begin(scan, INVENTORY, f"plan {number}")
    for n in range(many):
        name = f"s{number}-t{n}"
        rows = [row(name, check=f"host.c{k}") for k in range(10)]
        heard = [(answer(name, name.encode() * 50), False)]
        store.save(scan.id, [f"{name}/{k}" for k in range(10)], rows, heard, [], [outcome(name)])
        print(name, flush=True)
"""


def writer(path: Path, number: int, many: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(number), str(many)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def one_line(error: pytest.ExceptionInfo[StoreError], place: Path) -> str:
    """The message, which must be one line with the place and a remedy after a colon."""
    text = str(error.value)
    assert isinstance(error.value, UserError)
    assert "\n" not in text
    assert str(place) in text
    assert text.partition(str(place))[2].rpartition(":")[2].strip()
    return text


# --------------------------------------------------------------------------- killed, and crowded


@pytest.mark.parametrize("after", [1, 7, 60])
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    path = tmp_path / "s.db"
    with writer(path, 0, 10**6) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read().split()
    with Store.open(path) as store:
        scan = store.load(info(0).id)
        rows = Counter(r.target for r in scan.results)
        cases = Counter(k.split("/")[0] for k in store.done_cases(scan.info.id))
        visited = Counter(t.target for t in scan.targets)
        heard = Counter(e.target for e in store.answers(scan.info.id))
        # All or nothing: what was saved and not yet told may be there, but then whole.
        assert set(told) <= set(rows)
        assert len(rows) <= len(told) + 1
        assert rows == cases == Counter(dict.fromkeys(rows, 10))
        assert visited == heard == Counter(dict.fromkeys(rows, 1))
        assert all(store.evidence(e.sha256) == e.stdout for e in store.answers(scan.info.id))
        assert store.resumable("plan 0") == info(0)
        store.save(info(0).id, ["more"], [row("more")], [], [], [])


def test_two_programs_with_a_scan_each_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    children = [writer(path, number, 60) for number in (1, 2, 3)]
    for child in children:
        assert child.communicate()[0].count("\n") == 60
        assert child.returncode == 0
    with Store.open(path) as store:
        for number in (1, 2, 3):
            scan = store.load(info(number).id)
            assert len(scan.results) == 600
            assert {r.target.split("-")[0] for r in scan.results} == {f"s{number}"}
            assert len(scan.targets) == 60


def test_threads_share_a_store(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.begin(info(), INVENTORY, "plan")

        def save(n: int) -> None:
            name = f"t{n}"
            store.save(info().id, [name], [row(name)], [(answer(name), False)], [], [outcome(name)])

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(save, range(200)))
        assert len(store.load(info().id).results) == 200


def test_a_failing_part_of_a_save_leaves_nothing_of_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.begin(info(), INVENTORY, "plan")
        with store._engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER no BEFORE INSERT ON targets BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        with pytest.raises(StoreError):
            store.save(info().id, ["k"], [row("a")], [(answer("a"), False)], [], [outcome("a")])
        assert store.results_of(info().id) == []
        assert store.done_cases(info().id) == frozenset()
        assert store.answers(info().id) == []


# ---------------------------------------------------------------------------------------- locked


def test_a_store_locked_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path, patience=0.1) as store:
        store.begin(info(), INVENTORY, "plan")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked") as caught:
            store.save(info().id, ["k"], [row("a")], [], [], [])
        one_line(caught, path)
        assert store.list_scans() == [info()], "reading goes on beside a writer"
        other.execute("ROLLBACK")
        other.close()
        store.save(info().id, ["k"], [row("a")], [], [], [])
        assert store.done_cases(info().id) == {"k"}


def test_a_store_that_is_locked_while_it_would_be_made(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked") as caught:
        Store.open(path, patience=0.1)
    one_line(caught, path)
    other.close()


def test_who_means_to_write_queues_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store, store._writer.begin() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM scans")
        other = sqlite3.connect(path, isolation_level=None, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.begin(info(), INVENTORY, "plan")
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        free = threading.Timer(0.2, lambda: other.execute("ROLLBACK"))
        free.start()
        store.save(info().id, ["k"], [row("a")], [], [], [])
        free.join()
        other.close()
        assert store.done_cases(info().id) == {"k"}


def test_many_programs_may_be_the_first_to_open(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    children = [writer(path, number, 1) for number in range(4)]
    assert [(c.communicate()[0], c.returncode) for c in children] == [
        (f"s{n}-t0\n", 0) for n in range(4)
    ]


# ------------------------------------------------------------------------------------------ full


def test_a_full_disk_keeps_what_was_there_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    big = [(answer(f"t{n}", os.urandom(4096)), False) for n in range(100)]
    with Store.open(path) as store:
        store.begin(info(), INVENTORY, "plan")
        store.save(info().id, ["first"], [row("first")], [], [], [])
        _limit_pages(store, 60)
        with pytest.raises(StoreError, match="full") as caught:
            store.save(info().id, ["k"], [row("a")], big, [], [])
        one_line(caught, path)
        assert store.done_cases(info().id) == {"first"}
        assert store.results_of(info().id) == [row("first")]
        _limit_pages(store, 10**6)
        store.save(info().id, ["k"], [row("a")], big, [], [])
    with Store.open(path) as store:
        assert store.done_cases(info().id) == {"first", "k"}
        assert len(store.answers(info().id)) == 100


def _limit_pages(store: Store, pages: int) -> None:
    raw = store._engine.raw_connection()
    raw.cursor().execute(f"PRAGMA max_page_count = {pages}")
    raw.close()


def test_a_limit_on_the_size_of_files_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    program = """
import os, resource, signal, sys
from scanner.store.database import Store
from scanner.store.errors import StoreError
from tests.helpers.stored import INVENTORY, answer, info, row

store = Store.open(sys.argv[1])
store.begin(info(), INVENTORY, "plan")
store.save(info().id, ["first"], [row("first")], [], [], [])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    store.save(info().id, ["k"], [], [(answer("a", os.urandom(2**20)), False)], [], [])
except StoreError as e:
    print(e, end="")
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(path)], stdout=-1, text=True, check=True, cwd=ROOT
    ).stdout
    assert told.startswith(f"store {path} cannot ")
    assert "\n" not in told
    with Store.open(path) as store:
        assert store.done_cases(info().id) == {"first"}


# ------------------------------------------------------------------------- read-only, not there


def test_a_store_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.begin(info(), INVENTORY, "plan")
    with Store.open(f"sqlite:///file:{path}?mode=ro&uri=true") as store:
        assert store.load(info().id).info == info()
        for write in (
            lambda: store.begin(info(1), INVENTORY, "plan"),
            lambda: store.save(info().id, ["k"], [], [], [], []),
            lambda: store.finish(info()),
        ):
            with pytest.raises(StoreError, match="cannot be written") as caught:
                write()  # type: ignore[no-untyped-call]
            one_line(caught, path)


def test_an_empty_store_that_can_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.touch()
    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_a_folder_where_nothing_can_be_made() -> None:
    place = Path("/proc/self/fdinfo/sauro.db")
    with pytest.raises(StoreError, match=r"cannot be made|does not exist") as caught:
        Store.open(place)
    one_line(caught, place)


@pytest.mark.parametrize(
    ("make", "name", "said"),
    [
        (Path.mkdir, "s.db", "is a folder"),
        (lambda _: None, "no/s.db", "does not exist"),
        (Path.touch, "s.db/x.db", "does not exist"),
    ],
)
def test_places_where_no_store_can_be(tmp_path: Path, make: object, name: str, said: str) -> None:
    make(tmp_path / "s.db")  # type: ignore[operator]
    with pytest.raises(StoreError, match=said) as caught:
        Store.open(tmp_path / name)
    one_line(caught, tmp_path / name)


def test_a_store_that_is_only_asked_for_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        Store.open(tmp_path / "s.db", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "://", "postgresql://[::1"]
)
def test_urls_that_mean_no_store_never_show_the_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------------- damaged, foreign, too new


def filled(path: Path) -> None:
    with Store.open(path) as store:
        store.begin(info(), INVENTORY, "plan")
        for n in range(60):
            store.save(
                info().id,
                [f"{n}"],
                [row(f"{n}")],
                [(answer(f"{n}", os.urandom(999)), False)],
                [],
                [],
            )


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"unit: ha-noi\n" * 1000)
    with pytest.raises(StoreError, match="not a store") as caught:
        Store.open(path)
    one_line(caught, path)
    assert path.read_bytes() == b"unit: ha-noi\n" * 1000


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE scans (id TEXT)")
    other.close()
    with pytest.raises(StoreError, match="not a store") as caught:
        Store.open(path)
    one_line(caught, path)
    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("scans",)]
    other.close()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_a_file_that_was_cut_off(tmp_path: Path, share: float) -> None:
    path = tmp_path / "s.db"
    filled(path)
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(StoreError, match=r"damaged|not a store") as caught:
        Store.open(path)
    one_line(caught, path)


def test_a_page_that_was_overwritten_is_no_silent_loss(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    whole = path.read_bytes()
    pages = len(whole) // 4096
    silent = 0
    for page in range(1, pages):
        path.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
        try:
            with Store.open(path) as store:
                scan = store.load(info().id)
                heard = store.answers(info().id)
        except StoreError as e:
            assert "damaged" in str(e)  # noqa: PT017 - most pages, not all
            continue
        silent += len(scan.results) != 60 or len(heard) != 60
    assert silent == 0


def test_values_that_cannot_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    for statement in (
        "UPDATE results SET data = x'c1'",
        "UPDATE inventories SET data = x'78ffff'",
        "UPDATE evidence SET data = x'00'",
    ):
        copy = tmp_path / "copy.db"
        shutil.copy(path, copy)
        raw = sqlite3.connect(copy)
        raw.execute(statement)
        raw.commit()
        raw.close()
        with Store.open(copy) as store, pytest.raises(StoreError, match="damaged") as caught:
            _read_all(store)
        one_line(caught, copy)


def _read_all(store: Store) -> None:
    store.load(info().id)
    store.answers(info().id)


def test_a_store_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    raw = sqlite3.connect(path)
    raw.execute("INSERT INTO sauro_migrations VALUES (999, 'from the future')")
    raw.commit()
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(StoreError, match="update sauro") as caught:
            Store.open(path, create=create)
        assert "999" in one_line(caught, path)
    assert path.read_bytes() == before


def test_a_scan_that_vanishes_under_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.begin(info(), INVENTORY, "plan")
        store.save(info().id, ["k"], [row("a", Status.PASS)], [], [], [])
        with Store.open(path) as other, other._writer.begin() as connection:
            connection.exec_driver_sql("DELETE FROM scans")
        with pytest.raises(StoreError, match="pruned") as caught:
            store.save(info().id, ["l"], [row("b")], [], [], [])
        one_line(caught, path)


def test_a_database_that_is_away_is_one_line_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not answer") as caught:
        Store.open(f"postgresql://me:hunter2@/sauro?host={tmp_path}", patience=0.1)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "check the database" in str(caught.value)
