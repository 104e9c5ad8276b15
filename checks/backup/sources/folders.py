"""Reading what `directory_scripts.folders` prints: folders that are copies, with what was found."""

from __future__ import annotations

from checks.evidence import Evidence, Unparsable


def read_folders(evidence: Evidence) -> tuple[list[tuple[str, dict[str, str]]], bool]:
    """Name and values of each folder below the listed one, and whether all could be read.

    Raises:
        Unparsable: the answer broke off, or is not what the script prints.
    """
    fields = bytes(evidence.stdout).decode("utf-8", "backslashreplace").split("\0")
    if len(fields) < 5 or len(fields) % 2 == 0 or fields[0] != "root" or fields[-3] != "end":
        raise Unparsable(f"{evidence.probe}: the listing broke off")
    root = fields[1].rstrip("/")
    whole = fields[-2] == "0"
    folders = []
    for path, block in zip(fields[2:-3:2], fields[3:-3:2], strict=True):
        values = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        whole = whole and "denied" not in values
        folders.append((path.removeprefix(root).strip("/") or root.rpartition("/")[2], values))
    return folders, whole
