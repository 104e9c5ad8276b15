"""Many probes to one POSIX `sh` script, and one answer back to many evidences; pure.

The script is sent to `sh -s` over standard input and writes nothing on the host. Every probe runs
in a shell of its own, under its own time limit, and each of its two streams stands between markers
that carry a random nonce. `head -c` bounds both where they arise, so that a flood ends there (the
producer gets SIGPIPE) and never crosses the wire.

Both streams of a section travel on standard output, the error stream behind the other (only NUL
bytes of it are lost in the shell), and a last `head -c` gathers the many small writes: the answer
leaves as one piece, where a second small write would wait a round trip for Nagle's algorithm.
"""

from __future__ import annotations

import datetime as dt
import mmap
import re
import shlex
from typing import cast

import msgspec

from checks.evidence import Evidence, Failure, FailureKind, Request, Source
from scanner.shell_words import by_exit, fail, own_words

Buffer = bytes | bytearray | mmap.mmap
"""What an answer may lie in."""

STDERR_BYTES = 8192
"""What is kept of a section's standard error."""

COMMAND = "sh -s"
"""All that the login shell is asked to run, so that any login shell will do."""

NOISE_ERRORS = 65536
"""The most that a login shell may say beside the answer, in bytes."""

_MARKER_ROOM = 256
_NOISE_BYTES = 65536
"""Room for what a login shell prints before the script starts."""

quote = shlex.quote
"""Quote a value for a probe's script."""


class Armed(Request, frozen=True, kw_only=True):
    """A request in transit with what its secrets lead to: variables of the script's environment.

    They are set in the shell that reads the script, so that they stand in no argument.
    """

    variables: dict[str, str] = {}

    def __repr__(self) -> str:
        """Never shows a value."""
        return f"Armed({self.probe!r}, {sorted(self.variables)})"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of one visit and its limits; `nonce` is 128 random bits in hexadecimal."""

    requests: tuple[Request, ...]
    nonce: str
    seconds: float
    """How long all sections together may take on the host."""
    section_bytes: int
    host_bytes: int

    def limit(self, request: Request) -> int:
        """The most bytes of standard output that a request's answer may have."""
        asked = request.limit or self.section_bytes
        return asked if request.stream else min(asked, self.host_bytes)

    @property
    def stdout_bytes(self) -> int:
        """The most bytes of standard output that the whole visit may bring."""
        streams = sum(self.limit(r) for r in self.requests if r.stream)
        room = _NOISE_BYTES + (2 * _MARKER_ROOM + STDERR_BYTES) * (len(self.requests) + 1)
        plain = sum(self.limit(r) for r in self.requests if not r.stream)
        return streams + min(plain, self.host_bytes) + room

    @property
    def marker(self) -> bytes:
        """What starts every marker."""
        return b"sauro:" + self.nonce.encode()

    @property
    def end(self) -> bytes:
        """The start of the last marker."""
        return self.marker + b" end "


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport received. `seconds` ran from sending the script until `taken`."""

    stdout: Buffer
    stderr: bytes
    """What the login shell said beside the answer."""
    taken: dt.datetime
    seconds: float
    exit: int | None = None
    cause: Failure | None = None
    """Why the transport stopped reading before the end, if it did."""


# -------------------------------------------------------------------------------------- composing

# Functions only, called on the last line: a script that arrives cut runs nothing at all.
# File descriptors: 4 is the answer, 6 carries the error stream past `head`, 5 the section's output
# past the pipe of its errors. The exit code ends the error stream. A fork costs the host half a
# millisecond and a program one, so the frame has as few of both as it can.
_FRAME = """\
main() {
m=@MARKER@
nl='
'
SAURO_TZ=${TZ-}; TZ=UTC; export SAURO_TZ TZ
LC_ALL=C.UTF-8
if ! [ -d /usr/lib/locale/C.utf8 ]; then
case "$(LC_ALL=C.UTF-8 locale charmap 2>/dev/null)" in
UTF-8|utf-8|'') ;;
*) LC_ALL=C ;;
esac
fi
export LC_ALL; unset LANGUAGE
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
if [ -r /proc/uptime ]; then now() { read -r n rest </proc/uptime; }
else now() { n=$(date +%s); }; fi
case "$(timeout --help 2>&1 </dev/null)" in
*kill-after*) run() { timeout -s KILL "$1" sh -c "$2"; } ;;
*) run() {
if command -v setsid >/dev/null 2>&1; then setsid sh -c "$2" & else set -m; sh -c "$2" & set +m; fi
p=$!
( trap 'kill -KILL "$!"; exit 0' TERM; sleep "$1" & wait "$!"; kill -KILL "-$p" || kill -KILL "$p"
) >/dev/null 2>&1 &
w=$!
wait "$p" 2>/dev/null; c=$?
kill -TERM "$w" 2>/dev/null; wait "$w" 2>/dev/null
return "$c"
} ;;
esac
sec() {
now; b=$n; t=$2; l=$((end - ${n%%.*})); [ "$l" -ge "$t" ] || t=$l
printf '%s open %s\\n' "$m" "$1"
x="$m exit skipped"
[ "$t" -le 0 ] || x=$({ { {
run "$t" "$4" </dev/null 4>&- 5>&- 6>&-; printf '%s exit %s\\n' "$m" "$?" >&2
} 2>&1 >&5 | head -c @STDERR@ >&6; } 5>&1 | head -c "$3" >&4; } 6>&1)
now
printf '%s close %s %s %s %s\\n' "$m" "$1" "$t" "$b" "$n"
printf '%s\\n%s errors %s\\n' "$x" "$m" "$1"
}
now; end=$((${n%%.*} + @SECONDS@))
@SECTIONS@
now; printf '%s end %s\\n' "$m" "$n"
}
all() {
renice -n 10 -p $$ >/dev/null 2>&1 </dev/null
main 4>&1 | head -c @STDOUT@
exit 0
}
all
"""


def compose(batch: Batch) -> bytes:
    """The script of a visit; small answers come first, streamed ones last."""
    sections = [
        _with_variables(
            r, f"sec {i} {max(1, round(r.timeout))} {batch.limit(r) + 1} {quote(r.script)}"
        )
        for i, r in _ordered(batch)
    ]
    filled = {
        "@MARKER@": batch.marker.decode(),
        "@STDERR@": str(STDERR_BYTES + _MARKER_ROOM),
        "@SECONDS@": str(max(1, int(batch.seconds))),
        "@STDOUT@": str(batch.stdout_bytes),
        "@SECTIONS@": "\n".join(sections),
    }
    return re.sub(r"@[A-Z]+@", lambda found: filled[found[0]], _FRAME).encode()


def _with_variables(request: Request, section: str) -> str:
    if not isinstance(request, Armed) or not request.variables:
        return section
    names = " ".join(request.variables)
    given = "; ".join(f"{name}={quote(value)}" for name, value in request.variables.items())
    return f"{given}; export {names}\n{section}\nunset {names}"


def shown(request: Request) -> str:
    """What a request runs or reads, for people."""
    if request.source is Source.SHELL:
        return request.script.strip()
    said = " ".join(f"{k}={quote(v)}" for k, v in sorted(request.params.items()))
    return f"{request.source.value}: {said}".rstrip()


def _ordered(batch: Batch) -> list[tuple[int, Request]]:
    return sorted(enumerate(batch.requests), key=lambda pair: pair[1].stream)


# -------------------------------------------------------------------------------------- splitting


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    start: int
    stop: int
    stderr: bytes
    code: str
    allowed: float
    began: float
    ended: float


def split(batch: Batch, answer: Answer) -> list[Evidence]:
    """Exactly one evidence per request, in the order of the requests."""
    found = _sections(batch, answer.stdout)
    total = _total(batch, answer.stdout)
    missing = answer.cause or _nothing(batch, answer)
    evidence = []
    for i, request in enumerate(batch.requests):
        section = found.get(i)
        if section is None:
            said = missing or _cut(request)
            evidence.append(_failed(request, answer.taken, said))
        else:
            taken, seconds = _placed(section, total, answer)
            raw = _Raw(section, taken, seconds)
            evidence.append(_read(batch, request, answer.stdout, raw))
    return evidence


class _Raw(msgspec.Struct, frozen=True):
    section: _Section
    taken: dt.datetime
    seconds: float


def _sections(batch: Batch, data: Buffer) -> dict[int, _Section]:
    """The sections that arrived whole: output, closing marker and error stream."""
    found: dict[int, _Section] = {}
    at = 0
    for i, _ in _ordered(batch):
        opening = b"%s open %d\n" % (batch.marker, i)
        start = data.find(opening, at)
        if start < 0:
            continue
        at = start = start + len(opening)
        closing = b"%s close %d " % (batch.marker, i)
        stop = data.find(closing, start)
        line = bytes(data[stop : stop + _MARKER_ROOM]).partition(b"\n")[0]
        said = line[len(closing) :].decode("ascii", "replace").split()
        behind = stop + len(line) + 1
        after = data.find(b"\n%s errors %d\n" % (batch.marker, i), behind)
        if stop < 0 or after < 0 or len(said) != 3:
            continue
        allowed, began, ended = (_number(word) for word in said)
        stderr, code = _exit(batch, bytes(data[behind:after]))
        found[i] = _Section(
            start=start,
            stop=stop,
            stderr=stderr[:STDERR_BYTES],
            code=code,
            allowed=allowed,
            began=began,
            ended=ended,
        )
        at = after
    return found


def _exit(batch: Batch, errors: bytes) -> tuple[bytes, str]:
    """The error stream without the line that says the exit code, and the code.

    What the probe left running may write behind that line; after a flood there is none.
    """
    said, found, rest = errors.partition(batch.marker + b" exit ")
    code, _, late = rest.partition(b"\n")
    return said + late, code.decode("ascii", "replace") if found else ""


def _total(batch: Batch, data: Buffer) -> float:
    at = data.rfind(batch.end)
    line = bytes(data[at : at + _MARKER_ROOM]).partition(b"\n")[0] if at >= 0 else b""
    return _number(line[len(batch.end) :].decode("ascii", "replace"))


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text) else -1.0


def _placed(section: _Section, total: float, answer: Answer) -> tuple[dt.datetime, float]:
    """When a section ended at the latest by the scanner's clock, and the length of its window.

    The host says how far before the batch's end the section ended, so that a clock read early in a
    long batch is not taken for a late one. What the host says is believed only within the time
    that the answer really took.
    """
    after = total - section.ended
    before = answer.seconds - (total - section.began)
    if min(total, section.began, section.ended) < 0 or section.ended < section.began:
        return answer.taken, answer.seconds
    if after < 0 or before < -1.0:
        return answer.taken, answer.seconds
    # Each reading of the host's timer is cut to 0.01 s, or to 1 s where there is no /proc/uptime.
    grain = 0.01 if total % 1 or section.began % 1 or section.ended % 1 else 1.0
    after = min(answer.seconds, max(0.0, after - grain))
    slack = max(0.0, answer.seconds - (total - section.began)) + grain
    window = min(answer.seconds - after, section.ended - section.began + slack)
    return answer.taken - dt.timedelta(seconds=after), max(0.0, window)


def _read(batch: Batch, request: Request, data: Buffer, raw: _Raw) -> Evidence:
    section = raw.section
    code = int(section.code) if re.fullmatch(r"[0-9]{1,3}", section.code) else None
    failure = _judge(request, section, code, batch.limit(request))
    kept = failure is None or failure.kind is FailureKind.COMMAND_FAILED
    return Evidence(
        probe=request.probe,
        target=request.target,
        key=request.key,
        taken=raw.taken,
        seconds=raw.seconds,
        stdout=_slice(data, section.start, section.stop, request.stream) if kept else b"",
        stderr=section.stderr,
        exit=code,
        failure=failure,
    )


def _slice(data: Buffer, start: int, stop: int, stream: bool) -> bytes:
    if stream and isinstance(data, mmap.mmap):
        # The one place where a view passes as bytes: see `Evidence`.
        return cast("bytes", memoryview(data)[start:stop])
    return bytes(data[start:stop])


# ---------------------------------------------------------------------------------------- failures


def _judge(request: Request, section: _Section, code: int | None, limit: int) -> Failure | None:
    said = section.stderr.decode("utf-8", "replace")
    failure = own_words(said)
    if failure is not None:
        return failure
    if section.code == "skipped":
        return fail(FailureKind.TIMEOUT, f"no time was left for {request.probe} in this visit")
    if section.stop - section.start > limit:
        return fail(FailureKind.TRUNCATED, f"{request.probe} answered more than {limit} bytes")
    if len(section.stderr) >= STDERR_BYTES:
        return fail(FailureKind.TRUNCATED, f"{request.probe} wrote more errors than can be read")
    grain = 0.05 if section.began % 1 or section.ended % 1 else 1.0
    spent = section.ended - section.began
    if code in (124, 137, 143) and spent >= section.allowed - grain:
        return fail(FailureKind.TIMEOUT, f"{request.probe} took longer than {section.allowed:g} s")
    return by_exit(code, said)


def _nothing(batch: Batch, answer: Answer) -> Failure | None:
    """What to say when the script never started: a forced command, `nologin`, a menu."""
    if answer.stdout.find(batch.marker) >= 0:
        return None
    came = bytes(answer.stderr[:400]).strip() + b" " + bytes(answer.stdout[:400]).strip()
    text = came.decode("utf-8", "replace").strip()
    ended = "" if answer.exit is None else f" (exit code {answer.exit})"
    said = f"it answered: {text}" if text else "it answered nothing"
    return fail(FailureKind.COMMAND_FAILED, f"the account did not run `{COMMAND}`{ended}; {said}")


def _cut(request: Request) -> Failure:
    return fail(FailureKind.TRUNCATED, f"the answer of {request.probe} has no end")


def _failed(request: Request, taken: dt.datetime, failure: Failure) -> Evidence:
    return Evidence(
        probe=request.probe, target=request.target, key=request.key, taken=taken, failure=failure
    )
