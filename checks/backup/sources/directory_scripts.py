"""The shell text of kind `directory`: POSIX sh that lists a folder and looks at its newest files.

Nothing is written on the host and no content leaves it: of a dump only its kind, its completion
mark and the exit code of the decompressor are told. Works with GNU, BusyBox and BSD tools.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from functools import lru_cache

LOOKED_AT = 3
"""How many of the newest files are opened."""
_BIG = 33_554_432
"""Compressed files of more than this many bytes (32 MiB) are not decompressed."""
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
# inode` and its path. `place` is what df says, `below` whether the device is encrypted (the kernel
# tells it everybody). The last pair is `end` and find's exit code, so that an answer that broke off
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
fs=$(df -PT "$d" 2>/dev/null) || fs=$(df -P "$d" 2>/dev/null)
dev=${fs##*"$nl"} dev=${dev%% *} below=
crypt() {
  for u do
    { read -r x <"$u"; } 2>/dev/null || return 1
    case $x in CRYPT-LUKS*|CRYPT-PLAIN*|CRYPT-BITLK*|CRYPT-TCRYPT*) ;; *) return 1;; esac
  done
}
case $dev in /dev/mapper/*)
  for s in /sys/class/block/dm-*; do
    { read -r x <"$s/dm/name"; } 2>/dev/null && [ "/dev/mapper/$x" = "$dev" ] || continue
    if crypt "$s/dm/uuid" || crypt "$s"/slaves/*/dm/uuid; then below=crypt; fi
  done
esac
printf 'place\0%s\0below\0%s\0end\0%s\0' "$fs" "$below" "$rc"
"""

# The newest files, newest first: `time size path`. GNU find tells it by itself, elsewhere stat
# does. A name with a line break is left out here, and said to be unread by the reader.
_NEWEST = r"""
nl='
'
seek() {
  find -H "$d" -maxdepth DEPTH -name lost+found -prune -o -type f NAMES ! -name "*$nl*" "$@"
}
newest() {
  seek -printf '%T@ %s %p\n' && return
  if stat -c %Y / >/dev/null 2>&1; then seek -exec stat -c '%Y %s %n' {} +
  else seek -exec stat -f '%m %z %N' {} +
  fi
}
"""

# Every process costs the host about a millisecond, so a file is unpacked once, into its first and
# its last bytes, and one `tr` and one `awk` read those of all files. What stands between two lines
# that begin with the word `$n`, which no file can know, is of one file.
_LOOK = r"""
{ read -r n </proc/sys/kernel/random/uuid; } 2>/dev/null ||
  n=$(od -An -v -tx1 -N16 /dev/urandom | tr -d ' \n')
named() { case $f in
  *.gz|*.tgz) un='gzip -dc';; *.zst|*.tzst) un='zstd -dcq';;
  *.bz2|*.tbz|*.tbz2) un='bzip2 -dc';; *) un=;;
esac; }
# Begins of packed and of encrypted files: OpenPGP to a key (84, 85, c1) or a password (8c, c3),
# openssl, LUKS; 7z says in its end whether even its list of names is encrypted.
starts() {
  IFS=; hex="$*"; unset IFS
  un= cipher= id='????????????????[01][0129]'
  case $hex in
    1f8b*) un='gzip -dc';; 28b52ffd*) un='zstd -dcq';; fd377a585a00*) un='xz -dc';;
    425a68*) un='bzip2 -dc';;
    84??03$id*|85????03$id*|c1??03$id*|c1????03$id*) cipher=openpgp;;
    8c??040[1-9a-d]0[0134]*|c3??040[1-9a-d]0[0134]*|c3??0[56]*) cipher=openpgp;;
    53616c7465645f5f*) cipher=openssl;; 4c554b53babe*) cipher=luks;;
    377abcaf271c*)
      case $(tail -c 512 "$f" | od -An -v -tx1 | tr -d ' \n') in *06f10701*) cipher=7z;; esac;;
  esac
}
magic() { starts $(od -An -v -tx1 -N16 <"$f"); }
there() { command -v "${un%% *}" >/dev/null 2>&1; }
# dd takes no byte more than it passes on, so that tail goes on behind it.
first() { dd ibs=256 obs=4096 count=16 2>/dev/null; }
plain() {
  [ -z "$cipher" ] || printf '%s cipher %s\n' "$n" "$cipher"
  if [ "$size" -le 8192 ]; then head -c 8192 "$f"; else first <"$f"; tail -c 4096 "$f"; fi
  printf '\n%s raw   0\n' "$n"
}
unpack() {
  $un <"$f" 2>/dev/null; rc=$? was=$un
  [ "$rc" = 0 ] || magic
  if [ -n "$un" ] && [ "$un" != "$was" ] && there; then
    $un <"$f" 2>/dev/null; rc=$? was=$un
  fi
  if [ -z "$un" ]; then printf '\n%s plain\n' "$n"; plain
  elif [ "$un" != "$was" ]; then printf '\n%s look other\n' "$n"
  else printf '\n%s rc %3d\n' "$n" "$rc"
  fi
}
# A name is believed until its tool refuses (the xz of BusyBox never does); only then, or without
# such a name, is the file's beginning asked.
look() {
  printf '%s file\n' "$n"
  if [ ! -r "$f" ]; then echo "$n look denied"; return; fi
  named
  cipher=
  if [ -z "$un" ] || ! there || [ "$size" -gt BIG ]; then magic; fi
  if [ -z "$un" ]; then plain
  elif ! there; then echo "$n look no_${un%% *}"
  elif [ "$size" -gt BIG ]; then echo "$n look big"
  else echo "$n packed"; unpack | (first; exec tail -c 4141)
  fi
}
told() {
  tr '\000\001-\011\013-\037\177-\377' '\002\001' | awk -v n="$n" '
function head(line) {
  if (line == "-- PostgreSQL database dump") print "head=postgresql"
  if (line == "-- PostgreSQL database cluster dump") print "head=postgresql_cluster"
  if (line ~ /^-- (MySQL|MariaDB) dump /) print "head=mysql"
}
function cipher(lines, k, i) {
  if (text ~ /^(Salted__|U2FsdGVkX1)/) print "cipher=openssl"
  if (text ~ /^(age-encryption.org.v1|-----BEGIN AGE ENCRYPTED FILE-----)/) print "cipher=age"
  if (text ~ /^.ANSIBLE_VAULT;/) print "cipher=ansible-vault"
  if (text ~ /^-----BEGIN PGP MESSAGE-----/) {
    for (i = 2; i < k && lines[i] != ""; i++) { }
    if (lines[i + 1] ~ /^(hF4D|hQ[A-Q][MO]A|jA0E|wV4D|wc[A-D][A-Z]|ww0E)/) print "cipher=openpgp"
  }
  if (text ~ /^(PGDMP|SQLite format 3)/) print "readable=1"
}
function mark(line) {
  if (line ~ /^-- PostgreSQL database dump complete/) print "mark=postgresql"
  if (line ~ /^-- PostgreSQL database cluster dump complete/) print "mark=postgresql_cluster"
  if (line ~ /^-- Dump completed( on .*)?$/) print "mark=mysql"
  if (sub(/^-- Dump completed on /, "", line)) {
    sub(/[^-0-9: ].*/, "", line); print "completed=" line
  }
}
function tell(rc, lines, i, k) {
  if (packed && text == "") print "empty=1"
  if (packed) print "packed=1"
  k = split(substr(text, 1, 4096), lines, "\n")
  for (i = 1; i <= k; i++) { gsub(/[\001\002]/, "", lines[i]); head(lines[i]) }
  cipher(lines, k)
  i = length(text) - 4095
  k = split(i > 0 ? substr(text, i) : text, lines, "\n")
  for (i = 1; i <= k; i++) { gsub(/[\001\002]/, "", lines[i]); mark(lines[i]) }
  if (substr(text, 258, 5) == "ustar") {
    i = length(text) - 1023
    text = i > 0 ? substr(text, i) : text
    gsub(/\002/, "", text)
    print "tar_rest=" length(text)
  }
  print "rc=" rc + 0
  print "look=done"
}
index($0, n) != 1 { text = more++ ? text "\n" $0 : $0; next }
$2 == "file" { print "file"; packed = 0 }
$2 == "packed" { packed = 1 }
$2 == "look" { print "look=" $3 }
$2 == "plain" { packed = 0 }
$2 == "cipher" { print "cipher=" $3 }
$2 == "rc" { tell($3) }
$2 == "raw" { if (packed) print "look=other"; else tell(0) }
{ text = ""; more = 0 }'
}
"""

# Pairs of NUL-ended fields: `root` and the folder, `file` and a path for each file that is looked
# at, then `marks` and what all of them told: lines `key=value`, each file's behind a line `file`.
_LOOKING = r"""
newest 2>/dev/null | sort -rn 2>/dev/null | {
  set --
  while [ $# -lt COUNT ] && IFS= read -r x; do
    x=${x#* } size=${x%% *} f=${x#* }
    # A folder that could be read in part only was gone through twice.
    [ -f "$f" ] && [ "$f" != "$last" ] || continue
    last=$f
    set -- "$@" "$size" "$f"
    printf 'file\0%s\0' "$f"
  done
  printf 'marks\0'
  while [ $# -gt 0 ]; do size=$1 f=$2; shift 2; look; done | told
  printf '\0'
}
printf 'end\0\0'
"""

_FOLDERS = r"""
find -H "$d" -maxdepth 3 -type f \( NAMES \) \
  -exec sh -c 'for f do printf "%s\000" "${f%/*}"; done' sh {} + |
  sort -z -u | xargs -0 -r sh -c "$look" sh
printf 'end\000%s\000' "$?"
"""


_LOOK_AT_THEM = _LOOK.replace("BIG", str(_BIG)) + _LOOKING.replace("COUNT", str(2 * LOOKED_AT))


def listing(params: Mapping[str, str]) -> str:
    """The script that lists `path` (a folder or file) for names that fit `pattern`."""
    return assign(params) + ENTER + _filled(_LIST, params.get("pattern", ""))


def looking(params: Mapping[str, str]) -> str:
    """The script that looks into the newest files of `path` that fit `pattern`."""
    return assign(params) + ENTER + _filled(_NEWEST, params.get("pattern", "")) + _LOOK_AT_THEM


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


# Checks of a system ask for the scripts of its sets again, and patterns are few.
@lru_cache(maxsize=256)
def _filled(script: str, pattern: str) -> str:
    names = " -o ".join("-name " + shlex.quote(form.format(pattern)) for form in _UNFINISHED)
    return script.replace("DEPTH", "1" if pattern else "3").replace(
        "NAMES", f"\\( {names} \\)" if pattern else ""
    )
