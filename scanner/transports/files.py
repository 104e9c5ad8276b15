"""Files of the project folder: a path or pattern in, the packed files out (`checks.files`).

Nothing outside the folder is ever read, whatever a pattern or a symbolic link says; only regular
files are opened; `.gz` is unpacked as far as the limit allows. With `reduce: sha256` the answer
holds the digests of the files as they lie there instead of what is in them. With `absent: empty`
a pattern that nothing matches is an answer too.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import mmap
import os
import stat
import time
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, cast

from checks.evidence import Evidence, Failure, FailureKind, Request
from checks.files import header
from checks.texts import clean
from scanner.transports.base import Clock, SizeLimits
from scanner.transports.wire import Spool

MOST_FILES = 100_000
"""A pattern that matches more is a mistake."""

_CHUNK = 1 << 18


class _Problem(Exception):  # noqa: N818 - becomes a failure
    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(kind=kind, detail=clean(detail))


class FilesTransport:
    """Reads files of one project folder."""

    def __init__(self, project: Path, sizes: SizeLimits, clock: Clock) -> None:
        self._root = project.resolve()
        self._sizes = sizes
        self._clock = clock

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """One evidence per request; each fails for itself."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Evidence:
        began = time.monotonic()
        stdout, failure = b"", None
        try:
            stdout = self._read(request)
        except _Problem as problem:
            failure = problem.failure
        return Evidence(
            probe=request.probe,
            target=request.target,
            key=request.key,
            taken=self._clock(),
            seconds=time.monotonic() - began,
            stdout=stdout,
            exit=None if failure else 0,
            failure=failure,
        )

    def _read(self, request: Request) -> bytes:
        pattern = request.params.get("path", "")
        limit = request.limit or self._sizes.section_bytes
        if request.params.get("reduce") == "sha256":
            return self._digests(pattern, limit)
        spool = Spool()
        try:
            if_any = request.params.get("absent") == "empty"
            for path in self._found(pattern) if if_any else self._matches(pattern):
                self._add(spool, path, limit)
            data = spool.finish()
        finally:
            spool.close()
        if isinstance(data, mmap.mmap):
            # As everywhere, a view of a mapping passes as bytes only when it was asked for.
            return cast("bytes", memoryview(data)) if request.stream else data[:]
        return data

    def _digests(self, pattern: str, limit: int) -> bytes:
        """Each file with its digest in hex, or with nothing when it cannot be read.

        That no file matches is an answer here: whoever asks knows which names there should be.
        """
        parts = []
        for path in self._found(pattern):
            shown = _shown(path.relative_to(self._root))
            size, changed, digest = self._digest(path, shown, limit)
            limit -= size
            if limit < 0:
                detail = f"the files of {pattern} exceed the limit of what is read at once"
                raise _Problem(FailureKind.TRUNCATED, detail)
            parts += [header(shown, len(digest), changed), digest]
        return b"".join(parts)

    def _digest(self, path: Path, shown: str, limit: int) -> tuple[int, dt.datetime, bytes]:
        """Size, time of the last change and digest of a file; no digest when it is not read."""
        try:
            with self._open(path, shown) as file:
                found = os.fstat(file.fileno())
                changed = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
                if found.st_size > limit:
                    return found.st_size, changed, b""
                hasher = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    hasher.update(chunk)
                return found.st_size, changed, hasher.hexdigest().encode()
        except (OSError, _Problem):
            return 0, dt.datetime.fromtimestamp(0, dt.UTC), b""

    def _matches(self, pattern: str) -> list[Path]:
        """The files of a pattern, sorted by path; raises when there is none or one lies outside."""
        files = self._found(pattern)
        if not files:
            detail = f"no file matches {pattern} in the project folder"
            raise _Problem(FailureKind.COMMAND_FAILED, detail)
        return files

    def _found(self, pattern: str) -> list[Path]:
        """The files of a pattern, sorted by path; raises when one lies outside."""
        relative = self._relative(pattern)
        try:
            found = sorted(islice(self._root.glob(relative), MOST_FILES + 1))
        except (ValueError, NotImplementedError, OSError) as e:
            raise _Problem(FailureKind.NOT_DECLARED, f"{pattern!r} is no pattern: {e}") from e
        if len(found) > MOST_FILES:
            detail = f"more than {MOST_FILES} files match {pattern}"
            raise _Problem(FailureKind.TRUNCATED, detail)
        return [path for path in found if not path.is_dir()]

    def _relative(self, pattern: str) -> str:
        path = Path(pattern)
        if path.is_absolute() and path.is_relative_to(self._root):
            path = path.relative_to(self._root)
        if not pattern or path.is_absolute() or ".." in path.parts or "\0" in pattern:
            detail = f"the path {pattern!r} does not lie in the project folder"
            raise _Problem(FailureKind.DENIED, detail)
        return path.as_posix()

    def _add(self, spool: Spool, path: Path, limit: int) -> None:
        shown = _shown(path.relative_to(self._root))
        try:
            with self._open(path, shown) as file:
                changed = dt.datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, dt.UTC)
                body = self._body(file, shown, limit - spool.size)
        except OSError as e:
            detail = f"{shown} cannot be read: {e.strerror or e}"
            raise _Problem(FailureKind.DENIED, detail) from e
        spool.write(header(shown, body.size, changed))
        data = body.finish()
        for at in range(0, len(data), _CHUNK):
            spool.write(data[at : at + _CHUNK])

    def _open(self, path: Path, shown: str) -> IO[bytes]:
        real = path.resolve()
        if not real.is_relative_to(self._root):
            detail = f"{shown} is a link that leads out of the project folder"
            raise _Problem(FailureKind.DENIED, detail)
        # Without O_NONBLOCK a named pipe would wait for a writer for ever.
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise _Problem(FailureKind.DENIED, f"{shown} is not a regular file")
        return os.fdopen(handle, "rb")

    def _body(self, file: IO[bytes], shown: str, room: int) -> Spool:
        body = Spool()
        try:
            for chunk in _chunks(file, packed=shown.endswith(".gz")):
                body.write(chunk)
                if body.size > room:
                    break
        except (gzip.BadGzipFile, EOFError, zlib.error) as e:
            body.close()
            detail = f"{shown} is not a whole gzip file: {e}"
            raise _Problem(FailureKind.UNPARSABLE, detail) from e
        if body.size > room:
            body.close()
            detail = f"{shown} exceeds the limit of what is read at once"
            raise _Problem(FailureKind.TRUNCATED, detail)
        return body


def _shown(path: Path) -> str:
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _chunks(file: IO[bytes], *, packed: bool) -> Iterator[bytes]:
    source = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
    while chunk := source.read(_CHUNK):
        yield chunk
