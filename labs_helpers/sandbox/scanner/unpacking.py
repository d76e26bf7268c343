"""A layer of an image applied to a `Tree`, in memory.

Layers are applied in their order as the image specification says
(https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md): ``.wh.name`` removes what
lower layers have of that name, ``.wh..wh..opq`` all that they have in that directory, and an
entry of another kind takes the place of what was there. Neither whiteout touches its own layer.

Entries below a symbolic link go where the link leads, as in a real unpacking
(https://github.com/containers/storage/blob/v1.43.0/pkg/archive/diff.go).
"""

from __future__ import annotations

import posixpath

from labs_helpers.sandbox.scanner.archive import Archive, Entry, normal
from labs_helpers.sandbox.scanner.decompression import LayerStream
from labs_helpers.sandbox.scanner.file_tree import (
    Circle,
    Directory,
    File,
    Lookup,
    Node,
    NotADirectory,
    Special,
    Symlink,
)
from labs_helpers.sandbox.scanner.limits import LayerDamaged, TooMuch
from labs_helpers.sandbox.scanner.tree import Layer, Tree
from labs_helpers.sandbox.scanner.wanted import PATH_MAX, PYTHON, is_usual

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


def apply(tree: Tree, layer: Layer) -> None:
    """Put a layer over what is in the tree; raises Unscannable."""
    tree.layers.append(layer.digest)
    with layer.path.open("rb") as file:
        archive = Archive(LayerStream(file, tree.budget), tree.budget)
        _Unpacking(tree, archive).run()


class _Unpacking:
    """One layer that is put over a tree."""

    def __init__(self, tree: Tree, archive: Archive) -> None:
        self._tree = tree
        self._archive = archive
        self._files = tree.files
        self._wanted = tree.wanted
        self._number = len(tree.layers) - 1
        #: The folder of the last entry, as written and as ``_physical`` answers: the next entry
        #: is usually in the same folder.
        self._folder: tuple[str, Lookup] | None = None
        self._written: set[str] = set()
        #: Paths that this layer removes: at once, or when each layer is unpacked alone, at its end.
        self._removed: set[str] = set()

    def run(self) -> None:
        for entry in self._archive:
            written, _, name = entry.path.rpartition("/")
            found = self._physical(written)
            if name == _OPAQUE:
                self._empty(written, found.path)
            elif name.startswith(_WHITEOUT):
                self._white_out(found.path, name.removeprefix(_WHITEOUT))
            else:
                folder = found.node
                node = folder.children.get(name) if isinstance(folder, Directory) else None
                self._place(_join(found.path, name), node, entry)
        if self._tree.alone:
            for path in self._removed:
                self._files.remove(path, self._number)

    def _physical(self, folder: str) -> Lookup:
        """Where the entries of a folder go, by the links on the way to it."""
        if self._folder is not None and self._folder[0] == folder:
            return self._folder[1]
        try:
            found = self._files.find(
                folder, last=True, ignore_links_below=self._number if self._tree.alone else 0
            )
        except (Circle, NotADirectory) as error:
            raise LayerDamaged(f"A layer has files below {folder!r}: {error}") from error
        if isinstance(found.node, (File, Special)):
            raise LayerDamaged(f"A layer has files below {folder!r}, which is not a directory.")
        if self._tree.alone:
            self._cover_links(found.path)
        self._tree.ambiguous |= found.lowest < self._number
        self._folder = folder, found
        return found

    def _cover_links(self, folder: str) -> None:
        """Remove the link of a lower layer that a directory of this layer takes the place of."""
        parts = folder.split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if isinstance(self._files.find(path, last=False).node, Symlink):
                self._files.remove(path, self._number)
                return

    def _white_out(self, folder: str, name: str) -> None:
        """Remove a path from the lower layers."""
        if name in ("", ".", ".."):
            raise LayerDamaged(f"A layer has a whiteout in {folder!r} that names no file.")
        path = _join(folder, name)
        if path in self._removed or self._files.find(path, last=False).node is None:
            return
        self._removed.add(path)
        if not self._tree.alone:
            self._files.remove(path, self._number)
            self._folder = None

    def _empty(self, written: str, folder: str) -> None:
        """Remove what lower layers have in a directory."""
        if isinstance(self._files.find(written, last=False).node, Symlink):
            raise LayerDamaged(
                f"A layer empties {written!r}, which is a symbolic link: container runtimes differ"
                " on whether that empties the directory it leads to."
            )
        mark = _join(folder, _OPAQUE)
        if not folder:
            self._tree.ambiguous = True
        if mark in self._removed or (self._tree.alone and not folder):
            return
        if self._files.empty(folder, self._number):
            self._removed.add(mark)
            self._folder = None

    def _place(self, path: str, node: Node | None, entry: Entry) -> None:
        """Put an entry at its path; node: what is there so far."""
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
                self._tree.ambiguous = True
                if self._tree.alone:
                    self._removed.remove(path)
            if node is not None and not isinstance(node, Directory):
                self._remove(path)
        elif entry.kind == "symlink":
            if not 0 < len(entry.target) < PATH_MAX:
                raise LayerDamaged(f"The symbolic link {path!r} of a layer has no valid target.")
            self._once(entry)
            self._put(path, Symlink(entry.target, self._number))
        elif entry.kind == "hardlink":
            self._remove(path)
            self._link(path, normal(entry.target))
        elif entry.kind == "file" and path.endswith(PYTHON) and not is_usual(path):
            raise TooMuch(f"The file {path[:60]!r}... is deeper than a scan looks.")
        elif entry.kind == "file" and self._wanted.takes(path):
            self._once(entry)
            self._put(path, self._file(path))
        elif entry.kind != "nothing" and (path in self._tree.above or self._wanted.takes(path)):
            self._put(path, Special(self._number))
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
        self._tree.budget.keep(self._files.held)
        self._folder = None

    def _remove(self, path: str) -> None:
        self._files.remove(path)
        self._folder = None

    def _file(self, path: str) -> File:
        if path in self._wanted.whole or path.rpartition("/")[0] in self._wanted.folders:
            return File(
                self._archive.content(self._tree.budget.limits.database), True, self._number
            )
        if path in self._wanted.present:
            return File(b"", False, self._number)
        return File(self._archive.head(self._wanted.head(path)), False, self._number)

    def _link(self, path: str, target: str) -> None:
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
            self._put(path, Symlink(node.target, self._number))
        elif isinstance(node, File) and wanted:
            if path in self._wanted.whole and not node.whole:
                self._tree.miss(target, "whole")
            self._put(path, File(node.content, node.whole, self._number))
        elif isinstance(node, Special) or path in self._tree.above:
            self._put(path, Special(self._number))
        elif node is None and wanted:
            if self._wanted.takes(target):
                raise LayerDamaged(f"A layer has a hard link to {target!r}, which is not there.")
            self._tree.miss(target, "whole")


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
