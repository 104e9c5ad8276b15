"""Signatures of the PDFs in packets that were sent: real PDFs, real CMS, real packets."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any
from unittest import mock

import msgspec
import pytest
from cryptography.x509.oid import NameOID
from pyhanko.sign.signers.pdf_signer import PdfSigningSession

from checks.documents.events import DocumentEvents
from checks.documents.evidence import PACKETS
from checks.documents.pairs import SECRET
from checks.documents.seals import Signer
from checks.documents.signed import SIGNERS, SignedOptions, documents_signed
from checks.documents.sources import sheets as sheets_module
from checks.documents.sources.sheets import Sheets, signer_of
from checks.evidence import Answers, Failure, FailureKind
from checks.evidence import Answers as Given
from checks.model import Context, Severity, Status, Verdict
from checks.signatures.declared import TRUST_ROOT
from checks.signatures.pdf import read_pdf
from checks.texts import render
from inventory.model import Documents, FileSource, Unit
from tests.helpers.correspondence import UNIT, ZONE, answer, context, entry, subject
from tests.helpers.document_events import registered
from tests.helpers.packet_reading import read_packet_files
from tests.helpers.packets import CULTURE, HEALTH, document, zipped
from tests.helpers.signing import Made, make, plain_pdf, signed_pdf, stamped_pdf, updated_pdf

MORNING = dt.datetime(2026, 11, 10, 0, 30, tzinfo=dt.UTC)
"""An hour before the packets of the helpers are sent."""
PERSON = {
    NameOID.COMMON_NAME: "Nguyễn Văn Kín",
    NameOID.ORGANIZATION_NAME: "UBND phường Hoàn Kiếm",
    NameOID.USER_ID: "CMND:012345678901",
}
BODY = {
    NameOID.COMMON_NAME: "UBND phường Hoàn Kiếm",
    NameOID.USER_ID: "MST:0101234567",
}
SERVICE = {NameOID.COMMON_NAME: "Dịch vụ dấu thời gian"}


class Office:
    """A person, the organisation and a time stamp service, certified by one root."""

    def __init__(self) -> None:
        self.root = make("ec", authority=True)
        self.person = make("ec", self.root, who=PERSON)
        self.body = make("ec", self.root, who=BODY)
        self.service = make("rsa", self.root, who=SERVICE, stamps=True)


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


def signed_at(pdf: bytes, *by: Made, at: dt.datetime = MORNING) -> bytes:
    made = PdfSigningSession.__init__

    def begin(session: Any, *args: Any, **more: Any) -> None:
        made(session, *args, **{**more, "system_time": at})

    with mock.patch.object(PdfSigningSession, "__init__", begin):
        for one in by:
            pdf = signed_pdf(pdf, one, f"Sig{len(pdf)}")
    return pdf


def unit(**more: Any) -> Unit:
    said = Documents(packets=FileSource(path="packets/*"))
    return msgspec.structs.replace(UNIT, documents=said, **more)


def verdict(
    *packets: str | bytes | Failure,
    root: bytes = b"",
    more_roots: bytes = b"",
    of: SignedOptions | None = None,
) -> Verdict:
    """What the check says of these packets; every word of it is rendered on the way."""
    given = {"keys/root.pem": root, "keys/more.pem": more_roots}
    subj = subject(unit(trust_roots=tuple(path for path, data in given.items() if data)))
    ctx: Context = context(subj, of or SignedOptions())
    found = []
    for fact in documents_signed.needs:
        for request in fact.requests(subj):
            if request.probe == PACKETS.id:
                failure = next((p for p in packets if isinstance(p, Failure)), None)
                entries = [entry(f"packets/{n}.edxml", p) for n, p in enumerate(packets)
                           if not isinstance(p, Failure)]  # fmt: skip
                found.append(answer(request, failure or entries))
            elif request.probe == TRUST_ROOT.id:
                path = request.params["path"]
                found.append(answer(request, [entry(path, given[path])]))
    facts = [fact.parse(ctx, Given(found)) for fact in documents_signed.needs]
    (said,) = documents_signed.judge(ctx, *facts)
    for language in ("vi", "en"):
        assert "{" not in render(said.message, language, ZONE)
    return said


def name(said: Verdict) -> tuple[Status, str]:
    return said.status, said.message.id.rpartition(".")[2]


def results(said: Verdict) -> dict[str, int]:
    return dict((said.detail or {})["results"])


def packet(*files: bytes, number: str = "12", **more: Any) -> str:
    return document(number, files=files, **more)


def test_both_signatures_over_the_whole_file_pass_and_trust_is_said_not_to_be_checked(
    office: Office,
) -> None:
    pdf = signed_at(plain_pdf(), office.person, office.body)
    said = verdict(packet(zipped({"qd.pdf": pdf})))
    assert name(said) == (Status.PASS, "signed")
    assert results(said) == {"complete": 1}
    detail = said.detail or {}
    assert detail["trust"] == {
        "signatures": 2, "known": 0, "strangers": 0, "not_checked": 2, "out_of_date": 0, "weak": 0,
    }  # fmt: skip
    assert detail["signing_times"] == "self-reported"
    assert detail["organisations"] == ["UBND phường Hoàn Kiếm"]
    assert detail["people"] == 1


def test_a_pdf_that_is_not_packed_is_read_as_well(office: Office) -> None:
    pdf = signed_at(plain_pdf(), office.person, office.body)
    assert results(verdict(packet(pdf))) == {"complete": 1}


def test_names_of_people_and_numbers_never_leave(office: Office) -> None:
    pdf = signed_at(plain_pdf(), office.person, office.body)
    broken = pdf.replace(b"BT ET", b"BT XX")
    for said in (verdict(packet(pdf)), verdict(packet(broken)), verdict(packet(pdf[:-9]))):
        shown = json.dumps(msgspec.to_builtins(said), ensure_ascii=False)
        for word in ("Nguyễn", "Kín", "012345678901", "0101234567", "CMND", "MST"):
            assert word not in shown


def test_certificates_that_lead_to_the_declared_root_are_trusted(office: Office) -> None:
    pdf = signed_at(plain_pdf(), office.person, office.body)
    said = verdict(packet(pdf), root=office.root.pem)
    assert name(said) == (Status.PASS, "signed-trusted")
    other = make("ec", authority=True)
    said = verdict(packet(pdf), root=other.pem)
    assert name(said) == (Status.FAIL, "doubtful")
    assert said.severity is Severity.MINOR
    assert (said.detail or {})["trust"]["strangers"] == 2


@pytest.mark.parametrize(
    ("who", "state"),
    [((), "none"), (("person",), "no-organisation"), (("body",), "no-person")],
)
def test_a_missing_signature_is_named(office: Office, who: tuple[str, ...], state: str) -> None:
    pdf = signed_at(plain_pdf(), *(getattr(office, w) for w in who))
    said = verdict(packet(pdf))
    assert name(said) == (Status.FAIL, "unsigned")
    assert results(said) == {state: 1}
    assert (said.detail or {})["documents"] == [
        {"document": "12/2026/QD-UBND-HK", "sent": "2026-11-10", "result": state}
    ]


def test_the_share_of_unsigned_documents_that_is_borne_is_an_option(office: Office) -> None:
    good = signed_at(plain_pdf(), office.person, office.body)
    packets = (packet(good), packet(plain_pdf(), number="13"))
    assert name(verdict(*packets)) == (Status.FAIL, "unsigned")
    assert name(verdict(*packets, of=SignedOptions(unsigned_share=50)))[0] is Status.PASS


def test_a_changed_byte_is_critical_even_among_many(office: Office) -> None:
    good = signed_at(plain_pdf(), office.person, office.body)
    packets = [packet(good, number=str(n)) for n in range(20, 40)]
    said = verdict(*packets, packet(good.replace(b"BT ET", b"BT XX")))
    assert name(said) == (Status.FAIL, "altered")
    assert said.severity is Severity.CRITICAL
    assert results(said) == {"altered": 1, "complete": 20}
    assert [d["document"] for d in (said.detail or {})["documents"]] == ["12/2026/QD-UBND-HK"]


def test_what_is_added_after_the_last_signature_is_told_apart_from_a_later_signature(
    office: Office,
) -> None:
    first = signed_at(plain_pdf(), office.person)
    assert results(verdict(packet(signed_at(first, office.body)))) == {"complete": 1}
    both = signed_at(plain_pdf(), office.person, office.body)
    said = verdict(packet(updated_pdf(both)))
    assert name(said) == (Status.FAIL, "appended")
    assert said.severity is Severity.MINOR


def test_a_time_stamp_is_no_signature_of_anybody(office: Office) -> None:
    said = verdict(packet(stamped_pdf(plain_pdf(), office.service)))
    assert results(said) == {"none": 1}
    both = stamped_pdf(signed_at(plain_pdf(), office.person, office.body), office.service)
    assert results(verdict(packet(both))) == {"complete": 1}


def test_an_annex_needs_no_person(office: Office) -> None:
    main = signed_at(plain_pdf(), office.person, office.body)
    annex = signed_at(plain_pdf(b"BT (annex) Tj ET"), office.body)
    assert results(verdict(packet(zipped({"a.pdf": annex, "qd.pdf": main})))) == {"complete": 1}


def test_signing_after_sending_is_told(office: Office) -> None:
    late = dt.datetime(2026, 11, 10, 5, 0, tzinfo=dt.UTC)
    said = verdict(packet(signed_at(plain_pdf(), office.person, office.body, at=late)))
    assert name(said) == (Status.FAIL, "doubtful")
    assert (said.detail or {})["signed_after_sending"] == 1


def test_what_cannot_be_seen_is_unknown_and_says_what_lacks() -> None:
    assert name(verdict(packet())) == (Status.UNKNOWN, "no-attachments")
    assert name(verdict(packet(b"PK not a zip, a text"))) == (Status.UNKNOWN, "no-pdf")
    assert name(verdict(packet(zipped({"a.docx": b"word"})))) == (Status.UNKNOWN, "no-pdf")
    assert name(verdict(packet(b"%PDF-1.7", date="2026/01/05", sent="2026/01/05 08:00:00"))) == (
        Status.UNKNOWN,
        "none-sent",
    )
    theirs = packet(plain_pdf(), sender=HEALTH, to=("H26.1.2",))
    assert name(verdict(theirs)) == (Status.UNKNOWN, "none-sent")
    lost = verdict(Failure(kind=FailureKind.DENIED, detail="packets/*"))
    assert name(lost) == (Status.UNKNOWN, "unread")
    assert lost.failure is not None
    assert lost.failure.kind is FailureKind.DENIED


def test_a_damaged_archive_is_no_unsigned_document() -> None:
    good = zipped({"qd.pdf": plain_pdf(b"x" * 5000)})
    said = verdict(packet(good[:-30]))
    assert results(said) == {"untold": 1}
    assert name(said) == (Status.UNKNOWN, "untold")


def test_few_seen_of_many_sent_is_no_pass(office: Office) -> None:
    good = packet(signed_at(plain_pdf(), office.person, office.body))
    others = [packet(zipped({"a.docx": b"word"}), number=str(n)) for n in range(20, 30)]
    said = verdict(good, *others)
    assert name(said) == (Status.UNKNOWN, "partly")
    assert (said.detail or {})["documents_sent"] == 11


def test_packets_to_several_are_one_document(office: Office) -> None:
    pdf = signed_at(plain_pdf(), office.person, office.body)
    said = verdict(packet(pdf, to=(HEALTH,)), packet(pdf, to=(CULTURE,)))
    assert results(said) == {"complete": 1}
    assert (said.detail or {})["pdf_files"] == 2


def test_a_packet_that_breaks_off_gives_its_files_to_no_other(office: Office) -> None:
    torn = packet(plain_pdf(), number="11")
    torn = torn[: torn.index("</AttachmentEncoded>")]
    pdf = signed_at(plain_pdf(), office.person, office.body)
    said = verdict(torn, packet(pdf))
    assert results(said) == {"complete": 1}
    assert (said.detail or {})["pdf_files"] == 1


def test_without_packets_there_is_nothing_to_judge() -> None:
    subj = subject()
    assert subj.unit.documents is not None
    assert subj.unit.documents.packets is None
    ctx = context(subj, SignedOptions())
    facts = [fact.parse(ctx, Answers(())) for fact in documents_signed.needs]
    (said,) = documents_signed.judge(ctx, *facts)
    assert name(said) == (Status.NOT_APPLICABLE, "no-packets")
    assert SIGNERS in documents_signed.needs


def test_the_same_number_of_two_years_is_two_documents(office: Office) -> None:
    good = packet(signed_at(plain_pdf(), office.person, office.body))
    bare = packet(plain_pdf(), date="2025/11/25", sent="2025/11/25 08:30:00")
    said = verdict(good, bare, of=SignedOptions(period_days=400))
    assert results(said) == {"none": 1, "complete": 1}


@pytest.mark.parametrize("size", [1, 7, 500, 1023, 1024, 1025, 100_000])
def test_pieces_of_any_size_are_the_same_file(office: Office, size: int) -> None:
    pdf = signed_at(plain_pdf(), office.person)
    for data, is_pdf, marks in ((pdf, True, 1), (b"%PDF-1", True, 0), (b"", False, 0)):
        sheets = Sheets()
        sheets.begin()
        for at in range(0, len(data), size):
            sheets.feed(data[at : at + size])
        sheets.end("0" * 64)
        (sheet,) = sheets.done()
        assert (sheet.pdf, len(sheet.marks), sheet.problem) == (is_pdf, marks, "")


def test_a_pdf_beyond_the_limit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets_module, "MOST_PDF", 500)
    said = verdict(packet(plain_pdf(b"x" * 1000)))
    assert name(said) == (Status.UNKNOWN, "untold")
    assert (said.detail or {})["problems"] == ["larger than 0 MiB"]


@pytest.mark.parametrize(
    ("who", "signer"),
    [
        (PERSON, Signer.PERSON),
        (BODY, Signer.ORGANISATION),
        ({NameOID.COMMON_NAME: "Sở Y tế"}, Signer.ORGANISATION),
        ({NameOID.COMMON_NAME: "Bà Lê", NameOID.SURNAME: "Lê"}, Signer.PERSON),
        ({NameOID.COMMON_NAME: "Trần Thị B", NameOID.ORGANIZATION_NAME: "Sở Y tế"}, Signer.PERSON),
        ({NameOID.COMMON_NAME: "Sở Y tế", NameOID.USER_ID: "CCCD:001"}, Signer.PERSON),
        ({NameOID.COMMON_NAME: "Trần Thị B", NameOID.TITLE: "Giám đốc"}, Signer.PERSON),
        ({NameOID.COMMON_NAME: "Trần Thị B"}, Signer.UNTOLD),
        ({NameOID.COMMON_NAME: "x1", NameOID.ORGANIZATION_NAME: "Sở Y tế"}, Signer.UNTOLD),
    ],
)
def test_a_certificate_tells_people_from_bodies(who: dict[Any, str], signer: Signer) -> None:
    pdf = signed_at(plain_pdf(), make("ec", who=who))
    (found,) = read_pdf(pdf).signatures
    assert signer_of(found.signature) is signer


def test_while_a_root_is_unread_nobody_is_a_stranger(office: Office) -> None:
    other = make("ec", authority=True)
    pdf = signed_at(plain_pdf(), office.person, office.body)
    said = verdict(packet(pdf), root=other.pem, more_roots=b"no certificate")
    assert name(said) == (Status.PASS, "signed")
    assert (said.detail or {})["trust"]["strangers"] == 0


def test_of_a_document_registered_as_secret_only_day_and_hash_are_shown() -> None:
    data = packet(plain_pdf())
    events, report = read_packet_files(data)
    book = registered(12, reason=SECRET)
    found = DocumentEvents(
        events=(*events, *book), sources=(msgspec.structs.replace(report, key="packets"),)
    )
    ctx = context(subject(unit()), SignedOptions())
    facts = SIGNERS.parse(ctx, Answers(()))
    (said,) = documents_signed.judge(ctx, found, facts)
    assert name(said) == (Status.FAIL, "unsigned")
    digest = hashlib.sha256(data.encode()).hexdigest()
    assert (said.detail or {})["documents"] == [
        {"packet": digest, "sent": "2026-11-10", "result": "none"}
    ]
