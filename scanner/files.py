"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from scanner.errors import UserError


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file and move into place; an existing file stays whole until then.

    Raises:
        UserError: the folder is missing, not writable or full; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as e:
        raise UserError(f"{path}: cannot be written: {e.strerror}; choose another folder") from e
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o644 & ~_umask())
        Path(name).replace(path)
    except OSError as e:
        Path(name).unlink(missing_ok=True)
        raise UserError(f"{path}: cannot be written: {e.strerror}; nothing was changed") from e


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now
