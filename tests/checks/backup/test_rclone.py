"""Files of rclone remotes as rclone lists them, recorded, and what may be believed of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, Origin, PointState
from checks.backup.sources.rclone import FILES, TYPES, UPLOADED
from checks.backup.sources.registry import SERIES
from checks.evidence import Evidence, FailureKind, NotDeclared, Unparsable
from inventory.model import PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import backup, parsed, recorded, said, subject

R = "store:db"


def read(case: str, *more: Evidence, **given: Any) -> BackupSeries:
    promised = backup("rclone", **({"repository": R} | given))
    return parsed(promised, recorded(FILES.id, f"1.60-{case}"), *more)


def one(path: str, when: str, size: int = 1000) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    return {"Path": path, "Name": name, "Size": size, "ModTime": when, "IsDir": False}


def listed(*rows: dict[str, Any], uploaded: list[dict[str, Any]] | None = None) -> BackupSeries:
    answers = [said(FILES.id, json.dumps(rows).encode())]
    answers += [said(UPLOADED.id, json.dumps(uploaded).encode())] if uploaded is not None else []
    return parsed(backup("rclone", repository=R), *answers)


def test_times_of_any_zone_in_utc() -> None:
    found = read("files")
    assert [p.start for p in found.points] == [
        at(f"2026-11-{day} 02:0{minute}")
        for day, minute in ((18, 0), (19, 0), (20, 0), (21, 0), (22, 0), (22, 5))
    ]
    assert [p.state for p in found.points] == [
        PointState.INVALID,
        *[PointState.OK] * 4,
        PointState.RUNNING,
    ]
    assert found.points[0].notes == ("empty_archive",)
    assert "upload_times_unseen" in found.listing.notes


def test_an_old_dump_that_was_uploaded_today_is_old() -> None:
    row = one("db.sql.gz", "2026-11-01T02:00:00Z")
    sent = [one("db.sql.gz", "2026-11-22T03:00:00Z")]
    (point,) = listed(row, uploaded=sent).points
    assert point.start == at("2026-11-01 02:00")
    assert point.end == at("2026-11-22 03:00")
    assert "copied_or_touched" in point.notes


def test_a_date_of_the_future_on_the_original_does_not_make_it_newer() -> None:
    row = one("db.sql.gz", "2030-01-01T02:00:00Z")
    (point,) = listed(row, uploaded=[one("db.sql.gz", "2026-11-22T03:00:00Z")]).points
    assert (point.start, point.origin) == (at("2026-11-22 03:00"), Origin.SERVER)


def test_a_mirror_is_no_backup() -> None:
    with pytest.raises(Unparsable, match="mirror of 4 files") as caught:
        read("mirror", repository="store:mirror")
    assert caught.value.kind is FailureKind.NOT_DECLARED
    dated = [one(f"2026-11-{d}/{n}.txt", "2026-11-22T02:00:00Z") for d in (21, 22) for n in "ab"]
    assert len(listed(*dated).points) == 4
    week = [one(f"db-{day}.gz", "2026-11-22T02:00:00Z") for day in ("Mon", "Tue")]
    assert len(listed(*week).points) == 2


@pytest.mark.parametrize(
    ("case", "kind", "words"),
    [
        ("no-folder", FailureKind.COMMAND_FAILED, "directory not found"),
        ("no-remote", FailureKind.COMMAND_FAILED, "didn't find section"),
        ("no-password", FailureKind.AUTH, "password of rclone's configuration"),
        ("wrong-password", FailureKind.AUTH, "password of rclone's configuration"),
    ],
)
def test_what_is_missing_is_named(case: str, kind: FailureKind, words: str) -> None:
    with pytest.raises(Unparsable, match=words) as caught:
        read(case)
    assert caught.value.kind is kind


def test_a_lone_bracket_is_no_empty_folder() -> None:
    with pytest.raises(Unparsable, match="no list of files"):
        parsed(backup("rclone", repository=R), said(FILES.id, b"[\n"))
    assert parsed(backup("rclone", repository=R), said(FILES.id, b"[\n]\n")).points == ()


def test_names_bind_by_their_beginning() -> None:
    rows = [one(f"x/{n}-20261122.gz", "2026-11-22T02:00:00Z") for n in ("hr", "tax")]
    answer = said(
        FILES.id, json.dumps([*rows, one("x/hr-20261122.gz.md5", "2026-11-22T02:00:00Z")]).encode()
    )
    given = backup("rclone", repository=R, match=PointFilter(prefix="hr-"))
    found = parsed(given, answer)
    assert [p.name for p in found.points] == ["hr-20261122.gz"]
    assert found.listing.ignored == 2
    nothing = parsed(backup("rclone", repository=R, match=PointFilter(prefix="no-")), answer)
    assert "nothing_matched" in nothing.listing.notes


@pytest.mark.parametrize(
    ("name", "remote", "encrypted"),
    [
        ("store", None, None),
        ("vault", None, True),
        ("here", False, None),
        ("cloud", True, None),
        ("unknown", None, None),
    ],
)
def test_what_a_remote_is_by_its_type(
    name: str, remote: bool | None, encrypted: bool | None
) -> None:
    found = read("files", recorded(TYPES.id, "1.60"), repository=f"{name}:db")
    (place,) = found.repositories
    assert (place.remote, place.encrypted) == (remote, encrypted)
    assert ("remote" in place.unseen) == (remote is None)
    assert ("encrypted" in place.unseen) == (encrypted is None)
    assert place.location == f"{name}:db"


def test_a_size_that_is_not_known_is_none() -> None:
    assert listed(one("a-20261122", "2026-11-22T02:00:00Z", -1)).points[0].size is None


def test_only_listing_commands_without_a_question() -> None:
    given = backup("rclone", repository=R, run_as="backup", password_file="/etc/rclone pass")  # noqa: S106
    asked = {r.probe: r for r in SERIES.requests(subject(given))}
    assert asked[FILES.id].sudo == (
        "backup",
        "rclone",
        "--ask-password=false",
        "--password-command",
        "cat '/etc/rclone pass'",
        "lsjson",
        "-R",
        "--files-only",
        "--no-mimetype",
        R,
    )
    assert "config" not in asked[TYPES.id].script
    secret = SERIES.requests(subject(backup("rclone", repository=R, password="env:RC")))[0]  # noqa: S106
    assert secret.secrets == {"RCLONE_CONFIG_PASS": "env:RC"}


@pytest.mark.parametrize(
    "more",
    [
        {"repository": ":sftp,host=h,pass=geheim:x"},
        {"repository": "--config=/x"},
        {"match": PointFilter(tags=("a",))},
    ],
)
def test_what_cannot_be_asked_is_not_declared(more: dict[str, Any]) -> None:
    with pytest.raises(NotDeclared) as caught:
        SERIES.requests(subject(backup("rclone", **({"repository": R} | more))))
    assert "geheim" not in str(caught.value)


@given(st.binary(max_size=300), st.binary(max_size=80))
def test_any_answer_is_read_or_refused(stdout: bytes, types: bytes) -> None:
    for text in (stdout, b"[]"):
        try:
            parsed(
                backup("rclone", repository=R),
                said(FILES.id, text),
                said(UPLOADED.id, stdout),
                said(TYPES.id, types),
            )
        except Unparsable:
            continue
