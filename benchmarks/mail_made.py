"""A made Postfix log of any length, the same for the same seed, and the truth of what is in it.

    .venv/bin/python benchmarks/mail_made.py 1000000 old /tmp/mail.log.1

A mail server of a public body, as rsyslog or postlogd writes it: clients that connect and leave,
IMAP logins, TLS notes, rejects and greylisting beside the mails; lives interleave and some last for
days, because they are deferred. Every fourth mail goes through Amavis and so has two queue ids. Of
12 % of the mails subject and names are logged, in base64 or quoted-printable; every fourth of those
carries a document.
"""

from __future__ import annotations

import base64
import quopri
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

START = 1_793_725_200
"""Midnight of 4 November 2026 in Hà Nội, in seconds since 1970."""
HOST = b"mx"
SIGNS = ("QĐ-UBND-HK", "BC-UBND-HK", "UBND-HK-VX", "KH-UBND-HK", "TB-UBND-HK", "CV-UBND-HK")
_DOMAINS = (
    "soyte.gov.vn", "sovanhoa.gov.vn", "sonoivu.gov.vn", "badinh.gov.vn", "tayho.gov.vn",
    "gmail.com", "vnpt.vn", "yahoo.com", "viettel.com.vn", "hanoi.gov.vn",
)  # fmt: skip
_TOPICS = (
    "Về việc tăng cường công tác phòng cháy chữa cháy",
    "Lịch họp giao ban tuần của lãnh đạo Ủy ban",
    "Báo cáo kết quả thực hiện nhiệm vụ tháng 10",
    "Mời dự hội nghị tổng kết phong trào thi đua",
    "Danh sách cán bộ, công chức tham gia tập huấn",
)
_NAMES = ("Lịch họp tuần 45.docx", "danh sach can bo.xlsx", "phụ lục kèm theo.pdf", "anh-bia.jpg")
_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_CHUNK = 2000
"""Mails whose lines are sorted together; what lies beyond them waits for the next."""

Line = tuple[float, bytes]


class Truth:
    """What was written: lines, mails, mails with headers, deliveries, and (document, domain)."""

    def __init__(self) -> None:
        self.lines = self.mails = self.headers = self.sent = self.deferred = self.rejects = 0
        self.pairs: set[tuple[str, str]] = set()


def _word(text: str, chance: random.Random) -> str:
    """A text as encoded words, as mail programs write them; the parts joined by `?`, as logged."""
    words = []
    for at in range(0, len(text), 22):
        raw = text[at : at + 22].encode()
        if chance.random() < 0.7:
            words.append(f"=?UTF-8?B?{base64.b64encode(raw).decode()}?=")
        else:
            coded = quopri.encodestring(raw, header=True).decode().replace("=\n", "")
            words.append(f"=?UTF-8?Q?{coded.replace('?', '=3F')}?=")
    return "? ".join(words)


def _stamps(style: str) -> Callable[[float], bytes]:
    """What writes a time of Hà Nội: `new` as ISO 8601, `old` without a year."""
    known: dict[int, bytes] = {}
    form = "%b %e %H:%M:%S" if style == "old" else "%Y-%m-%dT%H:%M:%S"

    def write(at: float) -> bytes:
        second = int(at)
        text = known.get(second)
        if text is None:
            if len(known) > 100_000:
                known.clear()
            text = known[second] = time.strftime(form, time.gmtime(second + 7 * 3600)).encode()
        return text if style == "old" else b"%b.%06d+07:00" % (text, (at - second) * 1e6)

    return write


class Maker:
    """Makes mails one after another; `truth` grows with them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same log every time
        self._number = 0
        self.truth = Truth()

    def _queue(self) -> str:
        return "4P" + "".join(self._chance.choices(_ALPHABET, k=13))

    def _headers(self, prefix: bytes, at: float, sender: str, to: str) -> tuple[list[Line], str]:
        """The header lines of a mail, and the document that it carries."""
        chance = self._chance
        subject, names, document = chance.choice(_TOPICS), [chance.choice(_NAMES)], ""
        if chance.random() < 0.25:
            self._number += 1
            sign = chance.choice(SIGNS)
            document = f"{self._number % 90_000 + 1}/{sign}"
            subject = f"{subject} {document}"
            if chance.random() < 0.8:
                names = [document.replace("/", "-") + "(đã ký).signed.pdf"]
        lines = [self._header(prefix, "Subject", "subj", _word(subject, chance), sender, to)]
        for name in names:
            value = f' attachment;? filename="{_word(name, chance)}"'
            lines.append(self._header(prefix, "Content-Disposition", "cd", value, sender, to))
        return [(at + 0.0001 * n, line) for n, line in enumerate(lines)], document

    @staticmethod
    def _header(prefix: bytes, name: str, mark: str, value: str, sender: str, to: str) -> bytes:
        return (
            prefix
            + (
                f"info: header {name}: {value[:190]} from pc-7.hoankiem.local[10.0.7.21]; "
                f"from=<{sender}> to=<{to}> proto=ESMTP helo=<pc-7>: {mark}=[{value}]"
            ).encode()
        )

    def noise(self, at: float) -> list[Line]:
        """What stands between the mails."""
        chance, pid = self._chance, self._chance.randrange(900, 65_000)
        ip = f"{chance.randrange(1, 224)}.{chance.randrange(256)}.7.{chance.randrange(256)}"
        smtpd = f"postfix/smtpd[{pid}]: "
        kind = chance.random()
        if kind < 0.35:
            self.truth.rejects += 1
            text = (
                f"{smtpd}NOQUEUE: reject: RCPT from unknown[{ip}]: 454 4.7.1 <x@{ip}.example>: "
                f"Relay access denied; from=<a@spam.example> to=<x@gmail.com> proto=ESMTP helo=<h>"
            )
        elif kind < 0.6:
            text = (
                f"dovecot: imap-login: Login: user=<canbo{pid}@hoankiem.gov.vn>, method=PLAIN, "
                f"rip={ip}, lip=10.0.7.2, mpid={pid}, TLS, session=<abc{pid}>"
            )
        elif kind < 0.75:
            text = f"postfix/postscreen[{pid}]: CONNECT from [{ip}]:4{pid} to [10.0.7.2]:25"
        elif kind < 0.9:
            text = (
                f"{smtpd}Anonymous TLS connection established from unknown[{ip}]: TLSv1.3 with "
                "cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
            )
        else:
            text = f"postfix/anvil[{pid}]: statistics: max connection rate 3/60s for (smtpd:{ip})"
        connect = f"{smtpd}connect from unknown[{ip}]".encode()
        lost = f"{smtpd}disconnect from unknown[{ip}] ehlo=1 quit=1 commands=2".encode()
        return [(at, connect), (at + 0.2, text.encode()), (at + 0.4, lost)]

    def mail(self, at: float) -> list[Line]:
        """The lines of one mail that begins at this moment, not in order of time."""
        chance, truth = self._chance, self.truth
        truth.mails += 1
        out = chance.random() < 0.6
        sender = f"canbo{chance.randrange(900)}@{'hoankiem.gov.vn' if out else 'gmail.com'}"
        count = 1 if chance.random() < 0.8 else chance.randrange(2, 9)
        to = [f"vanthu{chance.randrange(50)}@{chance.choice(_DOMAINS)}" for _ in range(count)]
        size = chance.randrange(900, 4_000_000)
        queue = self._queue()
        document = ""
        found = self._opened(queue, at, sender, f"pc-{chance.randrange(200)}[10.0.7.21]", size, to)
        if chance.random() < 0.12:
            truth.headers += 1
            prefix = f"postfix/cleanup[{chance.randrange(9000)}]: {queue}: ".encode()
            more, document = self._headers(prefix, at + 0.15, sender, to[-1])
            found += more
        if chance.random() < 0.25:
            inner = self._queue()
            found += self._filtered(queue, inner, at, sender, to, size)
            found.append((at + 2.5, f"postfix/qmgr[77]: {queue}: removed".encode()))
            queue, at = inner, at + 2
        if document:
            number, _, sign = document.partition("/")
            truth.pairs.update((f"{number}/{sign}", a.partition("@")[2]) for a in to)
        return found + self._delivered(queue, at + 0.5, to)

    def _opened(
        self, queue: str, at: float, sender: str, client: str, size: int, to: list[str]
    ) -> list[Line]:
        pid = self._chance.randrange(900, 65_000)
        smtpd, cleanup = f"postfix/smtpd[{pid}]: ", f"postfix/cleanup[{pid + 1}]: "
        active = f"from=<{sender}>, size={size}, nrcpt={len(to)} (queue active)"
        return [
            (at, f"{smtpd}connect from {client}".encode()),
            (at + 0.1, f"{smtpd}{queue}: client={client}, sasl_method=PLAIN".encode()),
            (at + 0.12, f"{cleanup}{queue}: message-id=<{queue}.{pid}@pc.local>".encode()),
            (at + 0.3, f"postfix/qmgr[77]: {queue}: {active}".encode()),
            (at + 0.4, f"{smtpd}disconnect from {client} ehlo=1 mail=1 data=1".encode()),
        ]

    def _filtered(
        self, queue: str, inner: str, at: float, sender: str, to: list[str], size: int
    ) -> list[Line]:
        """Through Amavis: the second id, its line, and the hops of every recipient."""
        task = f"({self._chance.randrange(1000, 99999):05}-{self._chance.randrange(1, 20):02})"
        passed = (
            f"amavis[812]: {task} Passed CLEAN {{RelayedOutbound}}, [10.0.7.21] <{sender}> -> "
            f"{','.join(f'<{a}>' for a in to)}, Queue-ID: {queue}, mail_id: x{queue[:10]}, "
            f"Hits: -1.0, size: {size}, queued_as: {inner}, 1187 ms"
        )
        lines = self._opened(inner, at + 1.5, sender, "localhost[127.0.0.1]", size, to)
        lines.append((at + 2.2, passed.encode()))
        self.truth.sent += len(to)
        reply = f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {inner}"
        lines += [
            (
                at + 2.3,
                f"postfix/amavis/smtp[91]: {queue}: to=<{a}>, relay=127.0.0.1[127.0.0.1]:10024, "
                f"delay=2.3, delays=0.1/0/0/2.2, dsn=2.0.0, status=sent ({reply})".encode(),
            )
            for a in to
        ]
        return lines

    def _delivered(self, queue: str, at: float, to: list[str]) -> list[Line]:
        """The deliveries; one in twelve is deferred, and goes the next time, minutes or days on."""
        chance, end, lines = self._chance, at, []
        for address in to:
            domain, when = address.partition("@")[2], at + chance.random() * 3
            start = (
                f"postfix/smtp[{chance.randrange(900, 65_000)}]: {queue}: to=<{address}>, relay="
            )
            if chance.random() < 0.08:
                self.truth.deferred += 1
                why = "delay=30, delays=0.2/0/30/0, dsn=4.4.1, status=deferred (connect to mx."
                text = f"{start}none, {why}{domain}[203.0.113.9]:25: Connection timed out)"
                lines.append((when, text.encode()))
                when += chance.choice((300, 3600, 86_400))
            self.truth.sent += 1
            said = (
                f"dsn=2.0.0, status=sent (250 2.0.0 OK 1793725200 d2-20si.{chance.randrange(99)})"
            )
            text = f"{start}mx.{domain}[203.0.113.9]:25, delay=2.1, delays=0.2/0/0.4/1.5, {said}"
            lines.append((when, text.encode()))
            end = max(end, when)
        lines.append((end + 0.1, f"postfix/qmgr[77]: {queue}: removed".encode()))
        return lines


def make(maker: Maker, lines: int, style: str, start: float, out: BinaryIO) -> float:
    """Write about this many lines to a file, whole mails only; returns when the last one ends."""
    write, at = _stamps(style), start
    waiting: list[Line] = []
    chance = random.Random(lines)  # noqa: S311
    written = 0
    while written + len(waiting) < lines:
        for _ in range(_CHUNK):
            at += chance.random() * 0.4
            waiting += maker.mail(at)
            if chance.random() < 0.5:
                waiting += maker.noise(at)
        waiting.sort(key=lambda w: w[0])
        ready = next((n for n, w in enumerate(waiting) if w[0] >= at), len(waiting))
        written += _write(out, waiting[:ready], write)
        waiting = waiting[ready:]
    written += _write(out, waiting, write)
    maker.truth.lines += written
    return waiting[-1][0] if waiting else at


def _write(out: BinaryIO, lines: list[Line], stamp: Callable[[float], bytes]) -> int:
    out.write(b"".join(b"%b %b %b\n" % (stamp(at), HOST, text) for at, text in lines))
    return len(lines)


def files(folder: Path, lines: int, parts: int = 2, seed: int = 7) -> Iterator[tuple[Path, Truth]]:
    """Write `parts` files that follow each other, the older ones with old stamps."""
    at = float(START)
    for number in range(parts):
        path = folder / f"mail.log.{parts - number}"
        style = "old" if number < parts // 2 else "new"
        maker = Maker(seed + number)
        with path.open("wb") as out:
            at = make(maker, lines // parts, style, at, out) + 1
        yield path, maker.truth


if __name__ == "__main__":
    one = Maker(7)
    with Path(sys.argv[3]).open("wb") as target:
        make(one, int(sys.argv[1]), sys.argv[2], START, target)
    told = one.truth
    print(f"{told.lines:,} lines, {told.mails:,} mails, {told.headers:,} with headers")
    print(f"{told.sent:,} sent, {told.deferred:,} deferred, {len(told.pairs):,} pairs")
