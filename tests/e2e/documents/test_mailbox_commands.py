"""An address under the project's key, as its user meets it: asked for, recognised, forgotten."""

from __future__ import annotations

import datetime as dt
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory.model import Selection
from scanner import app, app_documents
from scanner.cli.main import main
from scanner.project import open_project
from scanner.store.database import Store
from tests.helpers.correspondence import NOW
from tests.helpers.document_town import Town

Out = pytest.CaptureFixture[str]


def scan(folder: Path, hour: int = 2) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "utc_now", lambda: NOW + dt.timedelta(hours=hour))
        project = open_project(folder)
        with Store.open(project.store_url) as store:
            app.scan(project, store, Selection(checks=("documents.*",)))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A ward's project scanned twice, and the address that got its document 201."""
    town = Town(tmp_path_factory.mktemp("town") / "project")
    scan(town.folder, 0)
    scan(town.folder, 1)
    return town.folder, town.mail("postfix", "postfix").to[0]


@pytest.fixture
def address(scanned: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("SAURO_PROJECT", raising=False)
    monkeypatch.chdir(scanned[0])
    return scanned[1]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def asked(given: bytes, *args: str) -> int:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        return main(["documents", "explain", "--address", "-", "--language", "en", *args])

    return asked


def mailboxes(folder: Path) -> set[str]:
    """Every keyed hash in the newest scan."""
    with Store.open(open_project(folder).store_url) as store:
        latest = store.latest()
        assert latest is not None
        rows = store.results_of(latest.id, ("documents.bypass",))
    return {h for r in rows for b in r.detail["bypasses"] for h in b.get("mailboxes", ())}


def test_an_address_is_found_and_not_said_again(
    address: str, ask: Callable[..., int], capsys: Out
) -> None:
    assert ask(f"  <{address.upper()}>\r\n".encode()) == 0
    said, wrong = capsys.readouterr()
    assert "201/2026/QD-UBND-HK" in said
    assert "Scans searched: 2" in said
    assert address.lower() not in (said + wrong).lower()
    assert ask(address.encode(), "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["documents"], found["total"]) == ("sauro.mailbox/1", 1, 1)
    assert any(h.startswith(found["mailbox"]) for h in mailboxes(Path.cwd()))


def test_one_scan_and_one_unit_can_be_asked(
    address: str, ask: Callable[..., int], capsys: Out
) -> None:
    with Store.open(open_project(Path.cwd()).store_url) as store:
        oldest = store.list_scans()[-1].id
    assert ask(address.encode(), "--json", "--scan", oldest, "--unit", "00070") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["scans"], found["mails"][0]["scan"]) == (1, oldest)
    assert ask(address.encode(), "--unit", "x") == 64
    assert "no unit is called 'x'" in capsys.readouterr().err


@pytest.mark.usefixtures("address")
def test_an_address_that_got_nothing_is_code_2(ask: Callable[..., int], capsys: Out) -> None:
    assert ask(b"nobody@soyte.gov.vn\n") == 2
    assert "does not prove" in capsys.readouterr().out


@pytest.mark.usefixtures("address")
@pytest.mark.parametrize(
    "given", [b"", b"\n", b"nobody", b"a@x.vn\nb@x.vn", b"a@x.vn, b@x.vn", b"a@" + b"x" * 400]
)
def test_what_is_no_single_address_is_refused(
    given: bytes, ask: Callable[..., int], capsys: Out
) -> None:
    assert ask(given) == 64
    said = capsys.readouterr().err
    assert "holds no single mail address" in said
    assert "a@x" not in said


@pytest.mark.usefixtures("address")
def test_an_address_on_the_command_line_is_refused_and_not_repeated(capsys: Out) -> None:
    assert main(["documents", "explain", "--address", "an@gmail.com"]) == 64
    said = capsys.readouterr().err
    assert "--address -" in said
    assert "an@gmail.com" not in said
    for args in ([], ["4f2a", "--address", "-"]):
        assert main(["documents", "explain", *args]) == 64
        assert "either an ID or --address -" in capsys.readouterr().err


def test_two_scans_make_the_same_hashes_and_two_projects_do_not(
    scanned: tuple[Path, str], tmp_path: Path
) -> None:
    first = mailboxes(scanned[0])
    assert len(first) > 5
    shutil.copytree(scanned[0], tmp_path / "same")
    scan(tmp_path / "same")
    assert mailboxes(tmp_path / "same") == first
    shutil.copytree(
        scanned[0], tmp_path / "other", ignore=shutil.ignore_patterns("sauro.db*", "*.lock")
    )
    scan(tmp_path / "other")
    other = mailboxes(tmp_path / "other")
    assert len(other) == len(first)
    assert not other & first


def test_after_the_key_is_destroyed_nothing_old_can_be_asked_for(
    address: str, tmp_path: Path, ask: Callable[..., int], capsys: Out,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shutil.copytree(Path.cwd(), tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    with Store.open("sauro.db") as store:
        key = store.known_key(app_documents.MAILBOXES)
    assert key is not None
    assert main(["documents", "forget-key"]) == 64
    assert "--yes" in capsys.readouterr().err
    assert main(["documents", "forget-key", "--yes"]) == 0
    assert not any(key in f.read_bytes() for f in Path().glob("sauro.db*"))
    assert "Backups of the store" in capsys.readouterr().out
    assert main(["documents", "forget-key", "--yes"]) == 2
    assert ask(address.encode()) == 64
    assert "has no key" in capsys.readouterr().err
    before = mailboxes(Path())
    scan(Path())
    assert not mailboxes(Path()) & before
    assert ask(address.encode()) == 0
    said = capsys.readouterr().out
    assert "Scans searched: 1" in said
    assert "could NOT be searched: 2 " in said
