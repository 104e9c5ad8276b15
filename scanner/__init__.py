"""The scanner: plans, collects, judges, stores; its composition root and command line."""

__version__ = "0.1.0"
