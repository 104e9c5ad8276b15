"""Since when findings are open, which came back, and a sum of changes that closes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.changes import Change, Changes, compare, obstacle
from checks.model import Status
from checks.results import Result
from inventory.model import Selection
from scanner.store.database import Store
from tests.helpers.stored import HOUR, INVENTORY, START, info, mark, row

FAIL, ERROR, UNKNOWN, PASS, NONE = Status
LETTER = {"F": FAIL, "E": ERROR, "?": UNKNOWN, "P": PASS, "-": NONE, " ": None}
DARK = {UNKNOWN, ERROR}

History = Sequence[Status | None]
"""The status of one row in each scan; None where the scan has no such row."""


def history(text: str) -> list[Status | None]:
    return [LETTER[letter] for letter in text]


def fill(store: Store, histories: dict[str, History]) -> list[str]:
    """Store one scan per column; their ids."""
    ids = []
    for number in range(max(map(len, histories.values()))):
        scan = info(number)
        store.begin(scan, INVENTORY, "plan")
        rows = [row(name, h[number] or PASS) for name, h in histories.items() if h[number]]
        store.save(scan.id, [r.target for r in rows], rows, [], [], [])
        store.finish(msgspec.structs.replace(scan, complete=True))
        ids.append(scan.id)
    return ids


# --------------------------------------------------- what the words mean, said as plainly as can be


def true_start(past: History) -> int:
    """Index of the scan since which the last status has been open."""
    start = len(past) - 1
    for index in range(len(past) - 1, -1, -1):
        if past[index] in {PASS, NONE}:
            break
        if past[index] is not None:
            start = index
    return start


def truly_back(past: History) -> bool:
    seen = [s for s in past if s]
    passes = [i for i, s in enumerate(seen) if s is PASS]
    return seen[-1] is FAIL and any(s is FAIL for s in seen[: max(passes, default=0)])


def truly_open(past: History) -> bool:
    """Fails, or cannot be seen and failed when last seen."""
    if past[-1] in DARK:
        return next((s for s in reversed(past) if s and s not in DARK), None) is FAIL
    return past[-1] is FAIL


@pytest.mark.parametrize(
    ("text", "since", "back", "dark"),
    [
        ("F", 0, False, False),
        ("FF", 0, False, False),
        ("PF", 1, False, False),
        ("FPF", 2, True, False),
        ("FPFF", 2, True, False),
        ("FP?F", 2, True, False),
        ("F?F", 0, False, False),
        ("F E", 0, False, True),
        ("F?", 0, False, True),
        ("FP?", 2, False, False),
        ("?", 0, False, False),
        ("?F", 0, False, False),
        ("F-F", 2, False, False),
        ("F-?", 2, False, False),
        ("F F", 0, False, False),
    ],
)
def test_the_life_of_a_finding(place: str, text: str, since: int, back: bool, dark: bool) -> None:
    with Store.open(place) as store:
        last = fill(store, {"a": history(text)})[-1]
        assert store.opened(last) == {mark("a"): START + since * HOUR}
        assert store.reopened(last) == ({mark("a")} if back else set())
        assert store.open_in_the_dark(last) == ({mark("a")} if dark else set())


@pytest.mark.parametrize("text", ["P", "FP", "-", "F-"])
def test_what_is_fine_is_not_open(place: str, text: str) -> None:
    with Store.open(place) as store:
        assert store.opened(fill(store, {"a": history(text)})[-1]) == {}


statuses = st.sampled_from([*Status, None])
tables = (
    st.integers(1, 6)
    .flatmap(
        lambda length: st.lists(st.lists(statuses, min_size=length, max_size=length), max_size=5)
    )
    .filter(bool)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables)
def test_every_scan_knows_its_own_past_and_changes_sum_up(table: list[History]) -> None:
    histories = {f"t{n}": h for n, h in enumerate(table)}
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "s.db") as store:
        ids = fill(store, histories)
        for number, scan_id in enumerate(ids):
            past = {mark(name): h[: number + 1] for name, h in histories.items()}
            assert store.opened(scan_id) == {
                key: START + true_start(h) * HOUR
                for key, h in past.items()
                if h[-1] is FAIL or h[-1] in DARK
            }
            assert store.reopened(scan_id) == {
                key for key, h in past.items() if h[-1] is FAIL and truly_back(h)
            }
            if number:
                _sums_up(store, ids[number - 1], scan_id, past)


def _sums_up(store: Store, old: str, new: str, past: dict[str, History]) -> None:
    found = compare(
        store.results_of(old),
        store.results_of(new),
        reopened=store.reopened(new),
        dark_open=store.open_in_the_dark(old) | store.open_in_the_dark(new),
    )
    assert found.open_before == sum(truly_open(h[:-1]) for h in past.values())
    assert found.open_now == sum(truly_open(h) for h in past.values())


# ---------------------------------------------------------------------------------------- compare

rows = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(Status), max_size=8).map(
    lambda d: [row(name, status) for name, status in d.items()]
)
names = st.sets(st.sampled_from("abcdefgh")).map(lambda s: {mark(name) for name in s})


@given(rows, rows, names, names)
def test_the_sum_closes_for_any_two_scans(
    old: list[Result], new: list[Result], reopened: set[str], dark_open: set[str]
) -> None:
    found = compare(old, new, reopened=reopened, dark_open=dark_open)
    open_before = {r.fingerprint for r in old if r.status is FAIL} | {
        r.fingerprint for r in old if r.status in DARK and r.fingerprint in dark_open
    }
    back = dark_open - {r.fingerprint for r in old}
    open_now = {r.fingerprint for r in new if r.status is FAIL} | {
        r.fingerprint for r in new if r.status in DARK and r.fingerprint in open_before | back
    }
    assert found.open_before == len(open_before)
    assert found.open_now == len(open_now)
    assert found.open_now == found.open_before + len(found.new) + len(found.reopened) - len(
        found.fixed
    ) - len(found.gone)
    sides = (found.new, found.reopened, found.still_open, found.fixed, found.gone)
    every = [c.fingerprint for side in sides for c in side]
    assert len(every) == len(set(every)), "one class each"
    assert set(every) == open_before | open_now
    assert all(c.new is not None and c.new.status is PASS for c in found.fixed)


def classes(found: Changes) -> dict[str, str]:
    return {
        name: "".join(c.new.target if c.new else c.old.target if c.old else "" for c in changes)
        for name, changes in msgspec.structs.asdict(found).items()
    }


def test_every_class_by_example() -> None:
    before = {"a": FAIL, "b": FAIL, "c": FAIL, "d": FAIL, "e": FAIL, "f": PASS, "g": PASS}
    after = {"a": PASS, "b": FAIL, "c": UNKNOWN, "d": NONE, "f": FAIL, "g": ERROR}
    before |= {"h": UNKNOWN, "i": ERROR, "j": UNKNOWN, "k": UNKNOWN, "m": NONE}
    after |= {"h": PASS, "i": FAIL, "j": UNKNOWN, "k": UNKNOWN, "l": FAIL, "m": FAIL}
    found = compare(
        [row(n, s) for n, s in before.items()],
        [row(n, s) for n, s in after.items()],
        reopened={mark("f"), mark("b")},
        dark_open={mark("h"), mark("j")},
    )
    assert classes(found) == {
        "new": "ilm",
        "reopened": "f",
        "still_open": "bcj",
        "fixed": "ah",
        "gone": "de",
        "lost": "cg",
        "regained": "hi",
    }
    assert (found.open_before, found.open_now) == (7, 7)
    assert [c.fingerprint for c in found.went_dark] == [mark("c"), mark("j")]
    assert found.gone[1] == Change(mark("e"), row("e", FAIL), None)


def test_of_rows_with_one_identity_the_worst_counts() -> None:
    found = compare([row("a", PASS), row("a", FAIL)], [row("a", PASS), row("a", PASS)])
    assert classes(found)["fixed"] == "a"


def test_what_cannot_be_compared_says_why() -> None:
    old = msgspec.structs.replace(info(0, units=("x", "y")), complete=True)
    new = msgspec.structs.replace(info(1, units=("y", "x")), complete=True)
    assert obstacle(old, new) == ""
    assert obstacle(old, msgspec.structs.replace(new, complete=False)) == "incomplete"
    narrow = msgspec.structs.replace(new, selection=Selection(units=("x",)))
    assert obstacle(old, narrow) == "selection"
    assert obstacle(old, msgspec.structs.replace(new, simulated=True)) == "simulated"


def test_how_long_findings_are_open_survives_pruning(place: str) -> None:
    with Store.open(place) as store:
        *_, last = fill(store, {"a": history("FPFF"), "b": history("FFFF")})
        before = store.opened(last), store.reopened(last)
        assert store.prune(1, START + 9000 * HOUR) == 3
        assert (store.opened(last), store.reopened(last)) == before
        assert before[0] == {mark("a"): START + 2 * HOUR, mark("b"): START}


def test_scans_that_end_out_of_order_keep_their_own_order(place: str) -> None:
    with Store.open(place) as store:
        for number in (0, 1, 2):
            store.begin(info(number), INVENTORY, "plan")
        for number, status in ((2, FAIL), (0, FAIL), (1, PASS)):
            store.save(info(number).id, ["a"], [row("a", status)], [], [], [])
            store.finish(msgspec.structs.replace(info(number), complete=True))
        assert store.opened(info(2).id) == {mark("a"): START + 2 * HOUR}
        assert store.reopened(info(2).id) == {mark("a")}
        assert store.opened(info(0).id) == {mark("a"): START}


def test_what_a_killed_scan_saw_is_part_of_the_life(place: str) -> None:
    with Store.open(place) as store:
        fill(store, {"a": history("F")})
        for number in (1, 2):
            store.begin(info(number), INVENTORY, "plan")
        store.save(info(1).id, ["a"], [row("a", PASS)], [], [], [])
        store.save(info(2).id, ["a"], [row("a", FAIL)], [], [], [])
        assert store.opened(info(1).id) == {}
        assert store.opened(info(2).id) == {mark("a"): START}  # the killed one may yet go on
        store.begin(info(3), INVENTORY, "plan")
        store.save(info(3).id, ["a"], [row("a", FAIL)], [], [], [])
        assert store.opened(info(3).id) == {mark("a"): START + 2 * HOUR}
        assert store.reopened(info(3).id) == {mark("a")}


def test_an_earlier_scan_that_ends_late_changes_the_life_after_it(place: str) -> None:
    with Store.open(place) as store:
        fill(store, {"a": history("F")})
        for number in (1, 2):
            store.begin(info(number), INVENTORY, "plan")
        for number, status in ((2, FAIL), (1, PASS)):
            store.save(info(number).id, ["a"], [row("a", status)], [], [], [])
            store.finish(msgspec.structs.replace(info(number), complete=True))
        store.begin(info(3), INVENTORY, "plan")
        store.save(info(3).id, ["a"], [row("a", FAIL)], [], [], [])
        assert store.opened(info(3).id) == {mark("a"): START + 2 * HOUR}
