"""Grades of single mails, rule by rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from checks.documents.agencies import Directory
from checks.documents.events import DocumentKey, FoundIn, MailTrace
from checks.documents.grading import Grade, grade_of
from checks.documents.lookup import Document
from tests.helpers.correspondence import AGENCIES, UNIT

HERE = Directory(AGENCIES, UNIT)
DATE = dt.date(2026, 11, 10)
KEY = DocumentKey(number=100, sign="QD-UBND-HK", year=2026)
KNOWN = Document(key=KEY, date=DATE, recipients=(), reason="")
NAME = MailTrace(found=FoundIn.NAME, size=1, leading=True)
SUBJECT = MailTrace(found=FoundIn.SUBJECT, size=30_001)


def grade(mail: MailTrace, document: Document | None = KNOWN, days: int = 0, **more: Any) -> Grade:
    key = msgspec.structs.replace(KEY, **{"year": 0} | more)
    return grade_of(mail, key, document, DATE + dt.timedelta(days=days), HERE, 30_000)


def but(mail: MailTrace, **changes: Any) -> MailTrace:
    return msgspec.structs.replace(mail, **changes)


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (NAME, Grade.A),
        (but(NAME, leading=False), Grade.A),
        (but(NAME, cites=True), Grade.C),
        (but(NAME, draft=True), Grade.C),
        (but(NAME, weak=True), Grade.C),
        (SUBJECT, Grade.B),
        (but(SUBJECT, size=30_000), Grade.C),
        (but(SUBJECT, cites=True), Grade.C),
        (but(SUBJECT, draft=True), Grade.C),
        (but(SUBJECT, weak=True), Grade.C),
    ],
)
def test_registered(mail: MailTrace, expected: Grade) -> None:
    assert grade(mail) is expected


@pytest.mark.parametrize(
    ("mail", "sign", "expected"),
    [
        (NAME, "QD-UBND-HK", Grade.B),
        (NAME, "UBND-HK-VX", Grade.B),
        (NAME, "QD-SYT", Grade.C),
        (NAME, "QD-UBND", Grade.C),
        (but(NAME, leading=False), "QD-UBND-HK", Grade.C),
        (but(NAME, cites=True), "QD-UBND-HK", Grade.C),
        (but(NAME, draft=True), "QD-UBND-HK", Grade.C),
        (SUBJECT, "QD-UBND-HK", Grade.C),
    ],
)
def test_not_registered(mail: MailTrace, sign: str, expected: Grade) -> None:
    assert grade(mail, None, sign=sign) is expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-2, Grade.C), (-1, Grade.A), (0, Grade.A), (30, Grade.A), (31, Grade.C)],
)
def test_days_after_the_documents_date(days: int, expected: Grade) -> None:
    assert grade(NAME, days=days) is expected


@pytest.mark.parametrize(("year", "expected"), [(0, Grade.B), (2026, Grade.B), (2025, Grade.C)])
def test_another_years_number_is_not_shown_to_be_unregistered(year: int, expected: Grade) -> None:
    assert grade(NAME, None, year=year) is expected
