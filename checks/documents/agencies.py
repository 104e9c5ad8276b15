"""Who is who on the document axis: codes old and new, mail domains, names, and the unit itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import msgspec

from checks.documents.numbers import joined
from checks.folding import fold, words
from inventory.index import index_of, mail_domain
from inventory.model import Agency, Documents, Inventory, Unit

FREE_MAIL = frozenset({
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.com.vn", "ymail.com", "outlook.com",
    "outlook.com.vn", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com", "proton.me",
    "protonmail.com", "zoho.com", "mail.ru", "yandex.com", "gmx.com", "aol.com", "tutanota.com",
    "zalo.me",
})  # fmt: skip
"""Mail services open to anybody: never a channel of an agency."""
GENERIC_SIGNS = frozenset({"UBND", "HDND", "VP", "VT"})
"""Signs that thousands of bodies share."""

_CODE = re.compile(r"[0-9A-Z]+(?:\.[0-9A-Z]+)+")
_GROUP = re.compile(r"\b(?:CAC|TOAN THE|TAT CA|MOI)\b")
_PREFIX = re.compile(r"^(?:UY BAN NHAN DAN|UBND)\s+(?=(?:PHUONG|XA|DAC KHU|TINH|THANH PHO|TP)\b)")
_ANY_PREFIX = re.compile(r"^(?:UY BAN NHAN DAN|UBND)\s+")
_AREA = re.compile(r"\s+TREN DIA BAN(?:\s+(?:THANH PHO|TINH|TP)\b.*)?$")
_BODIES = re.compile(
    r"\b(?:UBND|UY BAN|HDND|SO|BAN|NGANH|PHONG|PHUONG|XA|DAC KHU|QUAN|HUYEN|DON VI|CO QUAN|"
    r"TRUONG|TRUNG TAM|DOAN THE|TO CHUC|MTTQ|THANH VIEN)\b"
)
_PEOPLE = re.compile(r"\b(?:ONG|BA|DONG CHI|ANH|CHI)\b")
_GROUP_WORDS = frozenset({
    "BAN", "BO", "CAC", "CAO", "CAP", "CHINH", "CHUC", "CHUYEN", "CO", "CONG", "CUC", "CUM", "DAC",
    "DAI", "DAN", "DANG", "DIA", "DIEM", "DOAN", "DOANH", "DON", "DU", "GIAM", "GIAO", "HDND",
    "HIEP", "HOC", "HOI", "HUYEN", "KHOI", "KHU", "LAP", "LE", "LIEN", "MAM", "MAT", "MOI", "MON",
    "MTTQ", "NGANH", "NGHIEP", "NHAN", "NON", "O", "PHO", "PHONG", "PHUONG", "QUAN", "SO", "SU",
    "TAM", "TAT", "TE", "THANH", "THCS", "THE", "THI", "THPT", "THUOC", "TIEU", "TINH", "TO",
    "TOAN", "TP", "TRAM", "TRAN", "TREN", "TRONG", "TRUC", "TRUNG", "TRUONG", "TU", "TUYEN",
    "UBMTTQ", "UBND", "UY", "VA", "VAN", "VI", "VIEN", "XA", "Y", "CA",
})  # fmt: skip
"""Words of groups of bodies; a text with any other word may name a person."""


class Where(StrEnum):
    """Where a mail went, as far as the axis is concerned."""

    INTERNAL = "internal"
    AGENCY = "agency"
    FREE = "free_mail"
    SHARED = "shared_domain"
    """A domain that several agencies share: which of them was meant cannot be told."""
    OTHER_AGENCY = "other_agency"
    """A public body's domain that the directory does not know."""
    OTHER = "other"


class Recipient(msgspec.Struct, frozen=True):
    """A recipient made out: `code` is the agency's present code when `where` is AGENCY."""

    where: Where
    code: str = ""


class Index(msgspec.Struct, frozen=True):
    """The directory by everything it can be asked for; several agencies under one key are kept."""

    by_code: dict[str, frozenset[str]]
    by_name: dict[str, frozenset[str]]
    by_domain: dict[str, frozenset[str]]
    by_sign: dict[str, frozenset[str]]
    domains: dict[str, frozenset[str]]
    """Mail domains by code."""
    by_group: dict[str, frozenset[str]]


def name_words(name: str) -> str:
    """A body's name to compare: folded, and without `Ủy ban nhân dân` before a place."""
    return _PREFIX.sub("", words(name))


def group_words(name: str) -> str:
    """A group's name to compare: folded, without `Ủy ban nhân dân` and `trên địa bàn thành phố`."""
    return _AREA.sub("", _ANY_PREFIX.sub("", words(name)))


_latest: list[tuple[tuple[Agency, ...], Index]] = []
"""The last directory read; hashing thousands of agencies for every unit would take longer."""


def index(agencies: tuple[Agency, ...]) -> Index:
    """The directory, read once for all units of a scan: it is the same tuple for all of them."""
    for known, found in _latest:
        if known is agencies:
            return found
    made = _read(agencies)
    _latest[:] = [(agencies, made)]
    return made


def _read(agencies: tuple[Agency, ...]) -> Index:
    by_code: dict[str, set[str]] = {}
    by_name: dict[str, set[str]] = {}
    by_domain: dict[str, set[str]] = {}
    by_sign: dict[str, set[str]] = {}
    domains: dict[str, set[str]] = {}
    by_group: dict[str, set[str]] = {}
    for agency in agencies:
        code = agency.code.upper()
        for known in (code, *(c.upper() for c in agency.old_codes)):
            by_code.setdefault(known, set()).add(code)
        if agency.name:
            by_name.setdefault(name_words(agency.name), set()).add(code)
        for sign in agency.signs:
            by_sign.setdefault(joined(fold(sign)), set()).add(code)
        for group in agency.groups:
            by_group.setdefault(group_words(group), set()).add(code)
        for domain in agency.mail_domains:
            by_domain.setdefault(mail_domain(domain), set()).add(code)
            domains.setdefault(code, set()).add(mail_domain(domain))
    return Index(
        by_code=_frozen(by_code),
        by_name=_frozen(by_name),
        by_domain=_frozen(by_domain),
        by_sign=_frozen(by_sign),
        domains=_frozen(domains),
        by_group=_frozen(by_group),
    )


def _frozen(found: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(value) for key, value in found.items()}


NOBODY_ELSE: Mapping[str, Sequence[str]] = MappingProxyType({})
"""No other unit is known."""


class Directory:
    """The agency directory as one unit sees it."""

    @classmethod
    def of(cls, inventory: Inventory, unit: Unit) -> Directory:
        """That of a unit of an inventory."""
        return cls(inventory.agencies, unit, index_of(inventory).units_writing_from)

    def __init__(
        self,
        agencies: tuple[Agency, ...],
        unit: Unit,
        writing: Mapping[str, Sequence[str]] = NOBODY_ELSE,
    ) -> None:
        """`writing` has the ids of the units that write from each mail domain."""
        self._index = index(agencies)
        said = unit.documents or Documents()
        own = {self.code(c) or c.upper() for c in said.codes}
        if not own:
            own = set(self._index.by_code.get(unit.id.upper(), frozenset()))
        if not own and unit.name:
            named = self._index.by_name.get(name_words(unit.name), frozenset())
            own = set(named) if len(named) == 1 else set()
        self.own_codes = frozenset(own)
        domains = {mail_domain(d) for d in said.domains}
        for code in own:
            domains |= self._index.domains.get(code, frozenset())
        self.own_domains = frozenset(domains)
        self.signs = frozenset(self._index.by_sign)
        self.knows_mail = bool(self._index.by_domain)
        self._shared = frozenset(
            d for d in self.own_domains if self._is_shared(d) or {*writing.get(d, ())} - {unit.id}
        )
        self.knows_senders = bool(said.senders)
        """Whether the unit declares which mailboxes of a shared domain are its own."""
        self._own_signs = frozenset(joined(fold(s)) for s in said.signs)

    def is_own_sign(self, sign: str) -> bool:
        """Whether a document's sign is surely this unit's: `UBND` alone is every ward's."""
        return any(
            (sign == own or sign.endswith("-" + own) or sign.startswith(own + "-"))
            and own not in GENERIC_SIGNS
            and not self._index.by_sign.get(own, frozenset()) - self.own_codes
            for own in self._own_signs
        )

    def code(self, code: str) -> str:
        """The present code of an agency under any of its codes; empty when unknown or ambiguous."""
        found = self.codes(code)
        return next(iter(found)) if len(found) == 1 else ""

    def codes(self, code: str) -> frozenset[str]:
        """The present codes of all agencies that have or had this code; empty when unknown."""
        return self._index.by_code.get(code.strip().upper(), frozenset())

    def is_own_code(self, code: str) -> bool:
        """Whether a gateway row's sender is this unit; without known codes every sender counts."""
        return not self.own_codes or (self.code(code) or code.strip().upper()) in self.own_codes

    def is_own_domain(self, domain: str) -> bool:
        """Whether a mail comes from this unit; without known domains every sender counts."""
        return not self.own_domains or self._own(mail_domain(domain))

    def _is_shared(self, domain: str) -> bool:
        codes = self._index.by_domain.get(domain, frozenset())
        return bool(codes - self.own_codes) if self.own_codes else len(codes) > 1

    def shares(self, domain: str) -> bool:
        """Whether others write from this domain of the unit's as well: it tells no sender."""
        domain = mail_domain(domain)
        mine = [d for d in self.own_domains if domain == d or domain.endswith("." + d)]
        return bool(mine) and max(mine, key=len) in self._shared

    def _own(self, domain: str) -> bool:
        return domain in self.own_domains or any(
            domain.endswith("." + own) for own in self.own_domains
        )

    def by_domain(self, domain: str) -> Recipient:
        """Where mail for this domain goes."""
        domain = mail_domain(domain)
        codes = self._index.by_domain.get(domain, frozenset())
        if domain in FREE_MAIL:
            return Recipient(Where.FREE)
        if codes - self.own_codes:
            if len(codes) > 1:
                return Recipient(Where.SHARED)
            return Recipient(Where.AGENCY, next(iter(codes)))
        if self._own(domain) or "." not in domain:
            return Recipient(Where.INTERNAL)
        if domain.endswith((".gov.vn", ".chinhphu.vn", ".dcs.vn")):
            return Recipient(Where.OTHER_AGENCY)
        return Recipient(Where.OTHER)

    def by_text(self, text: str) -> str:
        """The code of the agency that a register names, or empty: a group, a person, unknown."""
        for code in _CODE.findall(text.upper()):
            if self.code(code):
                return self.code(code)
        plain = self.code(text)
        if plain:
            return plain
        named = self._index.by_name.get(name_words(text), frozenset())
        return next(iter(named)) if len(named) == 1 else ""

    def agencies(self, text: str) -> frozenset[str]:
        """The codes that a register means: one agency, or the members of a group it names."""
        one = self.by_text(text)
        if one:
            return frozenset({one})
        return self._index.by_group.get(group_words(text), frozenset())


def is_group(text: str) -> bool:
    """Whether a recipient text means several bodies at once (`các phường`)."""
    return _GROUP.search(words(text)) is not None


def names_bodies(text: str) -> bool:
    """Whether a recipient text surely names bodies and no person, so that it may be shown."""
    said = words(text)
    if _BODIES.search(said) is None or _PEOPLE.search(said) is not None:
        return False
    return _GROUP_WORDS.issuperset(said.split())
