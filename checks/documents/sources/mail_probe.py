"""Reading a mail log on a server: what runs there, and nothing is written or changed.

The answer has the form of packed files (`checks.files`). Where the host's grep can, only the lines
that the parser needs are sent, each with its number in the file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping

from checks.documents.sources import amavis, exchange, exim, postfix_lines, squid, zimbra
from checks.evidence import Probe, Source

LIMIT = 256 * 1024 * 1024
"""Bytes of one log, at most."""

_SYSLOG = "^[^ ]+( +[0-9]+ [0-9:]+)? [^ ]+ "
"""A stamp of either style and a host."""
NEEDED = {
    "postfix": _SYSLOG + postfix_lines.NEEDED.decode("ascii"),
    "amavis": _SYSLOG + amavis.NEEDED.decode("ascii"),
    "zimbra": zimbra.NEEDED,
    "exchange": exchange.NEEDED,
    "exim": exim.NEEDED,
    "squid": squid.needed(),
}
"""Which lines of each kind of log are sent, for `grep -E`."""

_SENDING = 1
"""Of the script: raised when other lines, or lines in another way, are sent of the same file."""
SENT_AS = hashlib.sha256(repr([_SENDING, sorted(NEEDED.items())]).encode()).hexdigest()[:12]
"""Tells apart answers that may differ although the log is the same."""

_GLOB = re.compile(r"[*?]|\[[!^]?[A-Za-z0-9-]+\]")

_BEGIN = re.compile(r"(\d{1,10}-\d{1,4}):(\d{1,18})")


def quoted_pattern(pattern: str) -> str:
    """A path for sh in which only `*`, `?` and `[a-z]` mean anything; all else is quoted."""
    parts: list[str] = []
    end = 0
    for found in _GLOB.finditer(pattern):
        literal = pattern[end : found.start()]
        parts += [shlex.quote(literal) if literal else "", found[0].replace("[^", "[!")]
        end = found.end()
    rest = pattern[end:]
    parts.append(shlex.quote(rest) if rest else "")
    return "".join(parts)


def _folder(pattern: str) -> str:
    """The last folder before any wildcard: the one that must be readable to find the files."""
    found = _GLOB.search(pattern)
    literal = pattern[: found.start()] if found else pattern
    return literal.rpartition("/")[0] or "/"


def mail_params(
    kind: str,
    path: str,
    since: dt.datetime | None = None,
    begins: Iterable[tuple[str, int]] = (),
) -> dict[str, str]:
    """The parameters of a request for one log.

    With `since` files that were last written before are only named, and of those whose first line
    has the checksum in `begins` the lines from that number on are sent.
    """
    params = {"path": path} if kind == "postfix" else {"path": path, "kind": kind}
    if since is not None:
        params["since"] = str(int(since.timestamp()))
        params["begins"] = " ".join(sorted(f"{head}:{line}" for head, line in begins))
    return params


def script(params: Mapping[str, str]) -> str:
    """The sh text for one path or pattern (`params["path"]`) of a log of `params["kind"]`.

    Raises:
        ValueError: `since` or `begins` are not of the form that `mail_params` gives them.
    """
    path = params["path"]
    path = path if path.startswith("/") else f"./{path}"
    return _SCRIPT.format(
        pattern=quoted_pattern(path),
        folder=shlex.quote(_folder(path)),
        shown=shlex.quote(path),
        needed=shlex.quote(NEEDED[params.get("kind", "postfix")]),
        limit=LIMIT,
        since=int(params.get("since", "0")),
        begins="".join(map(_begin, params.get("begins", "").split())),
    )


def _begin(said: str) -> str:
    """A branch of `case` in sh: the first line to be sent of a file with this checksum."""
    found = _BEGIN.fullmatch(said)
    if found is None:
        raise ValueError(f"begins: {said!r} is not a checksum and a line")
    return f"    {found[1]}) sauro_k={int(found[2])} ;;\n"


# Each file is read twice, first to know the size of what will be sent: nothing may be kept on the
# host. A log that grows in between is cut at the size it had; one that is rotated in between gives
# a length that does not fit, which the parser refuses. `grep` of a file without line ends would
# take memory for all of it, hence the limit on memory. Of a file that is sent from a later line on
# the lines before become empty ones, so that every line has the number it has in the file.
_SCRIPT = r"""LC_ALL=C; export LC_ALL
sauro_stop() {{ echo "sauro:$1" >&2; exit "$2"; }}
sauro_text() {{
  case $1 in
    *.gz) gzip -dc <"$1" 2>/dev/null ;;
    *.bz2) bzip2 -dc <"$1" 2>/dev/null ;;
    *.xz) xz -dc <"$1" 2>/dev/null ;;
    *.zst) zstd -dcq <"$1" 2>/dev/null ;;
    *) head -c "$2" <"$1" ;;
  esac
}}
sauro_from() {{
  if [ "$3" -gt 1 ]; then
    head -c "$(($3 - 1))" /dev/zero | tr '\0' '\n'
    sauro_text "$1" "$2" | tail -n "+$3"
  else
    sauro_text "$1" "$2"
  fi
}}
if printf 'x\n' | grep -anE 'x' >/dev/null 2>&1; then
  sauro_cut() {{
    sauro_from "$1" "$2" "$3" | head -c {limit} | (
      ulimit -v 1048576 2>/dev/null
      grep -anE {needed}
      [ $? -le 1 ]
    )
  }}
else
  sauro_cut() {{ sauro_from "$1" "$2" "$3" | head -c {limit}; }}
fi
sauro_say() {{
  sauro_name=$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')
  printf '{{"name":"%s","size":%d,"mtime":"%s","head":"%s"%s}}\n' "$sauro_name" "$2" "$3" "$4" "$5"
}}
sauro_whole() {{
  command -v "$1" >/dev/null 2>&1 || sauro_stop "missing $1" 127
  "$1" -t <"$2" 2>/dev/null || sauro_stop " damaged archive $2" 1
}}
sauro_seen=
for sauro_f in {pattern}; do
  [ -f "$sauro_f" ] || continue
  sauro_seen=1
  [ -r "$sauro_f" ] || sauro_stop "denied $sauro_f" 77
  case $sauro_f in *[[:cntrl:]]*) sauro_stop " a control character in a file name" 1 ;; esac
  sauro_t=$(date -u -r "$sauro_f" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null) ||
    sauro_stop "missing date -r" 127
  sauro_s=$(wc -c <"$sauro_f") || sauro_stop "denied $sauro_f" 77
  sauro_h=$(sauro_text "$sauro_f" "$sauro_s" | head -n 1 | head -c 1024 | cksum 2>/dev/null)
  sauro_h=${{sauro_h% *}}-${{sauro_h#* }}
  case $sauro_h in *[!0-9-]* | - | *-0) sauro_h= ;; esac
  if [ {since} -gt 0 ] && [ "$(date -r "$sauro_f" +%s)" -lt {since} ]; then
    sauro_say "$sauro_f" 0 "$sauro_t" "$sauro_h" ',"skipped":true'
    continue
  fi
  case $sauro_f in
    *.gz) sauro_whole gzip "$sauro_f" ;;
    *.bz2) sauro_whole bzip2 "$sauro_f" ;;
    *.xz) sauro_whole xz "$sauro_f" ;;
    *.zst) sauro_whole zstd "$sauro_f" ;;
  esac
  sauro_k=1
  case $sauro_h in
{begins}    *) ;;
  esac
  sauro_n=$(sauro_cut "$sauro_f" "$sauro_s" "$sauro_k" | wc -c)
  sauro_say "$sauro_f" "$sauro_n" "$sauro_t" "$sauro_h"
  sauro_cut "$sauro_f" "$sauro_s" "$sauro_k" || sauro_stop " $sauro_f could not be searched" 1
done
if [ -z "$sauro_seen" ]; then
  [ ! -e {folder} ] || {{ [ -r {folder} ] && [ -x {folder} ]; }} || sauro_stop "denied "{folder} 77
  sauro_stop " no file matches "{shown} 1
fi
"""

MAIL_LOG = Probe(
    id="documents.mail-log",
    title="the delivery lines of a mail log",
    source=Source.SHELL,
    script=script,
    timeout=90,
    limit=LIMIT,
    stream=True,
    sensitive=True,
)

PROXY_LOG = Probe(
    id="documents.proxy-log",
    title="the lines of a web proxy's log that name a file service",
    source=Source.SHELL,
    script=script,
    timeout=90,
    limit=LIMIT,
    stream=True,
    sensitive=True,
)
