"""Every kind of mail log on a real OpenSSH server says what the same files say in the project."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from checks.documents.events import DocumentEvents
from checks.documents.evidence import DOCUMENTS
from checks.documents.mail_logs import MAIL_KINDS
from checks.evidence import Answers, Evidence, FailureKind, Request
from checks.files import unpack
from checks.model import Options
from inventory.model import Documents, MailSource, Server, SshSettings
from scanner.transports.base import SizeLimits, SshLimits
from scanner.transports.files import FilesTransport
from scanner.transports.ssh import SshShared, SshTransport
from tests.checks.documents import test_amavis as amavis
from tests.checks.documents import test_exchange as exchange
from tests.checks.documents import test_exim as exim
from tests.checks.documents import test_zimbra as zimbra
from tests.checks.documents.test_amavis_file import apart
from tests.helpers.correspondence import UNIT, Mail, context, daily_mails, gz, log, subject
from tests.helpers.sshd import Sshd, keygen

pytestmark = pytest.mark.ssh
SERVER = "hk-mail"
SOURCES = {
    "headers/mail.log*": "postfix",
    "zimbra/zimbra.log": "postfix",
    "zimbra/mailbox.log": "zimbra",
    "filter/mail.log": "postfix",
    "filter/amavis.log*": "amavis",
    "exim/mainlog*": "exim",
    "exchange/MSGTRK*.LOG": "exchange",
}
WRITTEN = dt.datetime(2026, 11, 22, 5, tzinfo=dt.UTC)
"""When the logs that were recorded were written; their stamps have no year."""
NOISE = "2026-11-10T08:00:00+07:00 mx sshd[3]: Accepted publickey for x\n"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - a real visit has a real clock


def texts() -> dict[str, bytes]:
    """The files of each log by path: recorded ones, rotated, packed, with lines of no interest."""
    mails = [*daily_mails(days=3), Mail("2026-11-20T08:00:00", "Gửi 12/QĐ-UBND-HK")]
    mta, filters = apart(amavis.RECORDED.read_text(), "mail.hoankiem.gov.vn")
    tasks = filters.splitlines(keepends=True)
    deliveries = exim.RECORDED.read_text().splitlines(keepends=True)
    traces = zimbra.line("mailop - Adding Message: id=1203, Message-ID=<x@y>")
    found = {
        "headers/mail.log": log(mails[-1]) + NOISE,
        "headers/mail.log.1": NOISE + log(*mails[1:-1]),
        "zimbra/zimbra.log": NOISE + zimbra.mta(),
        "zimbra/mailbox.log": traces + zimbra.sending(zimbra.NAME) + "java.lang.Exception: x\n",
        "filter/mail.log": mta,
        "filter/amavis.log": "".join(tasks[40:]),
        "exim/mainlog": "".join(deliveries[30:]),
        "exchange/MSGTRK1.LOG": exchange.log(exchange.row("RECEIVE"), exchange.row()),
    }
    packed = {
        "headers/mail.log.2.gz": log(mails[0]),
        "filter/amavis.log.1.gz": "".join(tasks[:40]),
        "exim/mainlog.1.gz": "".join(deliveries[:30]),
    }
    return {n: t.encode() for n, t in found.items()} | {n: gz(t) for n, t in packed.items()}


class Office:
    """A folder of logs, which is the project of one unit and lies on the server of another."""

    def __init__(self, folder: Path, sshd: Sshd, host_key: str) -> None:
        self.logs, self._folder = folder / "logs", folder
        for name, data in texts().items():
            path = self.logs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (WRITTEN.timestamp(),) * 2)
        ssh = SshSettings(user=sshd.user, port=sshd.port, key_file=str(folder / "login"))
        self._server = Server(
            id=SERVER, unit=UNIT.id, address=sshd.address, host_key=host_key, ssh=ssh
        )

    def sources(self, server: str) -> tuple[MailSource, ...]:
        return tuple(
            MailSource(kind=kind, server=server, timezone="UTC",
                       path=f"{self.logs}/{path}" if server else path)
            for path, kind in SOURCES.items()
        )  # fmt: skip

    def over_ssh(self, requests: Sequence[Request]) -> list[Evidence]:
        """One visit to the server."""
        limits = SshLimits(connect_timeout=60, config="", retries=0)
        rng = random.Random(1)  # noqa: S311
        servers = {SERVER: self._server}
        shared = SshShared(servers, limits, SizeLimits(), self._folder, now, rng)
        try:
            return SshTransport(self._server, shared).collect(requests)
        finally:
            shared.close()

    def told(self, server: str) -> tuple[DocumentEvents, list[Evidence]]:
        said = Documents(signs=("UBND-HK",), mail=self.sources(server))
        subj = subject(msgspec.structs.replace(UNIT, documents=said))
        requests = DOCUMENTS.requests(subj)
        files = FilesTransport(self.logs, SizeLimits(), now)
        found = self.over_ssh(requests) if server else files.collect(requests)
        return DOCUMENTS.parse(context(subj, Options()), Answers(found)), found


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Sshd]]:
    folder = tmp_path_factory.mktemp("office")
    public, host_public = keygen(folder / "login"), keygen(folder / "host")
    with Sshd(folder / "sshd", [folder / "host"], public) as running:
        yield Office(folder, running, host_public), running


def bare(events: DocumentEvents, folder: Path) -> tuple[list[object], list[object]]:
    """Events and reports with the names of files as they are in the project."""

    def name(said: str) -> str:
        return said.removeprefix(f"{SERVER}:").removeprefix(f"{folder}/")

    replace = msgspec.structs.replace
    found = [replace(e, place=replace(e.place, file=name(e.place.file))) for e in events.events]
    reports = [
        replace(r, name=name(r.name), file_names=tuple(map(name, r.file_names)))
        for r in events.sources
    ]
    return sorted(found, key=repr), list(reports)


def test_every_kind_says_the_same_from_a_server(sshd: tuple[Office, Sshd]) -> None:
    office, running = sshd
    before = (running.connections, running.execs)
    remote, sent = office.told(SERVER)
    assert (running.connections, running.execs) == (before[0] + 1, before[1] + 1)
    local, whole = office.told("")
    assert [s.failure for s in (*remote.sources, *local.sources)] == [None] * 2 * len(SOURCES)
    assert bare(remote, office.logs) == bare(local, office.logs)
    by = {e.place.file.rpartition("/")[2]: e.place.file for e in remote.events}
    assert set(by) == {
        "mail.log", "mailbox.log", "amavis.log", "amavis.log.1.gz", "mainlog", "mainlog.1.gz",
        "MSGTRK1.LOG",
    }  # fmt: skip
    assert set(SOURCES.values()) == set(MAIL_KINDS)
    # The host's own grep dropped what says nothing of any mail.
    text = b"".join(bytes(f.data) for e in sent for f in unpack(e.stdout))
    given = b"".join(bytes(f.data) for e in whole for f in unpack(e.stdout))
    for dropped in (b"Accepted publickey", b"mailop - ", b"Connection refused", b",RECEIVE,"):
        assert dropped in given
        assert dropped not in text


def test_a_log_that_is_not_there_fails_for_itself(sshd: tuple[Office, Sshd]) -> None:
    office, _ = sshd
    path = office.logs / "exim" / "mainlog"
    moved = path.rename(path.with_name("elsewhere"))
    packed = path.with_name("mainlog.1.gz").rename(path.with_name("older"))
    try:
        remote, _ = office.told(SERVER)
    finally:
        moved.rename(path)
        packed.rename(path.with_name("mainlog.1.gz"))
    failed = {s.name: s.failure.kind for s in remote.sources if s.failure is not None}
    assert failed == {f"{SERVER}:{office.logs}/exim/mainlog*": FailureKind.COMMAND_FAILED}
    assert not [e for e in remote.events if "mainlog" in e.place.file]
    assert [e for e in remote.events if "amavis" in e.place.file]
