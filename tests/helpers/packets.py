"""edXML packets and status messages for tests, shaped like real ones; every name is invented."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
OWN, HEALTH, CULTURE = "H26.1.2", "H26.5", "H26.6"
PDF = b"%PDF-1.4 a decision\n%%EOF\n"
SENT = "2026/11/10 08:30:00"


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 10, 8, 0, 0)), data, method)
    return out.getvalue()


def attachment(data: bytes, content_type: str = "application/zip", width: int = 76) -> str:
    """One attachment, its base64 in lines as programs write it."""
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    return (
        "<Attachment><ContentId>cid:1</ContentId><AttachmentName>Quyết định.pdf</AttachmentName>"
        f"<ContentType>{content_type}</ContentType>"
        f"<e:ContentTransferEncoded>{lines}</e:ContentTransferEncoded></Attachment>"
    )


def organ(tag: str, code: str | None) -> str:
    """A sender or recipient with the names and addresses that stand beside its code."""
    said = "" if code is None else f"<e:OrganId>{code}</e:OrganId>"
    return (
        f"<e:{tag}>{said}<e:OrganName>Cơ quan</e:OrganName><e:Email>a@b.gov.vn</e:Email>"
        f"<e:Telephone>024 000</e:Telephone></e:{tag}>"
    )


def traces(*found: tuple[str | None, str]) -> str:
    """Who handled the packet, and when."""
    return "".join(
        "<e:TraceHeader>"
        + ("" if code is None else f"<e:OrganId>{code}</e:OrganId>")
        + f"<e:Timestamp>{time}</e:Timestamp></e:TraceHeader>"
        for code, time in found
    )


def envelope(header: str, trace: str = "", attached: str = "") -> str:
    """The whole file around a message header."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<edXML xmlns="{NAMESPACE}" '
        f'xmlns:e="{NAMESPACE}">\n<e:edXMLEnvelope><e:edXMLHeader>\n<e:MessageHeader>\n{header}\n'
        f"</e:MessageHeader>\n<e:TraceHeaderList>{trace}</e:TraceHeaderList>\n"
        '<Signature><SignedInfo><SignatureMethod Algorithm="rsa-sha1"/></SignedInfo></Signature>\n'
        "</e:edXMLHeader>\n<e:edXMLBody><e:edXMLManifest><e:Reference>"
        "<e:ContentId>cid:1</e:ContentId></e:Reference></e:edXMLManifest></e:edXMLBody>\n"
        f"</e:edXMLEnvelope>\n<AttachmentEncoded>{attached}</AttachmentEncoded>\n</edXML>\n"
    )


def document(
    number: str = "12",
    sign: str = "QĐ-UBND-HK",
    *,
    sender: str | None = OWN,
    to: Sequence[str | None] = (HEALTH,),
    date: str = "2026/11/10",
    sent: Iterable[tuple[str | None, str]] | str = SENT,
    document_id: str = "",
    business: str = "",
    paper: str = "0",
    files: Sequence[bytes] = (),
    more: str = "<e:ResponseFor />",
) -> str:
    """A document message; `business` is what stands in its element besides the paper copies."""
    header = (
        organ("From", sender)
        + "".join(organ("To", code) for code in to)
        + f"<e:DocumentId>{document_id or 'H99.9,2014/02/30,7/ABC'}</e:DocumentId>\n"
        + f"<e:Code><e:CodeNumber>{number}</e:CodeNumber><e:CodeNotation>{sign}</e:CodeNotation>"
        + "</e:Code><e:PromulgationInfo><e:Place>Hà Nội</e:Place>"
        + f"<e:PromulgationDate>{date}</e:PromulgationDate></e:PromulgationInfo>"
        + "<e:Subject>V/v lịch họp</e:Subject><e:SignerInfo><e:FullName>Nguyễn Văn A</e:FullName>"
        + f"</e:SignerInfo><e:DueDate>2026/12/01</e:DueDate>{more}"
        + "<e:SteeringType>1</e:SteeringType>"
    )
    found = [(sender, sent)] if isinstance(sent, str) else sent
    doing = business or "<e:BussinessDocType>0</e:BussinessDocType>"
    trace = traces(*found) + f"<e:Bussiness>{doing}<e:Paper>{paper}</e:Paper></e:Bussiness>"
    return envelope(header, trace, "".join(map(attachment, files)))


def doing(kind: int, inner: str = "", document_id: str = "") -> str:
    """What is done with a document: 1 taken back, 2 changed, 3 replaced."""
    return (
        f"<e:BussinessDocType>{kind}</e:BussinessDocType>"
        f"<e:DocumentId>{document_id or 'x'}</e:DocumentId>{inner}"
    )


def receivers(*changes: tuple[str, int]) -> str:
    """Recipients added (1) to or removed (0) from a document."""
    inner = "".join(
        f"<e:Receiver><e:OrganId>{code}</e:OrganId><e:ReceiverType>{kind}</e:ReceiverType>"
        "</e:Receiver>"
        for code, kind in changes
    )
    inner = f"<e:ReceiverList>{inner}</e:ReceiverList>"
    return f"<e:BussinessDocumentInfo>{inner}</e:BussinessDocumentInfo>"


def replaced(document_id: str, *organs: str) -> str:
    """The document that is replaced, and for whom."""
    inner = "".join(f"<e:OrganId>{code}</e:OrganId>" for code in organs)
    return (
        f"<e:ReplacementInfoList><e:ReplacementInfo><e:DocumentId>{document_id}</e:DocumentId>"
        f"<e:OrganIdList>{inner}</e:OrganIdList></e:ReplacementInfo></e:ReplacementInfoList>"
    )


def _answer(origin: str | None, code: str, date: str, document_id: str) -> str:
    said = "" if origin is None else f"<e:OrganId>{origin}</e:OrganId>"
    return (
        f"<e:ResponseFor>{said}<e:Code>{code}</e:Code>"
        f"<e:PromulgationDate>{date}</e:PromulgationDate>"
        f"<e:DocumentId>{document_id}</e:DocumentId></e:ResponseFor>"
    )


def status(
    code: str = "03",
    number: str = "12",
    sign: str = "QĐ-UBND-HK",
    *,
    by: str | None = HEALTH,
    origin: str | None = OWN,
    date: str = "2026/11/10",
    at: str = "2026/11/10 09:00:00",
    document_id: str = "x",
) -> str:
    """A status message about a document."""
    said = f"<e:CodeNumber>{number}</e:CodeNumber><e:CodeNotation>{sign}</e:CodeNotation>"
    header = (
        organ("From", by)
        + _answer(origin, said, date, document_id)
        + "<e:StaffInfo><e:Staff>Trần Thị B</e:Staff><e:Mobile>0912</e:Mobile></e:StaffInfo>"
        + f"<e:StatusCode>{code}</e:StatusCode><e:Description>Đã tiếp nhận</e:Description>"
        + f"<e:Timestamp>{at}</e:Timestamp>"
    )
    return envelope(header)


def soap_status(code: str, text: str, *, by: str, origin: str, date: str, at: str) -> str:
    """The same as provincial axes send it: a SOAP header, the number as one text, other dates."""
    return (
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header>'
        '<e:Status xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        + _answer(origin, text, date, "")
        + organ("From", by)
        + f"<e:StatusCode>{code}</e:StatusCode><e:Timestamp>{at}</e:Timestamp>"
        + "<e:StaffInfo><e:Staff /></e:StaffInfo></e:Status></S:Header><S:Body /></S:Envelope>"
    )
