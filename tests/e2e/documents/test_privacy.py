"""Subjects, names and addresses are read and dropped: planted in every source, found nowhere."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from checks.documents.evidence import FILE_KINDS
from checks.documents.mail_logs import MAIL_KINDS
from checks.documents.retention import EXPIRED
from checks.documents.went import unpacked
from checks.results import Scan
from inventory.document_docs import MailboxDoc
from inventory.model import Documents, Selection
from reports.explain.build import explain
from reports.formats import FORMATS
from scanner import app, app_documents
from scanner.project import open_project
from scanner.store.database import Store
from tests.helpers.canaries import cells, files, leaks
from tests.helpers.correspondence import NOW
from tests.helpers.document_town import BY_BOX, BY_LOG, BY_MAIL, INVENTORY, SECRET, Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town") / "project")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    monkeypatch.setattr(app, "utc_now", lambda: NOW)
    return NOW


def scanned(town: Town, place: Path) -> Scan:
    project = open_project(town.folder)
    with Store.open(place) as store:
        scanned = app.scan(project, store, Selection(checks=("documents.*",)))
        return app.rows_of(store, scanned)


def test_every_kind_of_source_is_planted() -> None:
    """A new kind of source must be planted here too."""
    planted = set(INVENTORY.split())
    assert {f"{kind.key}:" for kind in FILE_KINDS} <= planted
    assert set(MAIL_KINDS) <= set(BY_LOG)
    assert set(get_args(get_type_hints(MailboxDoc)["kind"])) <= set(BY_BOX)
    declared = {field for field in Documents.__struct_fields__ if f"{field}:" in planted}
    assert declared == set(Documents.__struct_fields__) - {"codes", "domains", "senders", "target"}


def test_the_words_are_where_they_are_searched_for(town: Town) -> None:
    """The search finds every word in the sources, whatever its disguise."""
    whole = b"\n".join(data for _, data in files(town.folder))
    assert set(town.word.found_in(whole)) == set(town.word.words)
    assert len(town.word.words) > 40


@pytest.mark.usefixtures("now")
def test_nothing_of_it_is_kept_or_shown(
    town: Town,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    place, out = tmp_path / "s.db", tmp_path / "out"
    found = scanned(town, place)
    listed = next(r for r in found.results if r.check == "documents.bypass").detail
    shown = {int(b["key"].split("/")[0]) for b in listed["bypasses"] if "key" in b}
    assert shown == set(BY_MAIL.values()), "every kind of mail log was read"
    with Store.open(place) as store:
        key = store.known_key(app_documents.MAILBOXES)
        assert key is not None
        for language in app_documents.LANGUAGES:
            for form in FORMATS:
                app.report(store, scan_id=None, forms=[form], language=language, out=out / language)
            for form in ("table", "json", "jsonl"):
                text = app.printed(store, found, form, language, color=True)
                (out / f"{form}.{language}").write_text(text, encoding="utf-8")
            # Whoever may ask for an address is answered without it.
            asked = town.mail("postfix", "postfix").to[0]
            traces = app_documents.mailbox(store, asked.encode(), "", None)
            assert traces.found
            for as_json in (True, False):
                print(app_documents.mailbox_text(
                    traces, language, open_project(town.folder).zone, as_json=as_json
                ))  # fmt: skip
            for row in found.results:
                told = explain(found, row.fingerprint, "", language)
                for as_json in (True, False):
                    print(app_documents.explanation_text(
                        told, language, open_project(town.folder).zone, as_json=as_json
                    ))  # fmt: skip
        counted = app_documents.statistics(store, (), "", (None, None), (0, NOW))
        for kind in ("csv", "json"):
            (out / f"statistics.{kind}").write_bytes(app_documents.statistics_bytes(counted, kind))
    said, wrong = capfd.readouterr()
    logs = "\n".join(r.getMessage() for r in caplog.records)
    parts = [("terminal", said.encode()), ("errors", wrong.encode()), ("logs", logs.encode())]
    assert "201/2026" in said
    everything = [*parts, *cells(place), *packed(found), *files(tmp_path)]
    assert leaks(town.word, everything) == []
    # The key is in the store and nowhere else, its name is no part of it.
    outside = [data for where, data in everything if where not in ("keys", place.name)]
    keys = (key, key.hex().encode(), base64.b64encode(key)[:-2], repr(key).encode())
    assert not [k for k in keys for data in outside if k in data]
    telling = [data for _, data in everything if traces.mailbox.encode() in data]
    assert len(telling) > 3, "the keyed hash is what is kept"
    # An address whose plain hash is kept can be guessed: only keyed ones are.
    hashes = [*digests(town)]
    assert len(hashes) > 100
    assert not [h for h in hashes for _, data in everything if h in data]


def packed(found: Scan) -> list[tuple[str, bytes]]:
    """What rows keep packed into a text, in which no word could be found."""
    went = [entry for row in found.results for entry in unpacked(row.detail)]
    assert went
    return [("went", msgspec.json.encode(went))]


def digests(town: Town) -> Iterator[bytes]:
    """Unkeyed hashes of every address and Message-ID planted, as hex and as bytes."""
    for purpose, word in town.word.words.items():
        at = {"sender": "@hoankiem.gov.vn", "recipient": "@soyte.gov.vn"}
        domain = at.get(purpose.rpartition(" ")[2], "@pc-7" if "message id" in purpose else "")
        for text in (f"{word}{domain}", f"<{word}{domain}>", f"{word}{domain}".lower()):
            for name in ("md5", "sha1", "sha256"):
                made = hashlib.new(name, text.encode())
                # A part of it would do as well.
                yield from (made.digest()[:8], made.hexdigest()[:16].encode())


@pytest.mark.usefixtures("now")
def test_of_a_secret_document_there_is_no_number(town: Town, tmp_path: Path) -> None:
    found = scanned(town, tmp_path / "s.db")
    marks = [f"{SECRET}/".encode(), f'"{SECRET}"'.encode()]
    kept = [data for _, data in (*cells(tmp_path / "s.db"), *packed(found))]
    assert not [m for m in marks for data in kept if m in data]
    secrets = [r for r in found.results if r.check == "documents.secret-mark"]
    assert [r.status.value for r in secrets] == ["fail"]


def test_details_end_with_the_next_scan_after_their_time(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "s.db"
    monkeypatch.setattr(app, "utc_now", lambda: NOW)
    old = scanned(town, place)
    assert old.info.documents_until == NOW + dt.timedelta(days=180)
    later = NOW + dt.timedelta(days=181)
    monkeypatch.setattr(app, "utc_now", lambda: later)
    new = scanned(town, place)
    with Store.open(place) as store:
        gone = store.results_of(old.info.id)
        assert all(r.detail[EXPIRED] == later.isoformat() for r in gone)
        assert not any(EXPIRED in r.detail for r in store.results_of(new.info.id))
        assert store.find(old.info.id).documents_ended == later
