"""Listing a large bucket: this scanner beside boto3's bare paginator, in one run.

    .venv/bin/python benchmarks/s3_listing.py [--objects 1000000] [--rounds 3] [--latency 0]

A small server in a process of its own answers `ListObjectsV2` with pages of 1,000 made-up objects,
so that the client is what is measured. The contenders take turns, a process each, round by round;
medians are printed with the lowest and the highest. `CPU` is the client's processor time and `peak`
its resident memory after its imports and at most. `--latency` adds milliseconds to every answer.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import resource
import socketserver
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

PAGE = 1000
_ENTRY = (
    "<Contents><Key>db/{page}/backup-{n:04d}-20261122T020000Z.dump</Key>"
    "<LastModified>2026-11-22T02:{m:02d}:{s:02d}.000Z</LastModified>"
    "<ETag>&quot;9dd4e461268c8034f5c8564e155c67a6&quot;</ETag><Size>{size}</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)
_HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>"
    "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Name>b</Name>"
    "<Prefix>db</Prefix><MaxKeys>1000</MaxKeys><KeyCount>1000</KeyCount>"
)
_MARK = "@@@@@@@@"


# ------------------------------------------------------------------------------------ the server


def serve(objects: int, latency: float) -> None:
    """Answer until killed; the port stands on the first line of the output."""
    pages = -(-objects // PAGE)
    entries = "".join(
        _ENTRY.format(page=_MARK, n=n, m=n // 60 % 60, s=n % 60, size=1000 + n) for n in range(PAGE)
    ).encode()
    token = re.compile(rb"continuation-token=(\d+)")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                found = token.search(line)
                at = int(found[1]) if found else 0
                more = at + 1 < pages
                following = f"<NextContinuationToken>{at + 1}</NextContinuationToken>"
                tail = f"<IsTruncated>{str(more).lower()}</IsTruncated>{following * more}"
                body = b"".join(
                    (
                        (_HEAD + tail).encode(),
                        entries.replace(_MARK.encode(), b"%08d" % at),
                        b"</ListBucketResult>",
                    )
                )
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                time.sleep(latency)
                self.wfile.write(head.encode() + body)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


# -------------------------------------------------------------------------------- the contenders


def paginator(port: int) -> Callable[[], int]:
    """boto3's own way to list a bucket, counting and keeping nothing."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106 - a made-up key
        config=Config(s3={"addressing_style": "path"}),
    )

    def run() -> int:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="b", Prefix="db")
        return sum(len(page.get("Contents", [])) for page in pages)

    return run


def sauro(port: int, judge: bool = False) -> Callable[[], int]:
    """The transport: everything listed and written to a spool; with `judge` also read as points."""
    import boto3.session  # noqa: F401, PLC0415 - imports do not count
    import msgspec  # noqa: PLC0415

    from checks.backup.sources.registry import SERIES  # noqa: PLC0415
    from checks.backup.sources.s3 import OBJECTS  # noqa: PLC0415
    from checks.evidence import Answers  # noqa: PLC0415
    from checks.model import Context, Scope, Subject  # noqa: PLC0415
    from inventory.model import (  # noqa: PLC0415
        BackupSet,
        Bucket,
        Inventory,
        System,
        Unit,
        UnitKind,
    )
    from scanner.transports.s3 import S3Transport  # noqa: PLC0415

    now = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
    os.environ["BENCHMARK_KEY"] = "made-up"
    keys = {"access_key": "env:BENCHMARK_KEY", "secret_key": "env:BENCHMARK_KEY"}
    bucket = Bucket(id="b", unit="u", bucket="b", endpoint=f"http://127.0.0.1:{port}", **keys)
    request = msgspec.structs.replace(
        OBJECTS.request("b", operation="list", prefix="db"), timeout=3600, limit=1 << 30
    )
    backup = BackupSet(id="db", system="s", kind="s3", bucket="b", path="db", every="1d")
    subject = Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(buckets={"b": bucket}),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="b",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )

    def run() -> int:
        transport = S3Transport(bucket, clock=lambda: now, timeout=3600, project=Path())
        (evidence,) = transport.collect([request])
        if evidence.failure is not None:
            raise RuntimeError(evidence.failure.detail)
        if judge:
            context = Context(now=now, zone=ZoneInfo("UTC"), legal_basis=2026, subject=subject)
            series = SERIES.parse(context, Answers([evidence]))
            return series.listing.total
        tail = bytes(memoryview(evidence.stdout)[-200:]).splitlines()[-1]
        return int(json.loads(tail)["total"])

    return run


CONTENDERS: dict[str, Callable[[int], Callable[[], int]]] = {
    "boto3 paginator": paginator,
    "sauro, listed": sauro,
    "sauro, listed and read": lambda port: sauro(port, judge=True),
}


def measure(name: str, port: int) -> None:
    """Print what was counted, seconds, processor seconds, and memory before and at most (MB)."""
    run = CONTENDERS[name](port)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    counted = run()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps([counted, seconds, cpu, before.ru_maxrss / 1024, after.ru_maxrss / 1024]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds per answer")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.objects, given.latency / 1000)
        return
    if given.measure:
        measure(given.measure[0], int(given.measure[1]))
        return
    command = [sys.executable, __file__, "--serve", "--objects", str(given.objects)]
    command += ["--latency", str(given.latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        report(server.stdout.readline().strip(), given.objects, given.rounds)
    finally:
        server.kill()
        server.wait()


def report(port: str, objects: int, rounds: int) -> None:
    """Let the contenders take turns and print a table."""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} × {platform.machine()}"
    print(f"{objects:,} objects in pages of {PAGE:,}, {rounds} rounds; {machine}")
    found: dict[str, list[list[float]]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in CONTENDERS:
            command = [sys.executable, __file__, "--measure", name, port]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            figures = json.loads(done.stdout.splitlines()[-1])
            whole = -(-objects // PAGE) * PAGE
            if figures[0] != whole:
                sys.exit(f"{name} counted {figures[0]:,} of {whole:,} objects")
            found[name].append(figures[1:])
    print(f"{'':24} {'seconds':>22} {'CPU s':>8} {'objects/s':>10} {'MB before':>10} {'peak':>6}")
    for name, rows in found.items():
        seconds = [row[0] for row in rows]
        middle = statistics.median(seconds)
        spread = f"{middle:.1f} ({min(seconds):.1f}–{max(seconds):.1f})"
        cpu, before, peak = (statistics.median(row[k] for row in rows) for k in (1, 2, 3))
        rate = objects / middle
        print(f"{name:24} {spread:>22} {cpu:8.1f} {rate:10,.0f} {before:10.0f} {peak:6.0f}")


if __name__ == "__main__":
    main()
