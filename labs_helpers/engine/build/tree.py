"""An index of files: the build context, or the files of an image.

Nothing is unpacked. An entry knows where to read its content. Names are looked up inside the tree
only, so neither ``..`` nor a symbolic link leads out of it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

DIRECTORY, FILE, LINK, OTHER = "directory", "file", "link", "other"

MAX_LINKS = 255
"""Symbolic links to follow before a path counts as a loop, as in dockerd."""


@dataclass(frozen=True)
class Entry:
    """A file, directory, link or device at one path.

    ``kind`` is one of DIRECTORY, FILE, LINK and OTHER (devices, pipes; ``device`` then has the
    tar type, major and minor number). ``size`` is in bytes; ``open`` opens a file's content.
    ``mtime`` is the time in the archive, for commands that look at it (in new layers, all files
    have one date). Files with the same ``inode`` are hard links to each other.
    """

    kind: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    size: int = 0
    target: str = ""
    device: tuple[bytes, int, int] | None = None
    open: Callable[[], BinaryIO] | None = field(default=None, compare=False)
    mtime: float = field(default=0, compare=False)
    inode: object = field(default=None, compare=False)


@dataclass
class _Node:
    entry: Entry
    children: dict[str, _Node] = field(default_factory=dict)


class LinkLoop(Exception):
    """A path leads through too many symbolic links."""


def parts_of(path: str) -> list[str]:
    """The names in a path below the root; ``..`` stops at the root."""
    return [part for part in posixpath.normpath("/" + path).split("/") if part]


class Tree:
    """Files by path; paths have no leading slash, and "" is the root."""

    def __init__(self) -> None:
        self._root = _Node(Entry(DIRECTORY))

    def resolve(self, path: str, follow_last: bool = True) -> str:
        """Follow the symbolic links of a path inside the tree; the result may not exist.

        Raises:
            LinkLoop: there are too many links.
        """
        waiting = [part for part in path.split("/") if part and part != "."][::-1]
        done: list[str] = []
        trail: list[_Node | None] = [self._root]
        links = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                if done:
                    done.pop()
                    trail.pop()
                continue
            above = trail[-1]
            node = above.children.get(part) if above else None
            if node and node.entry.kind == LINK and (waiting or follow_last):
                links += 1
                if links > MAX_LINKS:
                    raise LinkLoop(path)
                if node.entry.target.startswith("/"):
                    done, trail = [], [self._root]
                names = [name for name in node.entry.target.split("/") if name and name != "."]
                waiting += names[::-1]
            else:
                done.append(part)
                trail.append(node)
        return "/".join(done)

    def get(self, path: str) -> Entry | None:
        """The entry at a resolved path, or None."""
        node = self._node([part for part in path.split("/") if part])
        return node.entry if node else None

    def names(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        node = self._node([part for part in path.split("/") if part])
        return sorted(node.children) if node else []

    def walk(self, path: str = "") -> Iterator[tuple[str, Entry]]:
        """All entries below a path, parents first, sorted; their paths are relative to it."""
        top = self._node([part for part in path.split("/") if part])
        waiting = [(name, node) for name, node in _children_in_reverse(top)] if top else []
        while waiting:
            name, node = waiting.pop()
            yield name, node.entry
            waiting += [(f"{name}/{child}", below) for child, below in _children_in_reverse(node)]

    def put(self, path: str, entry: Entry) -> None:
        """Put an entry and its missing parents; a directory over a directory keeps its content.

        The parents' symbolic links are followed, as when a layer is unpacked.
        """
        parts = parts_of(path)
        if not parts:
            if entry.kind == DIRECTORY:
                self._root.entry = entry
            return
        node = self._root
        for part in self._parent(parts):
            child = node.children.get(part)
            if child is None or child.entry.kind != DIRECTORY:
                child = node.children[part] = _Node(Entry(DIRECTORY))
            node = child
        old = node.children.get(parts[-1])
        if old and old.entry.kind == DIRECTORY and entry.kind == DIRECTORY:
            old.entry = entry
        else:
            node.children[parts[-1]] = _Node(entry)

    def remove(self, path: str) -> None:
        """Remove a path and everything below it, if it exists."""
        parts = parts_of(path)
        if parts:
            node = self._node(self._parent(parts))
            if node:
                node.children.pop(parts[-1], None)

    def clear(self, path: str, keep: Container[str] = ()) -> None:
        """Remove the content of a directory, except for the paths in ``keep``."""
        parts = parts_of(path)
        node = self._node([*self._parent(parts), parts[-1]] if parts else [])
        if node:
            _remove_children(node, "/".join(parts), keep)

    def _parent(self, parts: list[str]) -> list[str]:
        try:
            resolved = self.resolve("/".join(parts[:-1]))
        except LinkLoop:
            resolved = "/".join(parts[:-1])
        return [part for part in resolved.split("/") if part]

    def _node(self, parts: list[str]) -> _Node | None:
        node = self._root
        for part in parts:
            below = node.children.get(part)
            if below is None:
                return None
            node = below
        return node


def _remove_children(node: _Node, path: str, keep: Container[str]) -> None:
    for name, child in list(node.children.items()):
        below = f"{path}/{name}" if path else name
        if below in keep:
            _remove_children(child, below, keep)
        else:
            del node.children[name]


def _children_in_reverse(node: _Node) -> list[tuple[str, _Node]]:
    # the last is popped first
    return sorted(node.children.items(), key=lambda item: item[0], reverse=True)
