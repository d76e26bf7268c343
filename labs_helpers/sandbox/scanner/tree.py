"""The files that a scan needs, as the image's layers leave them, without unpacking any.

Layers are applied in their order as the image specification says
(https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md): ``.wh.name`` removes what
lower layers have of that name, ``.wh..wh..opq`` all that they have in that directory, and an
entry of another kind takes the place of what was there. Neither whiteout touches its own layer.

Entries below a symbolic link go where the link leads, as in a real unpacking
(https://github.com/containers/storage/blob/v1.43.0/pkg/archive/diff.go).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.sandbox.scanner.archive import Archive, Entry, normal
from labs_helpers.sandbox.scanner.decompression import LayerStream
from labs_helpers.sandbox.scanner.file_tree import (
    Circle,
    Directory,
    File,
    FileTree,
    Lookup,
    Node,
    NotADirectory,
    Special,
    Symlink,
)
from labs_helpers.sandbox.scanner.limits import Budget, DatabaseDamaged, LayerDamaged, TooMuch
from labs_helpers.sandbox.scanner.wanted import PATH_MAX, PYTHON, Missing, Wanted, is_usual

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


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
    """The wanted files after the layers applied so far.

    Storage drivers of container runtimes unpack layers in one of two ways. alone=False: over the
    lower layers, as vfs does: an entry below a symbolic link of a lower layer goes where the link
    leads. alone=True: each layer alone, as overlay and overlay2 do. Then a lower layer's link
    gives way to a directory, a directory that is removed and made again in one layer keeps what
    lower layers have in it, and the image's root cannot be emptied.
    """

    def __init__(self, wanted: Wanted, budget: Budget, *, alone: bool = False) -> None:
        self._wanted = wanted
        self._budget = budget
        self._alone = alone
        self._files = FileTree(budget.limits)
        self._layers: list[str] = []
        self._above = _ancestors(wanted.fixed)
        #: The folder of the last entry, as written and as ``_physical`` answers: the next entry
        #: is usually in the same folder.
        self._folder: tuple[str, Lookup] | None = None
        #: Paths that only another reading of the layers can tell of, with them among the wanted.
        self.missing: dict[str, Missing] = {}
        #: Whether the two ways may leave different files.
        self.ambiguous = False

    def apply(self, layer: Layer) -> None:
        """Put a layer over what is there; raises Unscannable."""
        self._layers.append(layer.digest)
        self._folder = None
        self._written: set[str] = set()
        #: Paths that this layer removes: at once, or when each layer is unpacked alone, at its end.
        self._removed: set[str] = set()
        number = len(self._layers) - 1
        with layer.path.open("rb") as file:
            archive = Archive(LayerStream(file, self._budget), self._budget)
            for entry in archive:
                written, _, name = entry.path.rpartition("/")
                found = self._physical(written, number)
                if name == _OPAQUE:
                    self._empty(written, found.path, number)
                elif name.startswith(_WHITEOUT):
                    self._white_out(found.path, name.removeprefix(_WHITEOUT), number)
                else:
                    folder = found.node
                    node = folder.children.get(name) if isinstance(folder, Directory) else None
                    self._place(_join(found.path, name), node, entry, number, archive)
        if self._alone:
            for path in self._removed:
                self._files.remove(path, number)

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
                return Found(found.node.content, self._layers[layer], found.path)
            self._miss(found.path, "whole")
        elif isinstance(found.node, (Special, Directory)):
            if database:
                raise DatabaseDamaged.at(path, "it is not a regular file")
        elif found.path != path:
            self._miss(found.path, "whole")
        return None

    def has(self, path: str) -> bool:
        """Whether something is at a path that is wanted, links followed."""
        found = self._look_up(path)
        if found is not None and found.node is None and found.path != path:
            self._miss(found.path, "present")
        return found is not None and found.node is not None

    def names(self, folder: str) -> list[str]:
        """What is in a wanted folder and is no directory, links to the folder followed; sorted."""
        found = self._look_up(folder)
        if found is None:
            return []
        if found.path not in self._wanted.folders:
            self._miss(found.path, "folder")
        if not isinstance(found.node, Directory):
            return []
        children = found.node.children.items()
        return sorted(name for name, node in children if not isinstance(node, Directory))

    def walk(self) -> Iterator[tuple[str, bool]]:
        """Every path that is kept, sorted, and whether a symbolic link is there."""
        return ((path, isinstance(node, Symlink)) for path, node in self._files.walk())

    def _look_up(self, path: str) -> Lookup | None:
        try:
            return self._files.find(path, last=True)
        except NotADirectory:
            return None
        except Circle as error:
            raise DatabaseDamaged.at(path, "its links lead round in a circle") from error

    def _physical(self, folder: str, number: int) -> Lookup:
        """Where the entries of a folder go, by the links on the way to it."""
        if self._folder is not None and self._folder[0] == folder:
            return self._folder[1]
        try:
            found = self._files.find(
                folder, last=True, ignore_links_below=number if self._alone else 0
            )
        except (Circle, NotADirectory) as error:
            raise LayerDamaged(f"A layer has files below {folder!r}: {error}") from error
        if isinstance(found.node, (File, Special)):
            raise LayerDamaged(f"A layer has files below {folder!r}, which is not a directory.")
        if self._alone:
            self._cover_links(found.path, number)
        self.ambiguous |= found.lowest < number
        self._folder = folder, found
        return found

    def _cover_links(self, folder: str, number: int) -> None:
        """Remove the link of a lower layer that a directory of this layer takes the place of."""
        parts = folder.split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if isinstance(self._files.find(path, last=False).node, Symlink):
                self._files.remove(path, number)
                return

    def _white_out(self, folder: str, name: str, number: int) -> None:
        """Remove a path from the lower layers."""
        if name in ("", ".", ".."):
            raise LayerDamaged(f"A layer has a whiteout in {folder!r} that names no file.")
        path = _join(folder, name)
        if path in self._removed or self._files.find(path, last=False).node is None:
            return
        self._removed.add(path)
        if not self._alone:
            self._files.remove(path, number)
            self._folder = None

    def _empty(self, written: str, folder: str, number: int) -> None:
        """Remove what lower layers have in a directory."""
        if isinstance(self._files.find(written, last=False).node, Symlink):
            raise LayerDamaged(
                f"A layer empties {written!r}, which is a symbolic link: container runtimes differ"
                " on whether that empties the directory it leads to."
            )
        mark = _join(folder, _OPAQUE)
        if not folder:
            self.ambiguous = True
        if mark in self._removed or (self._alone and not folder):
            return
        if self._files.empty(folder, number):
            self._removed.add(mark)
            self._folder = None

    def _place(
        self, path: str, node: Node | None, entry: Entry, number: int, archive: Archive
    ) -> None:
        """Put an entry at its path, where ``node`` is until now."""
        if not path:
            if entry.kind == "directory":
                return
            raise LayerDamaged("A layer has an entry in place of the image's root.")
        if entry.kind == "nothing" and node is not None:
            raise LayerDamaged(
                f"A layer has a global pax header of the name {path!r}: some container runtimes"
                " remove the file of that name."
            )
        if entry.kind == "directory":
            if path in self._removed:
                self.ambiguous = True
                if self._alone:
                    self._removed.remove(path)
            if node is not None and not isinstance(node, Directory):
                self._remove(path)
        elif entry.kind == "symlink":
            if not 0 < len(entry.target) < PATH_MAX:
                raise LayerDamaged(f"The symbolic link {path!r} of a layer has no valid target.")
            self._once(entry)
            self._put(path, Symlink(entry.target, number))
        elif entry.kind == "hardlink":
            self._remove(path)
            self._link(path, normal(entry.target), number)
        elif entry.kind == "file" and path.endswith(PYTHON) and not is_usual(path):
            raise TooMuch(f"The file {path[:60]!r}... is deeper than a scan looks.")
        elif entry.kind == "file" and self._wanted.takes(path):
            self._once(entry)
            self._put(path, self._file(path, number, archive))
        elif entry.kind != "nothing" and (path in self._above or self._wanted.takes(path)):
            self._put(path, Special(number))
        elif node is not None:
            self._remove(path)

    def _once(self, entry: Entry) -> None:
        """Raise LayerDamaged for a name that repeats in a layer, as Docker and Podman do.

        https://github.com/vbatts/tar-split/blob/v0.11.5/tar/storage/packer.go
        """
        name = posixpath.normpath(entry.name)
        if name in self._written:
            raise LayerDamaged(f"A layer has the file {name!r} twice.")
        self._written.add(name)

    def _put(self, path: str, node: File | Symlink | Special) -> None:
        self._files.put(path, node)
        self._budget.keep(self._files.held)
        self._folder = None

    def _remove(self, path: str) -> None:
        self._files.remove(path)
        self._folder = None

    def _file(self, path: str, number: int, archive: Archive) -> File:
        if path in self._wanted.whole or path.rpartition("/")[0] in self._wanted.folders:
            return File(archive.content(self._budget.limits.database), True, number)
        if path in self._wanted.present:
            return File(b"", False, number)
        return File(archive.head(self._wanted.head(path)), False, number)

    def _link(self, path: str, target: str, number: int) -> None:
        """A hard link: the target's content of now, whatever becomes of the target later."""
        try:
            found = self._files.find(target, last=False)
        except (Circle, NotADirectory) as error:
            raise LayerDamaged(f"A layer has a hard link to {target!r}: {error}") from error
        target, node = found.path, found.node
        wanted = self._wanted.takes(path)
        if isinstance(node, Directory):
            raise LayerDamaged(f"A layer has a hard link to the directory {target!r}.")
        if isinstance(node, Symlink):
            self._put(path, Symlink(node.target, number))
        elif isinstance(node, File) and wanted:
            if path in self._wanted.whole and not node.whole:
                self._miss(target, "whole")
            self._put(path, File(node.content, node.whole, number))
        elif isinstance(node, Special) or path in self._above:
            self._put(path, Special(number))
        elif node is None and wanted:
            if self._wanted.takes(target):
                raise LayerDamaged(f"A layer has a hard link to {target!r}, which is not there.")
            self._miss(target, "whole")

    def _miss(self, path: str, kind: Missing) -> None:
        """Note a path for another reading."""
        known = {
            "whole": self._wanted.whole,
            "folder": self._wanted.folders,
            "present": self._wanted.present,
        }
        if path in known[kind]:
            return
        if not path or not is_usual(path):
            raise DatabaseDamaged.at(path[:60], "a link leads there")
        self.missing.setdefault(path, kind)
        if len(self.missing) > self._budget.limits.links:
            raise TooMuch(f"More than {self._budget.limits.links} files are links.")


def _ancestors(paths: Iterable[str]) -> frozenset[str]:
    above: set[str] = set()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in above:
            above.add(path)
    return frozenset(above)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
