"""Sets of duplicity by file names and by its own status, and what may be believed of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, PointKind, PointState
from checks.backup.sources.duplicity import STATUS
from checks.backup.sources.registry import SERIES
from checks.evidence import Evidence, FailureKind, NotDeclared, Unparsable
from inventory.model import PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import FIXTURES, TAKEN, backup, parsed, recorded, said, subject

LOCAL = "file:///srv/backup/dup"
REMOTE = "sftp://b@10.0.7.2/dup"
VERSIONS = sorted({p.name.partition("-")[0] for p in (FIXTURES / STATUS.id).glob("*-chains")})

FULL = "duplicity-full.20261120T020000Z"
INC1 = "duplicity-inc.20261120T020000Z.to.20261121T020000Z"
INC2 = "duplicity-inc.20261121T020000Z.to.20261122T020000Z"
WHOLE = [f"{s}.{e}" for s in (FULL, INC1, INC2) for e in ("vol1.difftar.gpg", "manifest.gpg")]
SIGNATURES = ["duplicity-full-signatures.20261120T020000Z.sigtar.gpg", "notes.txt"]


def folder(names: list[str], match: PointFilter | None = None, size: int = 100) -> BackupSeries:
    rows = b"".join(
        f"1795312800 1795312800 0 {size} {i}".encode() + b"\0/srv/backup/dup/" + n.encode() + b"\0"
        for i, n in enumerate(names)
    )
    listed = b"root\0/srv/backup/dup\0" + rows + b"end\x000\0"
    answer = Evidence(
        probe="backup.directory", target="h", key="", taken=TAKEN, stdout=listed, exit=0
    )
    return parsed(backup("duplicity", repository=LOCAL, match=match), answer)


def status(case: str) -> BackupSeries:
    return parsed(backup("duplicity", repository=REMOTE), recorded(STATUS.id, case))


# ------------------------------------------------------------------------------------ file names


def test_a_chain_by_its_file_names() -> None:
    found = folder([*WHOLE, *SIGNATURES])
    assert [(p.start, p.kind, p.base) for p in found.points] == [
        (at("2026-11-20 02:00"), PointKind.FULL, ""),
        (at("2026-11-21 02:00"), PointKind.INCREMENTAL, "full.20261120T020000Z"),
        (at("2026-11-22 02:00"), PointKind.INCREMENTAL, "inc.20261121T020000Z"),
    ]
    assert [p.size for p in found.points] == [200, None, None]
    assert {p.state for p in found.points} == {PointState.OK}
    assert found.repositories[0].encrypted is True
    assert found.listing.total == 3


def test_a_set_without_its_manifest_is_unfinished() -> None:
    found = folder([n for n in WHOLE if n != f"{INC2}.manifest.gpg"])
    assert found.points[-1].state is PointState.RUNNING
    part = folder([*WHOLE[:-1], f"{INC2}.manifest.part"])
    assert part.points[-1].state is PointState.RUNNING


@pytest.mark.parametrize("volumes", [[1, 3], [2], []])
def test_a_set_without_one_of_its_volumes_is_no_backup(volumes: list[int]) -> None:
    names = [f"{FULL}.vol{v}.difftar.gpg" for v in volumes] + [f"{FULL}.manifest.gpg"]
    (point,) = folder(names).points
    assert (point.state, point.notes) == (PointState.INVALID, ("volume_missing",))


def test_an_increment_whose_full_set_is_gone_names_it_still() -> None:
    found = folder(WHOLE[2:])
    assert found.points[0].base == "full.20261120T020000Z"
    assert "full.20261120T020000Z" not in {p.id for p in found.points}


def test_plain_sets_are_not_encrypted() -> None:
    found = folder([n.replace(".gpg", ".gz").replace("manifest.gz", "manifest") for n in WHOLE])
    assert found.repositories[0].encrypted is False


def test_sets_of_two_prefixes_are_nobodys() -> None:
    both = [*WHOLE, *(f"hk-{n}" for n in WHOLE[:2])]
    with pytest.raises(Unparsable, match="2 prefixes"):
        folder(both)
    assert len(folder(both, PointFilter(prefix="hk-")).points) == 1


def test_names_that_are_no_time_are_passed_over() -> None:
    assert folder(["duplicity-full.99999999T999999Z.manifest.gpg"]).points == ()


def test_an_empty_folder_is_an_answer() -> None:
    found = folder([])
    assert (found.points, found.repositories[0].encrypted) == ((), None)


# ---------------------------------------------------------------------------------------- status


def test_versions_are_recorded() -> None:
    assert "0.8" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_the_status_for_machines_is_read_in_utc(version: str) -> None:
    found = status(f"{version}-chains")
    assert [(p.start, p.kind, p.base) for p in found.points] == [
        (at("2026-11-18 02:00"), PointKind.FULL, ""),
        (at("2026-11-19 02:00"), PointKind.FULL, ""),
        (at("2026-11-20 02:00"), PointKind.INCREMENTAL, "full.20261119T020000Z"),
        (at("2026-11-21 02:00"), PointKind.INCREMENTAL, "inc.20261120T020000Z"),
    ]
    assert all(p.encrypted is False for p in found.points)
    assert found.repositories[0].server == "other"


@pytest.mark.parametrize("version", VERSIONS)
def test_broken_sets_are_told(version: str) -> None:
    found = status(f"{version}-broken")
    assert found.listing.notes
    assert found.listing.total > len(found.points)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_there_is_an_answer_and_a_cut_one_is_none(version: str) -> None:
    assert status(f"{version}-none").points == ()
    answer = said(STATUS.id, recorded(STATUS.id, f"{version}-chains").stdout[:400])
    with pytest.raises(Unparsable, match="broke off"):
        parsed(backup("duplicity", repository=REMOTE), answer)


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        (b"BackendException: ssh connection failed: Authentication failed.", FailureKind.AUTH),
        (b"BackendException: no route", FailureKind.COMMAND_FAILED),
    ],
)
def test_what_is_missing_is_named(stderr: bytes, kind: FailureKind) -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(backup("duplicity", repository=REMOTE), said(STATUS.id, b"", 50, stderr))
    assert caught.value.kind is kind


# -------------------------------------------------------------------------------------- requests


def test_a_folder_is_never_given_to_duplicity_which_would_make_it() -> None:
    for address in (LOCAL, "/srv/backup/dup"):
        asked = SERIES.requests(subject(backup("duplicity", repository=address)))
        assert "duplicity collection-status" not in "".join(r.script for r in asked)
        assert asked[0].params["path"] == "/srv/backup/dup"


def test_elsewhere_its_state_lives_as_long_as_the_listing() -> None:
    given = backup("duplicity", repository=REMOTE, password="env:FTP")  # noqa: S106 - a reference
    request = SERIES.requests(subject(given))[0]
    assert '--archive-dir "$d" sftp://b@10.0.7.2/dup' in request.script
    assert request.secrets == {"FTP_PASSWORD": "env:FTP"}
    for word in ("cleanup", "remove", "--force", "env:FTP"):
        assert word not in request.script


@pytest.mark.parametrize(
    "more",
    [
        {"run_as": "root"},
        {"match": PointFilter(host="a")},
        {"repository": "sftp://u:geheim@h/x"},
        {"repository": ""},
    ],
)
def test_what_cannot_be_asked_is_not_declared(more: dict[str, Any]) -> None:
    with pytest.raises(NotDeclared) as caught:
        SERIES.requests(subject(backup("duplicity", **({"repository": REMOTE} | more))))
    assert "geheim" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_answer_is_read_or_refused(stdout: bytes) -> None:
    tail = b"\n full 20261301T000000Z 1 enc\norphaned-sets-num 0\nincomplete-sets-num 0\n"
    for text in (stdout, stdout + tail):
        try:
            parsed(backup("duplicity", repository=REMOTE), said(STATUS.id, text))
        except Unparsable:
            continue
