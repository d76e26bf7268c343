"""The files that a scan needs, as the image's layers leave them (unpacking.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.sandbox.scanner.file_tree import (
    Circle,
    Directory,
    File,
    FileTree,
    Lookup,
    NotADirectory,
    Special,
    Symlink,
)
from labs_helpers.sandbox.scanner.limits import Budget, DatabaseDamaged, TooMuch
from labs_helpers.sandbox.scanner.wanted import Missing, Wanted, is_usual


@dataclass(frozen=True)
class Layer:
    """A layer's digest and the file that holds it, packed as it was pushed."""

    digest: str
    path: Path


@dataclass(frozen=True)
class Found:
    """A file of the image: its bytes (of some files only the first ones) and its layer.

    ``path`` is where the file is, symbolic links followed.
    """

    content: bytes
    layer: str
    path: str


class Tree:
    """The wanted files after the layers applied so far (`unpacking.apply`).

    Storage drivers of container runtimes unpack layers in one of two ways. alone=False: over the
    lower layers, as vfs does: an entry below a symbolic link of a lower layer goes where the link
    leads. alone=True: each layer alone, as overlay and overlay2 do. Then a lower layer's link
    gives way to a directory, a directory that is removed and made again in one layer keeps what
    lower layers have in it, and the image's root cannot be emptied.
    """

    def __init__(self, wanted: Wanted, budget: Budget, *, alone: bool = False) -> None:
        self.wanted = wanted
        self.budget = budget
        self.alone = alone
        self.files = FileTree(budget.limits)
        #: The digests of the layers applied so far.
        self.layers: list[str] = []
        #: The folders above the wanted paths.
        self.above = _ancestors(wanted.fixed)
        #: Paths that only another reading of the layers can tell of, with them among the wanted.
        self.missing: dict[str, Missing] = {}
        #: Whether the two ways may leave different files.
        self.ambiguous = False

    def read(self, path: str, *, database: bool = False) -> Found | None:
        """A file by its path, links followed; None when it is not there.

        What a link leads to, if it is none of the wanted paths, is noted in ``missing``.
        database: raise DatabaseDamaged for what is there and is not a file.
        """
        found = self._look_up(path)
        if found is None:
            return None
        if isinstance(found.node, File):
            if found.node.whole or not database:
                layer = max(found.highest, found.node.layer)
                return Found(found.node.content, self.layers[layer], found.path)
            self.miss(found.path, "whole")
        elif isinstance(found.node, (Special, Directory)):
            if database:
                raise DatabaseDamaged.at(path, "it is not a regular file")
        elif found.path != path:
            self.miss(found.path, "whole")
        return None

    def has(self, path: str) -> bool:
        """Whether something is at a path that is wanted, links followed."""
        found = self._look_up(path)
        if found is not None and found.node is None and found.path != path:
            self.miss(found.path, "present")
        return found is not None and found.node is not None

    def names(self, folder: str) -> list[str]:
        """What is in a wanted folder and is no directory, links to the folder followed; sorted."""
        found = self._look_up(folder)
        if found is None:
            return []
        if found.path not in self.wanted.folders:
            self.miss(found.path, "folder")
        if not isinstance(found.node, Directory):
            return []
        children = found.node.children.items()
        return sorted(name for name, node in children if not isinstance(node, Directory))

    def walk(self) -> Iterator[tuple[str, bool]]:
        """Every path that is kept, sorted, and whether a symbolic link is there."""
        return ((path, isinstance(node, Symlink)) for path, node in self.files.walk())

    def _look_up(self, path: str) -> Lookup | None:
        try:
            return self.files.find(path, last=True)
        except NotADirectory:
            return None
        except Circle as error:
            raise DatabaseDamaged.at(path, "its links lead round in a circle") from error

    def miss(self, path: str, kind: Missing) -> None:
        """Note a path for another reading."""
        known = {
            "whole": self.wanted.whole,
            "folder": self.wanted.folders,
            "present": self.wanted.present,
        }
        if path in known[kind]:
            return
        if not path or not is_usual(path):
            raise DatabaseDamaged.at(path[:60], "a link leads there")
        self.missing.setdefault(path, kind)
        if len(self.missing) > self.budget.limits.links:
            raise TooMuch(f"More than {self.budget.limits.links} files are links.")


def _ancestors(paths: Iterable[str]) -> frozenset[str]:
    above: set[str] = set()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in above:
            above.add(path)
    return frozenset(above)
