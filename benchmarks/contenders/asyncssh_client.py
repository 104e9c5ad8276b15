"""asyncssh with its defaults."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import asyncssh
from common import measure, whole


def scan(given: dict[str, Any]) -> int:
    async def everything() -> int:
        known = asyncssh.read_known_hosts(given["known_hosts"])
        key = asyncssh.read_private_key(given["key"])
        places = asyncio.Semaphore(given["workers"])

        async def one(address: str, port: int) -> bool:
            async with places:
                try:
                    async with asyncssh.connect(
                        address,
                        port,
                        username=given["user"],
                        client_keys=[key],
                        known_hosts=known,
                        config=None,
                    ) as connection:
                        found = await connection.run("sh -s", input=given["script"], encoding=None)
                        return whole(given, bytes(found.stdout or b""))
                except (OSError, asyncssh.Error) as e:
                    print(address, repr(e), file=sys.stderr)
                    return False

        return sum(await asyncio.gather(*(one(a, p) for a, p in given["hosts"])))

    return asyncio.run(everything())


measure(scan)
