"""Mail headers as a mail log shows them: encoded words and file names, damage included."""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote_to_bytes

_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?([^?\s]*)(?:\?=|(?=[?\s\]]|$))")
_CHARSET = re.compile(
    r"(?:utf-?8|utf-?16(?:le|be)?|us-ascii|iso-8859-\d{1,2}|windows-\d{3,4}|cp\d{3,4}|tcvn|"
    r"koi8-r|gb2312|gbk|gb18030|big5|euc-kr|euc-jp|shift_jis|iso-2022-jp)$",
    re.IGNORECASE,
)
_PARAM = re.compile(
    r"(?<![A-Za-z0-9-])((?:file)?name)(?:\*(\d{1,2}))?(\*)?\s*=\s*"
    r'(?:"((?:[^"\\]|\\.)*)(?:"|$)|(=\?[^;\s"]+|[^;\s"]+))',
    re.IGNORECASE,
)
_ONE_NAME = re.compile(r'[^="]*(?<![A-Za-z0-9-])(?:file)?name="([^"\\]+)"[?\s]*$')
"""A header with one parameter, as nearly all are: its name, read much faster than by parts."""
_QUOTED = re.compile(r"\\(.)")
_LONGEST = 65536


def decode_words(raw: str) -> str:
    """Header text with its encoded words decoded; words of one charset are joined as bytes first.

    A word that is cut off gives what is left of it.
    """
    text = raw[:_LONGEST]
    if "=?" not in text:
        return text
    parts = iter(_WORD.split(text))
    out: list[str] = []
    held, charset, between = b"", "", next(parts)
    for called, kind, data in zip(parts, parts, parts, strict=False):
        name = called.lower()
        # A folded header is logged with its line breaks as `?`: between two words that is noise.
        noise = bool(held) and (between == "? " or not between.replace("?", "").strip())
        if not noise or name != charset:
            out += [_text(held, charset), "" if noise else between]
            held = b""
        held += _payload(kind, data)
        charset, between = name, next(parts)
    out += [_text(held, charset), between]
    return "".join(out)


def _payload(kind: str, data: str) -> bytes:
    raw = data.encode("ascii", "ignore")
    if kind not in "bB":
        return binascii.a2b_qp(raw, header=True)
    whole = raw.rstrip(b"=")
    # A remainder of one character cannot hold a byte: the word was cut there.
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    try:
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    except (binascii.Error, ValueError):
        return b""


def _text(data: bytes, charset: str) -> str:
    if not data:
        return ""
    if charset == "utf-8":
        return data.decode("utf-8", "replace")
    try:
        return data.decode(charset if _CHARSET.match(charset) else "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def file_names(raw: str) -> list[str]:
    """The names in a Content-Disposition or Content-Type: RFC 2231 parts joined, words decoded."""
    one = _ONE_NAME.match(raw, 0, _LONGEST)
    if one is not None:
        return [name] if (name := _plain(one[1])) else []
    parts: dict[str, dict[int, tuple[bool, str]]] = {}
    for found in _PARAM.finditer(raw[:_LONGEST]):
        value = found[4] if found[4] is not None else found[5]
        index = int(found[2] or 0)
        key = found[1].lower() + ("*" if found[2] or found[3] else "")
        parts.setdefault(key, {}).setdefault(index, (bool(found[3]), value))
    names = [
        _joined(found) if key.endswith("*") else _plain(found[0][1]) for key, found in parts.items()
    ]
    return list(dict.fromkeys(n for n in names if n))


def _plain(value: str) -> str:
    return decode_words(_QUOTED.sub(r"\1", value) if "\\" in value else value).rstrip("?")


def _joined(parts: dict[int, tuple[bool, str]]) -> str:
    """Parts 0, 1, … up to the first that is missing; the charset stands in part 0."""
    data, charset, index = b"", "utf-8", 0
    while index in parts:
        coded, value = parts[index]
        if index == 0 and coded and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        value = value.strip("?")
        data += unquote_to_bytes(value) if coded else value.encode("utf-8", "replace")
        index += 1
    return _text(data, charset.lower() or "utf-8")
