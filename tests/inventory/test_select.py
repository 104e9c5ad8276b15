"""What a selection means."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.model import (
    BackupSet,
    Bucket,
    Inventory,
    Selection,
    Server,
    System,
    Unit,
    UnitKind,
)
from inventory.problems import InvalidInput
from inventory.select import Chosen, choose

UNITS = [
    Unit(id="city", name="City", kind=UnitKind.CITY, zone="core"),
    Unit(id="a", name="A", kind=UnitKind.WARD, zone="edge"),
    Unit(id="b", name="B", kind=UnitKind.WARD, zone="edge"),
    Unit(id="police", name="P", kind=UnitKind.AGENCY, external=True, zone="dark"),
]
SERVERS = [
    Server(id="vault", unit="city", address="h", tags=("backup",)),
    Server(id="a1", unit="a", address="h", tags=("app",)),
    Server(id="a2", unit="a", address="h", tags=("db", "app")),
    Server(id="b1", unit="b", address="h", tags=("app",)),
]
SYSTEMS = [
    System(
        id="ya",
        unit="a",
        name="Y",
        owner="a",
        servers=("a1", "a2"),
        backups=(
            BackupSet(id="db", system="ya", kind="directory", server="vault", protects="a2"),
            BackupSet(id="off", system="ya", kind="s3", bucket="cloud", protects="a1"),
        ),
    ),
    System(
        id="yb",
        unit="b",
        name="Y",
        owner="b",
        servers=("b1",),
        backups=(BackupSet(id="db", system="yb", kind="directory", server="b1", protects="b1"),),
    ),
]
INVENTORY = Inventory(
    units={u.id: u for u in UNITS},
    servers={s.id: s for s in SERVERS},
    buckets={
        "cloud": Bucket(id="cloud", unit="city", bucket="c"),
        "spare": Bucket(id="spare", unit="b", bucket="s"),
    },
    systems={s.id: s for s in SYSTEMS},
)


def chosen(**parts: str) -> Chosen:
    return Chosen(**{name: frozenset(text.split()) for name, text in parts.items()})


ALL = chosen(
    units="city a b",
    servers="vault a1 a2 b1",
    buckets="cloud spare",
    systems="ya yb",
    backups="ya/db ya/off yb/db",
)
UNIT_A = chosen(units="a", servers="a1 a2", buckets="cloud", systems="ya", backups="ya/db ya/off")


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({}, ALL),
        ({"checks": ["backup.*"]}, ALL),
        ({"units": ["a"]}, UNIT_A),
        ({"units": ["a", "b", "city"]}, ALL),
        ({"zones": ["core"]}, chosen(units="city", servers="vault", buckets="cloud")),
        ({"zones": ["core", "edge"]}, ALL),
        ({"zones": ["edge"], "units": ["a", "city"]}, UNIT_A),
        (
            {"systems": ["ya"]},
            chosen(servers="a1 a2", buckets="cloud", systems="ya", backups="ya/db ya/off"),
        ),
        ({"systems": ["yb"]}, chosen(servers="b1", systems="yb", backups="yb/db")),
        ({"servers": ["vault"]}, chosen(servers="vault", backups="ya/db")),
        ({"servers": ["a2"]}, chosen(servers="a2", backups="ya/db")),
        ({"servers": ["a1"]}, chosen(servers="a1", backups="ya/off", buckets="cloud")),
        ({"tags": ["db"]}, chosen(servers="a2", backups="ya/db")),
        (
            {"tags": ["db", "app"]},
            chosen(servers="a1 a2 b1", backups="ya/db ya/off yb/db", buckets="cloud"),
        ),
        ({"tags": ["app"], "units": ["b"]}, chosen(servers="b1", backups="yb/db")),
        ({"tags": ["app"], "servers": ["a2"]}, chosen(servers="a2", backups="ya/db")),
        ({"systems": ["ya"], "servers": ["vault"]}, chosen(backups="ya/db")),
        ({"systems": ["ya"], "units": ["b"]}, chosen()),
    ],
)
def test_what_a_selection_means(selection: dict[str, Any], expected: Chosen) -> None:
    found = choose(INVENTORY, Selection(**{k: tuple(v) for k, v in selection.items()}))
    assert found == expected
    assert bool(found) == (expected != Chosen())


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"units": ("citi",)}, "--unit: there is no unit 'citi'; did you mean 'city'?"),
        ({"systems": ("q",)}, "--system: there is no system 'q': see `sauro inventory list`"),
        ({"servers": ("vaul",)}, "--server: there is no server 'vaul'; did you mean 'vault'?"),
        ({"tags": ("ap",)}, "--tag: there is no tag 'ap'; did you mean 'app'?"),
        ({"zones": ("cor",)}, "--zone: there is no zone 'cor'; did you mean 'core'?"),
        ({"zones": ("dark",)}, "--zone: there is no zone 'dark': see `sauro inventory list`"),
        (
            {"units": ("police",)},
            "--unit: 'police' is external: it is only named, never scanned",
        ),
    ],
)
def test_what_does_not_exist_is_an_error(
    selection: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(INVENTORY, Selection(**selection))
    assert str(caught.value) == message


def test_every_unknown_name_is_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(INVENTORY, Selection(units=("x", "a", "z"), tags=("q",)))
    assert [p.path for p in caught.value.problems] == ["--unit", "--unit", "--tag"]
