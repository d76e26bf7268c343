"""The files that a scan needs, as the image's layers leave them, without unpacking any.

Layers are applied in their order as the image specification says
(https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md): ``.wh.name`` removes what
lower layers have of that name, ``.wh..wh..opq`` all that they have in that directory, and an
entry of another kind takes the place of what was there. Neither touches its own layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.sandbox.scanner.archive import Archive, Entry, normal
from labs_helpers.sandbox.scanner.decompression import LayerStream
from labs_helpers.sandbox.scanner.limits import Budget, DatabaseDamaged, TooMuch
from labs_helpers.sandbox.scanner.wanted import Wanted, is_usual

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LINKS = 40
#: What Python takes for a kept file beside its path and content, in bytes, roughly.
_OBJECTS = 512


@dataclass(frozen=True)
class Layer:
    """A layer's digest and the file that holds it, packed as it was pushed."""

    digest: str
    path: Path


@dataclass(frozen=True)
class Found:
    """A file of the image: its bytes (of some files only the first ones) and its layer."""

    content: bytes
    layer: str


@dataclass(frozen=True)
class _Link:
    target: str
    hard: bool
    layer: str


class Tree:
    """The wanted files after the layers applied so far."""

    def __init__(self, wanted: Wanted, budget: Budget) -> None:
        self._wanted = wanted
        self._budget = budget
        self._files: dict[str, Found | _Link] = {}
        #: directories on the way to wanted files that are links; nothing else of links is kept
        self._folder_links: dict[str, str] = {}
        self._above = _ancestors(wanted.fixed)
        self._deepest = max((path.count("/") + 1 for path in self._above), default=0)
        self.missing: set[str] = set()

    def apply(self, layer: Layer) -> None:
        """Put a layer over what is there; raises Unscannable."""
        lower = _Lower(self._files)
        added: dict[str, Found | _Link] = {}
        held = sum(_size(path, found) for path, found in self._files.items())
        with layer.path.open("rb") as file:
            archive = Archive(LayerStream(file, self._budget), self._budget)
            for entry in archive:
                if entry.path is None:
                    continue
                folder, _, name = entry.path.rpartition("/")
                folder = self._resolved(folder)
                if name == _OPAQUE:
                    lower.empty(folder)
                    self._forget_links_below(folder)
                elif name.startswith(_WHITEOUT):
                    victim = _join(folder, name.removeprefix(_WHITEOUT))
                    lower.remove(victim)
                    self._forget_links_below(victim)
                    self._folder_links.pop(victim, None)
                else:
                    path = _join(folder, name)
                    lower.replace(path, entry.kind == "directory")
                    added.pop(path, None)
                    self._note_folder_link(path, entry)
                    found = self._keep(path, entry, layer.digest, archive, added)
                    if found is not None:
                        added[path] = found
                        held += _size(path, found)
                        self._budget.keep(held)
        self._files = {**lower.left(), **added}

    def read(self, path: str) -> Found | None:
        """A file by its path, links followed; None when it is not there.

        What a link leads to, if it is none of the wanted paths, is noted in ``missing``: only
        another reading of the layers, with that path among the wanted ones, can tell.
        """
        layer = ""
        for _ in range(_LINKS):
            found = self._files.get(path)
            if found is None:
                if layer:
                    self._miss(path)
                return None
            layer = layer or found.layer
            if isinstance(found, Found):
                return Found(found.content, layer)
            base = "" if found.hard else path.rpartition("/")[0]
            path = self._resolved(_joined(base, found.target))
        raise DatabaseDamaged.at(path, "its links lead round in a circle")

    def paths(self) -> Iterator[str]:
        """Every path that is kept, sorted."""
        return iter(sorted(self._files))

    def _keep(
        self,
        path: str,
        entry: Entry,
        layer: str,
        archive: Archive,
        added: dict[str, Found | _Link],
    ) -> Found | _Link | None:
        if entry.kind in ("directory", "other") or not self._wanted.takes(path):
            return None
        if entry.kind == "symlink":
            return _Link(entry.target, False, layer)
        if entry.kind == "hardlink":
            # its content is what the target has now, whatever becomes of the target later
            target = normal(entry.target)
            target = self._resolved(target) if target else ""
            found = added.get(target) or self._files.get(target)
            if isinstance(found, Found):
                return Found(found.content, layer)
            self._miss(target)
            return _Link(entry.target, True, layer)
        if path in self._wanted.present:
            return Found(b"", layer)
        if path in self._wanted.whole or path.rpartition("/")[0] in self._wanted.folders:
            return Found(archive.content(self._budget.limits.database), layer)
        return Found(archive.head(self._wanted.head(path)), layer)

    def _miss(self, path: str) -> None:
        if path and is_usual(path) and not self._wanted.takes(path):
            self.missing.add(path)
            if len(self.missing) > self._budget.limits.links:
                raise TooMuch(f"More than {self._budget.limits.links} files are links.")

    def _note_folder_link(self, path: str, entry: Entry) -> None:
        self._folder_links.pop(path, None)
        if entry.kind == "symlink" and path in self._above:
            self._folder_links[path] = entry.target

    def _forget_links_below(self, folder: str) -> None:
        start = f"{folder}/" if folder else ""
        for path in [one for one in self._folder_links if one.startswith(start)]:
            del self._folder_links[path]

    def _resolved(self, path: str) -> str:
        """A path with the links among its first directories followed."""
        if not self._folder_links:
            return path
        for _ in range(_LINKS):
            parts = path.split("/", self._deepest)
            for count in range(1, len(parts) + 1):
                target = self._folder_links.get("/".join(parts[:count]))
                if target is not None:
                    start = _joined("/".join(parts[: count - 1]), target)
                    path = _join(start, "/".join(parts[count:]))
                    break
            else:
                return path
        return path


class _Lower:
    """What lower layers left, and what the layer that is read takes away of it.

    Only what concerns a kept path is noted: a layer of nothing but whiteouts costs no memory.
    """

    def __init__(self, files: dict[str, Found | _Link]) -> None:
        self._files = files
        self._above = _ancestors(files)
        self._gone: set[str] = set()
        self._emptied: set[str] = set()

    def remove(self, path: str) -> None:
        if path in self._files or path in self._above:
            self._gone.add(path)

    def empty(self, folder: str) -> None:
        if folder in self._above or not folder:
            self._emptied.add(folder)

    def replace(self, path: str, directory: bool) -> None:
        if path in self._files or (not directory and path in self._above):
            self._gone.add(path)

    def left(self) -> dict[str, Found | _Link]:
        if not self._gone and not self._emptied:
            return self._files
        return {path: found for path, found in self._files.items() if not self._is_gone(path)}

    def _is_gone(self, path: str) -> bool:
        if path in self._gone or "" in self._emptied:
            return True
        while path := path.rpartition("/")[0]:
            if path in self._gone or path in self._emptied:
                return True
        return False


def _size(path: str, found: Found | _Link) -> int:
    content = found.content if isinstance(found, Found) else found.target
    return _OBJECTS + len(path) + len(content)


def _ancestors(paths: Iterable[str]) -> frozenset[str]:
    above: set[str] = set()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in above:
            above.add(path)
    return frozenset(above)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _joined(folder: str, target: str) -> str:
    """A link's target from its folder; climbing above the image's root stays at the root."""
    parts = [] if target.startswith("/") else [part for part in folder.split("/") if part]
    for part in target.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
