"""Twice the input takes twice the steps, whatever is written in it; and memory stays flat.

Steps of Python are counted. Those inside one pattern cannot be, so lines of megabytes that invite
a pattern to try again from every place must be over within the time limit of a test, which any
quadratic pattern exceeds a thousandfold.
"""

from __future__ import annotations

import datetime as dt
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest

from checks.documents.numbers import Finder
from checks.documents.sources.amavis_file import read_amavis
from checks.documents.sources.exchange import read_exchange
from checks.documents.sources.exim import read_exim
from checks.documents.sources.headers import decode_words, file_names
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.postfix_lines import Piece
from checks.documents.sources.zimbra import read_zimbra
from checks.evidence import Unparsable
from tests.checks.documents import test_amavis as amavis
from tests.checks.documents import test_exchange as exchange
from tests.checks.documents import test_exim as exim
from tests.checks.documents import test_zimbra as zimbra
from tests.helpers.correspondence import ZONE, Mail, entry, log

FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK"])
Read = Callable[..., MailLog]
SIZE = 2_000_000
AT = dt.datetime(2026, 11, 1, 8)  # noqa: DTZ001 - a place on the log's own clock


def postfix_log(n: int) -> str:
    mails = [
        Mail(
            (AT + dt.timedelta(seconds=3 * k)).isoformat(),
            "12/QĐ-UBND-HK",
            names=("12-QD-UBND-HK.pdf",),
            queue=f"4PbC4z6W5Qz{k:05}",
        )
        for k in range(n)
    ]
    return log(*mails)


def amavis_log(n: int) -> str:
    one = amavis.filtered(*amavis.path(amavis.NAME), amavis.passed())
    return "".join(
        one.replace("Qz3tG", f"Q{k:05}").replace("04312-07", f"04312-{k}") for k in range(n)
    )


def amavis_alone(n: int) -> str:
    one = "".join([*amavis.path(amavis.NAME), amavis.passed()])
    return "".join(
        one.replace("Qz3tG", f"Q{k:05}").replace("04312-07", f"04312-{k}") for k in range(n)
    )


def zimbra_log(n: int) -> str:
    return "".join(
        zimbra.uploaded(zimbra.NAME, writer=f"p{k}@x.vn")
        + zimbra.sending(zimbra.NAME, message=f"<{k}@y>")
        for k in range(n)
    )


def exim_log(n: int) -> str:
    return exim.log(*(exim.Mail(name=exim.NAME, queue=f"1xUynw-0{k:05}-21") for k in range(n)))


def exchange_log(n: int) -> str:
    return exchange.log(*(exchange.row(network_message_id=f"id-{k}") for k in range(n)))


LOGS: dict[str, tuple[Callable[[int], str], Read]] = {
    "postfix": (postfix_log, read_postfix),
    "amavis": (amavis_log, read_postfix),
    "amavis alone": (amavis_alone, read_amavis),
    "zimbra": (zimbra_log, read_zimbra),
    "exim": (exim_log, read_exim),
    "exchange": (exchange_log, read_exchange),
}


def steps(read: Read, text: str) -> int:
    """Calls of functions while a log is read."""
    count = 0

    def tick(*_: object) -> None:
        nonlocal count
        count += 1

    given = entry("x", text)
    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        read([given], "x", ZONE, FINDER)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("kind", LOGS)
def test_twice_the_lines_take_twice_the_steps(kind: str) -> None:
    write, read = LOGS[kind]
    steps(read, write(10))  # what is done once only
    one, two = steps(read, write(300)), steps(read, write(600))
    assert one > 1000
    assert 1.8 * one < two < 2.2 * one


HEAD = "2026-11-10T08:00:00.000000+07:00 mx "
CLEANUP = f"{HEAD}postfix/cleanup[1]: 4PbC4z6W5Qz3tG1: info: header "
TASK = f"{HEAD}amavis[1]: (1-01) "
ENTRY = "2026-11-10 08:00:00,000 INFO  [t] [name=a@b;] "
ARRIVAL = f"2026-11-10 08:00:00 {exim.ID} "
EVIL: dict[str, tuple[Read, str, str]] = {
    "slashes": (read_postfix, HEAD, "a/"),
    "amavis": (read_postfix, HEAD, "amavis["),
    "amavis ids": (read_postfix, f"{HEAD}amavis[", "1"),
    "amavis alone": (read_amavis, HEAD, "amavis["),
    "spaces": (read_amavis, HEAD, " "),
    "ids said": (read_amavis, f"{TASK}Passed, Hits: 1, size: 1", ", Message-ID: <"),
    "queue ids": (read_postfix, f"{HEAD}postfix/smtp[1]: ", "A"),
    "stamps": (read_postfix, "", "2026-11-10T\n"),
    "moments": (read_postfix, "", "2026-11-10T08:00:00 \n"),
    "hosts": (read_postfix, "", "2026-11-10T08:00:00 mx\n"),
    "programs": (read_postfix, HEAD, "postfix/\n2026-11-10T08:00:00 mx postfix/smtp\n"),
    "words": (read_postfix, f"{CLEANUP}Subject: x: subj=[", "=?utf-8?B?"),
    "open words": (read_postfix, f"{CLEANUP}Subject: x: subj=[", "=?a*"),
    "params": (read_postfix, f"{CLEANUP}Content-Type: x: ct=[", 'name="\\'),
    "envelopes": (read_postfix, f"{CLEANUP}Subject: ", " from a[1]; from=<"),
    "sent": (read_postfix, f"{HEAD}a/smtp[1]: 4PbC4z6W5Qz3tG1: to=<", " status=sent queued as"),
    "subjects": (read_postfix, f"{TASK}Passed, Hits: 1, size: 1", ', Subject: "'),
    "names": (read_postfix, f'{TASK}p.path "P=1', ",N="),
    "backslashes": (read_postfix, f'{TASK}p.path "P=1,N=', "\\"),
    "brackets": (read_zimbra, ENTRY[:-1], "] smtp - Sending"),
    "uploads": (read_zimbra, f"{ENTRY}smtp - Sending message: Message-ID=<a>, uploads=[",
                "Upload: { accountId=, name="),
    "paths": (read_zimbra, f"{ENTRY}smtp - Sending message: Message-ID=<a>", ", path="),
    "message ids": (read_zimbra, f"{ENTRY}smtp - Sending message: ", "Message-ID=<"),
    "exims": (read_exim, "Nov 10 08:00:00 mx ", "exim"),
    "titles": (read_exim, f"{ARRIVAL}<= a@b", ' T="'),
    "escapes": (read_exim, f'{ARRIVAL}<= a@b T="', "\\"),
    "parents": (read_exim, f"{ARRIVAL}=> ", " <a"),
    "quotes": (read_exchange, exchange.HEAD, '"'),
    "commas": (read_exchange, exchange.HEAD + "x", ","),
    "events": (read_exchange, exchange.HEAD + "x", ",SEND"),
    "fields": (read_exchange, "#Fields: ", "date-time,"),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("ends", [True, False], ids=["ended", "endless"])
def test_a_line_of_megabytes_is_over_soon(evil: str, ends: bool) -> None:
    read, head, piece = EVIL[evil]
    text = head + piece * (SIZE // len(piece)) + ("\n" if ends else "")
    try:
        read([entry("x", text)], "x", ZONE, FINDER)
    except Unparsable as e:
        assert str(e).startswith("x:")  # noqa: PT017


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "line", ["2026-11-10T", "2026-11-10T08:00:00 ", "2026-11-10T08:00:00 mx postfix/"]
)
def test_a_word_that_does_not_end_with_its_line_is_soon_given_up(line: str) -> None:
    assert Piece("x", f"\n{line}".encode() * 400_000, 0).needed() == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ['name="', "=?utf-8?B?", "name*0*=", "=?a?q?=", '"\\', "filename", " "]
)
def test_headers_of_megabytes_are_over_soon(piece: str) -> None:
    text = piece * (SIZE // len(piece))
    for head in ("", "; name", '; filename="'):
        file_names(head + text)
        decode_words(head + text)


@pytest.mark.timeout(60)
def test_many_names_made_to_be_cut_take_no_time() -> None:
    """The ending `.signed.1.1.1…` is looked for from every place of a name."""
    name = ".1" * 2000 + "x"
    lines = [amavis.line(f'p.path x: "P=p{n},N=7-{name}"', task=f"1-{n}") for n in range(500)]
    for read in (read_amavis, read_postfix):
        read([entry("x", HEAD + "a/b[1]: x\n" + "".join(lines))], "x", ZONE, FINDER)


def peak(read: Read, text: str) -> int:
    given = entry("x", text)
    tracemalloc.start()
    try:
        read([given], "x", ZONE, FINDER)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["exim", "zimbra", "exchange", "amavis alone"])
def test_memory_does_not_grow_with_mails_that_name_nothing(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checks.documents.sources.zimbra._WRITERS", 50)
    write, _ = LOGS[kind]
    plain = {n: write(n).replace("12/Q", "ab/Q").replace("12-Q", "ab-Q") for n in (4000, 10_000)}
    read: dict[str, Read] = {
        "exim": partial(read_exim, open_lives=50),
        "zimbra": read_zimbra,
        "amavis alone": read_amavis,
        "exchange": partial(read_exchange, open_mails=50),
    }
    peak(read[kind], plain[4000])
    few, many = peak(read[kind], plain[4000]), peak(read[kind], plain[10_000])
    # Numbers of mails are kept, eight bytes each, and sorted as a list once.
    kept = {"zimbra": 80, "amavis alone": 330}
    assert many < few + 6000 * kept.get(kind, 2) + 50_000
