"""The tables as the newest migration leaves them; `migrations` makes them, a test compares both.

Times are whole microseconds since 1970 in UTC. Text columns went through `codec.to_column`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()


def _of_scan() -> Column[str]:
    return Column("scan", Text, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)


migrations = Table(
    "sauro_migrations",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)
inventories = Table(
    "inventories",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
scans = Table(
    "scans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started", BigInteger, nullable=False),
    Column("complete", Integer, nullable=False),
    Column("plan", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("inventory", Text, ForeignKey("inventories.digest"), nullable=False),
    Column("info", LargeBinary, nullable=False),
)
targets = Table(
    "targets",
    metadata,
    _of_scan(),
    Column("target", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
# The keys of the cases that were judged and stored together.
judged = Table(
    "judged",
    metadata,
    _of_scan(),
    Column("batch", Text, primary_key=True),
    Column("cases", LargeBinary, nullable=False),
)
results = Table(
    "results",
    metadata,
    _of_scan(),
    Column("fingerprint", Text, primary_key=True),
    # Rows that a check gave the same identity are all kept: nothing judged may vanish.
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("check_id", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
# One row per distinct output. `data` is NULL when only the digest is kept.
evidence = Table(
    "evidence",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary),
)
# What each request brought, without the output itself.
answers = Table(
    "answers",
    metadata,
    _of_scan(),
    Column("target", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
memories = Table(
    "memories",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
# The life of findings: one row whenever the state of a fingerprint turned. Survives pruning, so
# that a finding never looks younger than it is.
turns = Table(
    "turns",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("started", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
)
# What only this store knows, such as the key of the hashes of addresses. Nothing shows it.
keys = Table(
    "keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
