"""edXML packets of the demo, with their status messages and the signed PDFs in them."""

from __future__ import annotations

import base64
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from scanner.demo.authority import Authority, SigningKey
from scanner.demo.papers import Body, Delivery, Paper, Way, body_of
from scanner.demo.pdfs import pdf, signed
from scanner.demo.plot import AxisStory, UnitPlot

_NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
_TIME = "%Y/%m/%d %H:%M:%S"
_BARE = 4
"""Every so many documents one lacks the organisation's signature, where that is the story."""
_WIDTH = 76


def write_packets(
    folder: Path, unit: UnitPlot, sent: Sequence[Paper], authority: Authority, random: Random
) -> None:
    """Write a packet for each document that went over the axis, and a status for each receipt."""
    folder.mkdir(parents=True)
    own = body_of(unit.place)
    head = authority.issue(unit.accountable.name, own.name)
    office = authority.issue(own.name, own.name)
    bare = unit.docs.axis is AxisStory.UNSIGNED
    for n, paper in enumerate(sent):
        gone = [d for d in paper.deliveries if d.way in (Way.GATEWAY, Way.COPY)]
        if not gone:
            continue
        left = min(d.sent for d in gone)
        by = (head,) if bare and n % _BARE == 0 else (head, office)
        file = _signed(paper, left, by)
        name = f"{paper.date:%Y%m%d}-{paper.number}"
        _write(folder / f"{name}.edxml", _document(own, paper, gone, left, file))
        for delivery in (d for d in gone if d.received):
            got = delivery.sent + dt.timedelta(minutes=random.randint(2, 30))
            answer = folder / f"{name}-{delivery.to.code}-03.edxml"
            _write(answer, _status(own, paper, delivery.to, got))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _signed(paper: Paper, left: dt.datetime, by: Iterable[SigningKey]) -> bytes:
    """The document's PDF, signed by one after the other in the minutes before it left."""
    made = pdf(f"Van ban so {paper.number} (mo phong)")
    for n, signer in enumerate(by):
        made = signed(made, signer, left - dt.timedelta(minutes=4 - n))
    return made


# -------------------------------------------------------------------------------------- the XML


def _document(
    own: Body, paper: Paper, gone: Sequence[Delivery], left: dt.datetime, file: bytes
) -> str:
    name = f"{paper.notation.replace('/', '-')}.pdf"
    header = [
        _organ("From", own),
        *(_organ("To", d.to) for d in gone),
        _tag("DocumentId", f"{own.code},{paper.date:%Y/%m/%d},{paper.notation}"),
        _code(paper),
        f"<edXML:PromulgationInfo>{_date(paper)}</edXML:PromulgationInfo>",
        _tag("Subject", paper.title),
    ]
    doing = f"<edXML:Bussiness>{_tag('BussinessDocType', '0')}{_tag('Paper', '0')}"
    trace = f"{_tag('OrganId', own.code)}{_tag('Timestamp', f'{left:{_TIME}}')}"
    return _envelope(
        header,
        f"<edXML:TraceHeader>{trace}</edXML:TraceHeader>{doing}</edXML:Bussiness>",
        _attachment(name, file),
    )


def _status(own: Body, paper: Paper, by: Body, at: dt.datetime) -> str:
    about = f"{_tag('OrganId', own.code)}{_code(paper)}{_date(paper)}"
    return _envelope(
        [
            _organ("From", by),
            f"<edXML:ResponseFor>{about}</edXML:ResponseFor>",
            _tag("StatusCode", "03"),
            _tag("Description", "Đã tiếp nhận"),
            _tag("Timestamp", f"{at:{_TIME}}"),
        ]
    )


def _envelope(header: Iterable[str], trace: str = "", attached: str = "") -> str:
    lines = "\n".join(header)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<edXML:edXML xmlns:edXML="{_NAMESPACE}">\n'
        f"<edXML:edXMLEnvelope><edXML:edXMLHeader>\n<edXML:MessageHeader>\n{lines}\n"
        f"</edXML:MessageHeader>\n<edXML:TraceHeaderList>{trace}</edXML:TraceHeaderList>\n"
        "</edXML:edXMLHeader></edXML:edXMLEnvelope>\n"
        f"<edXML:AttachmentEncoded>{attached}</edXML:AttachmentEncoded>\n</edXML:edXML>\n"
    )


def _tag(name: str, text: str) -> str:
    return f"<edXML:{name}>{escape(text)}</edXML:{name}>"


def _organ(name: str, body: Body) -> str:
    said = _tag("OrganId", body.code) + _tag("OrganName", body.name)
    return f"<edXML:{name}>{said}</edXML:{name}>"


def _code(paper: Paper) -> str:
    said = _tag("CodeNumber", f"{paper.number:02}") + _tag("CodeNotation", paper.sign)
    return f"<edXML:Code>{said}</edXML:Code>"


def _date(paper: Paper) -> str:
    return _tag("PromulgationDate", f"{paper.date:%Y/%m/%d}")


def _attachment(name: str, file: bytes) -> str:
    """The file in an archive in base64, as the axis carries it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), file, zipfile.ZIP_DEFLATED)
    text = "\n".join(_lines(base64.b64encode(packed.getvalue()).decode("ascii")))
    said = _tag("AttachmentName", name) + _tag("ContentType", "application/zip")
    said += f"<edXML:ContentTransferEncoded>{text}</edXML:ContentTransferEncoded>"
    return f"<edXML:Attachment>{said}</edXML:Attachment>"


def _lines(text: str) -> Iterator[str]:
    return (text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH))
