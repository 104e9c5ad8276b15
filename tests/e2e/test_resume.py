"""A scan that is killed loses nothing already judged, and a resumed one ends the same."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.sshd import Sshd, keygen

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "scanner.cli.main", "scan", "--quiet", "--format", "json"]
ENVIRON = os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}

pytestmark = pytest.mark.ssh


def write(place: Path, server: Sshd, host_key: str, login: Path, dumps: Path) -> None:
    """Thirty servers that are one daemon; one connection at a time, so that there is a middle."""
    (place / "inventory").mkdir(parents=True)
    (place / "sauro.yaml").write_text("ssh: {workers: 1}\n")
    unit = {
        "unit": "u",
        "name": "Unit",
        "kind": "ward",
        "ssh": {"user": server.user, "key_file": str(login), "port": server.port},
        "servers": {f"s{i}": {"address": "127.0.0.2", "host_key": host_key} for i in range(30)},
        "systems": {
            f"y{i}": {
                "name": f"System {i}",
                "owner": "u",
                "level": 1,
                "servers": [f"s{i}"],
                "backups": {
                    "db": {"kind": "directory", "server": f"s{i}", "path": f"{dumps}/*.sql"}
                },
            }
            for i in range(30)
        },
    }
    (place / "inventory" / "u.yaml").write_text(yaml.safe_dump(unit, sort_keys=False))


def stored(place: Path) -> int:
    if not (place / "sauro.db").exists():
        return 0
    db = sqlite3.connect(f"file:{place / 'sauro.db'}?mode=ro", uri=True)
    try:
        count: int = db.execute("select count(*) from targets").fetchone()[0]
    except sqlite3.Error:
        return 0
    finally:
        db.close()
    return count


def verdicts(text: bytes) -> list[tuple[Any, ...]]:
    scan = json.loads(text)
    assert scan["scan"]["complete"] is True
    return sorted(
        (r["check"], r["target"], r["system"] or "", r["subject"], r["status"], r["fingerprint"])
        for r in scan["results"]
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_resumed_is_the_same_as_undisturbed(tmp_path: Path, how: int) -> None:
    host_key = keygen(tmp_path / "host")
    login = tmp_path / "login"
    authorized = keygen(login)
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    for day in range(10):
        path = dumps / f"{day}.sql"
        path.write_bytes(b"x" * 5000 + b"\n-- Dump completed on 2026-11-22  3:42:29\n")
        os.utime(path, (time.time() - day * 86400 - 60,) * 2)
    with Sshd(tmp_path / "sshd", [tmp_path / "host"], authorized, "127.0.0.2") as server:
        for name in ("calm", "killed"):
            write(tmp_path / name, server, host_key, login, dumps)
        calm = subprocess.run(
            COMMAND, cwd=tmp_path / "calm", env=ENVIRON, capture_output=True, check=False
        )
        process = subprocess.Popen(
            COMMAND, cwd=tmp_path / "killed", env=ENVIRON, stdout=subprocess.DEVNULL
        )
        while stored(tmp_path / "killed") < 5:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(how)
        process.wait(30)
        kept = stored(tmp_path / "killed")
        before = server.execs
        resumed = subprocess.run(
            [*COMMAND, "--resume"],
            cwd=tmp_path / "killed",
            env=ENVIRON,
            capture_output=True,
            check=False,
        )
        again = server.execs - before
    assert process.returncode != 0
    assert 5 <= kept < 30
    assert again <= 30 - kept + 1, "what was judged is not asked again"
    assert verdicts(resumed.stdout) == verdicts(calm.stdout)
    assert resumed.returncode == calm.returncode
