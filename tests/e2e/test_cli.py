"""The command as its user meets it: answers at once, one line for a mistake, exit codes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from scanner.cli.main import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter project, as `sauro init` makes it."""
    monkeypatch.delenv("SAURO_PROJECT", raising=False)
    assert main(["init", str(tmp_path / "city")]) == 0
    monkeypatch.chdir(tmp_path / "city")
    return tmp_path / "city"


def sauro(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A process of its own, as from a shell."""
    command = [sys.executable, "-m", "scanner.cli.main", *args]
    environ = {k: v for k, v in os.environ.items() if k not in {"SAURO_PROJECT", "LC_ALL"}}
    environ |= {"LANG": "en_US.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environ
    )


HEAVY = ("paramiko", "boto3", "sqlalchemy", "jinja2", "rich", "yaml", "msgspec", "cryptography")


@pytest.mark.parametrize("words", [["--version"], ["--help"], []])
def test_version_and_help_load_nothing_heavy(words: list[str]) -> None:
    probe = (
        "import sys\nfrom scanner.cli.main import main\n"
        f"main({words!r})\nprint(','.join(sorted(set({HEAVY!r}) & set(sys.modules))))"
    )
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    found = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=environ
    )
    assert found.stdout.splitlines()[-1] == ""


def test_every_command_is_listed_and_has_help() -> None:
    listed = sauro("--help").stdout
    names = "demo init inventory record doctor probes sudoers checks documents"
    names += " scan report diff history audit watch"
    for name in names.split():
        assert f"  {name} " in listed
        assert sauro(name, "--help").returncode == 0


def test_the_starter_project_is_sound(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "check"]) == 0
    assert "units" in capsys.readouterr().out
    assert main(["inventory", "schema"]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))
    assert main(["inventory", "list", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["probes"]) == 0
    assert "date" in capsys.readouterr().out
    assert main(["sudoers"]) == 0
    assert "sudo" in capsys.readouterr().out
    assert (project / "sauro.yaml").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["scann"],
        ["scan", "--nonsense"],
        ["scan", "--unit", "no-such-unit"],
        ["scan", "--check", "no.such-check"],
        ["scan", "--fail-on", "blue"],
        ["scan", "--workers", "0"],
        ["report", "--format", "wordstar"],
        ["report", "--scan", "no-such-scan"],
        ["report"],
        ["diff"],
        ["diff", "only-one"],
        ["checks", "explain", "no.such-check"],
        ["init", "."],
        ["--project", "nowhere", "scan"],
        ["scan", "--project", "nowhere"],
    ],
)
def test_a_mistake_is_one_line_and_64(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    before = sorted(p.name for p in project.iterdir())
    capsys.readouterr()
    assert main(words) == 64
    said = capsys.readouterr()
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("sauro: ")
    assert said.out == ""
    assert sorted(p.name for p in project.iterdir() if p.name != "sauro.db") == before


def test_every_mistake_of_an_inventory_is_shown_at_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "inventory" / "broken.yaml").write_text(
        "unit: ../etc\nname: X\nkind: moon\ncolour: red\nservers: {s: {addres: 1}}\n"
    )
    capsys.readouterr()
    assert main(["inventory", "check"]) == 64
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 4
    assert all("broken.yaml:" in line for line in lines), lines


def test_a_policy_for_no_check_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = project / "sauro.yaml"
    settings.write_text(settings.read_text() + "\npolicy: {backup.recnt: {x: 1}}\n")
    capsys.readouterr()
    assert main(["inventory", "check"]) == 64
    assert "backup.recnt" in capsys.readouterr().err


def test_the_checks_explain_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "list"]) == 0
    ids = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(ids) == len(set(ids)) >= 11
    for check_id in ids:
        assert main(["checks", "explain", check_id]) == 0
        assert check_id in capsys.readouterr().out


def test_a_store_that_is_no_store_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sauro.db").write_bytes(b"not a database" * 100)
    capsys.readouterr()
    assert main(["history"]) == 64
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (project / "sauro.db").read_bytes() == b"not a database" * 100


def test_a_store_of_a_newer_version_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history"]) == 0
    with sqlite3.connect(project / "sauro.db") as db:
        (table,) = db.execute(
            "select name from sqlite_master where type='table' and name like '%migration%'"
        ).fetchone()
        columns = [row[1] for row in db.execute(f"pragma table_info({table})")]
        newest = db.execute(f"select * from {table} order by 1 desc").fetchone()  # noqa: S608
        marks = ",".join("?" * len(columns))
        db.execute(f"insert into {table} values ({marks})", (9999, *newest[1:]))  # noqa: S608
    db.close()
    capsys.readouterr()
    assert main(["history"]) == 64
    assert "newer" in capsys.readouterr().err


def test_vietnamese_by_lang() -> None:
    environ = {"LANG": "vi_VN.UTF-8", "PATH": os.environ["PATH"]}
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "scanner.cli.main", "--help"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert "cấp độ an toàn" in found.stdout


def test_a_reader_that_leaves_early_is_no_fault(project: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    shell = f"{sys.executable} -m scanner.cli.main checks list | head -n 1"
    found = subprocess.run(
        shell,
        shell=True,
        capture_output=True,
        text=True,
        check=True,
        env=environ,
        cwd=project,
    )
    assert found.stdout.count("\n") == 1
    assert "Traceback" not in found.stderr


def test_audit_prints_what_cron_and_systemd_need(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--crontab"]) == 0
    assert str(project) in capsys.readouterr().out
    assert main(["audit", "--systemd"]) == 0
    said = capsys.readouterr().out
    assert "[Timer]" in said
    assert "Persistent=true" in said


def test_a_waiver_of_no_check_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "inventory" / "u.yaml").write_text(
        "unit: u\nname: U\nkind: ward\nwaivers:\n"
        "  - {check: backup.recnt, target: '*', reason: r, document: 1/TB, approved_by: u,"
        " owner: u, until: 2026-12-31}\n"
    )
    capsys.readouterr()
    assert main(["inventory", "check"]) == 64
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "backup.recnt" in said
