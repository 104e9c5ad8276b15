"""What a report says of the copies of a system, and of what it lacks to the next level."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.catalogue import builtin
from checks.model import Message, Status
from checks.results import Result, Scan
from inventory.model import (
    BackupExemption,
    BackupSet,
    RestoreTest,
    Selection,
    Server,
    System,
)
from reports.build import build
from reports.levels import ADVISED, ALWAYS, WHOLE, grades
from reports.model import Report, SystemView
from reports.model_backup import BackupView
from reports.said import Sayings
from reports.to_html import html
from reports.to_json import report_json
from reports.to_terminal import summary_text
from reports.words import Words
from tests.helpers.scans import NOW, VOICE, row, scan, unit

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SAYINGS = Sayings(Words("vi", ZONE))
DUTIES = (*ALWAYS, *ADVISED, *(d for d in grades(5) if d not in (*ALWAYS, *ADVISED)))
PLACE = {
    "set": "csdl",
    "protects": "app",
    "device": "https://u:p4ss@dc2/repo",
    "own_host": False,
    "site": "dc2",
    "fresh": True,
    "newest": "2026-11-22T17:00:00+00:00",
}
PROOF = {
    "kind": "restore",
    "time": "2026-09-03T02:00:00+00:00",
    "ok": True,
    "errors": 0,
    "person": True,
    "document": "12/BB-UBND",
}


def system(level: int | None = 2, **fields: Any) -> System:
    one = BackupSet(
        id="csdl",
        system="mc",
        kind="restic",
        every="1d",
        server="app",
        restore_tests=(RestoreTest(date=dt.date(2026, 1, 2), result="ok"),),
    )
    given_ = {"level": level, "servers": ("app",), "backups": (one,), **fields}
    return System(id="mc", unit="u1", name="Một cửa", owner="ha-noi", **given_)


def duty(name: str, status: Status = Status.PASS, detail: Any = None, **fields: Any) -> Result:
    whole = name in WHOLE
    of = {"system": "mc", "target": "mc" if whole else "app", "subject": "" if whole else "csdl"}
    return row(f"backup.{name}", status, detail=detail or {}, **{**of, **fields})


def good(**other: Result | None) -> list[Result]:
    """A pass of every backup check, but for those given by name (with `_` for `-`)."""
    changed = {k.replace("_", "-"): v for k, v in other.items()}
    made = {d: changed.get(d, duty(d)) if d in changed else duty(d) for d in DUTIES}
    return [r for r in made.values() if r is not None]


def below(name: str, lacks: str = "few", **more: Any) -> Result:
    """A duty that nobody asks for at this level, with what was seen all the same."""
    return duty(name, Status.NOT_APPLICABLE, {"lacks": lacks, "from_level": 3, **more})


def scanned(rows: list[Result], of: System, **info: Any) -> Scan:
    made = scan(rows, [unit("u1")], [of], **info)
    servers = {"app": Server(id="app", unit="u1", address="app", site="dc1")}
    inventory = msgspec.structs.replace(made.inventory, servers=servers)
    return msgspec.structs.replace(made, inventory=inventory)


def report(
    rows: list[Result], of: System | None = None, language: Any = "vi", **info: Any
) -> Report:
    return build(
        scanned(rows, of or system(), **info),
        previous=None,
        opened={},
        reopened=frozenset(),
        now=NOW,
        language=language,
        voice=VOICE,
    )


def view(rows: list[Result], of: System | None = None) -> SystemView:
    (found,) = report(rows, of).units[0].systems
    return found


def backup(rows: list[Result], of: System | None = None) -> BackupView:
    (found,) = view(rows, of).backups
    return found


# -------------------------------------------------------------------------------- the next level


def names(duties: Any) -> set[str]:
    return {d.check.removeprefix("backup.") for d in duties}


def test_every_backup_check_is_a_duty_of_some_level() -> None:
    known = {c.id.removeprefix("backup.") for c in builtin().checks if c.id.startswith("backup.")}
    assert set(grades(5)) == known
    assert set(WHOLE) <= known


def test_nothing_missing_is_said_for_certain() -> None:
    found = view(good())
    assert found.next_level is not None
    assert (found.next_level.level, found.next_level.met) == (3, True)
    assert SAYINGS.next_title(found.next_level) == "Đủ yêu cầu sao lưu của cấp 3"
    assert SAYINGS.next_lines(found.next_level) == ()


def test_what_is_not_asked_yet_is_missing_for_the_next_level() -> None:
    rows = good(
        copies=below("copies"),
        encrypted=below("encrypted", "unseen"),
        immutable=below("immutable", "changeable"),
        offsite=below("offsite"),
    )
    found = view(rows).next_level
    assert found is not None
    assert not found.met
    assert names(found.missing) == {"copies"}
    assert names(found.advised) == {"immutable", "offsite"}
    assert names(found.unclear) == {"encrypted"}


def test_a_duty_of_a_later_level_is_not_asked_for() -> None:
    found = view(good(copies=below("copies"), encrypted=below("encrypted")), system(1)).next_level
    assert found is not None
    assert (found.level, found.met, found.missing, found.advised) == (2, True, (), ())


def test_what_fails_now_is_missing_then() -> None:
    found = view(good(recent=duty("recent", Status.FAIL), separate=duty("separate", Status.FAIL)))
    assert found.next_level is not None
    assert names(found.next_level.missing) == {"recent", "separate"}


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.ERROR, None])
def test_what_was_not_seen_or_not_asked_is_apart_and_never_met(status: Status | None) -> None:
    gone = duty("encrypted", status) if status else None
    found = view(good(encrypted=gone)).next_level
    assert found is not None
    assert (found.met, found.missing, names(found.unclear)) == (False, (), {"encrypted"})
    assert SAYINGS.next_title(found).startswith("Chưa kết luận được")


def test_the_legal_number_of_the_next_level_counts() -> None:
    late = {**PROOF, "time": "2026-04-03T02:00:00+00:00"}
    for proof, at, met in ((PROOF, 3, True), (late, 3, False), (late, 2, True)):
        tested = duty("restore-tested", detail={"proofs": [proof]})
        found = view(good(restore_tested=tested), system(at)).next_level
        assert found is not None
        assert found.met is met
    vague = duty("restore-tested", detail={"proofs": 7})
    found = view(good(restore_tested=vague), system(3)).next_level
    assert found is not None
    assert names(found.unclear) == {"restore-tested"}


def test_a_number_of_the_house_says_nothing_of_a_stricter_level() -> None:
    assumed = good(recent=duty("recent", detail={"assumed": True}))
    for level, unclear in ((2, {"recent"}), (3, set())):
        tested = duty("restore-tested", detail={"proofs": [PROOF]})
        rows = [r for r in assumed if r.check != "backup.restore-tested"] + [tested]
        found = view(rows, system(level)).next_level
        assert found is not None
        assert names(found.unclear) == unclear


def test_only_the_sets_that_lack_something_are_named() -> None:
    two = (*system().backups, BackupSet(id="tep", system="mc", kind="directory"))
    more = [duty(d, subject="tep") for d in DUTIES if d not in WHOLE and d != "encrypted"]
    found = view([*good(), *more], system(backups=two)).next_level
    assert found is not None
    assert [d.subjects for d in found.unclear] == [("tep",)]


def test_no_next_level_where_there_is_none() -> None:
    exempt = BackupExemption(reason="r", document="d", approved_by="a", until=dt.date(2027, 1, 1))
    assert view(good(), system(None)).next_level is None
    assert view(good(), system(5)).next_level is None
    assert view([duty("declared")], system(2, backups=(), backup_exempt=exempt)).next_level is None
    other = row("security.level-recorded", Status.PASS, system="mc", target="mc")
    assert view([other]).next_level is None


# ------------------------------------------------------------------------------------- one set


def test_a_copy_says_where_it_lies_and_keeps_no_password() -> None:
    place = {"places": [PLACE, {**PLACE, "set": "other"}, 7, None]}
    rows = good(
        copies=duty("copies", detail=place),
        encrypted=duty("encrypted", detail={"places": {"dc2": True}}),
        immutable=below("immutable", "changeable", places={"dc2": 0.0}),
    )
    found = backup(rows)
    (copy,) = found.copies
    assert copy.device == "https://dc2/repo"
    assert (copy.own_host, copy.elsewhere, copy.fresh) == (False, True, True)
    assert (copy.encrypted, copy.immutable, found.immutable) == ("yes", "no", "no")
    said = SAYINGS.copy(copy)
    assert said == (
        "https://dc2/repo · restic · địa điểm dc2, khác nơi · khác máy · có mã hóa · không khóa"
    )


def test_many_places_are_cut_and_counted() -> None:
    found = backup(good(copies=duty("copies", detail={"places": [PLACE] * 23})))
    assert (len(found.copies), found.copies_left) == (20, 3)
    assert SAYINGS.copies(found)[-1] == "và 3 nơi khác"


def test_where_nothing_was_seen_it_says_so() -> None:
    found = backup([duty("copies", Status.UNKNOWN), duty("recent", Status.UNKNOWN)])
    assert SAYINGS.copies(found) == ("chưa biết nằm ở đâu",)
    assert {found.verified, found.encrypted, found.immutable, found.protected} == {"unknown"}
    dark = backup([duty("copies", detail={"places": [], "unseen": {"csdl": "no route"}})])
    assert SAYINGS.copies(dark) == ("chưa xem được: no route",)


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (784800, "9 lần"),
        (34560, "0,4 lần"),
        (86401, "1,1 lần"),
        (86400, "1 lần"),
        (86300, "0,9 lần"),
        (60, "dưới 0,1 lần"),
    ],
)
def test_the_age_is_told_in_times_of_the_promise(age: float, said: str) -> None:
    found = backup([duty("recent", detail={"age": age, "promised": 86400.0})])
    assert said in SAYINGS.newest(found)


@pytest.mark.parametrize("promised", [0, -5, None, "1d", True, float("nan")])
def test_no_promise_is_no_ratio(promised: Any) -> None:
    found = backup([duty("recent", detail={"age": 5, "promised": promised})])
    assert found.ratio is None


def test_over_a_weekend_the_ratio_is_that_of_the_check() -> None:
    detail = {"age": 210000, "promised": 86400.0, "ratio": 0.81, "workdays": True}
    found = backup([duty("recent", detail=detail)])
    assert "0,8 lần" in SAYINGS.newest(found)
    assert SAYINGS.promise(found) == "cam kết mỗi ngày làm việc"
    assert backup([duty("recent", detail=detail | {"ratio": "9"})]).ratio == 210000 / 86400


def test_remarks_are_told_in_words_and_those_of_later_versions_are_left_out() -> None:
    notes = ["wal_missing", "of_later", 7, "job_status_E", "wal_missing", "\x1b[31m"]
    found = backup([duty("recent", detail={"notes": notes})])
    assert [s.split(" ")[0] for s in found.remarks] == ["Thiếu", "Có"]
    assert found.remarks[1].endswith("với mã E")
    assert ("Lưu ý", found.remarks) in SAYINGS.facts(found)
    for odd in ("wal_missing", {"wal_missing": 1}, None, [["wal_missing"]]):
        bare = backup([duty("recent", detail={"notes": odd})])
        assert bare.remarks == ()
        assert "Lưu ý" not in dict(SAYINGS.facts(bare))


def test_a_restore_says_on_whose_word() -> None:
    tool = {**PROOF, "person": False, "kind": "extract", "time": "2026-10-01T02:00:00+00:00"}
    rows = [duty("restore-tested", detail={"proofs": [tool, PROOF]})]
    found = backup(rows)
    assert (found.restore, found.restore_ok) == (dt.date(2026, 10, 1), True)
    assert "công cụ ghi nhận" in SAYINGS.restore(found)
    assert "chỉ đọc lại một phần" in SAYINGS.restore(found)
    declared = backup([duty("restore-tested", Status.UNKNOWN)])
    assert declared.restore == dt.date(2026, 1, 2)
    assert "theo lời khai" in SAYINGS.restore(declared)


def test_a_failed_restore_that_nothing_cleared_is_the_one_that_counts() -> None:
    bad = {**PROOF, "ok": False, "time": "2026-08-01T02:00:00+00:00"}
    said = Message(id="backup.restore-tested.failed", args={})
    rows = [duty("restore-tested", Status.FAIL, {"proofs": [bad, PROOF]}, message=said)]
    found = backup(rows)
    assert (found.restore, found.restore_ok) == (dt.date(2026, 8, 1), False)


def test_a_record_that_does_not_say_it_went_well_did_not() -> None:
    for broken in ({"ok": "true"}, {"ok": True, "errors": 2}, {"ok": True, "errors": "0"}):
        rows = [duty("restore-tested", detail={"proofs": [{**PROOF, **broken}]})]
        assert backup(rows).restore_ok is False


def test_sizes_tell_their_change_and_never_all_of_it() -> None:
    assert SAYINGS.sizes((8000.0, 20.0)).endswith("giảm 99%")
    assert SAYINGS.sizes((8000.0, 0.0)).endswith("giảm 100%")
    assert SAYINGS.sizes((100.0, 100.2)).endswith("không đổi")
    assert "%" not in SAYINGS.sizes((0.0, 9.0))


# ------------------------------------------------------------------------------- hostile details

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "set",
                    "device",
                    "site",
                    "own_host",
                    "fresh",
                    "newest",
                    "protects",
                    "csdl",
                    "time",
                    "ok",
                    "errors",
                    "person",
                    "kind",
                    "document",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_KEYS = st.sampled_from(
    [
        "places",
        "unseen",
        "proofs",
        "lacks",
        "assumed",
        "age",
        "promised",
        "ratio",
        "workdays",
        "notes",
        "newest",
        "slots",
        "sizes",
    ]
)
_MINE = st.fixed_dictionaries(
    {
        "set": st.just("csdl"),
        "device": _JSON,
        "protects": _JSON,
        "site": _JSON,
        "own_host": _JSON,
        "newest": _JSON,
    }
)


@given(
    st.sampled_from(DUTIES),
    st.sampled_from(Status),
    st.dictionaries(_KEYS, _JSON, max_size=6),
    st.lists(_MINE, max_size=2),
)
def test_no_detail_of_any_shape_costs_the_report(
    name: str, status: Status, detail: dict[str, Any], places: list[Any]
) -> None:
    more = {"places": places} if places else {}
    made = report(
        [duty(name, status, {**detail, **more}), duty("copies", detail={**detail, **more})],
        system(3),
        selection=Selection(units=("u1",)),
    )
    assert report_json(made)["units"]
    assert "\x1b" not in summary_text(made, False, 80)
    found = made.units[0].systems[0]
    assert found.next_level is not None
    assert not found.next_level.met


# ------------------------------------------------------------------------------------ the writers


def test_the_page_shows_a_system_in_both_languages() -> None:
    recent = duty("recent", Status.FAIL, {"age": 784800, "promised": 86400})
    rows = good(recent=recent, copies=duty("copies", detail={"places": [PLACE]}))
    for language, said in (
        ("vi", ("9 lần cam kết", "Còn thiếu", "khác máy", "Khôi phục thử")),
        ("en", ("9 × promised", "Missing", "another machine")),
    ):
        page = html(report(rows, language=language))
        assert not [s for s in said if s not in page]
        assert "p4ss" not in page


def test_the_json_carries_the_same() -> None:
    plain = report_json(report(good(copies=below("copies", places=[PLACE]))))
    found = plain["units"][0]["systems"][0]
    assert found["next_level"]["missing"][0]["check"] == "backup.copies"
    assert found["backups"][0]["copies"][0]["site"] == "dc2"


def test_the_terminal_shows_systems_of_a_single_selection_only() -> None:
    slots = [
        [f"2026-11-{day}T02:00:00Z", s] for day, s in ((20, "kept"), (21, "missed"), (22, "?"))
    ]
    rows = good(
        periodic=duty("periodic", detail={"slots": slots}),
        size_plausible=duty("size-plausible", detail={"sizes": [[s[0], 5] for s in slots]}),
    )
    whole = summary_text(report(rows), False, 100)
    assert "Một cửa" not in whole
    for chosen in (Selection(units=("u1",)), Selection(systems=("mc",))):
        shown = summary_text(report(rows, selection=chosen), False, 100)
        assert "▯✕?" in shown
        assert "███" in shown
        assert "Đủ yêu cầu sao lưu của cấp 3" in shown
        assert len(shown.splitlines()) < 40
    assert "Một cửa" not in summary_text(
        report(rows, selection=Selection(units=("u1", "u2"))), False, 100
    )


def test_passed_rows_are_named_once_by_what_they_speak_of() -> None:
    page = html(report(good()))
    title = VOICE.say("backup.recent", "title", "vi")
    folded = page.split("<summary>Đã đạt", 1)[1].split("</details>", 1)[0]
    assert folded.count(title) == 1
    assert folded.count("<b>app/csdl</b>") == 1


def test_a_unit_with_nothing_wrong_costs_little_of_the_page() -> None:
    # A city of 126 units has to stay under 3 MB, most of its rows met.
    slots = [[f"2026-11-{day:02}T02:00:00Z", "kept"] for day in range(1, 15)]
    rows = good(periodic=duty("periodic", detail={"slots": slots}))
    assert len(html(report(rows)).encode()) - len(html(report(rows[:1])).encode()) < 4000
