"""A ward's correspondence for tests: register, gateway export and Postfix log, as real ones look.

The lines follow what Postfix 3.7 with rsyslog writes on Debian 12; only the names are invented.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings

from checks.documents.evidence import DOCUMENTS, GATEWAY, REGISTER
from checks.documents.mail_logs import MAIL_FILE
from checks.documents.sources.mail_probe import MAIL_LOG
from checks.evidence import Answers, Evidence, Failure, FailureKind, Request
from checks.files import FileEntry, pack
from checks.model import Check, Context, Options, Scope, Subject, Verdict
from checks.pseudonyms import Pseudonyms
from inventory.model import (
    Agency,
    Documents,
    FileSource,
    Inventory,
    MailSource,
    Server,
    Unit,
    UnitKind,
)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""No property fails because the machine is busy."""
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
"""A Friday, 17:00 in Hà Nội."""
MAIL_PATH = "/var/log/mail.log"

HEALTH, CULTURE, POLICE = "H26.5", "H26.6", "H26.7"
AGENCIES = (
    Agency(
        code="H26.1.2",
        old_codes=("000.00.12.H26",),
        name="UBND phường Hoàn Kiếm",
        mail_domains=("hoankiem.gov.vn",),
        signs=("UBND-HK",),
    ),
    Agency(
        code=HEALTH,
        old_codes=("000.00.05.H26",),
        name="Sở Y tế",
        mail_domains=("soyte.gov.vn",),
        signs=("SYT",),
    ),
    Agency(code=CULTURE, name="Sở Văn hóa", mail_domains=("sovanhoa.gov.vn",), signs=("SVH",)),
    Agency(code=POLICE, name="Công an thành phố", mail_domains=("congan.gov.vn",)),
    Agency(code="H26.8", name="Phường Ba Đình", mail_domains=("chung.gov.vn",)),
    Agency(code="H26.9", name="Phường Tây Hồ", mail_domains=("chung.gov.vn",)),
)
REGISTER_HEAD = (
    '"Số, ký hiệu văn bản",Ngày tháng văn bản,Tên loại và trích yếu nội dung văn bản,'
    "Người ký,Nơi nhận văn bản,Ghi chú,Mã lý do\n"
)
GATEWAY_HEAD = (
    "FromCode,ToCode,Notation,Title,SenderDocId,ReceiverDocId,SentTime,ReceivedTime,"
    "SendStatus,ReceiveStatus\n"
)


def entry(name: str, data: str | bytes, mtime: dt.datetime = NOW) -> FileEntry:
    return FileEntry(name=name, mtime=mtime, data=data.encode() if isinstance(data, str) else data)


def register(*rows: tuple[str, str, str], reason: str = "") -> str:
    """Rows of (number and sign, date, recipients)."""
    lines = [f'{n},{d},Trích yếu,Người ký,"{r}",,{reason}\n' for n, d, r in rows]
    return "".join(lines)


def gateway(*rows: tuple[str, str, str, str]) -> str:
    """Rows of (number and sign, to, sent, receive status)."""
    return "".join(f"H26.1.2,{to},{n},Tên,1,2,{at},,sent,{st}\n" for n, to, at, st in rows)


def word(text: str, charset: str = "utf-8") -> str:
    """One encoded word."""
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


def stamp(time: dt.datetime) -> str:
    return time.astimezone(ZONE).isoformat(timespec="microseconds")


class Mail:
    """Writes the log lines of one mail, in the order in which Postfix would."""

    def __init__(
        self,
        at: str,
        subject: str = "",
        *,
        sender: str = "vanthu@hoankiem.gov.vn",
        to: Sequence[str] = ("vanthu@soyte.gov.vn",),
        names: Sequence[str] = (),
        size: int = 250_000,
        queue: str = "",
        host: str = "mx",
    ) -> None:
        self.at = dt.datetime.fromisoformat(at).replace(tzinfo=ZONE)
        self.subject, self.sender, self.to, self.names = subject, sender, to, names
        self.size, self.host = size, host
        self.queue = queue or f"4Pb{int(self.at.timestamp()):X}".replace("A", "B").replace("E", "F")

    def line(self, seconds: float, daemon: str, rest: str) -> str:
        when = stamp(self.at + dt.timedelta(seconds=seconds))
        return f"{when} {self.host} postfix/{daemon}[394]: {self.queue}: {rest}\n"

    def opened(self) -> list[str]:
        return [
            self.line(0, "smtpd", "client=pc-7[10.0.7.21], sasl_method=PLAIN"),
            self.line(0.1, "cleanup", f"message-id=<{self.queue}@pc-7>"),
        ]

    def header(self, name: str, marker: str, value: str) -> str:
        return self.line(
            0.2,
            "cleanup",
            f"info: header {name}: {value[:190]} from pc-7[10.0.7.21]; from=<{self.sender}> "
            f"to=<{self.to[-1]}> proto=ESMTP helo=<pc-7>: {marker}=[{value}]",
        )

    def headers(self) -> list[str]:
        if not self.subject:
            return []
        lines = [self.header("Subject", "subj", word(self.subject))]
        for name in self.names:
            value = f' attachment;? filename="{word(name)}"'
            lines.append(self.header("Content-Disposition", "cd", value))
        return lines

    def queued(self) -> list[str]:
        rest = f"from=<{self.sender}>, size={self.size}, nrcpt={len(self.to)} (queue active)"
        return [self.line(0.3, "qmgr", rest)]

    def delivery(
        self,
        to: str,
        status: str = "sent (250 2.0.0 Ok: queued as 9F0E)",
        seconds: float = 2,
        relay: str = "mx.example.gov.vn[10.9.9.9]:25",
        daemon: str = "smtp",
    ) -> str:
        rest = (
            f"to=<{to}>, relay={relay}, delay=2.1, delays=0.2/0/0.4/1.5, dsn=2.0.0, status={status}"
        )
        return self.line(seconds, daemon, rest)

    def removed(self, seconds: float = 3) -> str:
        return self.line(seconds, "qmgr", "removed")

    def lines(self) -> list[str]:
        return [
            *self.opened(),
            *self.headers(),
            *self.queued(),
            *(self.delivery(t) for t in self.to),
            self.removed(),
        ]


def log(*mails: Mail) -> str:
    return "".join(line for m in mails for line in m.lines())


def daily_mails(until: dt.datetime = NOW, days: int = 40) -> list[Mail]:
    """An ordinary mail with its headers on every day."""
    first = until.astimezone(ZONE).date() - dt.timedelta(days=days)
    return [
        Mail(
            f"{first + dt.timedelta(days=n)}T07:00:00",
            "Lịch họp",
            to=("dan@vnpt.vn",),
            names=("lich hop.pdf",),
            size=900,
        )
        for n in range(1, days + 1)
    ]


UNIT = Unit(
    id="00070",
    name="Phường Hoàn Kiếm",
    kind=UnitKind.WARD,
    documents=Documents(
        signs=("UBND-HK",),
        register=FileSource(path="registers/out-*.csv"),
        gateway=FileSource(path="gateway/sent-*.csv"),
        mail=(MailSource(kind="postfix", server="hk-mail", path=MAIL_PATH),),
    ),
)


def subject(unit: Unit = UNIT, agencies: tuple[Agency, ...] = AGENCIES) -> Subject:
    inventory = Inventory(
        units={unit.id: unit},
        servers={"hk-mail": Server(id="hk-mail", unit=unit.id, address="10.0.7.3")},
        agencies=agencies,
    )
    return Subject(scope=Scope.UNIT, inventory=inventory, unit=unit, target=unit.id)


PSEUDONYMS = Pseudonyms(b"k" * 32)


def context(subj: Subject, options: Options, now: dt.datetime = NOW) -> Context:
    return Context(
        now=now,
        zone=ZONE,
        legal_basis=2026,
        subject=subj,
        options=options,
        pseudonyms=PSEUDONYMS,
    )


def answer(request: Request, entries: Iterable[FileEntry] | Failure) -> Evidence:
    failed = isinstance(entries, Failure)
    return Evidence(
        probe=request.probe,
        target=request.target,
        key=request.key,
        taken=NOW,
        stdout=b"" if isinstance(entries, Failure) else pack(entries),
        failure=entries if isinstance(entries, Failure) else None,
        exit=None if failed else 0,
    )


DENIED = Failure(kind=FailureKind.DENIED, detail="/var/log/mail.log")


def answers(
    register_csv: str | Failure,
    gateway_csv: str | Failure,
    mail_log: str | bytes | Failure | list[FileEntry] | Mapping[str, list[FileEntry]],
    subj: Subject,
) -> Answers:
    """Evidence for every request of the subject; of several mail logs each has its own by path."""
    given = {
        REGISTER.id: ("registers/out-2026.csv", register_csv),
        GATEWAY.id: ("gateway/sent-2026.csv", gateway_csv),
        MAIL_LOG.id: (MAIL_PATH, mail_log),
        MAIL_FILE.id: (MAIL_PATH, mail_log),
    }
    found = []
    for request in DOCUMENTS.requests(subj):
        name, data = given[request.probe]
        if isinstance(data, Mapping):
            data = data[request.params["path"]]
        if isinstance(data, Failure | list):
            found.append(answer(request, data))
        else:
            found.append(answer(request, [entry(name, data)]))
    return Answers(found)


def judge(check: Check, subj: Subject, evidence: Answers, now: dt.datetime = NOW) -> list[Verdict]:
    """What a check says, its facts parsed as the engine does."""
    ctx = context(subj, check.options(), now)
    facts = [fact.parse(ctx, evidence) for fact in check.needs]
    return list(check.judge(ctx, *facts))


def gz(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)
