"""A small project to begin with; its files stand in `starter_files` and, as they are, in examples.

The values are examples, but none of them makes a check pass: what a unit has not done yet (an
approval, a backup, a register) is left open in comments.
"""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from inventory.problems import InvalidInput, Problem

SETTINGS_FILE = "sauro.yaml"


def starter_files() -> dict[str, bytes]:
    """Every file of the starter project by its path in the project; the settings come last."""
    found = dict(_files(resources.files("inventory").joinpath("starter_files"), PurePosixPath()))
    return dict(sorted(found.items(), key=lambda item: (item[0] == SETTINGS_FILE, item[0])))


def _files(folder: Traversable, path: PurePosixPath) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _files(entry, path / entry.name)
        else:
            found.append((str(path / entry.name), entry.read_bytes()))
    return found


def write_starter(folder: Path) -> list[Path]:
    """Write the starter project; returns the files written, `sauro.yaml` last.

    Files that stand there already with the same content are kept. Raises InvalidInput, with
    nothing written, when the folder is a project already, would lose a file, or cannot be written.
    """
    files = starter_files()
    made: list[Path] = []
    try:
        _refuse(folder, files)
        written: list[Path] = []
        for name, content in files.items():
            path = folder / name
            if path.exists():
                continue
            _make_parents(path, made)
            with path.open("xb") as stream:
                made.append(path)
                stream.write(content)
            written.append(path)
    except OSError as error:
        _undo(made)
        place = str(error.filename or folder)
        reason = f"cannot be written ({error.strerror}): choose another folder"
        raise InvalidInput([Problem(place, 0, "", reason)]) from None
    except BaseException:
        _undo(made)
        raise
    return written


def _refuse(folder: Path, files: dict[str, bytes]) -> None:
    if (folder / SETTINGS_FILE).exists():
        message = f"is a project already (it has {SETTINGS_FILE}): choose another folder"
        raise InvalidInput([Problem(str(folder), 0, "", message)])
    problems = [
        Problem(str(path), 0, "", "stands already, with other content: move it away")
        for path, content in ((folder / name, content) for name, content in files.items())
        if path.exists() and (not path.is_file() or path.read_bytes() != content)
    ]
    if problems:
        raise InvalidInput(problems)


def _make_parents(path: Path, made: list[Path]) -> None:
    missing = [p for p in path.parents if not p.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        made.append(parent)


def _undo(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
