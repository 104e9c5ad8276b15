"""Every remark that any source or the judgement can make has words in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

import checks.backup
from checks.backup.notes import known, remark
from checks.backup.periodicity import assess
from checks.backup.series import BackupPoint, Listing, Repository
from checks.texts import LANGUAGES
from tests.helpers.backup_series import NOW, UTC, daily, promise, series

ROOT = Path(str(resources.files(checks.backup)))
_SNAKE = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")
_CARRIERS = {"notes", "note", "bad", "failed", "wrong", "result", "reasons"}
"""Names under which notes travel: as keywords, variables, and the receivers of `append`."""

# Words of the code that look like notes and are none: keys of details and options, fields of tools.
OTHERS = frozenset(
    {
        "backup_directory",
        "backup_label",
        "backup_manifest",
        "backup_type",
        "by_hand",
        "end_time",
        "exempt_until",
        "exemption_lapsed",
        "expires_days",
        "failing_since",
        "fe_sendauth",
        "from_level",
        "from_lsn",
        "full_days",
        "ib_logfile0",
        "immutable_days",
        "last_archived_time",
        "last_failed_time",
        "longest_gap",
        "mariadb_backup_checkpoints",
        "mariadb_backup_info",
        "median_interval",
        "needed_devices",
        "old_full",
        "one_site",
        "own_host",
        "password_file",
        "public_block",
        "restore_months",
        "restore_months_legal",
        "restore_tests",
        "base_*",
        "restore_within",
        "rule_months",
        "run_as",
        "same_host",
        "servers_without_set",
        "size_gb",
        "size_mb",
        "start_time",
        "tar_rest",
        "to_lsn",
        "unknown_slots",
        "verify_days",
        "without_frequency",
        "without_server",
        "xtrabackup_checkpoints",
        "xtrabackup_info",
        "xtrabackup_logfile",
    }
)
_MADE = re.compile(r"(?:[a-z]+_)+\*|\*(?:_[a-z]+)+")
"""A note of which a part is put in."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def texts_in(node: ast.AST) -> Iterator[str]:
    """The strings that an expression can give, not those that it compares or asks with."""
    if isinstance(node, ast.Compare | ast.Subscript | ast.Call | ast.Lambda):
        return
    if isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "*" for v in node.values)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from texts_in(child)


def carried(tree: ast.Module) -> Iterator[str]:
    """Strings that are handed on under a name by which notes travel."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in _CARRIERS:
            yield from texts_in(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            if names & _CARRIERS:
                yield from texts_in(node.value)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in _CARRIERS
        ):
            for value in node.args:
                yield from texts_in(value)


def emitted() -> dict[str, str]:
    """Every note that the code can make, with a module that makes it."""
    found = {}
    for name, tree in modules():
        strings = [
            n.value
            for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        for text in strings:
            if _SNAKE.fullmatch(text) and text not in OTHERS:
                found[text] = name
        made = [t for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for t in texts_in(n)]
        found |= {t: name for t in made if _MADE.fullmatch(t) and t not in OTHERS}
        found |= {text: name for text in carried(tree) if re.fullmatch(r"[a-z]+", text)}
    return found


EMITTED = emitted()


def test_the_code_is_read_for_what_it_can_remark() -> None:
    """Of each way to make a note one is known, so that the reading itself cannot go blind."""
    for note in (
        *("wal_missing", "page_checksum_errors", "repository_unreadable", "no_stanza"),
        *("start_unknown", "failed", "running", "prepared", "protected", "corrupted"),
        *("continuous", "job_status_*", "status_*", "result_*", "*_sets", "stale_lock", "partial"),
        *("delete_markers", "lifecycle_by_tag", "looks_manual", "vanished_before_retention"),
    ):
        assert note in EMITTED, note


@pytest.mark.parametrize("note", sorted(EMITTED))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_remark_has_words(note: str, language: str) -> None:
    ids = [note]
    if note == "*_sets":
        ids = ["incomplete_sets", "orphaned_sets"]
    for each in ids:
        said = remark(each.replace("*", "X9"), language)
        assert said, f"{each} of {EMITTED[note]} lacks words in notes.yaml"
        assert "{" not in said
        if "*" in each:
            assert "X9" in said


def test_no_words_are_left_over() -> None:
    makes = {*EMITTED, "incomplete_sets", "orphaned_sets"}
    assert sorted(set(known()) - makes) == []


def test_words_are_said_in_both_languages() -> None:
    for note, said in known().items():
        assert set(said) == set(LANGUAGES), note
        assert said["vi"] != said["en"], note
        for text in said.values():
            assert text == text.strip(), note
            assert not text.endswith("."), note
            assert ("{rest}" in text) == note.endswith("*"), note


def test_an_unknown_or_hostile_remark_is_said_harmlessly() -> None:
    assert remark("of_a_later_version", "vi") == ""
    assert remark("job_*", "en").endswith(" *")
    said = remark("result_\x1b[31m" + "9" * 500, "en")
    assert "\x1b" not in said
    assert len(said) < 100
    # The longest beginning that fits says most.
    assert remark("job_status_E", "en") == "A run ended with status E"
    assert remark("job_aborted", "en") == "A backup job ended as aborted"


def test_remarks_on_points_places_and_lists_all_reach_the_results() -> None:
    points = daily(14)
    marked = BackupPoint(id="m", start=points[3].start, size=1000, notes=("dated_by_hand",))
    found = series(
        [*points[:3], marked, *points[4:]],
        listing=Listing(notes=("partly_unreadable",)),
        repositories=(Repository(notes=("stale_lock",)), Repository(notes=("stale_lock",))),
    )
    notes = assess(found, promise(), NOW, UTC).notes
    assert sorted(notes) == ["dated_by_hand", "partly_unreadable", "stale_lock"]
