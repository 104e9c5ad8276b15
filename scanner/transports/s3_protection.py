"""What a bucket says of its own protections; the answers are written as they came and judged later.

Nothing here reads an object: `head_object` would need the right to read the backup itself, and some
stores answer a question about one object with its whole content, so an object's lock is asked for
only where the bucket says that it locks.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from checks.backup.sources.s3_answers import RETENTION, RIGHTS
from checks.evidence import FailureKind
from scanner.transports.s3_errors import Problem, classify
from scanner.transports.s3_pages import Asked, Fetch, Newest, Page, expect, rfc3339

MOST_LOCKS = 10
"""Objects of a set whose own locks are asked for: the newest."""
_MOST_MARKERS = 1000
_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<([A-Za-z0-9:_-]{1,80})")
_HOPELESS = frozenset({FailureKind.UNREACHABLE, FailureKind.AUTH, FailureKind.HOST_KEY})

Answer = Mapping[str, Any]


class _Response(Protocol):
    """What botocore shows of an HTTP answer."""

    content: bytes


class _Ask(NamedTuple):
    """One question about a bucket: boto3's method, and what of its answer is kept."""

    method: str
    keep: Callable[[Answer], object]


def _field(name: str) -> Callable[[Answer], object]:
    return lambda answer: answer.get(name)


def _grants(answer: Answer) -> object:
    """Who is granted what, without the names and addresses of persons."""
    grants = answer.get("Grants") or []
    return [
        {
            "type": g.get("Grantee", {}).get("Type", ""),
            "uri": g.get("Grantee", {}).get("URI", ""),
            "permission": g.get("Permission", ""),
        }
        for g in grants
    ]


ASKS: dict[str, _Ask] = {
    "versioning": _Ask(
        "get_bucket_versioning",
        lambda a: {k: a[k] for k in ("Status", "MFADelete") if k in a},
    ),
    "lock": _Ask(
        "get_object_lock_configuration",
        _field("ObjectLockConfiguration"),
    ),
    "encryption": _Ask(
        "get_bucket_encryption",
        _field("ServerSideEncryptionConfiguration"),
    ),
    "public_block": _Ask(
        "get_public_access_block",
        _field("PublicAccessBlockConfiguration"),
    ),
    "policy": _Ask("get_bucket_policy_status", _field("PolicyStatus")),
    "acl": _Ask("get_bucket_acl", _grants),
    "ownership": _Ask(
        "get_bucket_ownership_controls",
        _field("OwnershipControls"),
    ),
    "lifecycle": _Ask("get_bucket_lifecycle_configuration", _field("Rules")),
    "replication": _Ask(
        "get_bucket_replication",
        _field("ReplicationConfiguration"),
    ),
}
"""How each question of `RIGHTS` is asked."""


def protection(asked: Asked) -> Fetch:
    """`protection`: one line per question, an answer or why there is none."""
    names = list(RIGHTS)
    root = [""]

    def note_root(http_response: _Response, **_: object) -> None:
        # An empty answer says "never enabled" only when it is an answer to this question.
        found = _ROOT.match(http_response.content[:300])
        root[0] = found[1].decode() if found else ""

    asked.client.meta.events.register("after-call.s3.GetBucketVersioning", note_root)

    def fetch(mark: str | None) -> Page:
        name = mark or names[0]
        at = names.index(name)
        root[0] = ""
        ask = ASKS[name]
        entry = _asked(
            lambda: ask.keep(getattr(asked.client, ask.method)(Bucket=asked.bucket)), RIGHTS[name]
        )
        if root[0]:
            entry["root"] = root[0]
        following = names[at + 1] if at + 1 < len(names) else None
        return Page([{"ask": name, **entry}], following, 1)

    return fetch


def _asked(call: Callable[[], object], right: str) -> dict[str, Any]:
    """An answer, or the code and the failure that stand in its place."""
    try:
        return {"value": call()}
    except Exception as error:
        kind, what = classify(error, right)
        if kind in _HOPELESS:
            raise
        response: Answer = getattr(error, "response", None) or {}
        code = str(response.get("Error", {}).get("Code", ""))[:100]
        return {"code": code, "kind": kind.value, "detail": what}


def locks(asked: Asked) -> Fetch:
    """`locks`: the retention of the newest objects of a place, each a line."""
    if asked.newest is None or not asked.newest.listed:
        raise Problem(FailureKind.COMMAND_FAILED, "the listing that it goes by did not come")
    found = asked.newest.newest() if _locks(asked) else []

    def fetch(mark: str | None) -> Page:
        at = int(mark or 0)
        if at >= len(found):
            return Page([], None, 0)
        stamped, key = found[at]
        entry = {"key": key, "last_modified": rfc3339(stamped), **_retention(asked, key)}
        following = str(at + 1) if at + 1 < len(found) else None
        return Page([entry], following, 1)

    return fetch


def _locks(asked: Asked) -> bool:
    """Whether the bucket says that it locks; no question about an object is put otherwise."""
    try:
        answer = asked.client.get_object_lock_configuration(Bucket=asked.bucket)
    except Exception as error:
        if classify(error, "")[0] in _HOPELESS:
            raise
        return False  # why it is not known, operation `protection` tells
    told: Answer = answer.get("ObjectLockConfiguration", {})
    return bool(told.get("ObjectLockEnabled") == "Enabled")


def _retention(asked: Asked, key: str, version: str = "") -> dict[str, Any]:
    more: dict[str, Any] = {"VersionId": version} if version else {}

    def ask() -> object:
        answer = asked.client.get_object_retention(Bucket=asked.bucket, Key=key, **more)
        held = answer.get("Retention", {})
        until = held.get("RetainUntilDate")
        return {"mode": held.get("Mode", ""), "until": rfc3339(until) if until else None}

    return _asked(ask, RETENTION)


class _Hidden(NamedTuple):
    """A key that a delete marker hides, with the newest version that lies under it."""

    deleted: str
    key: str
    stored: str
    version: str
    size: int


class _Markers:
    """Reads versions page by page and keeps the newest copies that a delete marker hides."""

    def __init__(self, asked: Asked, wanted: Newest) -> None:
        self._asked = asked
        self._wanted = wanted
        self._newest: list[_Hidden] = []
        self._open: dict[str, str] = {}
        """Hidden keys whose version has not come by yet, to the time of the marker."""
        self._locking = False

    def fetch(self, mark: str | None) -> Page:
        """Pages of versions first (`v…`), then the locks of what was found (`r…`)."""
        if mark is None:
            if self._never():
                return Page([], None, 0)
            return self._versions("", "")
        if mark[0] == "v":
            key, _, version = mark[1:].rpartition("\x1f")
            return self._versions(key, version)
        at = int(mark[1:])
        hidden = self._newest[at]
        entry = {
            "key": hidden.key,
            "deleted": hidden.deleted,
            "stored": hidden.stored,
            "bytes": hidden.size,
            **(_retention(self._asked, hidden.key, hidden.version) if self._locking else {}),
        }
        return Page([entry], f"r{at + 1}" if at + 1 < len(self._newest) else None, 1)

    def _never(self) -> bool:
        """Whether nothing was ever kept as a version: listing them would be listing all again."""
        try:
            answer = self._asked.client.get_bucket_versioning(Bucket=self._asked.bucket)
        except Exception as error:
            if classify(error, "")[0] in _HOPELESS:
                raise
            return False
        return "Status" not in answer

    def _versions(self, key: str, version: str) -> Page:
        more: dict[str, Any] = {"KeyMarker": key} if key else {}
        if version:
            more["VersionIdMarker"] = version
        page: Answer = self._asked.client.list_object_versions(
            Bucket=self._asked.bucket, Prefix=self._asked.prefix, **more
        )
        expect(page, "IsTruncated")
        sent = self._see(page)
        if page["IsTruncated"]:
            following = f"v{page.get('NextKeyMarker', '')}\x1f{page.get('NextVersionIdMarker', '')}"
            return Page([], following, sent)
        self._newest.sort(reverse=True)
        self._locking = bool(self._newest) and _locks(self._asked)
        return Page([], "r0" if self._newest else None, sent)

    def _see(self, page: Answer) -> int:
        markers, versions = page.get("DeleteMarkers", []), page.get("Versions", [])
        for marker in markers:
            if marker.get("IsLatest") and self._wanted.takes(marker["Key"]):
                if len(self._open) >= _MOST_MARKERS:
                    self._open.clear()
                self._open[marker["Key"]] = rfc3339(marker["LastModified"])
        for found in versions:
            deleted = self._open.pop(found["Key"], None)
            if deleted is not None:
                stored = rfc3339(found["LastModified"])
                hidden = _Hidden(
                    deleted, found["Key"], stored, found.get("VersionId", ""), found["Size"]
                )
                put = heapq.heappushpop if len(self._newest) >= MOST_LOCKS else heapq.heappush
                put(self._newest, hidden)
        return len(markers) + len(versions)


def markers(asked: Asked) -> Fetch:
    """`markers`: copies that a delete marker hides (the newest), with the locks they still have."""
    if asked.newest is None:
        raise Problem(FailureKind.COMMAND_FAILED, "no place is named")
    return _Markers(asked, asked.newest).fetch
