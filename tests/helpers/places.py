"""Where a store may be: a file, or a database of a real PostgreSQL."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.postgres import Cluster

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count()


@contextmanager
def place_of_a_store(kind: str, server: Cluster) -> Iterator[str]:
    """A path or URL at which there is no store yet."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / "sauro.db")
    else:
        name = f"store{next(_numbers)}"
        server.sql(f"CREATE DATABASE {name}")
        yield f"postgresql://postgres@/{name}?host={server.folder}"
