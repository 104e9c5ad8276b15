"""What a scan remembers of a log must have been read as the next scan reads it.

When one of these digests changes, the same lines come to be read in another way: raise `READING` in
`checks/documents/sources/remembered.py`, or `_SENDING` in `mail_probe.py` when the script came to
send the same file in another way, and write the new digests here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from checks.documents.numbers import Finder
from checks.documents.sources import mail_probe
from checks.documents.sources.exim import read_exim
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.remembered import READING
from tests.helpers.correspondence import Mail, entry, log

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mail"
FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK", "TTr-UBND-HK"])
MADE = log(
    Mail("2026-11-03T08:00:00", "Gửi 12/QĐ-UBND-HK", names=("12-QD-UBND-HK.pdf",)),
    Mail("2026-11-03T09:00:00", "Dự thảo 13/QĐ-UBND-HK, thực hiện 14/BC-UBND-HK", names=("x.pdf",)),
    Mail("2026-11-03T10:00:00", "TỐI MẬT", names=("BC so 15 UBND HK.docx",), to=("a@gmail.com",)),
)
Read = Callable[..., MailLog]
LOGS: dict[str, tuple[Read, bytes, str]] = {
    "made": (read_postfix, MADE.encode(), "d4f711a0fe7485b7"),
    "amavis": (read_postfix, (FIXTURES / "amavis" / "mail.log").read_bytes(), "bf67e96196b7a19c"),
    "exim": (read_exim, (FIXTURES / "exim" / "mainlog").read_bytes(), "61a6512dad90deb8"),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_same_lines_are_read_in_the_same_way(name: str) -> None:
    read, data, known = LOGS[name]
    found = read([entry("x.log", data)], "x", ZoneInfo("UTC"), FINDER)
    said = msgspec.json.encode(found, order="sorted")
    assert (READING, hashlib.sha256(said).hexdigest()[:16]) == (2, known)


def test_the_same_lines_are_sent_in_the_same_way() -> None:
    script = mail_probe.script({"path": "/x"})
    assert (mail_probe.SENT_AS, hashlib.sha256(script.encode()).hexdigest()[:16]) == (
        "717dcf3ac3ef",
        "7b19811347edc399",
    )
