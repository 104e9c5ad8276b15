"""An opened project folder: settings, inventory and catalogue, read and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from checks import catalogue
from checks.model import Options
from inventory.load import load
from inventory.model import Inventory, Selection
from scanner.config import Settings, load_settings
from scanner.errors import UserError
from scanner.plan import Plan, plan

SIMULATED = "SIMULATED"
"""A project folder with a file of this name holds invented units; its reports say so."""


class Project(msgspec.Struct, frozen=True):
    """An opened project folder: everything a command needs, nothing connected yet."""

    folder: Path
    settings: Settings
    inventory: Inventory
    catalogue: catalogue.Catalogue
    options: Mapping[str, Options]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of schedules and reports."""
        return ZoneInfo(self.settings.timezone)

    def plan(self, selection: Selection) -> Plan:
        """What a scan of this selection would ask."""
        return plan(self.inventory, selection, self.catalogue.matching(selection.checks))

    @property
    def simulated(self) -> bool:
        """Whether the folder says that its units are invented."""
        return (self.folder / SIMULATED).exists()

    @property
    def store_url(self) -> str:
        """Where the store is: a path or a URL."""
        place = self.settings.store
        return place if "://" in place else str(self.folder / place)


def open_project(folder: Path) -> Project:
    """Read settings, inventory and catalogue.

    Raises:
        InvalidInput: the settings or the inventory are wrong; every problem with its place.
        UserError: the policy names a check or an option that does not exist.
    """
    folder = folder.resolve()
    settings = load_settings(folder)
    agencies = folder / settings.agencies
    inventory = load(folder / settings.inventory, folder, agencies if agencies.exists() else None)
    try:
        known = catalogue.full()
        options = known.options(settings.policy)
    except ValueError as e:
        raise UserError(f"{folder / 'sauro.yaml'}: {e}") from e
    _refuse_idle_waivers(inventory, known)
    days = {"holidays": settings.holidays, "working_days": settings.working_days}
    return Project(
        folder=folder,
        settings=settings,
        inventory=msgspec.structs.replace(inventory, **days),
        catalogue=known,
        options=options,
    )


def _refuse_idle_waivers(inventory: Inventory, known: catalogue.Catalogue) -> None:
    # A waiver of no check is a typing mistake that would show only when the risk is not accepted.
    for waiver in inventory.waivers:
        try:
            known.matching((waiver.check,))
        except ValueError as e:
            raise UserError(f"waiver of unit {waiver.unit} for {waiver.target}: {e}") from e
