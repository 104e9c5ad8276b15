"""Mistakes of the user that are known by their message alone."""


class UserError(Exception):
    """One clear line: what, where, the remedy. Ends a command with exit code 64."""
