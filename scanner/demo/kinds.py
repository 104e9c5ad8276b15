"""How a server of the demo behaves."""

from __future__ import annotations

from enum import StrEnum


class HostKind(StrEnum):
    """The behaviours that the fleet can play; all but `normal` are planted faults."""

    NORMAL = "normal"
    DOWN = "down"
    """Nothing listens at its address."""
    CHANGED_KEY = "changed_key"
    """Answers normally, with another key than the one on record."""
    REFUSES = "refuses"
    """Lets nobody log in."""
    HANGS = "hangs"
    """Accepts the connection and never says a word."""
    FLOODS = "floods"
    """Answers every command with output that never ends."""
    DROPS = "drops"
    """Closes the connection in the middle of the answer."""
    SKEWED = "skewed"
    """Answers normally; its clock is wrong (a planted `date` comes first in its PATH)."""
