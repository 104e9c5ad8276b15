"""The dossier: every part of the level, every file there and unchanged, nothing guessed."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FILES, Answers, Evidence, FailureKind, Need, Unparsable
from checks.files import FileEntry, pack
from checks.model import Context, Scope, Severity, Status, Subject, Verdict
from checks.security.dossier import DOSSIER_FILES, FOLDER, Folder, dossier_complete
from checks.security.level_record import DossierPart, LevelRecord
from checks.texts import render
from inventory.model import Inventory
from scanner.transports.base import SizeLimits
from scanner.transports.files import FilesTransport
from tests.helpers.levels import GOOD, OLD, SYSTEM, UNITS, ZONE, but, faults, judge, name

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
PARTS = ("overview", "design", "statement", "plan")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def listed(*parts: str) -> tuple[DossierPart, ...]:
    return tuple(DossierPart(part=p, file=f"dossier/sys/{p}.pdf", sha256=digest(p)) for p in parts)


def folder(**changes: str | None) -> Folder:
    """What lies there: every part as recorded; a change gives another digest or takes it away."""
    files = {f"dossier/sys/{p}.pdf": digest(p) for p in (*PARTS, "opinion")}
    for part, found in changes.items():
        if found is None:
            del files[f"dossier/sys/{part}.pdf"]
        else:
            files[f"dossier/sys/{part}.pdf"] = found
    return Folder(files=files, deep=("dossier/sys",), flat=("dossier",))


WHOLE = but(GOOD, dossier=listed(*PARTS))


def test_a_whole_dossier_passes() -> None:
    found = judge(dossier_complete, WHOLE, folder())
    assert (found.status, name(found)) == (Status.PASS, "complete")
    assert found.message.args["count"] == 4
    assert found.detail["dossier"][0] == {
        "part": "overview",
        "file": "dossier/sys/overview.pdf",
        "sha256": digest("overview"),
        "found": digest("overview"),
    }


def test_a_changed_file_is_named() -> None:
    found = judge(dossier_complete, WHOLE, folder(design=digest("other"), plan=None))
    assert (found.status, faults(found)) == (Status.FAIL, ["file-changed", "file-missing"])
    assert found.message.args["file"] == "dossier/sys/design.pdf"
    assert found.severity is Severity.MAJOR
    high = but(WHOLE, level=3)
    changed = judge(dossier_complete, high, folder(design=digest("other")), level=3)
    assert changed.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("there", "wanted"),
    [({"plan": None}, ["file-missing"]), ({"plan": digest("")}, ["file-empty"])],
)
def test_a_file_that_is_not_there_or_holds_nothing(
    there: dict[str, str | None], wanted: list[str]
) -> None:
    assert faults(judge(dossier_complete, WHOLE, folder(**there))) == wanted


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("base", [GOOD, OLD])
def test_each_part_that_the_level_asks_for(base: LevelRecord, level: int) -> None:
    needed = [*PARTS, "opinion"] if level >= 4 else list(PARTS)
    whole = but(base, level=level, dossier=listed(*needed))
    assert judge(dossier_complete, whole, folder(), level=level).status is Status.PASS
    for part in needed:
        less = but(whole, dossier=listed(*(p for p in needed if p != part)))
        found = judge(dossier_complete, less, folder(), level=level)
        assert (found.status, faults(found)) == (Status.FAIL, ["part-missing"])
        assert found.message.args["part"] == f"security/part-{part}"
        # The old law's list is from memory, and the sentence says so.
        shown = render(found.message, "en", ZONE)
        assert ("Official Gazette" in shown) == (base is OLD)
        assert f"Decree {'85/2016, Art. 15' if base is OLD else '331/2026, Art. 21'}" in shown


def test_an_empty_list_lacks_every_part() -> None:
    found = judge(dossier_complete, GOOD, folder())
    assert faults(found) == ["part-missing"] * 4
    # A part without a file is no part.
    bare = but(GOOD, dossier=tuple(DossierPart(part=p) for p in PARTS))
    assert faults(judge(dossier_complete, bare, folder())) == ["part-missing"] * 4


@pytest.mark.parametrize(
    ("sha256", "wanted"),
    [("", ["no-digest"]), ("abcd", ["bad-digest"]), ("z" * 64, ["bad-digest"])],
)
def test_without_a_digest_nobody_can_tell(sha256: str, wanted: list[str]) -> None:
    parts = (*listed("overview", "design", "plan"), DossierPart(
        part="statement", file="dossier/sys/statement.pdf", sha256=sha256
    ))  # fmt: skip
    found = judge(dossier_complete, but(GOOD, dossier=parts), folder())
    assert (faults(found), found.severity) == (wanted, Severity.MINOR)


def test_digits_in_capitals_and_spaces_are_the_same_digest() -> None:
    part = DossierPart(
        part="plan", file=" ./dossier//sys/plan.pdf ", sha256=f" {digest('plan').upper()} "
    )
    parts = (*listed("overview", "design", "statement"), part)
    assert judge(dossier_complete, but(GOOD, dossier=parts), folder()).status is Status.PASS


@pytest.mark.parametrize(
    "path", ["papers/x.pdf", "../x.pdf", "/etc/passwd", "dossier/other/x.pdf", "dossierx/y"]
)
def test_a_file_outside_the_folders_is_not_known(path: str) -> None:
    extra = DossierPart(part="annex", file=path, sha256=digest("x"))
    found = judge(dossier_complete, but(WHOLE, dossier=(*WHOLE.dossier, extra)), folder())
    assert (found.status, name(found)) == (Status.UNKNOWN, "elsewhere")
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED


def test_a_file_that_cannot_be_read_is_not_known() -> None:
    found = judge(dossier_complete, WHOLE, folder(plan=""))
    assert (found.status, name(found)) == (Status.UNKNOWN, "unreadable")
    # What was seen to be wrong stays a failure.
    worse = folder(plan="", design=digest("other"))
    assert judge(dossier_complete, WHOLE, worse).status is Status.FAIL


def test_a_further_part_without_a_file_is_formal() -> None:
    found = judge(
        dossier_complete,
        but(WHOLE, dossier=(*WHOLE.dossier, DossierPart(part="phụ lục"))),
        folder(),
    )
    assert (faults(found), found.severity) == (["no-file"], Severity.MINOR)


def test_a_register_lists_no_files() -> None:
    found = judge(dossier_complete, GOOD, folder(), assessment="")
    assert (found.status, name(found)) == (Status.UNKNOWN, "not-listed")


def test_without_a_level_the_parts_are_not_known() -> None:
    found = judge(dossier_complete, but(WHOLE, level=None), folder(), level=None)
    assert (found.status, name(found)) == (Status.UNKNOWN, "no-level")


def test_a_record_of_another_system_says_nothing() -> None:
    assert faults(judge(dossier_complete, but(WHOLE, system="b"), folder())) == ["other-system"]


digests = st.sampled_from(["", "abcd", digest("overview"), digest("x"), digest("")])
paths = st.sampled_from(["", "dossier/sys/overview.pdf", "dossier/sys/plan.pdf", "x.pdf", "../x"])
parts = st.builds(
    DossierPart, part=st.sampled_from([*PARTS, "opinion", "phụ lục"]), file=paths, sha256=digests
)


@given(st.lists(parts, max_size=6), st.dictionaries(paths.filter(bool), digests), st.integers(1, 5))
def test_a_pass_means_that_every_file_was_seen_and_agrees(
    dossier: list[DossierPart], there: dict[str, str], level: int
) -> None:
    lying = Folder(files=there, deep=("dossier/sys",))
    record = but(GOOD, dossier=tuple(dossier), level=level)
    found = judge(dossier_complete, record, lying, level=level)
    if found.status is Status.PASS:
        assert dossier
        assert all(there[p.file] == p.sha256 for p in dossier)


# ---------------------------------------------------------------------------------------- the fact


def subject(**system: Any) -> Subject:
    made = but_system(**system)
    return Subject(
        scope=Scope.SYSTEM,
        inventory=Inventory(units=UNITS, systems={"sys": made}),
        unit=UNITS["hk"],
        target="sys",
        system=made,
    )


def but_system(**changes: Any) -> Any:
    import msgspec  # noqa: PLC0415

    return msgspec.structs.replace(SYSTEM, **changes)


def test_what_is_asked_for() -> None:
    asked = FOLDER.requests(subject())
    assert [r.params["path"] for r in asked] == ["dossier/sys/**/*", "dossier/*"]
    own = FOLDER.requests(subject(dossier="ho-so/hệ thống"))
    assert [r.params["path"] for r in own] == ["ho-so/hệ thống/**/*"]
    for request in (*asked, *own):
        assert (request.target, request.params["reduce"]) == (FILES, "sha256")
        assert request.need is Need.MEMBER


def read(project: Path, **system: Any) -> Folder:
    asked = subject(**system)
    files = FilesTransport(project, SizeLimits(section_bytes=1000), lambda: NOW)
    ctx = Context(now=NOW, zone=ZONE, legal_basis=2026, subject=asked)
    return FOLDER.parse(ctx, Answers(files.collect(FOLDER.requests(asked))))


def judged(project: Path, record: LevelRecord, **system: Any) -> Verdict:
    return judge(dossier_complete, record, read(project, **system), **system)


def test_a_real_folder_from_the_files_to_the_verdict(tmp_path: Path) -> None:
    home = tmp_path / "dossier" / "sys"
    home.mkdir(parents=True)
    for part in PARTS:
        (home / f"{part}.pdf").write_text(part)
    assert judged(tmp_path, WHOLE).status is Status.PASS
    with (home / "plan.pdf").open("a") as file:
        file.write(" ")
    found = judged(tmp_path, WHOLE)
    assert (faults(found), found.message.args) == (
        ["file-changed"],
        {"file": "dossier/sys/plan.pdf"},
    )
    (home / "plan.pdf").unlink()
    assert faults(judged(tmp_path, WHOLE)) == ["file-missing"]
    # Nothing at all is there: every file is missing, which was seen.
    empty = tmp_path / "empty"
    empty.mkdir()
    assert faults(judged(empty, WHOLE)) == ["file-missing"] * 4


def test_names_are_compared_as_people_read_them(tmp_path: Path) -> None:
    word = "Thuyết minh.pdf"
    home = tmp_path / "ho-so"
    home.mkdir()
    (home / unicodedata.normalize("NFD", word)).write_text("statement")
    part = DossierPart(
        part="statement",
        file=f"ho-so/{unicodedata.normalize('NFC', word)}",
        sha256=digest("statement"),
    )
    found = judged(tmp_path, but(GOOD, dossier=(part,)), dossier="ho-so")
    assert set(faults(found)) == {"part-missing"}
    assert len(faults(found)) == 3


def test_an_answer_that_holds_no_digest_is_no_answer() -> None:
    for data in (b"x", b"\xff" * 64, b"A" * 64):
        entry = FileEntry(name="dossier/sys/a", mtime=NOW, data=data)
        evidence = Evidence(
            probe=DOSSIER_FILES.id, target=FILES, key="k", taken=NOW, stdout=pack([entry])
        )
        ctx = Context(now=NOW, zone=ZONE, legal_basis=2026, subject=subject())
        with pytest.raises(Unparsable, match="no digest"):
            FOLDER.parse(ctx, Answers([evidence]))
