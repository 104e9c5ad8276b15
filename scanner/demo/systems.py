"""The kinds of systems of the demo: names as they stand in wards and communes, content invented."""

from __future__ import annotations

import msgspec

YEARLY_LEVEL = 3
"""From this level on the owner approves, and the level is looked at again every year."""


class SystemKind(msgspec.Struct, frozen=True, kw_only=True):
    """What all systems of a kind share."""

    name: str
    level: int
    type: str
    """`internal`, `public_service` or `infrastructure`, as in a level record."""
    dump: str
    """What its backups hold: `pg`, `my` or `tar`."""
    set_name: str
    personal_data: bool = False
    subjects: int = 0
    """People whose data it holds, when anybody's; varied by unit."""
    procedures: bool = False
    serves: str = "one_agency"
    truly: str = ""
    """Criterion that would ask for a higher level, as YAML; empty where none is plausible."""


KINDS: dict[str, SystemKind] = {
    "lan": SystemKind(
        name="Mạng nội bộ và máy chủ tệp",
        level=2,
        type="infrastructure",
        dump="tar",
        set_name="tep",
        truly="serves: province",
    ),
    "vb": SystemKind(
        name="Nút quản lý văn bản và điều hành",
        level=2,
        type="internal",
        dump="pg",
        set_name="csdl",
        personal_data=True,
        subjects=60,
        truly="state_secret: true",
    ),
    "tin": SystemKind(
        name="Trang tin nội bộ",
        level=1,
        type="internal",
        dump="my",
        set_name="csdl",
        truly="personal_data: true",
    ),
    "mc": SystemKind(
        name="Hệ thống một cửa điện tử",
        level=3,
        type="public_service",
        dump="pg",
        set_name="csdl",
        personal_data=True,
        subjects=120_000,
        procedures=True,
    ),
    "pan": SystemKind(
        name="Hệ thống phản ánh kiến nghị",
        level=2,
        type="public_service",
        dump="my",
        set_name="csdl",
        personal_data=True,
        subjects=4_000,
        truly="subjects: 150000",
    ),
}
"""By the ending of a system's id."""
