"""Archives as Borg lists them, recorded, and what may be believed of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, PointState
from checks.backup.sources.borg import ARCHIVES, FIGURES, STATE
from checks.backup.sources.registry import SERIES
from checks.evidence import FailureKind, NotDeclared, Unparsable
from inventory.model import PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import FIXTURES, asked, backup, parsed, recorded, said, subject

R = "/srv/backup/borg"
VERSIONS = sorted({p.name.partition("-")[0] for p in (FIXTURES / ARCHIVES.id).glob("1.*-several")})
PLACE = b"/dev/sda1 ext4 100 50 50 50% /srv\n"
KEPT = ("app/data", "app/etc")


def read(case: str, match: PointFilter | None = None) -> BackupSeries:
    return parsed(backup("borg", repository=R, match=match), recorded(ARCHIVES.id, case))


def state(text: bytes, **more: Any) -> BackupSeries:
    given = backup("borg", **({"repository": R} | more))
    answer = said(ARCHIVES.id, b'{"archives": [], "encryption": {"mode": "repokey"}}')
    return parsed(given, answer, said(STATE.id, text), said("backup.place", PLACE))


def test_versions_are_recorded() -> None:
    assert VERSIONS == ["1.2", "1.4"]


@pytest.mark.parametrize("version", VERSIONS)
def test_archives_of_a_prefix_in_utc_with_their_paths(version: str) -> None:
    found = read(f"{version}-several", PointFilter(prefix="app1-"))
    assert [p.start for p in found.points] == [
        at("2026-11-20 02:00"),
        at("2026-11-21 02:00"),
        at("2026-11-22 02:00"),
    ]
    assert {p.paths for p in found.points} == {KEPT}
    assert len({p.group for p in found.points}) == 1
    assert all(p.encrypted for p in found.points)
    assert (found.listing.total, found.listing.ignored) == (6, 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_source_shows_by_its_files_only(version: str) -> None:
    given = backup("borg", repository=R, match=PointFilter(prefix="app1-"))
    figures = recorded(FIGURES.id, version)
    points = parsed(given, recorded(ARCHIVES.id, f"{version}-several"), figures).points
    assert [(p.files, p.state) for p in points] == [
        (10, PointState.OK),
        (10, PointState.OK),
        (1, PointState.OK),
    ]
    assert points[0].data is not None
    assert points[0].data > 50000
    assert points[2].data == 2
    assert points[2].notes == ("outcome_unsaid",)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_archive_of_nothing_and_one_of_the_future(version: str) -> None:
    answers = recorded(ARCHIVES.id, f"{version}-several"), recorded(FIGURES.id, version)
    empty = parsed(backup("borg", repository=R, match=PointFilter(prefix="app3")), *answers)
    assert [(p.state, p.notes) for p in empty.points] == [(PointState.INVALID, ("empty_archive",))]
    later = parsed(backup("borg", repository=R, match=PointFilter(prefix="app2")), *answers)
    assert later.points[-1].start == at("2030-01-01 02:00")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("case", "kind", "words"),
    [
        ("wrong-password", FailureKind.AUTH, "passphrase of the Borg repository is wrong"),
        ("no-password", FailureKind.AUTH, "password_file or password"),
        ("no-password-file", FailureKind.AUTH, "passphrase file of the Borg repository"),
        ("no-repository", FailureKind.COMMAND_FAILED, "does not exist"),
        ("not-a-repository", FailureKind.COMMAND_FAILED, "is not a valid repository"),
        ("no-key", FailureKind.AUTH, "key file of the Borg repository"),
        ("denied", FailureKind.DENIED, "right to read: .*'/srv/backup/closed/config'"),
        ("ssh-refused", FailureKind.AUTH, "login where the copies lie: .*nobody@store"),
        ("no-borg-there", FailureKind.MISSING_TOOL, "borg: not found"),
    ],
)
def test_what_is_missing_is_named(version: str, case: str, kind: FailureKind, words: str) -> None:
    with pytest.raises(Unparsable, match=words) as caught:
        read(f"{version}-{case}")
    assert caught.value.kind is kind


def test_an_ssh_that_ends_before_borg_reads_why() -> None:
    with pytest.raises(Unparsable, match="Is borg working on the server") as caught:
        read("1.4-closed")
    assert caught.value.kind is FailureKind.COMMAND_FAILED


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lock_that_a_backup_holds_hides_nothing(version: str) -> None:
    answers = recorded(ARCHIVES.id, f"{version}-locked"), recorded(FIGURES.id, f"{version}-locked")
    (point,) = parsed(backup("borg", repository=R), *answers).points
    assert (point.start, point.files) == (at("2026-11-20 02:00"), 1)


def test_versions_tell_the_same() -> None:
    told = [recorded(ARCHIVES.id, f"{v}-several").stdout for v in VERSIONS]
    keys = [{frozenset(a) for a in json.loads(t)["archives"]} for t in told]
    assert len(keys) > 1
    assert all(k == keys[0] for k in keys)


@pytest.mark.parametrize("version", VERSIONS)
def test_plain_and_encrypted_repositories(version: str) -> None:
    assert read(f"{version}-plain").repositories[0].encrypted is False
    assert read(f"{version}-several").repositories[0].encrypted is True
    assert read(f"{version}-none").points == ()
    assert (
        parsed(backup("borg", repository=R), said(ARCHIVES.id, b'{"archives": []}'))
        .repositories[0]
        .encrypted
        is None
    )


def test_warnings_before_the_json_are_passed_over() -> None:
    text = b'Warning: Permanently added "h"\n{"archives": [], "encryption": {"mode": "none"}}'
    assert parsed(backup("borg", repository=R), said(ARCHIVES.id, text)).points == ()


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        (["borg", "create", "-x", "/r::a", "/etc", "/srv"], ("/etc", "/srv")),
        (["borg", "create", "/r::a", "/etc", "--exclude", "/etc/x"], None),
        (["borg", "create", "/r::a"], None),
        (["borg", "recreate", "/r::a", "/etc"], None),
        ([], None),
    ],
)
def test_paths_are_only_what_the_command_plainly_says(
    command: list[str], paths: tuple[str, ...] | None
) -> None:
    row = {"id": "1", "name": "a", "start": "2026-11-22T02:00:00.000000", "command_line": command}
    answer = said(ARCHIVES.id, json.dumps({"archives": [row]}).encode())
    assert parsed(backup("borg", repository=R), answer).points[0].paths == paths


def test_a_checkpoint_is_no_backup() -> None:
    row = {"id": "1", "name": "a.checkpoint.1", "start": "2026-11-22T02:00:00"}
    answer = said(ARCHIVES.id, json.dumps({"archives": [row]}).encode())
    (point,) = parsed(backup("borg", repository=R), answer).points
    assert point.state is PointState.RUNNING


# --------------------------------------------------------------------------------- the repository


@pytest.mark.parametrize(
    ("text", "more", "immutable"),
    [
        (b"config=read\nappend_only=1\n", {"protects": "other"}, True),
        (b"config=read\nappend_only=0\n", {"protects": "other"}, None),
        (b"", {"protects": "other"}, None),
        (b"config=read\nappend_only=1\n", {}, False),
    ],
)
def test_append_only_locks_the_copies_of_another_server(
    text: bytes, more: dict[str, Any], immutable: bool | None
) -> None:
    (place,) = state(text, **more).repositories
    assert place.immutable is immutable
    assert ("immutable" in place.unseen) == (immutable is None)
    assert place.server == "h"
    if not text:
        assert place.unseen["immutable"].kind is FailureKind.DENIED


LOCK = b"lock=1795300000 vm@3281355014145.12926-0\n"


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (LOCK + b"host=vm\nseen=all\n", ("stale_lock",)),
        (LOCK + b"host=vm\npid=12926\nseen=all\n", ()),
        (LOCK + b"host=else\nseen=all\n", ("old_lock",)),
        (b"lock=1795337000 vm@3281355014145.12926-0\nhost=vm\nseen=all\n", ()),
        (b"lock=x y\nlock=99999999999 v@1.2-0\n", ()),
    ],
)
def test_a_lock_is_stale_without_its_process(text: bytes, notes: tuple[str, ...]) -> None:
    assert state(text, protects="other").repositories[0].notes == notes


@pytest.mark.parametrize(
    ("address", "remote", "server"),
    [
        ("ssh://b@10.0.7.2:2222/./r", True, "other"),
        ("b@10.0.7.2:r", True, "other"),
        ("ssh://b@store.example.vn/r", True, ""),
        ("ssh://b@localhost/r", False, ""),
        ("ssh://b@10.0.7.1/r", False, "h"),
    ],
)
def test_where_a_repository_lies(address: str, remote: bool, server: str) -> None:
    answer = said(ARCHIVES.id, b'{"archives": []}')
    (place,) = parsed(backup("borg", repository=address), answer).repositories
    assert (place.remote, place.server) == (remote, server)
    assert "deletable" in place.unseen


@pytest.mark.parametrize(
    ("mount", "remote"),
    [
        (PLACE, False),
        (b"nas:/export nfs4 1 1 1 1% /srv\n", True),
        (b"//nas/share cifs 1 1 1 1% /srv\n", True),
        (b"u@nas:/x fuse.sshfs 1 1 1 1% /srv\n", True),
        (b"", None),
    ],
)
def test_a_mount_may_lead_away(mount: bytes, remote: bool | None) -> None:
    answer = said(ARCHIVES.id, b'{"archives": []}')
    found = parsed(backup("borg", repository=R), answer, said("backup.place", mount))
    (place,) = found.repositories
    assert place.remote is remote
    assert place.deletable is (True if remote is False else None)


# --------------------------------------------------------------------------------------- requests


def test_the_listing_bypasses_locks_and_runs_in_utc_with_a_state_of_its_own() -> None:
    script = asked(backup("borg", repository=R, password="env:P"), ARCHIVES.id).script  # noqa: S106
    assert "TZ=UTC" in script
    assert "--bypass-lock" in script
    assert "BORG_BASE_DIR=$(mktemp -d)" in script
    for word in ("break-lock", "prune", "compact", "--consider-checkpoints", "env:P"):
        assert word not in script


def test_another_account_keeps_its_own_state_and_its_cache_is_left_alone() -> None:
    given = backup("borg", repository=R, run_as="root", password_file="/etc/borg pass")  # noqa: S106
    request = asked(given, ARCHIVES.id)
    assert "BORG_BASE_DIR" not in request.script
    assert request.sudo[:2] == ("root", "env")
    assert "BORG_PASSCOMMAND=cat '/etc/borg pass'" in request.sudo
    assert FIGURES.id not in {r.probe for r in SERIES.requests(subject(given))}


def test_tags_cannot_bind_archives() -> None:
    with pytest.raises(NotDeclared, match="without tags"):
        SERIES.requests(subject(backup("borg", repository=R, match=PointFilter(tags=("a",)))))


def test_no_line_of_the_config_but_one_leaves_the_host(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "config").write_text("[repository]\nappend_only = 1\nkey = geheim\n")
    request = asked(backup("borg", repository=str(folder)), STATE.id)
    done = subprocess.run(["sh", "-c", request.script], capture_output=True, text=True, check=True)
    assert "append_only=1" in done.stdout.splitlines()
    assert "geheim" not in done.stdout + done.stderr


@given(st.binary(max_size=300), st.binary(max_size=80))
def test_any_answer_is_read_or_refused(stdout: bytes, stderr: bytes) -> None:
    promised = backup("borg", repository=R)
    good = said(ARCHIVES.id, b'{"archives": []}')
    for answer in (said(ARCHIVES.id, stdout, 0, stderr), good):
        try:
            parsed(promised, answer, said(FIGURES.id, stdout), said(STATE.id, stdout))
        except Unparsable:
            continue
