"""Writes a few small good files for each target into a folder: fuzz/seeds.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.checks.documents import (  # noqa: E402
    test_amavis,
    test_exchange,
    test_incoming_postal,
    test_zimbra,
)
from tests.helpers import packets, signing, x_road  # noqa: E402
from tests.helpers.correspondence import (  # noqa: E402
    GATEWAY_HEAD,
    REGISTER_HEAD,
    Mail,
    daily_mails,
    gateway,
    log,
    register,
)

EML = (
    b"From: a@hoankiem.gov.vn\r\nTo: b@soyte.gov.vn\r\nDate: Tue, 10 Nov 2026 08:00:00 +0700\r\n"
    b"Message-ID: <1@x>\r\nSubject: =?utf-8?B?UcSQIDEyL1HEkC1VQk5ELUhL?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: application/pdf; name*0*=utf-8''12-Q%C4%90; name*1=.pdf\r\n"
    b"Content-Disposition: attachment\r\n\r\nJVBERi0=\r\n--b--\r\n"
)


def seeds() -> dict[str, list[bytes]]:
    """Good input of every target."""
    root = signing.make("ec", authority=True)
    person = signing.make("ec", root)
    signed = signing.signed_pdf(signing.plain_pdf(), person)
    begin = signed.index(b"<30") + 1
    cms = bytes.fromhex(signed[begin : signed.index(b">", begin)].decode().rstrip("0") + "0000")
    packet = packets.document(files=[packets.zipped({"a.pdf": signed}), packets.PDF])
    exim = (ROOT / "tests/fixtures/mail/exim/mainlog").read_bytes()
    one = test_zimbra.line(test_zimbra.UPLOAD.format(test_zimbra.NAME))
    name = "12-QĐ-UBND-HK.signed.pdf"
    mail = log(Mail("2026-11-10 08:00", f"Gửi {test_exchange.NUMBER}", names=[name]))
    row = ("12/QĐ-UBND-HK", "10/11/2026", "Sở Y tế")
    sent = ("12/QĐ-UBND-HK", "H26.5", "2026-11-10 08:30:00", "done")
    incoming = (
        test_incoming_postal.INCOMING_HEAD + "10/11/2026,1,Sở Y tế,5/SYT-VP,09/11/2026,x,,,,\n"
    )
    postal = test_incoming_postal.POSTAL_HEAD + "10/11/2026,12/QĐ-UBND-HK,Sở Y tế,1,,\n"
    received = "Id,From,ContentSha256,CreatedTime,Status\n1,H26.5," + "a" * 64
    return {
        "pdf": [signed, signing.plain_pdf()],
        "cms": [cms],
        "postfix": [mail.encode(), log(*daily_mails(days=2)).encode()],
        "amavis": ["".join([*test_amavis.path(name), test_amavis.passed()]).encode()],
        "zimbra": [one.encode()],
        "exchange": [(test_exchange.HEAD + test_exchange.row()).encode()],
        "exim": [exim[:4000]],
        "register": [(REGISTER_HEAD + register(row)).encode()],
        "gateway": [(GATEWAY_HEAD + gateway(sent)).encode()],
        "packets": [packet.encode(), packets.status().encode(), packets.zipped({"a": b"<edXML/>"})],
        "received": [(received + ",2026-11-10 08:00:00,done\n").encode()],
        "x_road": [json.dumps({"records": [x_road.call("2026-11-10 08:00:00")]}).encode()],
        "incoming": [incoming.encode()],
        "postal": [postal.encode()],
        "eml": [EML],
        "mbox": [b"From a@b Tue Nov 10 08:00:00 2026\n" + EML.replace(b"\r\n", b"\n") + b"\n"],
    }


def main() -> None:
    """Write them, each under the name of its target."""
    folder = Path(sys.argv[1])
    for target, files in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(files):
            (folder / target / f"seed-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
