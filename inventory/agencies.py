"""The agency directory: a CSV of who is on the document axis, under which codes."""

from __future__ import annotations

import csv
import io

from inventory.model import Agency
from inventory.problems import Problem, did_you_mean, shown

COLUMNS = ("code", "old_code", "name", "mail_domains", "signs", "groups")
_LONGEST_FIELD = 10_000


def read_agencies(data: bytes, file: str) -> tuple[tuple[Agency, ...], list[Problem]]:
    """Read a directory; several values in all but `code` and `name` are split by `;`.

    The separator of columns is `,` or `;`, as the header has it; several values in a file with `;`
    stand in quotes. Returns the rows that are good and every problem with its line.
    """
    problems: list[Problem] = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return (), [Problem(file, line, "", "is not UTF-8 text: save it as CSV UTF-8")]
    header_line = text.split("\n", 1)[0]
    separator = ";" if header_line.count(";") > header_line.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    agencies: list[Agency] = []
    try:
        names = _header(next(rows, []), file, problems)
        if "code" in names:
            lines: dict[str, int] = {}
            # A quoted field may run over lines: a row's first line is the one after the last's end.
            start = rows.line_num + 1
            for row in rows:
                if any(field.strip() for field in row):
                    agency = _agency(row, names, (file, start), problems, lines)
                    agencies += [agency] if agency else []
                start = rows.line_num + 1
    except csv.Error as error:
        problems.append(Problem(file, rows.line_num, "", f"is not valid CSV ({error}): correct it"))
    return tuple(agencies), problems


def _header(row: list[str], file: str, problems: list[Problem]) -> list[str]:
    names = [field.strip().lower() for field in row]
    for name in names:
        if name not in COLUMNS:
            near = did_you_mean(name, COLUMNS) or f"; the columns are {', '.join(COLUMNS)}"
            problems.append(Problem(file, 1, "", f"unknown column {shown(name)}{near}"))
        elif names.count(name) > 1:
            problems.append(Problem(file, 1, name, "this column stands twice: keep one"))
    if "code" not in names:
        head = ",".join(COLUMNS)
        problems.append(Problem(file, 1, "code", f"this column is missing: begin with {head}"))
    return names


def _agency(
    row: list[str],
    names: list[str],
    place: tuple[str, int],
    problems: list[Problem],
    lines: dict[str, int],
) -> Agency | None:
    file, line = place
    if len(row) != len(names):
        message = (
            f"has {len(row)} fields, the header {len(names)}: quote values that hold separators"
        )
        problems.append(Problem(file, line, "", message))
        return None
    long = [n for n, v in zip(names, row, strict=True) if len(v) > _LONGEST_FIELD]
    if long:
        problems.append(Problem(file, line, long[0], "is too long: a quote may be missing"))
        return None
    fields = dict(zip(names, (v.strip() for v in row), strict=True))
    code = fields["code"]
    if not code:
        problems.append(Problem(file, line, "code", "is empty: fill it in"))
        return None
    if code in lines:
        message = f"{shown(code)} stands twice (first in line {lines[code]}): keep one"
        problems.append(Problem(file, line, "code", message))
        return None
    lines[code] = line
    return Agency(
        code=code,
        old_codes=_several(fields.get("old_code", "")),
        name=fields.get("name", ""),
        mail_domains=tuple(d.lower() for d in _several(fields.get("mail_domains", ""))),
        signs=_several(fields.get("signs", "")),
        groups=_several(fields.get("groups", "")),
    )


def _several(field: str) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in field.split(";")) if part)
