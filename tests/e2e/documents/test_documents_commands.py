"""`sauro documents explain` and `statistics` as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scanner import app
from scanner.cli.main import main
from tests.helpers.correspondence import NOW
from tests.helpers.document_town import BY_MAIL, Town

Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ward's project with one scan in its store."""
    folder = tmp_path_factory.mktemp("town") / "project"
    Town(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "utc_now", lambda: NOW)
        code = main(["scan", "--project", str(folder), "--check", "documents.*", "--quiet",
                     "-o", str(folder / "out.txt")])  # fmt: skip
    assert code == 3
    return folder


@pytest.fixture
def project(scanned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(app, "utc_now", lambda: NOW)
    monkeypatch.delenv("SAURO_PROJECT", raising=False)
    monkeypatch.chdir(scanned)
    return scanned


def explained(capsys: Out, *args: str, code: int = 0) -> dict[str, Any]:
    assert main(["documents", "explain", *args, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("project")
def test_a_document_is_explained_by_its_number(capsys: Out) -> None:
    assert main(["documents", "explain", "201/QĐ-UBND-HK", "--unit", "00070"]) == 0
    said = capsys.readouterr().out
    for part in ("201/2026/QD-UBND-HK", "H26.5 (Sở Y tế)", "mail.log:", "register.csv:", "SHA-256"):
        assert part in said
    found = explained(capsys, "201/QĐ-UBND-HK", "--unit", "00070", "--language", "en")
    assert found["schema"] == "sauro.explanation/1"
    (case,) = found["cases"]
    assert case["result"] == "bypass"
    (mail,) = [s for s in case["sources"] if s["source"] == "mails"]
    assert mail["lines"][0]["queue_id"].startswith("4Pb")


@pytest.mark.usefixtures("project")
def test_a_document_that_simply_went_through_is_explained_too(capsys: Out) -> None:
    found = explained(capsys, "30/QĐ-UBND-HK", "--unit", "00070", "--language", "en")
    (case,) = found["cases"]
    assert (case["result"], case["found_in"][0].partition("/")[0]) == ("routed", "documents.routed")
    places = {s["source"]: [ln["place"] for ln in s["lines"]] for s in case["sources"]}
    assert places == {"register": ["register.csv:31"], "gateway": ["gateway.csv:31"]}
    assert main(["documents", "explain", "30/QĐ-UBND-HK", "--unit", "00070"]) == 0
    assert "register.csv:31" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_the_id_of_a_report_is_understood(capsys: Out) -> None:
    found = explained(capsys, "201/QĐ-UBND-HK", "--unit", "00070")
    code = next(r["code"] for r in found["rows"] if r["code"].startswith("documents.bypass"))
    whole = explained(capsys, code)
    assert [r["code"] for r in whole["rows"]] == [code]
    assert whole["total"] == len(whole["cases"]) == len(BY_MAIL) + 1
    (secret,) = [c for c in whole["cases"] if c["secret"]]
    assert (secret["number"], secret["recipient"], secret["sources"]) == ("", "", [])


@pytest.mark.usefixtures("project")
def test_what_is_stored_nowhere_is_said_with_code_2(capsys: Out) -> None:
    found = explained(capsys, "1/QĐ-UBND-HK", "--unit", "00070", "--language", "en", code=2)
    assert not found["found"]
    assert any("register.csv" in note for note in found["notes"])


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["explain", "201/QĐ-UBND-HK"], "add --unit ID"),
        (["explain", "201/QĐ-UBND-HK", "--unit", "x"], "no unit is called 'x'"),
        (["explain", "ffffffff"], "has no row of documents"),
        (["explain", "ffffffff", "--scan", "1999"], "has no scan '1999'"),
        (["statistics", "--unit", "x"], "no unit is called 'x'"),
        (["statistics", "--reporter", "x"], "no unit is called 'x'"),
        (["statistics", "--from", "2026-11-20", "--to", "2026-11-01"], "exchange --from and --to"),
        (["statistics", "--from", "2020-01-01", "--to", "2026-11-01"], "a year at most"),
        (["statistics", "--verify", "register.csv"], "the export is refused"),
    ],
)
def test_a_mistake_is_one_line_and_64(args: list[str], says: str, capsys: Out) -> None:
    assert main(["documents", *args]) == 64
    wrong = capsys.readouterr().err
    assert says in wrong
    assert len(wrong.strip().splitlines()) == 1


def test_without_a_store_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    Town(tmp_path / "fresh")
    monkeypatch.chdir(tmp_path / "fresh")
    for args in (["explain", "201/QĐ-UBND-HK", "--unit", "00070"], ["statistics"]):
        assert main(["documents", *args]) == 64
        assert "run `sauro scan` first" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["csv", "json"])
def test_statistics_go_out_and_are_believed_where_they_arrive(
    project: Path, form: str, capsys: Out
) -> None:
    file = project / f"statistics.{form}"
    # Incoming is not seen whole: one delivery has no number, and the register covers few days.
    assert main(["documents", "statistics", "--format", form, "-o", str(file)]) in {0, 2}
    capsys.readouterr()
    assert main(["documents", "statistics", "--verify", str(file)]) == 0
    said = capsys.readouterr().out
    assert "2026-10-22" in said
    assert "2026-11-20" in said
    text = file.read_text(encoding="utf-8-sig")
    file.write_text(text.replace("bypass", "routed"), encoding="utf-8")
    assert main(["documents", "statistics", "--verify", str(file)]) == 64


def test_statistics_count_what_the_scan_saw(project: Path, capsys: Out) -> None:
    main(["documents", "statistics", "--from", "2026-11-01", "--to", "2026-11-20"])
    found = json.loads(capsys.readouterr().out)
    (unit,) = found["units"]
    assert found["header"]["from"] == "2026-11-01"
    assert found["header"]["reporter"] == "00070"
    results = unit["total"]["outgoing"]["results"]
    assert results["bypass"] == len(BY_MAIL) + 1
    (hidden,) = [s for s in unit["subtotals"] if s["by"] == "partner_type" and s["partner"] == "*"]
    assert hidden["outgoing"] == {"total": 1, "results": {"bypass": 1}}, "of the secret document"
    assert results["routed"] == 20
    assert results["paper"] == 1
    assert (project / "sauro.db").exists()
    assert not any("Zqx" in str(v) for v in found.values())


def test_the_schema_is_printed_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["documents", "statistics", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$ref"] == "#/$defs/Statistics"
