"""Mistakes of the user that are known by their message alone, and how commands end on a fault."""

USAGE = 64
"""Exit code of a mistake in the command, the settings or the inventory."""
FAULT = 70
"""Exit code of a fault of ours."""


class UserError(Exception):
    """One clear line: what, where, the remedy. Ends a command with exit code 64."""
