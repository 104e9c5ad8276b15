"""Looking things up in an inventory finds what seeking them would."""

from __future__ import annotations

from inventory.index import index_of
from tests.helpers.world import inventory


def test_the_index_finds_what_stands_there() -> None:
    known = inventory(units=3, servers=2)
    index = index_of(known)
    assert index_of(known) is index
    for unit in known.units:
        sought = tuple(s for s in known.systems.values() if s.unit == unit)
        assert index.systems_of[unit] == sought
    for server in known.servers.values():
        on_it = tuple(s for s in known.systems.values() if server.id in s.servers)
        assert index.systems_on[server.id] == on_it
        assert index.servers_at[server.id] == (server,)
    assert index.servers_at["127.0.0.1"] == tuple(known.servers.values())


def test_another_inventory_has_another_index() -> None:
    one, two = inventory(units=1), inventory(units=2)
    assert len(index_of(one).systems_of) == 1
    assert len(index_of(two).systems_of) == 2
    assert len(index_of(one).systems_of) == 1
