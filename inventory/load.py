"""Files of YAML to an `Inventory`, or every problem of all of them in one go."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from inventory import build as building
from inventory.agencies import read_agencies
from inventory.build import Built, build
from inventory.decode import decode_documents, path_text
from inventory.model import Agency, Inventory
from inventory.problems import InvalidInput, Problem, shown
from inventory.references import Known, check_references
from inventory.schema import UnitDoc
from inventory.yaml_nodes import MAX_BYTES, Mapping, Node, Scalar, line_of, read_nodes

SUFFIXES = (".yaml", ".yml")
DIRECTORY = "agencies.csv"
"""What the directory of agencies is called, unless the settings say otherwise."""


def load(path: Path, project: Path, agencies: Path | None = None) -> Inventory:
    """Read a file or a folder of YAML files, and the agency directory when one is given.

    Relative paths are relative to the project folder, and messages name files from there. Raises
    InvalidInput with all problems; references between files are left unchecked while a file cannot
    be read to its end, because every one of them might lead into its missing part.
    """
    loader = _Loader(project)
    for file in loader.files(project / path):
        loader.read(file)
    built = loader.build()
    if not loader.broken:
        check_references(built, loader.known(), loader.tell)
    directory = loader.agencies(project / agencies) if agencies is not None else ()
    loader.refuse_stray(project / path, project / agencies if agencies is not None else None)
    if loader.problems:
        raise InvalidInput(sorted(set(loader.problems)))
    return Inventory(
        units={b.unit.id: b.unit for b in built.values()},
        servers={s.id: s for b in built.values() for s in b.servers},
        buckets={s.id: s for b in built.values() for s in b.buckets},
        systems={s.id: s for b in built.values() for s in b.systems},
        agencies=directory,
        waivers=tuple(w for b in built.values() for w in b.waivers),
    )


class _Source(msgspec.Struct, frozen=True):
    """Which document of which file."""

    path: Path
    index: int


class _Loader:
    """Gathers documents, ids and problems over all files."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.problems: list[Problem] = []
        self.broken = False
        self.sources: list[_Source] = []
        self.docs: dict[int, UnitDoc] = {}
        self.ids: dict[str, dict[str, tuple[int, building.Path]]] = {
            "unit": {},
            "target": {},
            "system": {},
        }
        self.reread: dict[Path, list[Node]] = {}

    def name(self, path: Path) -> str:
        """The file as messages call it: from the project folder when it lies there."""
        inside = path.is_relative_to(self.project)
        text = str(path.relative_to(self.project) if inside else path)
        return "".join(c if c.isprintable() else "?" for c in text)

    def fail(self, path: Path, message: str) -> None:
        self.problems.append(Problem(self.name(path), 0, "", message))

    def files(self, path: Path) -> list[Path]:
        """The files to read, sorted."""
        if path.is_file():
            return [path]
        if not path.is_dir():
            self.broken = True
            self.fail(path, "does not exist: create it, or set `inventory:` in sauro.yaml")
            return []
        found = sorted(self.walk(path))
        if not found:
            self.fail(path, "holds no .yaml file: add one per unit")
        return found

    def walk(self, folder: Path) -> Iterable[Path]:
        # Linked folders are followed, or their units would silently be left out; a folder that was
        # already walked is not walked again, so a link to a parent ends.
        seen: set[str] = set()
        for top, folders, names in os.walk(folder, followlinks=True, onerror=self.unreadable):
            real = os.path.realpath(top)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            yield from (
                Path(top, n) for n in names if n.endswith(SUFFIXES) and not n.startswith(".")
            )

    def unreadable(self, error: OSError) -> None:
        self.broken = True
        self.fail(Path(error.filename), f"cannot be read ({error.strerror}): make it readable")

    def read(self, path: Path) -> None:
        """Read one file: its good documents, the ids of all, its problems."""
        data = self.content(path)
        if data is None:
            return
        file = self.name(path)
        parsed = read_nodes(data, file)
        self.broken |= parsed.broken
        docs, problems = decode_documents(parsed, UnitDoc, file)
        self.problems += problems
        if not parsed.documents and not parsed.broken:
            self.fail(path, "is empty: describe a unit in it, or delete it")
        for index, (doc, node) in enumerate(zip(docs, parsed.documents, strict=True)):
            number = len(self.sources)
            self.sources.append(_Source(path, index))
            if doc is not None:
                self.docs[number] = doc
            self.declare(number, node)

    def content(self, path: Path) -> bytes | None:
        if path.exists() and not path.is_file():
            self.broken = True
            self.fail(path, "is not an ordinary file: remove it")
            return None
        try:
            with path.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except OSError as error:
            error.filename = str(path)
            self.unreadable(error)
            return None

    def declare(self, number: int, node: Node) -> None:
        """Take note of the ids of a document, good or not, and report those taken already."""
        if type(node) is not Mapping:
            return
        for key, value in node.entries:
            if key.text == "unit" and type(value) is Scalar:
                self.take("unit", value.text, number, ("unit",))
            elif key.text in ("servers", "buckets", "systems") and type(value) is Mapping:
                kind = "system" if key.text == "systems" else "target"
                for each, _ in value.entries:
                    self.take(kind, each.text, number, (key.text, each.text))

    def take(self, kind: str, name: str, number: int, path: building.Path) -> None:
        first = self.ids[kind].setdefault(name, (number, path))
        if first == (number, path):
            return
        place = f"{self.name(self.sources[first[0]].path)}:{self.line(*first)}"
        what = {"target": str(first[1][0])[:-1]}.get(kind, kind)
        self.tell(number, path, f"the {what} id {shown(name)} is taken ({place}): ids are unique")

    def build(self) -> dict[int, Built]:
        """The nouns of every good document."""
        return {
            number: build(doc, lambda path, message, n=number: self.tell(n, path, message))  # type: ignore[misc]
            for number, doc in self.docs.items()
        }

    def known(self) -> Known:
        targets = self.ids["target"].items()
        return Known(
            units=frozenset(self.ids["unit"]),
            servers=frozenset(i for i, (_, path) in targets if path[0] == "servers"),
            buckets=frozenset(i for i, (_, path) in targets if path[0] == "buckets"),
            systems=frozenset(self.ids["system"]),
        )

    def tell(self, number: int, path: building.Path, message: str) -> None:
        """Report a problem of a document at a path in it."""
        file = self.name(self.sources[number].path)
        self.problems.append(Problem(file, self.line(number, path), path_text(path), message))

    def line(self, number: int, path: building.Path) -> int:
        """The line of a path; files are read again for it, since only faulty ones need lines."""
        source = self.sources[number]
        if source.path not in self.reread:
            data = self.content(source.path) or b""
            self.reread[source.path] = read_nodes(data, "").documents
        documents = self.reread[source.path]
        return line_of(documents[source.index], path) if source.index < len(documents) else 0

    def refuse_stray(self, folder: Path, agencies: Path | None) -> None:
        """A directory of agencies that lies among the units would silently not be read."""
        stray = folder / DIRECTORY
        if stray.is_file() and (
            agencies is None or not agencies.exists() or not stray.samefile(agencies)
        ):
            self.fail(
                stray,
                "is not read here: move it beside sauro.yaml, or set `agencies:` there to it",
            )

    def agencies(self, path: Path) -> tuple[Agency, ...]:
        data = self.content(path)
        if data is None:
            return ()
        agencies, problems = read_agencies(data, self.name(path))
        self.problems += problems
        return agencies
