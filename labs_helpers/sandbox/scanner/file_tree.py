"""A file system in memory, as far as a scan needs it: symbolic links and the files to be read.

It holds no directory that has neither in it, and no other file. Paths are relative to the
image's root and have neither ``.`` nor ``..``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from labs_helpers.sandbox.scanner.limits import Limits, TooMuch, Unscannable

_MOST_LINKS = 40
"""https://man7.org/linux/man-pages/man7/path_resolution.7.html"""
_DEEPEST = 65
#: What Python takes for a file beside its path and content, in bytes, roughly.
_OBJECTS = 512


class Circle(Unscannable):
    """Symbolic links lead to each other, or there are more on the way than Linux follows."""


class NotADirectory(Unscannable):
    """A path leads through something that is not a directory."""


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: its content, or without ``whole`` only the first bytes, or none."""

    content: bytes
    whole: bool
    layer: int


@dataclass(frozen=True, slots=True)
class Symlink:
    target: str
    layer: int


@dataclass(frozen=True, slots=True)
class Special:
    """What is at a path of interest, and cannot be read: a device, or a file for a directory."""

    layer: int


@dataclass(slots=True)
class Directory:
    children: dict[str, Node] = field(default_factory=dict)


Node = File | Symlink | Special | Directory


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where a path leads, with the highest and the lowest layer of the links followed."""

    path: str
    node: Node | None
    highest: int
    lowest: float


class FileTree:
    """Nodes by path. ``held`` is roughly the memory in bytes that the files take."""

    def __init__(self, limits: Limits) -> None:
        self._root = Directory()
        self._limits = limits
        self._nodes = 0
        self.held = 0

    def find(self, path: str, *, last: bool, ignore_links_below: int = 0) -> Lookup:
        """Follow the symbolic links of a path, its last part too if ``last``.

        ignore_links_below: the links of layers below this one are not followed: their paths are
        directories.
        Raises Circle and NotADirectory.
        """
        waiting = _parts(path)[::-1]
        trail: list[Node | None] = [self._root]
        names: list[str] = []
        links, highest, lowest = 0, -1, inf
        while waiting:
            name = waiting.pop()
            if name == "..":
                del names[-1:]
                del trail[len(names) + 1 :]
                continue
            above = trail[-1]
            if isinstance(above, (File, Special)):
                raise NotADirectory(f"{'/'.join(names)} is not a directory.")
            node = above.children.get(name) if isinstance(above, Directory) else None
            if isinstance(node, Symlink) and (waiting or last):
                if node.layer < ignore_links_below:
                    node = None
                else:
                    links += 1
                    if links > _MOST_LINKS:
                        raise Circle(f"The links of {path} lead round in a circle.")
                    highest, lowest = max(highest, node.layer), min(lowest, node.layer)
                    if node.target.startswith("/"):
                        trail, names = [self._root], []
                    waiting += _parts(node.target)[::-1]
                    continue
            names.append(name)
            trail.append(node)
        return Lookup("/".join(names), trail[-1], highest, lowest)

    def put(self, path: str, node: File | Symlink | Special) -> None:
        """Place a node, in place of what is at its path and of what is no directory above it."""
        parts = path.split("/")
        if len(parts) > _DEEPEST:
            raise TooMuch(f"A link or a package database is more than {_DEEPEST} folders deep.")
        self.remove(path)
        folder = self._root
        for name in parts[:-1]:
            child = folder.children.get(name)
            if not isinstance(child, Directory):
                self._count(name, child, -1)
                child = folder.children[name] = Directory()
                self._count(name, child, 1)
            folder = child
        folder.children[parts[-1]] = node
        self._count(parts[-1], node, 1)

    def remove(self, path: str, below_layer: int | None = None) -> bool:
        """Remove a path with all in it; with ``below_layer``, only what lower layers put there.

        Returns whether there was something.
        """
        parts = path.split("/")
        trail = [self._root]
        for name in parts[:-1]:
            child = trail[-1].children.get(name)
            if not isinstance(child, Directory):
                return False
            trail.append(child)
        existed = parts[-1] in trail[-1].children
        for folder, name in zip(reversed(trail), reversed(parts), strict=True):
            node = folder.children.get(name)
            if node is None or not self._pruned(node, below_layer):
                break
            self._count(name, node, -1)
            del folder.children[name]
            if folder.children:
                break
            below_layer = None
        return existed

    def empty(self, folder: str, below_layer: int) -> bool:
        """Remove what lower layers put into a directory; a link to a directory is left alone.

        Returns whether there was something.
        """
        node: Node | None = self._root
        for name in _parts(folder):
            node = node.children.get(name) if isinstance(node, Directory) else None
        if not isinstance(node, Directory):
            return False
        for name in list(node.children):
            self.remove(f"{folder}/{name}" if folder else name, below_layer)
        return True

    def walk(self) -> Iterator[tuple[str, File | Symlink | Special]]:
        """Every path and what is there, directories apart, sorted by path."""
        found: list[tuple[str, File | Symlink | Special]] = []
        waiting: list[tuple[str, Directory]] = [("", self._root)]
        while waiting:
            above, folder = waiting.pop()
            for name, node in folder.children.items():
                path = f"{above}{name}"
                if isinstance(node, Directory):
                    waiting.append((f"{path}/", node))
                else:
                    found.append((path, node))
        return iter(sorted(found, key=lambda one: one[0]))

    def _pruned(self, node: Node, below_layer: int | None) -> bool:
        """Remove what is in a node; whether the node itself is to go."""
        if not isinstance(node, Directory):
            return below_layer is None or node.layer < below_layer
        for inner, child in list(node.children.items()):
            if self._pruned(child, below_layer):
                self._count(inner, child, -1)
                del node.children[inner]
        return not node.children

    def _count(self, name: str, node: Node | None, sign: int) -> None:
        if node is None:
            return
        size = len(name)
        if isinstance(node, File):
            size += _OBJECTS + len(node.content)
        else:
            self._nodes += sign
            if self._nodes > self._limits.nodes:
                raise TooMuch(f"The layers have more than {self._limits.nodes} symbolic links.")
            if isinstance(node, Symlink):
                size += len(node.target)
        self.held += sign * size


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
