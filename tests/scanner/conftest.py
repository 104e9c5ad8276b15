"""The store in both places where it may be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.places import KINDS, place_of_a_store
from tests.helpers.postgres import Cluster, cluster


@pytest.fixture(scope="session")
def database() -> Iterator[Cluster]:
    """A running PostgreSQL for the tests of one worker."""
    with cluster("sauro-store-") as running:
        yield running


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, database: Cluster) -> Iterator[str]:
    """A path or URL at which there is no store yet."""
    with place_of_a_store(request.param, database) as found:
        yield found
