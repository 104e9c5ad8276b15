"""What a subject or a file name says about the numbers in it; the text itself goes no further."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from checks.documents.events import DocumentKey, FoundIn
from checks.documents.numbers import Finder, Hit
from checks.evidence import Value
from checks.folding import fold, words, words_of

_ANSWER = "RE|TL|TRA LOI"
_CITATION = (
    "THUC HIEN|CAN CU|THEO|TRA LOI|PHUC DAP|TRIEN KHAI|LIEN QUAN|HOI DAP|BAO CAO VE|THAY THE|"
    "DINH CHINH|SUA DOI|TIEP NHAN|NHAN DUOC|DA NHAN"
)
_UNFINISHED = "DU THAO|GOP Y|LAY Y KIEN|XIN Y KIEN|DRAFT|BAN THAO|BAN NHAP"
_CITES = re.compile(rf"^(?:{_ANSWER})\b|\b(?:{_CITATION})\b")
_DRAFT = re.compile(rf"\b(?:{_UNFINISHED})\b")
_FIRST_WORDS = frozenset(
    phrase.partition(" ")[0] for phrase in f"{_ANSWER}|{_CITATION}|{_UNFINISHED}".split("|")
)
"""A text without any of these neither cites nor is a draft, which is soon seen of most."""
_DRAFT_NEXT = re.compile(r"(?:DU THAO|DRAFT|BAN THAO|BAN NHAP)\b")
_NOTICE = re.compile(
    r"\b(?:BAN CO \d* ?VAN BAN|CO VAN BAN (?:MOI|DEN)|THONG BAO VAN BAN|VAN BAN DEN MOI|"
    r"UNDELIVERED MAIL|DELIVERY STATUS|AUTOMATIC REPLY|TRA LOI TU DONG)\b"
)
_OF_NOTICES = ("VAN", "UNDELIVERED", "DELIVERY", "AUTOMATIC", "DONG")
"""No notice without one of these."""
_AUTOMATIC = re.compile(
    r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|postmaster|notifications?|notify|"
    r"thongbao[-_.]?tudong|bounces?|microsoftexchange[0-9a-f]{32})(?:[-+._].*)?$",
    re.IGNORECASE,
)
# Unaccented `mat` is also face, eye and lost: only the accented word in capitals, in brackets or
# beside a degree counts, and never in `bảo mật`, `bí mật` or `mật khẩu`.
_SECRET = re.compile(
    r"(?:TỐI|TUYỆT)\s+MẬT|(?i:tối|tuyệt)\s+(?i:mật)(?!\w)|[\[(]\s*(?i:mật)\s*[\])]|"
    r"(?i:độ\s+mật)\b|"
    r"(?<!BẢO )(?<!BÍ )(?<!CƠ )(?<!\w)MẬT(?!\w)(?!\s*(?:KHẨU|MÃ|ĐỘ|ONG|THƯ|VỤ))|TUYET[ _.-]MAT\b"
)
# Where a program could not write `Đ` it wrote `?`, once or for each of its two bytes.
_LOST = re.compile(r"(?<=[QqCc])[?\ufffd]{1,2}(?=[-_ .])|(?<=[Hh])[?\ufffd]{1,2}(?=[Nn][Dd])")
_DIGIT = re.compile(r"\d")
_LONGEST = {FoundIn.SUBJECT: 4096, FoundIn.NAME: 512}
"""Characters of a subject or a name that are looked at; no file has a name of 512."""


class Mention(Value, frozen=True):
    """A number and how it is spoken of."""

    key: DocumentKey
    found: FoundIn
    weak: bool
    leading: bool
    cites: bool
    draft: bool
    notice: bool

    @property
    def rank(self) -> tuple[bool, ...]:
        """Sorts the mention that proves most first."""
        return self.weak, self.draft, self.found is not FoundIn.NAME, self.cites, not self.leading


def is_secret(text: str) -> bool:
    """Whether a text carries a secrecy mark."""
    plain = unicodedata.normalize("NFC", text)
    low = plain.lower()
    # Nearly no text has one of these, and they are found much faster than the pattern.
    return ("mật" in low or "tuyet" in low) and _SECRET.search(plain) is not None


def is_automatic(address: str) -> bool:
    """Whether the envelope sender is a machine: empty (a bounce) or a well-known local part."""
    return not address or _AUTOMATIC.match(address.partition("@")[0]) is not None


def mentions(finder: Finder, text: str, found: FoundIn) -> Iterator[Mention]:
    """Every number in a subject or a file name."""
    text = text[: _LONGEST[found]]
    if _DIGIT.search(text) is None:
        return
    folded = fold(text)
    named = found is FoundIn.NAME
    hits = finder.in_folded_name(folded) if named else finder.in_folded_text(folded)
    if "?" in text or "\ufffd" in text:
        repaired = _LOST.sub("Đ", text)
        again = finder.in_name(repaired) if named else finder.in_text(repaired)
        # Only signs that are known: a guess alone is no finding.
        plain = {h.key for h in hits}
        sure = [h for h in again if h.key in plain or h.key.sign in finder.signs]
        if any(h.key not in plain for h in sure):
            folded, hits = fold(repaired), sure
    if not hits:
        return
    notice = (
        not named
        and any(word in folded for word in _OF_NOTICES)
        and _NOTICE.search(words_of(folded)) is not None
    )
    end = 0
    for hit in hits:
        yield _mention(hit, folded[end : hit.start], folded[hit.end :], found, notice)
        end = hit.end


def _mention(hit: Hit, before: str, after: str, found: FoundIn, notice: bool) -> Mention:
    lead_in, next_words = words(before), words(after)
    plain = _FIRST_WORDS.isdisjoint(lead_in.split(" "))
    return Mention(
        key=hit.key,
        found=found,
        weak=hit.weak,
        leading=hit.leading,
        cites=not plain and _CITES.search(lead_in) is not None,
        draft=(not plain and _DRAFT.search(lead_in) is not None)
        or _DRAFT_NEXT.match(next_words) is not None,
        notice=notice,
    )
