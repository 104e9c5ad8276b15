"""The service: a missed round is caught up at once, and a signal ends it cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scanner.cli.main import main
from scanner.store.database import Store

ROOT = Path(__file__).parents[2]


def scans(project: Path) -> int:
    if not (project / "sauro.db").exists():
        return 0
    with Store.open(str(project / "sauro.db")) as store:
        return sum(info.complete for info in store.list_scans())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_audits_when_due_and_stops_when_told(tmp_path: Path, how: int) -> None:
    project = tmp_path / "city"
    assert main(["init", str(project)]) == 0
    settings = project / "sauro.yaml"
    settings.write_text(settings.read_text() + '\nwatch: "1h"\n')
    service = subprocess.Popen(
        [sys.executable, "-m", "scanner.cli.main", "watch", "--project", str(project)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(600):
            assert service.poll() is None
            if (project / "reports" / "report.html").exists() and scans(project):
                break
            time.sleep(0.1)
        service.send_signal(how)
        _, said = service.communicate(timeout=30)
    finally:
        service.kill()
    assert service.returncode == 0, said.decode()
    assert scans(project) == 1, "one round was due, not more"
    assert b"Traceback" not in said
