"""S3 buckets through boto3: listings as JSON lines (`checks`' kind `s3`), and objects as files.

Memory stays the same however many objects there are: a page of 1,000 is written to a spool before
the next one is asked for, and the spool moves to a file without a name when it grows.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from checks.backup.sources.place import Place
from checks.evidence import Evidence, Failure, FailureKind, Request
from checks.texts import clean
from inventory.model import Bucket
from scanner.transports import s3_aws
from scanner.transports.base import Clock, all_failed
from scanner.transports.s3_errors import Problem, classify
from scanner.transports.s3_fast import hasten
from scanner.transports.s3_files import Target, read_objects
from scanner.transports.s3_pages import Asked, Client, Fetch, Newest, Pages, objects, uploads
from scanner.transports.s3_protection import MOST_LOCKS, locks, markers, protection
from scanner.transports.secrets import resolve
from scanner.transports.wire import Spool

_SECTION = 8_388_608
_SOFT = 0.9
"""Share of the time after which a listing is ended on purpose, so that what came is kept."""

_AMAZON = (".amazonaws.com", ".amazonaws.com.cn")
_HOPELESS = frozenset(
    {FailureKind.UNREACHABLE, FailureKind.AUTH, FailureKind.HOST_KEY, FailureKind.TIMEOUT}
)
"""Failures that every further request would meet as well."""

_log = logging.getLogger(__name__)


class _Operation(NamedTuple):
    fetch: Callable[[Asked], Fetch]
    right: str
    service: str = "s3"
    turn: int = 0
    """What goes by another's listing, or may be refused, comes after it."""


_READ = "read"
"""Gives the objects themselves, not a listing."""
_OPERATIONS: dict[str, _Operation] = {
    "list": _Operation(objects, "s3:ListBucket"),
    "uploads": _Operation(uploads, "s3:ListBucketMultipartUploads", turn=1),
    "protection": _Operation(protection, "s3:GetBucketVersioning", turn=2),
    "locks": _Operation(locks, "s3:GetBucketObjectLockConfiguration", turn=3),
    "markers": _Operation(markers, "s3:ListBucketVersions", turn=4),
    _READ: _Operation(objects, "s3:ListBucket", turn=5),
    **{
        name: _Operation(fetch, right, "backup", turn)
        for turn, (name, (fetch, right)) in enumerate(s3_aws.OPERATIONS.items())
    },
}


def _operation(request: Request) -> _Operation:
    name = request.params.get("operation", "")
    found = _OPERATIONS.get(name)
    if found is None:
        raise Problem(FailureKind.MISSING_TOOL, f"S3 operation {name!r} is not known here")
    return found


class S3Transport:
    """One visit to one bucket, with one client. `timeout` is for the whole visit, in seconds."""

    def __init__(self, bucket: Bucket, clock: Clock, timeout: float, project: Path) -> None:
        self._bucket = bucket
        self._clock = clock
        self._timeout = timeout
        self._project = project

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """Ask everything, one request after the other, within the visit's time."""
        found: list[Evidence | None] = [None] * len(requests)
        # boto3 limits single reads only; a store that sends one byte at a time would hold us for
        # ever. The visit runs beside us and is left to itself when its time is up.
        visit = threading.Thread(
            target=self._visit,
            args=(tuple(requests), found, time.monotonic()),
            name=f"s3-{self._bucket.id}",
            daemon=True,
        )
        visit.start()
        visit.join(self._timeout)
        late = f"{self._place()}: no complete answer within {self._timeout:.0f} s"
        lost = all_failed(requests, FailureKind.TIMEOUT, late, self._clock())
        return [answer or missing for answer, missing in zip(list(found), lost, strict=True)]

    def _place(self) -> str:
        where = f" at {self._bucket.endpoint}" if self._bucket.endpoint else ""
        return f"bucket {self._bucket.bucket}{where}"

    def _visit(
        self, requests: tuple[Request, ...], found: list[Evidence | None], began: float
    ) -> None:
        end = began + self._timeout * _SOFT
        hopeless: Failure | None = None
        visit = _Visit(lambda service: self._client(service, end), self._bucket.bucket, requests)
        for at in sorted(range(len(requests)), key=lambda n: _turn(requests[n])):
            request = requests[at]
            started = time.monotonic()
            stdout, failure = b"", hopeless
            if failure is None:
                try:
                    stdout = visit.answer(request, min(end, started + request.timeout))
                except Exception as e:  # noqa: BLE001 - whatever a store does is a typed failure
                    failure = self._failure(e, request)
            if failure is not None and failure.kind in _HOPELESS:
                hopeless = failure
            found[at] = Evidence(
                probe=request.probe,
                target=request.target,
                key=request.key,
                taken=self._clock(),
                stdout=stdout,
                exit=None if failure else 0,
                failure=failure,
                seconds=time.monotonic() - started,
            )
        visit.close()

    def _client(self, service: str, end: float) -> Client:
        """The one client of this visit and service; boto3 loads here and nowhere else."""
        from boto3.session import Session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        bucket = self._bucket
        keys = self._keys(end)
        session = Session(
            profile_name=bucket.profile or None,
            region_name=bucket.region or None,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
        )
        step = max(1.0, min(20.0, self._timeout / 3))
        make: Callable[..., Client] = session.client
        client = make(
            service,
            endpoint_url=_endpoint(bucket.endpoint, service),
            region_name=bucket.region or session.region_name or "us-east-1",
            config=Config(
                connect_timeout=min(10.0, step),
                read_timeout=step,
                retries={"total_max_attempts": 2, "mode": "standard"},
                # Stores of one's own rarely answer to a name for each bucket.
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            ),
        )
        hasten(client)
        return client

    def _keys(self, end: float) -> tuple[str | None, str | None]:
        """Access key and secret; two times None leaves it to the profile or the surroundings."""
        bucket = self._bucket
        if not bucket.access_key and not bucket.secret_key:
            return None, None
        wait = max(0.1, min(10.0, end - time.monotonic()))

        def secret(reference: str) -> str:
            return resolve(reference, self._project, os.environ, wait)

        return secret(bucket.access_key), secret(bucket.secret_key)

    def _failure(self, error: Exception, request: Request) -> Failure:
        if isinstance(error, Problem):
            return error.failure
        operation = _OPERATIONS[request.params["operation"]]
        right = operation.right
        if operation.service == "backup":
            right = s3_aws.right(request.params)
        place = self._place() if operation.service == "s3" else "AWS Backup"
        kind, what = classify(error, right)
        if kind is FailureKind.COMMAND_FAILED:
            _log.info("%s: %s", self._place(), type(error).__name__)
        return Failure(kind=kind, detail=clean(f"{place}: {what}"))


class _Visit:
    """One visit's clients, and what one request leaves for the next."""

    def __init__(
        self, client: Callable[[str], Client], bucket: str, requests: Sequence[Request]
    ) -> None:
        self._make = client
        self._bucket = bucket
        self._clients: dict[str, Client] = {}
        self._newest = {r.key: Newest(_place(r.params), MOST_LOCKS) for r in requests if _of(r)}
        self._prefixes = {r.key: r.params.get("prefix", "") for r in requests if _of(r)}

    def answer(self, request: Request, end: float) -> bytes:
        """The evidence of one request; raises whatever the store or boto3 does."""
        operation = _operation(request)
        prefix = request.params.get("prefix", "")
        asked = Asked(
            client=self._client(operation.service),
            bucket=self._bucket,
            params=request.params,
            passing=[n for key, n in self._newest.items() if self._prefixes[key] == prefix],
            newest=self._newest.get(request.key),
        )
        spool = Spool()
        try:
            limit = request.limit or _SECTION
            if request.params["operation"] == _READ:
                read_objects(spool, Target(asked, limit, end))
            else:
                Pages(spool, limit, end).write_all(operation.fetch(asked))
            data = spool.finish()
        finally:
            spool.close()
        if isinstance(data, mmap.mmap):
            # As everywhere, a view of a mapping passes as bytes only when it was asked for.
            return cast("bytes", memoryview(data)) if request.stream else data[:]
        return data

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, service: str) -> Client:
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]


def _of(request: Request) -> bool:
    """Whether a request is about the newest objects of a place."""
    return request.params.get("operation") in ("locks", "markers")


def _place(params: Mapping[str, str]) -> Place:
    return Place(params.get("folder", ""), params.get("pattern", ""))


def _turn(request: Request) -> int:
    known = _OPERATIONS.get(request.params.get("operation", ""))
    return known.turn if known else 0


def _endpoint(address: str, service: str) -> str | None:
    """Where a service answers. Keys of a store of one's own are never sent to anybody else."""
    if service != "s3" and (urlsplit(address).hostname or "").endswith(_AMAZON):
        return None
    return address or None
