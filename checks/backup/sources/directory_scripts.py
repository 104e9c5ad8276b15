"""The shell text of kind `directory`: POSIX sh that lists a folder and looks at its newest files.

Nothing is written on the host and no content leaves it: of a dump only its kind, its completion
mark and the exit code of the decompressor are told. Works with GNU, BusyBox and BSD tools.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

LOOKED_AT = 3
"""How many of the newest files are opened."""
_BIG_BLOCKS = 65_536
"""Compressed files of more than this many 512-byte blocks (32 MiB) are not decompressed."""
_UNFINISHED = ("{}", "{}.part", "{}.partial", "{}.tmp", "{}.filepart", ".{}.??????")

# Begins every listing of the folder `$d`: prints it, or says why it cannot be listed.
# The C locale: bytes are bytes; elsewhere some tools refuse what is no text.
ENTER = r"""
LC_ALL=C; export LC_ALL
if [ ! -e "$d" ]; then
  case $(ls -d -- "$d" 2>&1) in
    *[Pp]ermission*) echo "sauro:denied search permission on the folders above $d" >&2;;
    *) echo "no such file or directory: $d" >&2;;
  esac
  exit 66
fi
if [ -d "$d" ] && { [ ! -r "$d" ] || [ ! -x "$d" ]; }; then
  echo "sauro:denied read permission on the folder $d" >&2
  exit 77
fi
printf 'root\0%s\0' "$d"
"""

# Pairs of NUL-ended fields: `root` and the folder, then for each file `mtime ctime birth size
# inode` and its path. The last pair is `end` and find's exit code, so that an answer that broke off
# cannot pass for a short one.
_LIST = r"""
nl='
'
seek() { find -H "$d" -maxdepth DEPTH -name lost+found -prune -o -type f NAMES "$@"; }
if stat --printf '' / 2>/dev/null; then
  seek -exec stat --printf '%Y %Z %W %s %i\0%n\0' {} +
  rc=$?
else
  if stat -c %Y / >/dev/null 2>&1; then o=-c; f='%Y %Z 0 %s %i'; n="$nl%n"
  elif stat -f %m / >/dev/null 2>&1; then o=-f; f='%m %c %B %z %i'; n='%n%N'
  else echo "sauro:missing stat" >&2; exit 127
  fi
  exec 4>&1
  rc=$({ { seek ! -name "*$nl*" -exec stat "$o" "$f$n" {} +; echo $? >&3
    } | tr '\n' '\000' >&4; } 3>&1)
  seek -name "*$nl*" -exec sh -c '
    o=$1 f=$2; shift 2
    for x do printf "%s\000%s\000" "$(stat "$o" "$f" "$x")" "$x"; done' sh "$o" "$f" {} +
fi
printf 'end\0%s\0' "$rc"
"""

# Per file two NUL-ended fields: its path, and lines `key=value`.
_LOOK = r"""
for f do
  [ -f "$f" ] || continue
  printf '%s\000' "$f"
  if [ ! -r "$f" ]; then printf 'look=denied\n\000'; continue; fi
  magic=$(od -An -v -tx1 -N6 <"$f" | tr -d ' \n')
  case $magic in
    1f8b*) un='gzip -dc';;
    28b52ffd*) un='zstd -dcq';;
    fd377a585a00) un='xz -dc';;
    425a68*) un='bzip2 -dc';;
    *) un=cat;;
  esac
  if [ "$un" != cat ]; then
    if ! command -v "${un%% *}" >/dev/null 2>&1; then
      printf 'look=no_%s\n\000' "${un%% *}"; continue
    fi
    if [ -n "$(find "$f" -prune -size +BIG)" ]; then printf 'look=big\n\000'; continue; fi
    first=$($un <"$f" 2>/dev/null | head -c 1 | wc -c)
    [ "$first" -gt 0 ] || echo empty=1
  fi
  $un <"$f" 2>/dev/null | head -c 4096 | tr -cd '\n\040-\176' | sed -n \
    -e 's/^-- PostgreSQL database dump$/head=postgresql/p' \
    -e 's/^-- PostgreSQL database cluster dump$/head=postgresql_cluster/p' \
    -e 's/^-- MySQL dump .*/head=mysql/p' \
    -e 's/^-- MariaDB dump .*/head=mysql/p'
  if [ "$un" = cat ]; then tail -c 4096 "$f"; printf '\n@rc=0\n'
  else { $un <"$f" 2>/dev/null; printf '\n@rc=%s\n' "$?"; } | tail -c 4106
  fi | tr -cd '\n\040-\176' | sed -n \
    -e 's/^-- PostgreSQL database dump complete.*/mark=postgresql/p' \
    -e 's/^-- PostgreSQL database cluster dump complete.*/mark=postgresql_cluster/p' \
    -e 's/^-- Dump completed on \([-0-9: ]*\).*/mark=mysql\
completed=\1/p' \
    -e 's/^-- Dump completed$/mark=mysql/p' \
    -e 's/^@rc=\([0-9]*\)$/rc=\1/p'
  if [ "$($un <"$f" 2>/dev/null | head -c 262 | tail -c 5 | tr -d '\000')" = ustar ]; then
    if [ "$un" = cat ]; then tail -c 1024 "$f"; else $un <"$f" 2>/dev/null | tail -c 1024; fi |
      tr -d '\000' | wc -c | sed 's/^ */tar_rest=/'
  fi
  printf 'look=done\n\000'
done
"""

_NEWEST = r"""
if find -H "$d" -prune -printf '' 2>/dev/null && printf '' | sort -z 2>/dev/null; then
  find -H "$d" -maxdepth DEPTH -name lost+found -prune -o -type f NAMES \
    -printf '%T@ %p\0' 2>/dev/null | sort -z -r -n | head -z -n COUNT | cut -z -d ' ' -f 2- |
    xargs -0 -r sh -c "$look" sh
elif [ -f "$d" ]; then sh -c "$look" sh "$d"
else
  n=0
  ls -t "$d" | while IFS= read -r x; do
    case $x in $p) ;; *) continue;; esac
    [ -f "$d/$x" ] || continue
    sh -c "$look" sh "$d/$x"
    n=$((n + 1))
    [ "$n" -lt COUNT ] || break
  done
fi
printf 'end\0\0'
"""

_FOLDERS = r"""
find -H "$d" -maxdepth 3 -type f \( NAMES \) \
  -exec sh -c 'for f do printf "%s\000" "${f%/*}"; done' sh {} + |
  sort -z -u | xargs -0 -r sh -c "$look" sh
printf 'end\000%s\000' "$?"
"""


def listing(params: Mapping[str, str]) -> str:
    """The script that lists `path` (a folder or file) for names that fit `pattern`."""
    return assign(params) + ENTER + _filled(_LIST, params)


def looking(params: Mapping[str, str]) -> str:
    """The script that looks into the newest files of `path` that fit `pattern`."""
    look = "look=" + shlex.quote(_LOOK.replace("BIG", str(_BIG_BLOCKS))) + "\n"
    return assign(params) + look + ENTER + _filled(_NEWEST, params)


def folders(params: Mapping[str, str], names: Iterable[str], look: str) -> str:
    """The script that runs `look` on every folder below `path` that holds a file of these names."""
    wanted = " -o ".join("-name " + shlex.quote(name) for name in names)
    return (
        assign(params) + f"look={shlex.quote(look)}\n" + ENTER + _FOLDERS.replace("NAMES", wanted)
    )


def assign(params: Mapping[str, str]) -> str:
    """Shell text that sets `d` to the folder `path` and `p` to the pattern of names."""
    path = params["path"]
    home = path == "~" or path.startswith("~/")
    rest = shlex.quote(path[1:] if home else path if path[:1] in "/." else f"./{path}")
    pattern = shlex.quote(params.get("pattern") or "*")
    return f"d={'$HOME' if home else ''}{rest}\np={pattern}\n"


def _filled(script: str, params: Mapping[str, str]) -> str:
    pattern = params.get("pattern", "")
    names = " -o ".join("-name " + shlex.quote(form.format(pattern)) for form in _UNFINISHED)
    return (
        script.replace("DEPTH", "1" if pattern else "3")
        .replace("COUNT", str(LOOKED_AT))
        .replace("NAMES", f"\\( {names} \\)" if pattern else "")
    )
