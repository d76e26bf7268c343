"""Shards and backends in memory: the objects that have a row, by identity and by name."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from labs_helpers.sandbox.moto.kept.bodies import Bodies
from labs_helpers.sandbox.moto.kept.classes import SHARDS
from labs_helpers.sandbox.moto.kept.rows import Place, Shard

Backend = Callable[[str, str, str], Any]
"""(package, account, region) -> moto's backend."""


@dataclass(eq=False)
class Node:
    """Something that has a row; the object is held, so that its id() stays its own."""

    found: Any
    name: Shard | Place
    sha256: str = ""
    children: frozenset[Node] = frozenset()
    references: int = 0
    body: str = ""

    @property
    def shard(self) -> Shard:
        """The name of a shard."""
        return self.name[0], int(self.name[1])


class Nodes:
    """The nodes of all services that were read or written."""

    def __init__(self, bodies: Bodies, backend: Backend) -> None:
        self.bodies = bodies
        self.backend = backend
        self.backends: dict[Place, Node] = {}
        self.packages: dict[type, str] = {}
        """The packages of the classes of shards."""
        self._shards: dict[int, Node] = {}
        self._by_name: dict[Shard, Node] = {}
        self._last: dict[str, int] = defaultdict(int)

    def learn(self, package: str) -> None:
        """Know the shards of a package, which is imported."""
        for target in SHARDS.get(package, ()):
            module, _, name = target.partition(":")
            self.packages[getattr(importlib.import_module(module), name)] = package

    def of(self, identity: int) -> Node | None:
        """The node of a shard, by the id() of the shard."""
        return self._shards.get(identity)

    def named(self, name: Shard) -> Node | None:
        return self._by_name.get(name)

    def number_from(self, package: str, last: int) -> None:
        """Number the new shards of a package after ``last``."""
        self._last[package] = last

    def new(self, found: Any) -> Node:
        """A node for a shard that has none."""
        package = self.packages[type(found)]
        self._last[package] += 1
        node = Node(found, (package, self._last[package]))
        self.add(node)
        return node

    def add(self, node: Node) -> None:
        self._shards[id(node.found)] = node
        self._by_name[node.shard] = node

    def drop(self, node: Node) -> None:
        self._shards.pop(id(node.found), None)
        self._by_name.pop(node.shard, None)

    def forget(self, package: str) -> None:
        """Know nothing of a package any more."""
        for place in [place for place in self.backends if place[0] == package]:
            del self.backends[place]
        for node in [node for node in self._shards.values() if node.name[0] == package]:
            self.drop(node)


def count(children: Iterable[Node]) -> None:
    """Each of the children has one more node that refers to it."""
    for child in children:
        child.references += 1


def class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def checksum(content: bytes) -> str:
    """The SHA-256 of a content, in hexadecimal digits."""
    return sha256(content).hexdigest()


def has_local_factory(value: Any) -> bool:
    """Whether a dictionary is filled by a function that has no name to write in a row."""
    if type(value) is not defaultdict:
        return False
    return "<" in getattr(value.default_factory, "__qualname__", "")
