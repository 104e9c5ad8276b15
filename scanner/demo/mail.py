"""Postfix logs of the demo, line by line as the real program writes them on Debian 12.

With header logging on, the subject and the attachment names stand in `subj=[…]` and `cd=[…]`, as
the documentation of the mail source asks for; without it only senders, recipients and sizes do.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable
from random import Random

import msgspec

from scanner.demo.papers import Paper, Way

_FREE_MAIL = ("gmail.com", "yahoo.com.vn")
_CHATTER = ("Lịch họp giao ban tuần", "Danh sách trực cơ quan", "Thông tin nội bộ", "Ảnh hội nghị")
_LETTERS = "0123456789ABCDEF"


class Mail(msgspec.Struct, frozen=True):
    """One mail that left the unit; `time` is aware."""

    time: dt.datetime
    sender: str
    to: str
    subject: str
    attachment: str = ""
    size: int = 4000


def mails(
    domain: str,
    papers: Iterable[Paper],
    days: Iterable[dt.date],
    zone: dt.tzinfo,
    random: Random,
) -> list[Mail]:
    """Everything that left by mail, by time: the documents among it and harmless mail."""
    clerk = f"vanthu@{domain}"
    found = [
        _carrying(paper, clerk, f"vanthu@{delivery.to.domain}", delivery.sent, delivery.way)
        for paper in papers
        for delivery in paper.deliveries
        if delivery.way in (Way.MAIL, Way.COPY)
    ]
    for day in days:
        for _ in range(random.randint(2, 5)):
            hour = dt.time(random.randint(7, 17), random.randint(0, 59), tzinfo=zone)
            to = random.choice((f"canbo{random.randint(1, 30)}@{domain}", *_outside(random)))
            found.append(Mail(dt.datetime.combine(day, hour), clerk, to, random.choice(_CHATTER)))
    return sorted(found, key=lambda mail: (mail.time, mail.to, mail.subject))


def _outside(random: Random) -> list[str]:
    return [f"nguoidan{random.randint(1, 99)}@{domain}" for domain in _FREE_MAIL]


def _carrying(paper: Paper, clerk: str, to: str, sent: dt.datetime, way: Way) -> Mail:
    # A courtesy copy follows the document; a bypass goes instead of it.
    late = dt.timedelta(minutes=40 if way is Way.COPY else 10)
    name = f"{paper.notation.replace('/', '-')}.signed.pdf"
    mark = "[MẬT] " if paper.marked else ""
    subject = f"{mark}{paper.notation} {paper.title}"
    return Mail(sent + late, clerk, to, subject, name, 380_000 + paper.number * 17)


def postfix_log(host: str, all_mails: Iterable[Mail], random: Random, *, headers: bool) -> str:
    """The log as text, old to new; ids are unique."""
    lines: list[str] = []
    taken: set[str] = set()
    for mail in all_mails:
        queue_id = _fresh(taken, random)
        taken.add(queue_id)
        lines += _life(host, queue_id, mail, random.randint(300, 30000), headers=headers)
    return "".join(f"{line}\n" for line in lines)


def _fresh(taken: set[str], random: Random) -> str:
    while True:
        queue_id = "".join(random.choice(_LETTERS) for _ in range(10))
        if queue_id not in taken:
            return queue_id


def _life(host: str, queue_id: str, mail: Mail, pid: int, *, headers: bool) -> list[str]:
    at = [
        (mail.time + dt.timedelta(milliseconds=130 * n)).isoformat(timespec="microseconds")
        for n in range(8)
    ]
    relay = mail.to.partition("@")[2]
    seen = (
        f"from may-tram[10.20.0.7]; from=<{mail.sender}> to=<{mail.to}> proto=ESMTP helo=<may-tram>"
    )
    lines = [f"{at[0]} {host} postfix/smtpd[{pid}]: {queue_id}: client=may-tram[10.20.0.7]"]
    cleanup = f"{host} postfix/cleanup[{pid + 1}]: {queue_id}:"
    if headers:
        encoded = _encoded(mail.subject)
        lines.append(f"{at[1]} {cleanup} info: header Subject: {encoded} {seen}: subj=[{encoded}]")
        if mail.attachment:
            cd = f' attachment; filename="{_encoded(mail.attachment)}"'
            lines.append(
                f"{at[2]} {cleanup} info: header Content-Disposition:{cd} {seen}: cd=[{cd}]"
            )
    queued = f"from=<{mail.sender}>, size={mail.size}, nrcpt=1 (queue active)"
    delivered = (
        f"to=<{mail.to}>, relay=mx.{relay}[192.0.2.25]:25, delay=0.8, delays=0.1/0/0.3/0.4, "
        "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)"
    )
    return [
        *lines,
        f"{at[3]} {cleanup} message-id=<{queue_id.lower()}@{mail.sender.partition('@')[2]}>",
        f"{at[4]} {host} postfix/qmgr[811]: {queue_id}: {queued}",
        f"{at[6]} {host} postfix/smtp[{pid + 2}]: {queue_id}: {delivered}",
        f"{at[7]} {host} postfix/qmgr[811]: {queue_id}: removed",
    ]


def _encoded(text: str) -> str:
    """A header's text as mail programs write it: words of base64 when it is not plain ASCII."""
    if text.isascii():
        return text
    words = []
    while text:
        cut = 24  # letters of up to three bytes each stay within 75 characters a word
        words.append(f"=?utf-8?b?{base64.b64encode(text[:cut].encode()).decode()}?=")
        text = text[cut:]
    return " ".join(words)
