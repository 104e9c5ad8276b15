"""A mail log on a real sshd that grows and is rotated between scans is read on, not read anew."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from checks.results import Result
from inventory.model import Selection
from scanner import app
from scanner.project import open_project
from scanner.store.database import Store
from tests.helpers.correspondence import GATEWAY_HEAD, REGISTER_HEAD, ZONE, Mail, gateway, log
from tests.helpers.correspondence import register as rows_of_register
from tests.helpers.document_town import AGENCIES
from tests.helpers.sshd import Sshd, keygen

pytestmark = pytest.mark.ssh
START = dt.datetime(2026, 10, 1, tzinfo=ZONE)
SIGN = "QĐ-UBND-HK"
NOISE = "2026-11-10T08:00:00+07:00 mx sshd[3]: Accepted publickey for x\n"
BUSY = 300
"""Other mails of a day."""
BYPASSES = {33: 45, 41: 51, 47: 53}
"""Day of a mail without the axis, and the number of its document."""


def day(n: float) -> dt.datetime:
    return START + dt.timedelta(days=n)


def on(n: float) -> str:
    return day(n).replace(tzinfo=None).isoformat()


def of_day(n: int) -> str:
    """The log of a day: mails of no interest, and perhaps one that went around the axis."""
    mails = [Mail(on(n + k / BUSY), "Lịch họp", to=("dan@vnpt.vn",), size=900) for k in range(BUSY)]
    if n in BYPASSES:
        number = BYPASSES[n]
        name = f"{number}-QD-UBND-HK.pdf"
        mails.append(Mail(on(n + 0.4), f"{number}/{SIGN}", names=(name,)))
    lines = sorted(log(*mails).splitlines(keepends=True), key=lambda line: line[:26])
    return "".join(lines) + NOISE * 20


class Ward:
    """A project, and the server with its log; `now` is the time of the scan."""

    def __init__(self, folder: Path, sshd: Sshd, host_key: str) -> None:
        self.folder, self.sshd, self.now = folder / "project", sshd, day(40)
        self.log = folder / "log"
        self.log.mkdir()
        (self.folder / "inventory").mkdir(parents=True)
        unit = {
            "unit": "00070",
            "name": "Phường Hoàn Kiếm",
            "kind": "ward",
            "ssh": {"user": sshd.user, "key_file": str(folder / "login"), "port": sshd.port},
            "servers": {"mx": {"address": sshd.address, "host_key": host_key}},
            "documents": {
                "signs": ["UBND-HK"],
                "register": {"path": "register.csv"},
                "gateway": {"path": "gateway.csv"},
                "mail": [{"kind": "postfix", "server": "mx", "path": f"{self.log}/mail.log*"}],
            },
        }
        text = yaml.safe_dump(unit, sort_keys=False, allow_unicode=True)
        (self.folder / "inventory" / "ward.yaml").write_text(text)
        (self.folder / "sauro.yaml").write_text("{}\n")
        (self.folder / "agencies.csv").write_text(AGENCIES)
        self.register(SIGN)

    def register(self, *signs: str) -> None:
        every = [(f"{n}/{s}", f"{day(n):%d/%m/%Y}", "Sở Y tế") for s in signs for n in range(60)]
        every += [(f"{n}/{SIGN}", f"{day(d):%d/%m/%Y}", "Sở Y tế") for d, n in BYPASSES.items()]
        (self.folder / "register.csv").write_text(REGISTER_HEAD + rows_of_register(*every))
        sent = [
            (f"{n}/{SIGN}", "H26.5", f"{day(n):%Y-%m-%d} 15:00:00", "03")
            for n in range(60)
            if n not in BYPASSES.values()
        ]
        (self.folder / "gateway.csv").write_text(GATEWAY_HEAD + gateway(*sent))

    def write(self, name: str, first: int, last: int) -> None:
        """The days of one file of the log."""
        data = "".join(map(of_day, range(first, last))).encode()
        path = self.log / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        self.touch(name, last)

    def touch(self, name: str, last: float) -> None:
        os.utime(self.log / name, (day(last).timestamp(),) * 2)

    def rotate(self) -> None:
        """As logrotate does with `delaycompress`."""
        old, older = self.log / "mail.log.1", self.log / "mail.log.2.gz"
        older.rename(self.log / "mail.log.3.gz")
        stat = old.stat()
        older.write_bytes(gzip.compress(old.read_bytes()))
        os.utime(older, (stat.st_mtime, stat.st_mtime))
        old.unlink()
        (self.log / "mail.log").rename(old)

    def scan(
        self, store: str = "sauro.db", *, stopped: bool = False, on_from: dt.datetime | None = None
    ) -> tuple[dict[str, Result], int, int]:
        """Rows by check and part, bytes that the log brought, and connections."""
        before = self.sshd.connections
        stop = threading.Event()
        if stopped:
            stop.set()
        with Store.open(self.folder / store) as kept:
            chosen = Selection(checks=("documents.*",))
            project = open_project(self.folder)
            done = app.scan(project, kept, chosen, stop=stop, resume_since=on_from)
            rows = {f"{r.check} {r.subject}": r for r in app.rows_of(kept, done).results}
        return rows, self.sent(store, done.info.id), self.sshd.connections - before

    def scan_anew(self) -> tuple[dict[str, Result], int, int]:
        """The same with a store that remembers nothing but its key."""
        shutil.copy(self.folder / "sauro.db", self.folder / "other.db")
        db = sqlite3.connect(self.folder / "other.db")
        db.execute("delete from memories")
        db.commit()
        db.close()
        return self.scan("other.db")

    def sent(self, store: str, scan_id: str) -> int:
        db = sqlite3.connect(self.folder / store)
        try:
            total = db.execute(
                "select sum(size) from answers join evidence using (sha256)"
                " where scan = ? and target = 'mx'", [scan_id]
            ).fetchone()[0]  # fmt: skip
        finally:
            db.close()
        return int(total or 0)


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    public, host_public = keygen(tmp_path / "login"), keygen(tmp_path / "host")
    with Sshd(tmp_path / "sshd", [tmp_path / "host"], public) as running:
        made = Ward(tmp_path, running, host_public)
        monkeypatch.setattr(app, "utc_now", lambda: made.now.astimezone(dt.UTC))
        made.write("mail.log.2.gz", 10, 20)
        made.write("mail.log.1", 20, 30)
        made.write("mail.log", 30, 40)
        yield made


def shown(rows: dict[str, Result]) -> dict[str, object]:
    """What rows say, without where the log was read from."""
    hidden = {"remembered_since", "read_from"}
    return {
        key: (row.status, row.message, {k: v for k, v in row.detail.items() if k not in hidden})
        for key, row in rows.items()
    }


def bypasses(rows: dict[str, Result]) -> set[int]:
    found = next(r for key, r in rows.items() if key.startswith("documents.bypass"))
    return {int(p["key"].split("/")[0]) for p in found.detail["bypasses"]}


def test_a_log_that_grew_and_was_rotated_is_read_on(ward: Ward) -> None:
    first, whole, connections = ward.scan()
    assert (bypasses(first), connections) == ({45}, 1)
    ward.write("mail.log", 30, 42)
    ward.now = day(42)
    second, rest, connections = ward.scan()
    assert connections == 1
    assert rest < whole * 9.2 / 30
    anew, everything, _ = ward.scan_anew()
    assert shown(second) == shown(anew)
    assert bypasses(second) == {45, 51}
    evidence = second["documents.evidence-complete mail"]
    assert evidence.detail["remembered_since"] == day(40).astimezone(dt.UTC).isoformat()
    assert everything > whole

    ward.rotate()
    ward.write("mail.log", 42, 49)
    ward.now = day(49)
    third, rest, _ = ward.scan()
    anew, _, _ = ward.scan_anew()
    assert shown(third) == shown(anew)
    assert bypasses(third) == {45, 51, 53}
    assert rest < whole * 14.2 / 30


def test_a_new_sign_in_the_register_makes_it_read_whole(ward: Ward) -> None:
    ward.scan()
    ward.register(SIGN, "KH-XYZ")
    again, sent, connections = ward.scan()
    anew, whole, _ = ward.scan_anew()
    assert shown(again) == shown(anew)
    assert connections == 2
    assert sent > whole
    assert ward.scan()[2] == 1


def test_a_truncated_log_is_told_and_hides_no_bypass(ward: Ward) -> None:
    ward.scan()
    ward.write("mail.log", 40, 43)
    ward.now = day(43)
    rows, _, _ = ward.scan()
    assert bypasses(rows) == {45, 51}
    gap = rows["documents.log-gap mail"]
    assert gap.status == "fail"
    assert gap.message.id == "documents.log-gap.changed"
    assert bypasses(ward.scan_anew()[0]) == {51}


def test_a_stopped_scan_goes_on_and_reads_on(ward: Ward) -> None:
    _, whole, _ = ward.scan()
    ward.write("mail.log", 30, 42)
    ward.now = day(42)
    rows, sent, _ = ward.scan(stopped=True)
    assert sent == 0
    assert rows["documents.bypass "].status == "unknown"
    rows, sent, _ = ward.scan(on_from=day(41))
    assert bypasses(rows) == {45, 51}
    assert 0 < sent < whole / 3
    with Store.open(ward.folder / "sauro.db") as store:
        assert [i.complete for i in store.list_scans()] == [True, True]
