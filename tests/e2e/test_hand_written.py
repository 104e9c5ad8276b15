"""A hand-written project against real sshd: every row has the right status and kind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reports.to_json import scan_schema
from tests.helpers.sshd import Sshd, free_port, keygen

ROOT = Path(__file__).parents[2]
DAY = 86400
Json = dict[str, Any]

pytestmark = pytest.mark.ssh


def sauro(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scanner.cli.main", *args]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environ, timeout=120
    )


class City:
    """Servers of one kind each, and the project that declares them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.key = folder / "login"
        self.public = keygen(self.key)
        other = keygen(folder / "other")
        self.host_keys = {name: keygen(folder / f"host_{name}") for name in "abc"}
        a, b, c = (folder / f"host_{name}" for name in "abc")
        start = stack.enter_context
        self.well = start(Sshd(folder / "well", [a], self.public, "127.0.0.2"))
        self.changed = start(Sshd(folder / "changed", [b], self.public, "127.0.0.3"))
        self.locked = start(Sshd(folder / "locked", [c], other, "127.0.0.4"))
        self.deaf = start(socket.create_server(("127.0.0.5", 0)))
        self.dumps = folder / "dumps"
        self.dumps.mkdir()
        self.write_dumps()

    def write_dumps(self) -> None:
        now = time.time()
        for day in range(20):
            path = self.dumps / f"db-{day}.sql"
            path.write_bytes(b"x" * 5000 + b"\n--\n-- PostgreSQL database dump complete\n--\n")
            os.utime(path, (now - day * DAY - 3600,) * 2)

    def servers(self) -> Json:
        a = self.host_keys["a"]
        return {
            "well": {"address": "127.0.0.2", "host_key": a, "ssh": {"port": self.well.port}},
            "changed": {"address": "127.0.0.3", "host_key": a, "ssh": {"port": self.changed.port}},
            "unpinned": {"address": "127.0.0.2", "ssh": {"port": self.well.port}},
            "locked": {
                "address": "127.0.0.4",
                "host_key": self.host_keys["c"],
                "ssh": {"port": self.locked.port},
            },
            "deaf": {
                "address": "127.0.0.5",
                "host_key": a,
                "ssh": {"port": self.deaf.getsockname()[1]},
            },
            "down": {
                "address": "127.0.0.250",
                "host_key": a,
                "ssh": {"port": free_port("127.0.0.250")},
            },
        }

    def system(self, server: str, path: str) -> Json:
        return {
            "name": f"System on {server}",
            "owner": "00070",
            "operator": "00070",
            "level": 2,
            "servers": [server],
            "backups": {"db": {"kind": "directory", "server": server, "path": path, "every": "1d"}},
        }

    def project(self) -> Path:
        place = self.folder / "project"
        (place / "inventory").mkdir(parents=True)
        (place / "sauro.yaml").write_text(
            "language: en\nssh: {connect_timeout: 3, host_timeout: 20, retries: 0}\n"
        )
        systems = {
            f"sys-{name}": self.system(name, f"{self.dumps}/*.sql") for name in self.servers()
        }
        systems["sys-empty"] = self.system("well", f"{self.dumps}/*.bak")
        systems["sys-gone"] = self.system("well", str(self.dumps / "no-such-folder" / "*.sql"))
        unit = {
            "unit": "00070",
            "name": "Phường Hoàn Kiếm",
            "kind": "ward",
            "ssh": {"user": self.well.user, "key_file": str(self.key)},
            "servers": self.servers(),
            "systems": systems,
        }
        text = yaml.safe_dump(unit, allow_unicode=True, sort_keys=False)
        (place / "inventory" / "00070.yaml").write_text(text)
        return place


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with ExitStack() as stack:
        yield City(tmp_path_factory.mktemp("city"), stack)


@pytest.fixture(scope="module")
def project(city: City) -> Path:
    return city.project()


@pytest.fixture(scope="module")
def found(city: City, project: Path) -> Json:
    done = sauro(project, "scan", "--format", "json", "--quiet")
    assert done.returncode == 3, done.stderr
    scan: Json = json.loads(done.stdout)
    # Counted at once: other tests of this module scan as well.
    scan["execs"] = {s.address: s.execs for s in (city.well, city.changed, city.locked)}
    return scan


def row(found: Json, check: str, target: str, system: str | None = None) -> Json:
    (only,) = [
        r
        for r in found["results"]
        if (r["check"], r["target"]) == (check, target) and (system in (None, r["system"]))
    ]
    return only  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("server", "status", "kind"),
    [
        ("well", "pass", None),
        ("changed", "unknown", "host_key"),
        ("unpinned", "unknown", "host_key"),
        ("locked", "unknown", "auth"),
        ("deaf", "unknown", "timeout"),
        ("down", "unknown", "unreachable"),
    ],
)
def test_each_server_costs_its_own_rows_and_says_why(
    found: Json, server: str, status: str, kind: str | None
) -> None:
    clock = row(found, "host.clock", server)
    assert clock["status"] == status
    assert (clock["failure"] or {}).get("kind") == kind
    backup = row(found, "backup.recent", server, f"sys-{server}")
    assert backup["status"] == status
    assert (backup["failure"] or {}).get("kind") == kind


def test_the_scan_keeps_its_contract(found: Json) -> None:
    scan = {k: v for k, v in found.items() if k != "execs"}
    jsonschema.Draft202012Validator(scan_schema()).validate(scan)
    assert found["schema"] == "sauro.scan/1"
    assert found["scan"]["complete"] is True
    assert found["scan"]["planned"] == len(found["results"])
    rows = [(r["check"], r["target"], r["system"], r["subject"]) for r in found["results"]]
    assert len(rows) == len(set(rows))


def test_one_connection_and_one_exec_per_server(found: Json) -> None:
    # `well` and `unpinned` share the daemon; the unpinned key is refused before any login.
    assert found["execs"] == {"127.0.0.2": 1, "127.0.0.3": 0, "127.0.0.4": 0}


def test_a_folder_without_backups_fails_and_a_missing_one_cannot_be_told(found: Json) -> None:
    assert row(found, "backup.recent", "well", "sys-empty")["status"] == "fail"
    gone = row(found, "backup.recent", "well", "sys-gone")
    assert gone["status"] == "unknown"
    assert "no-such-folder" in gone["failure"]["detail"]


def test_what_was_never_declared_is_said(found: Json) -> None:
    (routed,) = [r for r in found["results"] if r["check"] == "documents.routed"]
    assert routed["status"] == "unknown"
    assert routed["failure"]["kind"] == "not_declared"


def test_doctor_names_each_gap_and_what_mends_it(project: Path, found: Json) -> None:
    assert found
    done = sauro(project, "doctor")
    assert done.returncode == 2
    for server, kind in (("changed", "host_key"), ("locked", "auth"), ("down", "unreachable")):
        assert any(
            line.startswith(f"✕ {server}") and kind in line for line in done.stdout.splitlines()
        ), done.stdout
    assert done.stdout.count("→") >= 5


def test_the_report_history_and_diff_of_what_was_stored(project: Path, found: Json) -> None:
    assert found
    assert sauro(project, "scan", "--quiet").returncode == 3
    done = sauro(project, "report")
    assert done.returncode == 0, done.stderr
    files = [Path(line) for line in done.stdout.splitlines()]
    assert {p.suffix for p in files} == {".html", ".json"}
    assert all(p.stat().st_size > 1000 for p in files)
    assert len(sauro(project, "history").stdout.splitlines()) >= 2
    diff = sauro(project, "diff")
    assert diff.returncode == 3
    assert "New: 0" in diff.stdout


def test_jsonl_is_a_line_a_row_and_then_the_scan(project: Path, found: Json) -> None:
    done = sauro(project, "scan", "--format", "jsonl", "--quiet", "--server", "well")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["scan"]["planned"] == len(lines) - 1 >= 2
    assert {"host.clock", "backup.recent"} <= {line["check"] for line in lines[:-1]}
    assert found


def test_an_audit_writes_reports_and_two_at_once_are_refused(project: Path, found: Json) -> None:
    assert found
    command = [sys.executable, "-m", "scanner.cli.main", "audit"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(
        command, cwd=project, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        while not (project / "audit.lock").exists():
            assert first.poll() is None
            time.sleep(0.02)
        second = sauro(project, "audit")
    finally:
        out, _ = first.communicate(timeout=120)
    assert first.returncode == 3
    assert second.returncode == 64
    assert str(first.pid) in second.stderr
    assert b"reports" in out
