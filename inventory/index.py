"""What stands where in an inventory, looked up instead of sought.

A scan asks this once per row: walking 20,000 systems each time took hours of a large one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from inventory.model import Inventory, Server, System

T = TypeVar("T")


class Index:
    """The parts of one inventory by what they are asked for, each made when it is first needed."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    @cached_property
    def systems_of(self) -> dict[str, tuple[System, ...]]:
        """The systems by the unit that answers for them, in their order."""
        return _grouped((system.unit, system) for system in self.inventory.systems.values())

    @cached_property
    def systems_on(self) -> dict[str, tuple[System, ...]]:
        """The systems by each server that they run on, in their order."""
        systems = self.inventory.systems.values()
        return _grouped((server, system) for system in systems for server in system.servers)

    @cached_property
    def servers_at(self) -> dict[str, tuple[Server, ...]]:
        """The servers by address and by id, in their order."""
        return _grouped(
            (name, server)
            for server in self.inventory.servers.values()
            for name in {server.address, server.id} - {""}
        )

    @cached_property
    def units_writing_from(self) -> dict[str, tuple[str, ...]]:
        """Ids of the units by the mail domains that they declare as their own."""
        return _grouped(
            (mail_domain(domain), unit.id)
            for unit in self.inventory.units.values()
            if unit.documents is not None
            for domain in unit.documents.domains
        )


_latest: list[Index] = []
"""That of the last inventory asked for: a scan and its report have one."""


def index_of(inventory: Inventory) -> Index:
    """The index of an inventory, the same one for the same inventory."""
    for known in _latest:
        if known.inventory is inventory:
            return known
    _latest[:] = [Index(inventory)]
    return _latest[0]


def mail_domain(text: str) -> str:
    """A mail domain to compare, however it is written (`@Mail.hanoi.gov.vn.`)."""
    return text.strip().lower().rstrip(".").removeprefix("@").removeprefix("mail.")


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
