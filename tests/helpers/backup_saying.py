"""One run of a backup, and the forms in which its tools answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from checks.evidence import FILES, Evidence, Probe
from checks.files import FileEntry, pack
from checks.probes.host import CLOCK
from tests.helpers.backup_series import NOW

HANOI = dt.timezone(dt.timedelta(hours=7))
LASTS = dt.timedelta(minutes=10)
ARN = "arn:aws:rds:ap-southeast-1:123456789012:db:one"
ARNS = "arn:aws:backup:ap-southeast-1:123456789012"


class Run(NamedTuple):
    """One run of a backup. Its copy weighs `size` kilobytes unless it `failed`."""

    start: dt.datetime
    size: int = 1000
    failed: bool = False

    @property
    def wall(self) -> str:
        """The start by a clock in Hà Nội, without a zone."""
        return f"{self.start.astimezone(HANOI):%Y-%m-%d %H:%M:%S}"

    @property
    def day(self) -> str:
        """Its date, which says only roughly when it was."""
        return f"{self.start:%Y-%m-%d}"

    @property
    def end(self) -> dt.datetime:
        """When it was over."""
        return self.start + LASTS


def answer(probe: Probe, stdout: bytes, stderr: bytes = b"", target: str = "h") -> Evidence:
    """What a listing that worked brings back."""
    said = stderr + b"sauro-exit 0\n"
    return Evidence(probe=probe.id, target=target, key="", taken=NOW, stdout=stdout, stderr=said)


def as_json(found: object) -> bytes:
    """A tool's JSON."""
    return json.dumps(found).encode()


def lines(found: Sequence[Mapping[str, Any]]) -> bytes:
    """The lines of the S3 transport, the last of which ends the listing."""
    end = {"total": len(found), "bytes": 0, "pages": 1, "capped": ""}
    return b"".join(as_json(line) + b"\n" for line in (*found, end))


def exported(probe: Probe, *tables: tuple[str, bytes]) -> list[Evidence]:
    """Files of the project folder, written now."""
    body = pack(FileEntry(name=name, mtime=NOW, data=data) for name, data in tables)
    return [Evidence(probe=probe.id, target=FILES, key="", taken=NOW, stdout=body)]


def clock() -> Evidence:
    """A host in Hà Nội whose clock is right."""
    text = f"epoch={NOW.timestamp():.1f}\noffset=+0700\ntz=Asia/Ho_Chi_Minh\n"
    return answer(CLOCK, text.encode())


def listed(root: str, files: Sequence[tuple[str, dt.datetime, int]]) -> bytes:
    """The answer about a folder's files: name, time, bytes."""
    fields = ["root", root]
    for n, (name, time, size) in enumerate(files):
        stamp = int(time.timestamp())
        fields += [f"{stamp} {stamp} 0 {size} {n + 1}", f"{root}/{name}"]
    return "\0".join([*fields, "end", "0", ""]).encode()


def folders(root: str, found: Sequence[tuple[str, Mapping[str, object]]]) -> bytes:
    """The answer about folders that are copies, with what was told of each."""
    fields = ["root", root]
    for name, values in found:
        fields += [f"{root}/{name}", "".join(f"{k}={v}\n" for k, v in values.items())]
    return "\0".join([*fields, "end", "0", ""]).encode()
