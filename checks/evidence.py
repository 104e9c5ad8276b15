"""What is asked of a target and what comes back: requests, evidence, and why there may be none.

A *probe* is a template of requests; an *evidence* is the answer to one, or the typed failure in its
place. Nothing here does anything; `scanner` collects.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cached_property

import msgspec

FILES = "files"
"""Target id of evidence that is read from the project folder."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values of this vocabulary."""


class FailureKind(StrEnum):
    """Why evidence is missing; part of the public contract."""

    UNREACHABLE = "unreachable"
    HOST_KEY = "host_key"
    AUTH = "auth"
    DENIED = "denied"
    MISSING_TOOL = "missing_tool"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    COMMAND_FAILED = "command_failed"
    UNPARSABLE = "unparsable"
    NOT_DECLARED = "not_declared"
    STALE = "stale"


class Failure(Value, frozen=True):
    """Why something could not be seen; `detail` names the right, tool, route or key that lacks."""

    kind: FailureKind
    detail: str


class Unparsable(Exception):  # noqa: N818 - a word of the architecture
    """The evidence is there but says nothing that can be trusted; becomes `unknown`.

    A tool that says in its answer why it could not look (a password, a right, a repository) gives
    the `kind` of that.
    """

    def __init__(self, detail: str, kind: FailureKind = FailureKind.UNPARSABLE) -> None:
        super().__init__(detail)
        self.kind = kind


class AskWhole(Unparsable):
    """What was asked from where an earlier scan stopped does not fit what it remembers.

    The engine then asks the fact's plain requests, in the same scan; nothing is judged before.
    """


class NotDeclared(Exception):  # noqa: N818 - a word of the architecture
    """The inventory does not say where to look; becomes `unknown` with kind `not_declared`."""


class Source(StrEnum):
    """Which kind of transport answers a request."""

    SHELL = "shell"
    S3 = "s3"
    FILES = "files"


class Need(StrEnum):
    """What happens to a case when the evidence of one of its requests is missing."""

    REQUIRED = "required"
    """The check is not called; the row is unknown."""
    MEMBER = "member"
    """One of several equals: the check sees the others, may fail, but cannot pass."""
    OPTIONAL = "optional"
    """The fact's parser copes without."""


class Request(Value, frozen=True, dict=True):
    """One thing to run or read on one target, complete in itself: no catalogue is needed to run it.

    `script` is POSIX sh text for `Source.SHELL`, all values in it already quoted. For the other
    sources `params` say everything. `limit` is in bytes; 0 means the section limit of the settings.
    """

    probe: str
    target: str
    source: Source
    params: dict[str, str] = {}
    script: str = ""
    timeout: float = 20.0
    limit: int = 0
    stream: bool = False
    """Spool to disk instead of memory; `Evidence.stdout` is then a view of the mapped file."""
    sensitive: bool = False
    """Only the digest of the output is stored."""
    secrets: dict[str, str] = {}
    """Environment variable of the script to a reference (`env:`, `file:`, `command:`), resolved by
    the transport and sent only over standard input; never part of the key, the log, the evidence.
    """
    sudo: tuple[str, ...] = ()
    """Account, then the program with its fixed arguments that the script runs by `sudo -n -u`."""
    need: Need = Need.REQUIRED

    @cached_property
    def key(self) -> str:
        """Identity within a target: equal keys are asked once."""
        if not self.params:
            return self.probe
        parts = (f"{k}={_escaped(v)}" for k, v in sorted(self.params.items()))
        return f"{self.probe}?{'&'.join(parts)}"


def _escaped(value: str) -> str:
    # Enough to tell any two requests apart; urlencode took a tenth of a scan's judging.
    return value.replace("%", "%25").replace("&", "%26") if "%" in value or "&" in value else value


class Probe(Value, frozen=True):
    """A template of requests. `title` is the line that `sauro probes` shows."""

    id: str
    title: str
    source: Source = Source.SHELL
    script: Callable[[Mapping[str, str]], str] | None = None
    timeout: float = 20.0
    limit: int = 0
    stream: bool = False
    sensitive: bool = False

    def request(self, target: str, need: Need = Need.REQUIRED, **params: str) -> Request:
        """Fill the template for one target."""
        return Request(
            probe=self.id,
            target=target,
            source=self.source,
            params=params,
            script=self.script(params) if self.script else "",
            timeout=self.timeout,
            limit=self.limit,
            stream=self.stream,
            sensitive=self.sensitive,
            need=need,
        )


class Evidence(Value, frozen=True, dict=True):
    """What one request brought: raw output, or the failure that stands in its place.

    The one serialised form for transports, fixtures, bundles and the store. `taken` is the
    scanner's clock (UTC) when the answer was complete; `seconds` is how long it took. For streamed
    requests `stdout` may be a memoryview of a mapped file, which every bytes pattern accepts.
    """

    probe: str
    target: str
    key: str
    taken: dt.datetime
    stdout: bytes = b""
    stderr: bytes = b""
    exit: int | None = None
    failure: Failure | None = None
    seconds: float = 0.0

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the standard output."""
        return hashlib.sha256(self.stdout).hexdigest()


class Answers:
    """The evidence of one fact of one subject, looked up by probe id."""

    def __init__(self, evidence: Iterable[Evidence]) -> None:
        self._all = tuple(evidence)

    @property
    def given(self) -> tuple[Evidence, ...]:
        """Every answer, failures included, in the order given."""
        return self._all

    def all(self, probe: str) -> tuple[Evidence, ...]:
        """Every answer of a probe that is there, failures left out."""
        return tuple(e for e in self._all if e.probe == probe and e.failure is None)

    def get(self, probe: str) -> Evidence | None:
        """The first answer of a probe, or None when it failed or was not asked."""
        found = self.all(probe)
        return found[0] if found else None

    def one(self, probe: str) -> Evidence:
        """The answer of a required probe."""
        found = self.get(probe)
        if found is None:
            raise Unparsable(f"no answer of {probe}")
        return found

    def failures(self) -> tuple[Evidence, ...]:
        """Every answer that is a failure."""
        return tuple(e for e in self._all if e.failure is not None)
