"""Names of the demo: the 126 units are public facts, every person and address is invented.

Unit names and codes come from the public list of Hà Nội's wards and communes (the codes are
provisional). People carry given names that mean "sample" or "for instance", so that nobody can be
taken for a real officer; mail domains end in the reserved `.example`.
"""

from __future__ import annotations

import csv
import unicodedata
from importlib import resources
from random import Random
from typing import Literal

import msgspec

CITY = "ha-noi"
POLICE = "ca-ha-noi"

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô")
_MIDDLE = ("Văn", "Thị", "Đức", "Thu", "Minh", "Ngọc", "Quang", "Thanh", "Hữu", "Bích")
_GIVEN = ("Mẫu", "Ví Dụ", "Giả Định", "Mô Phỏng", "Minh Họa", "Thử Nghiệm", "Tượng Trưng")


class Place(msgspec.Struct, frozen=True):
    """One ward or commune with everything that its name decides."""

    code: str
    """Five digits, the key of the unit."""
    kind: Literal["ward", "commune"]
    name: str
    """Without the word for its kind: `Ba Đình`."""
    slug: str
    """`ba-dinh`, unique among the 126."""
    sign: str
    """How its document signs end: `UBND-BĐ`, unique among the 126."""

    @property
    def title(self) -> str:
        """`Phường Ba Đình`."""
        return f"{'Phường' if self.kind == 'ward' else 'Xã'} {self.name}"

    @property
    def word(self) -> str:
        """`phường` or `xã`, for posts."""
        return "phường" if self.kind == "ward" else "xã"

    @property
    def domain(self) -> str:
        """Its invented mail domain."""
        return f"{self.slug}.hanoi.example"

    @property
    def axis_code(self) -> str:
        """Its simulated code on the document axis."""
        return f"H26.MP.{self.code}"


class Invented(msgspec.Struct, frozen=True):
    """A post that exists and a person who does not."""

    post: str
    name: str
    email: str


def places(count: int) -> tuple[Place, ...]:
    """The first `count` of the 126 units, in the order of the public list."""
    text = resources.files(__package__).joinpath("units.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    taken: set[str] = set()
    found = []
    for row in rows:
        sign = _sign(row["name"], taken)
        taken.add(fold(sign))
        kind: Literal["ward", "commune"] = "ward" if row["kind"] == "ward" else "commune"
        found.append(Place(row["code"], kind, row["name"], slug(row["name"]), sign))
    return tuple(found[:count])


def person(random: Random, post: str, mailbox: str, domain: str) -> Invented:
    """Invent the holder of a post."""
    parts = (random.choice(_FAMILY), random.choice(_MIDDLE), random.choice(_GIVEN))
    return Invented(post, " ".join(parts), f"{mailbox}@{domain}")


def fold(text: str) -> str:
    """Vietnamese letters to plain ASCII letters."""
    plain = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(ch for ch in plain if not unicodedata.combining(ch))


def slug(name: str) -> str:
    """`Văn Miếu - Quốc Tử Giám` to `van-mieu-quoc-tu-giam`."""
    return "-".join(fold(name).lower().replace("-", " ").split())


def _sign(name: str, taken: set[str]) -> str:
    # Signs keep their Đ and lose every other mark, as decree 30/2020 spells them.
    words = ["Đ".join(map(fold, w.upper().split("Đ"))) for w in name.replace("-", " ").split()]
    for letters in range(1, 9):
        sign = "UBND-" + "".join(word[:letters] for word in words)
        if fold(sign) not in taken:
            return sign
    raise AssertionError(name)
