"""The three checks over whole correspondences: planted bypasses, planted innocents, honesty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.documents import completeness, registers, routing, secrecy
from checks.documents.completeness import evidence_complete, mail_visible
from checks.documents.evidence import DOCUMENTS, MAILS, ROUTES
from checks.documents.routing import bypass, routed
from checks.evidence import Answers, FailureKind, Need, NotDeclared, Unparsable
from checks.model import Severity, Status, Subject, Verdict
from checks.texts import render
from inventory.model import Documents, FileSource, MailSource
from tests.helpers.correspondence import (
    CULTURE,
    DENIED,
    GATEWAY_HEAD,
    HEALTH,
    PATIENT,
    POLICE,
    REGISTER_HEAD,
    UNIT,
    ZONE,
    Mail,
    answers,
    daily_mails,
    gateway,
    judge,
    log,
    register,
    subject,
)

CHECKS = (*completeness.CHECKS, *routing.CHECKS, *registers.CHECKS, *secrecy.CHECKS)
SIGN = "QĐ-UBND-HK"
DAYS = [dt.date(2026, 10, 15) + dt.timedelta(days=n) for n in range(37)]
BASE = [(f"{n}/{SIGN}", f"{d:%d/%m/%Y}", "Sở Y tế") for n, d in enumerate(DAYS, 1)]
BASE_SENT = [(f"{n}/{SIGN}", HEALTH, f"{d} 15:00:00", "03") for n, d in enumerate(DAYS, 1)]
DAY = "10/11/2026"
NUMBER = f"100/{SIGN}"
DUE = 30
"""Of the daily documents, 22 October to 20 November."""


class World(msgspec.Struct):
    """What the sources hold besides a document a day, all of them routed."""

    rows: Sequence[tuple[str, str, str]] = ()
    sent: Sequence[tuple[str, str, str, str]] = ()
    mails: Sequence[Mail] = ()
    reason: str = ""

    def evidence(self, subj: Subject) -> Answers:
        book = REGISTER_HEAD + register(*BASE) + register(*self.rows, reason=self.reason)
        sent = GATEWAY_HEAD + gateway(*BASE_SENT, *self.sent)
        return answers(book, sent, log(*daily_mails(), *self.mails), subj)

    def bypass(self, subj: Subject | None = None) -> Verdict:
        subj = subj or subject()
        (verdict,) = judge(bypass, subj, self.evidence(subj))
        return verdict

    def routed(self, subj: Subject | None = None) -> Verdict:
        subj = subj or subject()
        (verdict,) = judge(routed, subj, self.evidence(subj))
        return verdict

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.routed().detail["counts"]
        return counts


def one(
    *mails: Mail,
    sent: Sequence[tuple[str, str, str, str]] = (),
    to: str = "Sở Y tế",
    reason: str = "",
) -> World:
    """One document of 10 November for the health department."""
    return World(rows=[(NUMBER, DAY, to)], sent=sent, mails=mails, reason=reason)


def mail(subject_line: str, at: str = "2026-11-10T09:00:00", **more: Any) -> Mail:
    return Mail(at, subject_line, **more)


NAMED = mail("Gửi văn bản", names=("100-QD-UBND-HK.signed.pdf",))
SUBJECT = mail(f"Quyết định {NUMBER}")


# ------------------------------------------------------------------------------ planted bypasses


@pytest.mark.parametrize(
    ("sent", "grade"),
    [(NAMED, "A"), (SUBJECT, "B"), (mail(f"Re: {NUMBER}", names=("100-QD-UBND-HK.pdf",)), "A")],
)
def test_a_mail_in_place_of_the_gateway_is_a_bypass(sent: Mail, grade: str) -> None:
    verdict = one(sent).bypass()
    assert verdict.status is Status.FAIL
    (shown,) = verdict.detail["bypasses"]
    assert (shown["key"], shown["recipient"], shown["grade"], shown["result"]) == (
        "100/2026/QD-UBND-HK",
        HEALTH,
        grade,
        "bypass",
    )
    assert shown["place"].startswith("/var/log/mail.log:")
    assert len(shown["sha256"]) == 64
    assert verdict.detail["total"] == 1


def test_a_bypass_counts_against_the_rate() -> None:
    verdict = one(NAMED).routed()
    assert (verdict.detail["numerator"], verdict.detail["denominator"]) == (DUE, DUE + 1)
    assert verdict.detail["counts"]["bypass"] == 1


def test_each_agency_is_a_pair_of_its_own() -> None:
    """Sent to one of two on the gateway, mailed to both."""
    world = World(
        rows=[(NUMBER, DAY, "Sở Y tế; Sở Văn hóa")],
        sent=[(NUMBER, HEALTH, "2026-11-10 08:30:00", "03")],
        mails=[
            mail("x", names=("100-QD-UBND-HK.pdf",), to=("a@soyte.gov.vn", "b@sovanhoa.gov.vn"))
        ],
    )
    (shown,) = world.bypass().detail["bypasses"]
    assert shown["recipient"] == CULTURE
    assert (world.counts()["bypass"], world.counts()["copy"]) == (1, 1)


def test_an_agency_that_the_register_does_not_name() -> None:
    world = one(
        mail("x", names=("100-QD-UBND-HK.pdf",), to=("x@congan.gov.vn",)),
        sent=[(NUMBER, HEALTH, "2026-11-10 08:30:00", "03")],
    )
    assert [b["recipient"] for b in world.bypass().detail["bypasses"]] == [POLICE]


def test_free_mail_in_place_of_an_agency() -> None:
    verdict = one(mail("x", names=("100-QD-UBND-HK.pdf",), to=("soyte.hn@gmail.com",))).bypass()
    assert [b["recipient"] for b in verdict.detail["bypasses"]] == ["gmail.com"]
    assert verdict.detail["counts"]["free_mail"] == 1


def test_an_own_number_that_the_register_does_not_have() -> None:
    verdict = World(mails=[mail("x", names=("900-QD-UBND-HK.pdf",))]).bypass()
    (shown,) = verdict.detail["bypasses"]
    assert (shown["result"], shown["grade"], shown["date"]) == ("unregistered", "B", None)


def test_signs_that_only_the_inventory_knows_are_found_in_names() -> None:
    assert UNIT.documents is not None
    said = msgspec.structs.replace(UNIT.documents, signs=("UBND-HK", "BCH-HK"))
    subj = subject(msgspec.structs.replace(UNIT, documents=said))
    world = World(mails=[mail("x", names=("900-QD-BCH-HK.pdf",))])
    assert [b["key"] for b in world.bypass(subj).detail["bypasses"]] == ["900/QD-BCH-HK"]


def test_in_january_a_register_of_the_new_year_alone_cannot_miss_a_number() -> None:
    days = [dt.date(2027, 1, 1) + dt.timedelta(days=n) for n in range(15)]
    rows = [(f"{n}/{SIGN}", f"{d:%d/%m/%Y}", "Ông A") for n, d in enumerate(days, 1)]
    older = (f"700/{SIGN}", "20/12/2026", "Ông A")
    sent = [(f"{n}/{SIGN}", HEALTH, f"{d} 10:00:00", "03") for n, d in enumerate(days, 1)]
    now = dt.datetime(2027, 1, 15, 10, tzinfo=dt.UTC)
    mails = [*daily_mails(now), mail("x", "2027-01-05T09:00:00", names=("710-QD-UBND-HK.pdf",))]
    subj = subject()
    for book, total in ((rows, 0), ([older, *rows], 1)):
        (verdict,) = judge(
            bypass,
            subj,
            answers(
                REGISTER_HEAD + register(*book), GATEWAY_HEAD + gateway(*sent), log(*mails), subj
            ),
            now,
        )
        assert verdict.detail["total"] == total


def test_a_secret_mark_is_critical_and_only_day_and_hash_are_shown() -> None:
    verdict = one(mail(f"[MẬT] {NUMBER}")).bypass()
    assert verdict.severity is Severity.CRITICAL
    (shown,) = verdict.detail["bypasses"]
    assert set(shown) == {"secret", "date", "sha256"}
    by_code = one(NAMED, reason="MAT").bypass()
    assert by_code.severity is Severity.CRITICAL
    assert "100" not in str(by_code.detail["bypasses"])


def test_long_lists_are_cut_and_the_total_said() -> None:
    rows = [(f"{n}/{SIGN}", DAY, "Sở Y tế") for n in range(200, 280)]
    mails = [
        mail("x", f"2026-11-10T09:{n % 60:02}:{n // 60:02}", names=(f"{n + 200}-QD-UBND-HK.pdf",))
        for n in range(80)
    ]
    verdict = World(rows=rows, mails=mails).bypass()
    assert (verdict.detail["total"], len(verdict.detail["bypasses"])) == (80, 50)


# ----------------------------------------------------------------------------- planted innocents

ROUTED_TOO = [(NUMBER, HEALTH, "2026-11-10 08:30:00", "03")]
INNOCENTS = {
    "courtesy copy": one(NAMED, sent=ROUTED_TOO),
    "draft": one(mail("x", names=("Du thao 100-QD-UBND-HK.docx",))),
    "draft after the number": one(mail(f"{NUMBER} (dự thảo)")),
    "citation": one(mail(f"Báo cáo kết quả thực hiện {NUMBER}")),
    "citation in a name": one(mail("x", names=("Bao cao thuc hien 100-QD-UBND-HK.pdf",))),
    "reply": one(mail(f"Re: {NUMBER}")),
    "words only": one(mail(NUMBER, size=4_000)),
    "notice of the document system": one(mail(f"Bạn có văn bản mới {NUMBER}")),
    "machine": one(mail(NUMBER, sender="no-reply@hoankiem.gov.vn")),
    "bounce": one(mail(f"Undelivered Mail: {NUMBER}", sender="")),
    "reply of the other side": one(
        mail(NUMBER, sender="a@soyte.gov.vn", to=("b@hoankiem.gov.vn",))
    ),
    "mail of another unit on the same server": one(mail(NUMBER, sender="a@sovanhoa.gov.vn")),
    "inside the house": one(mail(NUMBER, to=("b@hoankiem.gov.vn",))),
    "citizen's copy on free mail": one(mail(NUMBER, to=("dan@gmail.com",)), sent=ROUTED_TOO),
    "answer to a citizen": one(mail(NUMBER, to=("dan@gmail.com",)), to="Ông Nguyễn Văn A"),
    "enterprise": one(mail(NUMBER, to=("a@vnpt.vn",)), sent=ROUTED_TOO),
    "foreign document forwarded": World(mails=[mail("x", names=("55-QD-SYT.pdf",))]),
    "central text": World(mails=[mail("x", names=("30-2020-ND-CP.pdf",))]),
    "generic sign of another ward": World(mails=[mail("x", names=("55-QD-UBND.pdf",))]),
    "a bank's report": World(mails=[mail("x", names=("12-BC-NHCT.pdf",), sender="a@nganhang.vn")]),
    "a bank's report passed on": World(mails=[mail("x", names=("12-BC-NHCT.pdf",))]),
    "a report in a form": World(mails=[mail("Biểu mẫu 02/BC, kỳ 11/2026")]),
    "contract": World(mails=[mail("05/2025/HĐKT-ABC")]),
    "product": World(mails=[mail("iPhone 15/PRO-MAX")]),
    "exempt: outage": one(NAMED, reason="SU_CO_HE_THONG"),
    "last year's number": World(mails=[mail("x", names=("900-2025-QD-UBND-HK.pdf",))]),
    "registered after sending": World(
        rows=[(NUMBER, DAY, "Sở Y tế")],
        sent=[(NUMBER, HEALTH, "2026-11-07 08:30:00", "03")],
        mails=[mail("x", "2026-11-07T08:00:00", names=("100-QD-UBND-HK.pdf",))],
    ),
    "sent to the old code": one(
        NAMED, sent=[(NUMBER, "000.00.05.H26", "2026-11-10 08:30:00", "01")]
    ),
    "taken back, then sent again": one(
        NAMED,
        sent=[
            (NUMBER, HEALTH, "2026-11-10 08:30:00", "13"),
            (NUMBER, HEALTH, "2026-11-10 08:45:00", "03"),
        ],
    ),
    "unregistered, but on the gateway": World(
        sent=[(f"900/{SIGN}", HEALTH, "2026-11-10 08:30:00", "03")],
        mails=[mail("x", names=("900-QD-UBND-HK.pdf",))],
    ),
    "six weeks later": World(
        rows=[(NUMBER, "10/10/2026", "Sở Y tế")],
        mails=[mail("x", "2026-11-18T09:00:00", names=("100-QD-UBND-HK.pdf",))],
    ),
    "before the period": World(
        rows=[(NUMBER, "20/10/2026", "Sở Y tế")],
        mails=[mail("x", "2026-10-20T09:00:00", names=("100-QD-UBND-HK.pdf",))],
    ),
    "shared domain": World(mails=[mail(f"1/{SIGN}", to=("a@chung.gov.vn",))]),
}


@pytest.mark.parametrize("name", INNOCENTS)
def test_innocents_are_no_bypass(name: str) -> None:
    verdict = INNOCENTS[name].bypass()
    assert verdict.detail["bypasses"] == [], name
    assert verdict.status is Status.PASS, name


def test_a_bounced_mail_is_no_bypass() -> None:
    class Bounced(Mail):
        def delivery(
            self, to: str, status: str = "bounced (550 5.1.1)", *rest: Any, **more: Any
        ) -> str:
            return super().delivery(to, status, *rest, **more)

    sent = Bounced("2026-11-10T09:00:00", "x", names=("100-QD-UBND-HK.pdf",))
    assert one(sent).bypass().status is Status.PASS


# ---------------------------------------------------------------------------------------- results


@pytest.mark.parametrize(
    ("world", "result"),
    [
        (one(sent=ROUTED_TOO), "routed"),
        (one(sent=[(NUMBER, HEALTH, "2026-11-10 08:30:00", "")]), "sent_no_receipt"),
        (one(sent=[(NUMBER, HEALTH, "2026-11-10 08:30:00", "02")]), "refused"),
        (one(sent=[(NUMBER, HEALTH, "2026-11-10 08:30:00", "13")]), "revoked"),
        (
            one(
                sent=[
                    (NUMBER, HEALTH, "2026-11-10 08:30:00", "02"),
                    (NUMBER, HEALTH, "2026-11-10 09:30:00", "03"),
                ]
            ),
            "routed",
        ),
        (one(sent=[(NUMBER, HEALTH, "2026-11-19 08:30:00", "03")]), "late"),
        (
            one(
                sent=[
                    (NUMBER, HEALTH, "2026-11-10 08:30:00", "02"),
                    (NUMBER, HEALTH, "2026-11-10 09:30:00", ""),
                ]
            ),
            "sent_no_receipt",
        ),
        (
            one(
                sent=[
                    (NUMBER, HEALTH, "2026-11-10 08:30:00", "03"),
                    (NUMBER, HEALTH, "2026-11-10 09:30:00", ""),
                ]
            ),
            "routed",
        ),
        (
            one(
                sent=[
                    (NUMBER, HEALTH, "2026-11-10 08:30:00", "03"),
                    (NUMBER, HEALTH, "2026-11-11 09:30:00", "13"),
                ]
            ),
            "revoked",
        ),
        (
            one(
                sent=[
                    (NUMBER, HEALTH, "2026-11-10 08:30:00", "13"),
                    (NUMBER, HEALTH, "2026-11-19 09:30:00", "03"),
                ]
            ),
            "late",
        ),
        (one(sent=[(NUMBER, HEALTH, "2026-08-01 08:30:00", "03")]), "no_trace"),
        (one(), "no_trace"),
        (one(NAMED), "bypass"),
        (one(NAMED, sent=ROUTED_TOO), "copy"),
        (one(NAMED, sent=[(NUMBER, HEALTH, "2026-11-10 09:59:00", "03")]), "copy"),
        (one(NAMED, sent=[(NUMBER, HEALTH, "2026-11-10 10:01:00", "03")]), "early"),
        (one(NAMED, sent=[(NUMBER, HEALTH, "2026-11-19 10:01:00", "03")]), "late"),
        (one(reason="LUAT_DINH_GIAY"), "exempt"),
        (one(reason="QUEN"), "no_trace"),
        (World(rows=[(NUMBER, "20/11/2026", "Sở Y tế")]), "pending"),
        (one(sent=[(NUMBER, CULTURE, "2026-11-10 08:30:00", "03")]), "no_trace"),
        (one(sent=[(f"100/2025/{SIGN}", HEALTH, "2026-11-10 08:30:00", "03")]), "no_trace"),
    ],
)
def test_one_pair(world: World, result: str) -> None:
    counts = world.counts()
    assert counts[result] == 1 + (DUE if result == "routed" else 0)
    assert counts["pairs"] == DUE + 1


def test_numbers_of_one_document_with_suffixes_are_two() -> None:
    world = World(
        rows=[(f"100a/{SIGN}", DAY, "Sở Y tế"), (f"100b/{SIGN}", DAY, "Sở Y tế")],
        sent=[(f"100a/{SIGN}", HEALTH, "2026-11-10 08:30:00", "03")],
    )
    assert (world.counts()["routed"], world.counts()["no_trace"]) == (DUE + 1, 1)


def test_leading_zeros_and_offsets_are_the_same_number_and_moment() -> None:
    world = World(
        rows=[(f"0100/{SIGN}", DAY, "Sở Y tế")],
        # 08:30 in Hà Nội: within the hour of the mail, which would else have come early.
        sent=[(NUMBER, HEALTH, "2026-11-10T01:30:00Z", "03")],
        mails=[mail("x", "2026-11-10T09:00:00", names=("100-QD-UBND-HK.pdf",))],
    )
    assert (world.counts()["copy"], world.counts()["pairs"]) == (1, DUE + 1)


def test_groups_and_unknown_recipients_are_counted_not_judged() -> None:
    counts = one(to="UBND các xã, phường; Ông Nguyễn Văn A").counts()
    assert counts["pairs"] == DUE
    assert (counts["recipients_group"], counts["recipients_off_axis"]) == (1, 1)


def test_the_unit_itself_is_no_recipient() -> None:
    assert one(to="UBND phường Hoàn Kiếm; H26.1.2").counts()["pairs"] == DUE


def test_packets_without_a_register_row_are_counted() -> None:
    assert (
        World(sent=[(f"500/{SIGN}", HEALTH, "2026-11-10 08:00:00", "03")]).counts()[
            "gateway_unregistered"
        ]
        == 1
    )


def test_the_new_year_does_not_mix_numbers() -> None:
    """Number 1 of the old year and number 1 of the new one, seen in January."""
    rows = [(f"1/{SIGN}", "02/01/2026", "Sở Y tế"), (f"1/{SIGN}", "05/01/2027", "Sở Y tế")]
    days = [dt.date(2026, 12, 10) + dt.timedelta(days=n) for n in range(30)]
    rows += [(f"{n}/{SIGN}", f"{d:%d/%m/%Y}", "Ông A") for n, d in enumerate(days, 500)]
    sent = [(f"1/{SIGN}", HEALTH, "2026-01-02 10:00:00", "03")]
    sent += [(f"{n}/{SIGN}", "H26.99", f"{d} 10:00:00", "03") for n, d in enumerate(days, 500)]
    now = dt.datetime(2027, 1, 8, 10, tzinfo=dt.UTC)
    mails = [*daily_mails(now), mail("x", "2027-01-05T09:00:00", names=("1-QD-UBND-HK.pdf",))]
    subj = subject()
    evidence = answers(
        REGISTER_HEAD + register(*rows), GATEWAY_HEAD + gateway(*sent), log(*mails), subj
    )
    (verdict,) = judge(bypass, subj, evidence, now)
    assert [b["key"] for b in verdict.detail["bypasses"]] == ["01/2027/QD-UBND-HK"]


PAIRS = ("routed", "copy", "early", "late", "sent_no_receipt", "refused", "bypass", "no_trace",
         "paper", "pending", "exempt", "revoked")  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.integers(100, 130),
            st.sampled_from(["Sở Y tế", "Sở Văn hóa", "Sở Y tế; Sở Văn hóa", "Ông A", "các sở"]),
            st.sampled_from(["", "03", "02", "13", "-"]),
            st.booleans(),
            st.sampled_from(["", "MAT", "NGOAI_TRUC"]),
        ),
        max_size=12,
    )
)
@settings(PATIENT, max_examples=25)
def test_the_counts_always_add_up(cases: list[tuple[int, str, str, bool, str]]) -> None:
    rows = [(f"{n}/{SIGN}", DAY, to) for n, to, *_ in cases]
    sent = [(f"{n}/{SIGN}", HEALTH, "2026-11-10 08:30:00", s) for n, _, s, *_ in cases if s != "-"]
    mails = [mail("x", names=(f"{n}-QD-UBND-HK.pdf",)) for n, *_, mailed, _ in cases if mailed]
    found = World(rows=rows, sent=sent, mails=mails, reason=cases[0][4] if cases else "")
    detail = found.routed().detail
    counts = detail["counts"]
    assert sum(counts[name] for name in PAIRS) == counts["pairs"]
    assert detail["denominator"] == counts["pairs"] - sum(counts[n] for n in PAIRS[-3:])
    assert detail["numerator"] == sum(counts[n] for n in PAIRS[:3])


# --------------------------------------------------------------------------------- rate and floor


def test_all_routed_is_a_pass_with_its_figures() -> None:
    verdict = World().routed()
    assert verdict.status is Status.PASS
    assert verdict.detail["numerator"] == verdict.detail["denominator"] == DUE
    assert verdict.detail["coverage"] == 1.0
    assert verdict.detail["period"] == ["2026-10-22", "2026-11-20"]
    assert (verdict.detail["target"], verdict.detail["target_source"]) == (95, "house_default")


@pytest.mark.parametrize(("missing", "status"), [(1, Status.PASS), (2, Status.FAIL)])
def test_the_rate_is_compared_exactly(missing: int, status: Status) -> None:
    """30 routed of 31 is 96.8 %, of 32 is 93.75 %."""
    rows = [(f"{n}/{SIGN}", DAY, "Sở Y tế") for n in range(100, 100 + missing)]
    assert World(rows=rows).routed().status is status


@pytest.mark.parametrize(
    ("target", "status"), [(100, Status.FAIL), (90, Status.PASS), (0, Status.PASS)]
)
def test_the_units_own_target_wins(target: int, status: Status) -> None:
    assert UNIT.documents is not None
    said = msgspec.structs.replace(UNIT.documents, target=target)
    verdict = one().routed(subject(msgspec.structs.replace(UNIT, documents=said)))
    assert verdict.status is status
    assert verdict.detail["target_source"] == "unit"


def test_too_little_evidence_is_never_a_pass() -> None:
    subj = subject()
    sent = [row for row in BASE_SENT if row[2] < "2026-11-05"]
    evidence = answers(
        REGISTER_HEAD + register(*BASE), GATEWAY_HEAD + gateway(*sent), log(*daily_mails()), subj
    )
    for check in (routed, bypass):
        (verdict,) = judge(check, subj, evidence)
        assert verdict.status is Status.UNKNOWN
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.TRUNCATED


def test_after_the_end_of_the_export_nothing_is_held_against_the_unit() -> None:
    subj = subject()
    sent = [row for row in BASE_SENT if row[2] < "2026-11-17"]
    mails = [*daily_mails(), mail("x", "2026-11-18T09:00:00", names=("35-QD-UBND-HK.pdf",))]
    evidence = answers(
        REGISTER_HEAD + register(*BASE), GATEWAY_HEAD + gateway(*sent), log(*mails), subj
    )
    (verdict,) = judge(routed, subj, evidence)
    assert verdict.status is Status.PASS
    assert verdict.detail["counts"]["pending"] == 4
    (around,) = judge(bypass, subj, evidence)
    assert around.status is Status.PASS


def test_nothing_due_needs_a_directory_and_a_register() -> None:
    subj = subject()
    rows = [(n, d, "Ông A") for n, d, _ in BASE]
    book = REGISTER_HEAD + register(*rows)
    evidence = answers(book, GATEWAY_HEAD + gateway(*BASE_SENT), log(*daily_mails()), subj)
    (verdict,) = judge(routed, subj, evidence)
    assert verdict.status is Status.NOT_APPLICABLE
    blank = subject(agencies=())
    for check in (routed, bypass):
        (verdict,) = judge(
            check,
            blank,
            answers(
                REGISTER_HEAD + register(*BASE),
                GATEWAY_HEAD + gateway(*BASE_SENT),
                log(*daily_mails()),
                blank,
            ),
        )
        assert verdict.status is Status.UNKNOWN
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.NOT_DECLARED


# --------------------------------------------------------------------------- mail not to be seen


def test_without_headers_no_bypass_can_be_seen() -> None:
    subj = subject()
    blind = [Mail(m.at.replace(tzinfo=None).isoformat(), "", to=m.to) for m in daily_mails()]
    evidence = answers(
        REGISTER_HEAD + register(*BASE), GATEWAY_HEAD + gateway(*BASE_SENT), log(*blind), subj
    )
    (verdict,) = judge(bypass, subj, evidence)
    assert verdict.status is Status.UNKNOWN
    assert verdict.message.id == "documents.bypass.blind"
    (part,) = judge(mail_visible, subj, evidence)
    assert (part.subject, part.status, part.message.id) == (
        "mail",
        Status.FAIL,
        "documents.mail-visible.blind",
    )
    assert part.detail["directive"] == "sauro documents sample"


def test_a_bypass_seen_counts_even_when_little_is_seen() -> None:
    subj = subject()
    evidence = answers(
        REGISTER_HEAD + register(*BASE, (NUMBER, DAY, "Sở Y tế")),
        GATEWAY_HEAD + gateway(*BASE_SENT),
        log(NAMED),
        subj,
    )
    (verdict,) = judge(bypass, subj, evidence)
    assert verdict.status is Status.FAIL


def test_an_empty_mail_log_proves_nothing() -> None:
    subj = subject()
    evidence = answers(
        REGISTER_HEAD + register(*BASE), GATEWAY_HEAD + gateway(*BASE_SENT), "", subj
    )
    (verdict,) = judge(bypass, subj, evidence)
    assert (verdict.status, verdict.message.id) == (Status.UNKNOWN, "documents.bypass.no-mail")


def test_one_of_two_logs_unreadable_holds_the_pass_back() -> None:
    assert UNIT.documents is not None
    second = MailSource(kind="postfix", path="logs/mail.log")
    said = msgspec.structs.replace(UNIT.documents, mail=(*UNIT.documents.mail, second))
    subj = subject(msgspec.structs.replace(UNIT, documents=said))
    whole = World().evidence(subj)
    broken = [
        e
        if e.probe != "documents.mail-file"
        else msgspec.structs.replace(e, stdout=b"", failure=DENIED)
        for e in whole._all
    ]
    (verdict,) = judge(bypass, subj, Answers(broken))
    assert verdict.status is Status.UNKNOWN
    assert verdict.failure is not None
    assert verdict.failure.kind is FailureKind.DENIED
    parts = {v.subject: v.status for v in judge(evidence_complete, subj, Answers(broken))}
    assert parts == {
        "register": Status.PASS,
        "gateway": Status.PASS,
        "mail hk-mail:/var/log/mail.log": Status.PASS,
        "mail logs/mail.log": Status.UNKNOWN,
    }


# ------------------------------------------------------------------------------ evidence-complete


def complete(evidence: Answers, subj: Subject | None = None) -> dict[str, tuple[Status, str]]:
    return {
        v.subject: (v.status, v.message.id.rpartition(".")[2])
        for v in judge(evidence_complete, subj or subject(), evidence)
    }


def test_everything_is_there() -> None:
    assert complete(World().evidence(subject())) == dict.fromkeys(
        ("register", "gateway", "mail"), (Status.PASS, "complete")
    )


def test_what_is_missing_stale_short_or_unreadable_is_named() -> None:
    subj = subject()
    old = [row for row in BASE if row[1].endswith("/10/2026")]
    few = [BASE_SENT[-1], BASE_SENT[-2]]
    found = complete(
        answers(REGISTER_HEAD + register(*old), GATEWAY_HEAD + gateway(*few), DENIED, subj)
    )
    assert found == {
        "register": (Status.FAIL, "stale"),
        "gateway": (Status.FAIL, "gaps"),
        "mail": (Status.UNKNOWN, "unreadable"),
    }
    found = complete(answers("a,b\n", GATEWAY_HEAD, "", subj))
    assert found == {
        "register": (Status.UNKNOWN, "unreadable"),
        "gateway": (Status.FAIL, "empty"),
        "mail": (Status.FAIL, "empty"),
    }


def test_sources_that_are_not_declared() -> None:
    bare = subject(msgspec.structs.replace(UNIT, documents=Documents()))
    assert complete(Answers([]), bare) == {
        kind: (Status.FAIL, f"missing-{kind}") for kind in ("register", "gateway", "mail")
    }
    for fact in (ROUTES, MAILS):
        with pytest.raises(NotDeclared, match=r"documents\.(register|mail) of unit 00070"):
            fact.requests(bare)
    without = subject(msgspec.structs.replace(UNIT, documents=None))
    for requests in (DOCUMENTS.requests, ROUTES.requests, MAILS.requests):
        with pytest.raises(NotDeclared, match="documents of unit 00070"):
            requests(without)
    register_only = Documents(register=FileSource(path="r.csv"))
    with pytest.raises(NotDeclared, match=r"documents\.gateway or documents\.packets of unit"):
        ROUTES.requests(subject(msgspec.structs.replace(UNIT, documents=register_only)))


def test_an_unknown_kind_of_mail_log_is_named() -> None:
    said = Documents(mail=(MailSource(kind="notes", path="x.log"),))
    subj = subject(msgspec.structs.replace(UNIT, documents=said))
    verdicts = {v.subject: v for v in judge(evidence_complete, subj, Answers([]))}
    failure = verdicts["mail"].failure
    assert failure is not None
    assert failure.kind is FailureKind.NOT_DECLARED
    assert failure.detail.startswith("documents.mail x.log: kind notes (known: ")
    with pytest.raises(NotDeclared):
        MAILS.requests(subj)


def test_unreadable_sources_name_file_and_line() -> None:
    subj = subject()
    evidence = answers("a,b\n", GATEWAY_HEAD + gateway(*BASE_SENT), log(*daily_mails()), subj)
    for check in (routed, bypass):
        with pytest.raises(Unparsable, match=r"^registers/out-2026.csv:1: no header row"):
            judge(check, subj, evidence)


# -------------------------------------------------------------------------------------- the facts


def test_needs_and_keys() -> None:
    subj = subject()
    asked = {r.key: r for r in DOCUMENTS.requests(subj)}
    assert {r.need for r in asked.values()} == {Need.OPTIONAL}
    assert {r.need for r in ROUTES.requests(subj)} == {Need.REQUIRED}
    assert {r.need for r in MAILS.requests(subj)} == {Need.MEMBER}
    assert {r.key for f in (ROUTES, MAILS) for r in f.requests(subj)} == set(asked)
    assert all(r.sensitive and r.stream for r in asked.values())
    assert [f.id for f in bypass.needs][-1] == DOCUMENTS.id


def test_every_message_can_be_said_in_both_languages() -> None:
    subj = subject()
    worlds = [World(), one(NAMED), one(mail(f"[MẬT] {NUMBER}"))]
    said = [v for w in worlds for c in CHECKS for v in judge(c, subj, w.evidence(subj))]
    for verdict in said:
        for language in ("vi", "en"):
            assert "{" not in render(verdict.message, language, ZONE)


def test_no_subject_name_or_address_reaches_a_verdict() -> None:
    world = one(
        mail(
            "Chuyện riêng của chị Lan",
            names=("100-QD-UBND-HK chi Lan.pdf",),
            to=("lan.nt@soyte.gov.vn",),
            sender="hoa.tt@hoankiem.gov.vn",
        )
    )
    shown = str(world.bypass())
    assert world.bypass().detail["total"] == 1
    for private in ("Lan", "lan.nt", "hoa.tt", "Chuyện"):
        assert private not in shown


def test_details_are_json() -> None:
    subj = subject()
    for check in CHECKS:
        for verdict in judge(check, subj, one(NAMED).evidence(subj)):
            assert msgspec.json.decode(msgspec.json.encode(verdict.detail)) == verdict.detail


def test_the_same_number_from_two_communes() -> None:
    """The gateway export of a whole province: another sender's row proves nothing for this unit."""
    subj = subject()
    sent = (
        GATEWAY_HEAD
        + gateway(*BASE_SENT)
        + (f"H26.8,{HEALTH},{NUMBER},Tên,1,2,2026-11-10 08:30:00,,sent,03\n")
    )
    book = REGISTER_HEAD + register(*BASE, (NUMBER, DAY, "Sở Y tế"))
    (verdict,) = judge(routed, subj, answers(book, sent, log(*daily_mails()), subj))
    assert verdict.detail["counts"]["no_trace"] == 1
