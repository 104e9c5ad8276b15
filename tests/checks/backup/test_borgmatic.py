"""Archives and checks as borgmatic tells of them, recorded, and what may be believed of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, ProofKind
from checks.backup.sources.borgmatic import ARCHIVES, PASSED
from checks.backup.sources.registry import SERIES
from checks.evidence import Evidence, Failure, FailureKind, NotDeclared, Unparsable
from inventory.model import PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, recorded, said, subject

R = "/srv/backup/borg"
VERSIONS = ["1.7", "2.1"]


def read(case: str, *more: Evidence, **given: Any) -> BackupSeries:
    promised = backup("borgmatic", **({"repository": R} | given))
    return parsed(promised, recorded(ARCHIVES.id, case), *more)


@pytest.mark.parametrize("version", VERSIONS)
def test_archives_of_every_name_in_utc(version: str) -> None:
    found = read(f"{version}-several")
    assert len(found.points) == 2
    assert found.points[0].start == at("2026-11-20 02:00")
    assert found.points[0].name == "other-2026-11-20"
    assert found.repositories[0].encrypted is True
    bound = read(f"{version}-several", match=PointFilter(prefix="app-"))
    assert [p.name[:4] for p in bound.points] == ["app-"]


def test_its_own_listing_is_read_too_but_hides_names() -> None:
    assert len(read("1.7-own-listing").points) == 2
    assert len(read("2.1-own-listing").points) == 1


@pytest.mark.parametrize(
    ("case", "kind", "words"),
    [
        ("wrong-password", FailureKind.AUTH, "passphrase of the repository in borgmatic"),
        ("no-repository", FailureKind.COMMAND_FAILED, "not found in configuration files"),
        ("no-config", FailureKind.COMMAND_FAILED, "not found in configuration files"),
        ("no-borg", FailureKind.MISSING_TOOL, "'borg'"),
        ("denied", FailureKind.DENIED, "right to read: .*'/srv/backup/closed/config'"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_missing_is_named(version: str, case: str, kind: FailureKind, words: str) -> None:
    with pytest.raises(Unparsable, match=words) as caught:
        read(f"{version}-{case}")
    assert caught.value.kind is kind


@pytest.mark.parametrize("version", VERSIONS)
def test_check_files_are_proofs_of_their_own_strength(version: str) -> None:
    found = read(f"{version}-several", recorded(PASSED.id, version))
    assert {(p.name, p.kind) for p in found.proofs} == {
        ("borgmatic repository", ProofKind.CHECK),
        ("borgmatic archives", ProofKind.CHECK),
        ("borgmatic data", ProofKind.VERIFY),
        ("borgmatic extract", ProofKind.EXTRACT),
    }
    assert all(p.ok and p.time > at("2026-11-22 02:00") for p in found.proofs)
    assert "proofs" not in found.repositories[0].unseen


def test_checks_of_another_repository_prove_nothing() -> None:
    found = read("1.7-several", recorded(PASSED.id, "2.1"))
    assert found.proofs == ()
    assert "proofs" not in found.repositories[0].unseen  # its folder was read: no check ever passed


def test_the_newest_file_of_a_check_counts_and_spot_is_a_trial() -> None:
    known = read("1.7-several", recorded(PASSED.id, "1.7"))
    folder = recorded(PASSED.id, "1.7").stdout.decode().split("/checks/")[1].split("/")[0]
    lines = "".join(
        f"check={seconds} /h/.local/state/borgmatic/checks/{folder}/{name}\n"
        for seconds, name in [
            ("1795300000", "archives/all"),
            ("1795310000.25", "archives/0a1b"),
            ("1795305000", "archives/0c2d"),
            ("1795290000", "spot"),
            ("1795290000", "other"),
            ("99999999999999", "data"),
        ]
    )
    found = read("1.7-several", said(PASSED.id, lines.encode()))
    assert [(p.kind, p.time.timestamp()) for p in found.proofs] == [
        (ProofKind.EXTRACT, 1795290000),
        (ProofKind.CHECK, 1795310000),
    ]
    assert len(known.proofs) == 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(PASSED.id, b""), FailureKind.NOT_DECLARED),
        (
            Evidence(
                probe=PASSED.id,
                target="h",
                key="",
                taken=TAKEN,
                failure=Failure(kind=FailureKind.DENIED, detail="find: ‘/root’: Permission denied"),
            ),
            FailureKind.DENIED,
        ),
    ],
)
def test_checks_that_cannot_be_seen_are_not_checks_that_were_not_made(
    answer: Evidence, kind: FailureKind
) -> None:
    found = read("1.7-several", answer)
    assert found.proofs == ()
    assert found.repositories[0].unseen["proofs"].kind is kind


def test_one_repository_of_several_by_path_label_or_id() -> None:
    text = (
        b'[{"archives": [], "repository": {"id": "1", "location": "/a", "label": "x"}},'
        b' {"archives": [{"id": "9", "name": "n", "start": "2026-11-22T02:00:00"}],'
        b' "repository": {"id": "2", "location": "ssh://h/b", "label": "y"}}]'
    )
    for name, count in (("/a", 0), ("y", 1), ("2", 1), ("ssh://h/b", 1)):
        found = parsed(backup("borgmatic", repository=name), said(ARCHIVES.id, text))
        assert len(found.points) == count
    with pytest.raises(Unparsable, match="none of the 2"):
        parsed(backup("borgmatic", repository="z"), said(ARCHIVES.id, text))


def test_the_listing_waits_for_no_backup_and_logs_nowhere() -> None:
    given = backup("borgmatic", repository=R, run_as="root", name="/etc/borgmatic/hk.yaml")
    request = asked(given, ARCHIVES.id)
    assert request.sudo[:9] == (
        "root",
        "env",
        "TZ=UTC",
        "borgmatic",
        "--log-file",
        "/dev/null",
        "--config",
        "/etc/borgmatic/hk.yaml",
        "borg",
    )
    assert "--bypass-lock" in request.sudo
    assert asked(given, PASSED.id).sudo[:3] == (
        "root",
        "find",
        "/root/.local/state/borgmatic/checks",
    )


@pytest.mark.parametrize(
    "more",
    [
        {"password": "env:X"},
        {"password_file": "/etc/p"},
        {"name": "relative.yaml"},
        {"match": PointFilter(tags=("a",))},
    ],
)
def test_what_cannot_be_asked_is_not_declared(more: dict[str, Any]) -> None:
    with pytest.raises(NotDeclared):
        SERIES.requests(subject(backup("borgmatic", repository=R, **more)))


@given(st.binary(max_size=300), st.binary(max_size=200))
def test_any_answer_is_read_or_refused(stdout: bytes, checks: bytes) -> None:
    promised = backup("borgmatic", repository=R)
    for text in (stdout, b'{"archives": []}'):
        try:
            parsed(promised, said(ARCHIVES.id, text), said(PASSED.id, checks))
        except Unparsable:
            continue
