"""How a service is read: from the rows of its backends and shards to moto's objects."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto.kept import graph
from labs_helpers.sandbox.moto.kept.classes import EMPTY
from labs_helpers.sandbox.moto.kept.graph import Name
from labs_helpers.sandbox.moto.kept.nodes import (
    Node,
    Nodes,
    checksum,
    class_name,
    count,
    has_local_factory,
)
from labs_helpers.sandbox.moto.kept.unpickling import Unreadable


class Reading:
    """One package on its way from rows to objects."""

    def __init__(
        self, nodes: Nodes, package: str, stored: Mapping[int, tuple[str, bytes, str]]
    ) -> None:
        self._nodes = nodes
        self._package = package
        self._stored = stored
        self._met: set[Node] = set()

    def fill(self, backend: Any, content: bytes) -> frozenset[Node]:
        """Give a new backend the attributes in a content; the shards in them."""
        state, children = self.load(content)
        for name, value in state.items():
            own = vars(backend)[name]
            if has_local_factory(own):
                own.clear()
                own.update(value)
            else:
                setattr(backend, name, value)
        return children

    def load(self, content: bytes) -> tuple[dict[str, Any], frozenset[Node]]:
        """The attributes in a content, and the shards in them."""
        before, self._met = self._met, set()
        try:
            state = graph.load(content, self._named)
            if not isinstance(state, dict):
                raise Unreadable("it holds no attributes")
            return state, frozenset(self._met)
        finally:
            self._met = before

    def _named(self, name: Name) -> Any:
        kind, *rest = name
        if kind == "shard":
            node = self._shard(str(rest[0]), int(rest[1]))
            self._met.add(node)
            return node.found
        if kind == "backend":
            return self._nodes.backend(*map(str, rest))
        if kind == "body":
            return self._open(str(rest[0]))
        if kind == "lock":
            return graph.lock(str(rest[0]))
        if kind == "key":
            return graph.private_key(rest[0])
        raise Unreadable(f"it holds a {kind!r}")

    def _open(self, digest: str) -> Any:
        if not digest:
            closed = tempfile.SpooledTemporaryFile()  # noqa: SIM115 (as moto leaves one)
            closed.close()
            return closed
        if not self._nodes.bodies.has(digest):
            raise Unreadable(f"the body {digest} is missing")
        return self._nodes.bodies.open(digest)

    def _shard(self, service: str, number: int) -> Node:
        there = self._nodes.named((service, number))
        if there is not None:
            return there
        if service != self._package or number not in self._stored:
            raise Unreadable(f"the object {number} of {service} is missing")
        name, content, body = self._stored[number]
        kind = graph.allowed(*name.split(":"))
        if kind not in self._nodes.packages:
            raise Unreadable(f"it holds {name}, which is no part of a service's state")
        node = Node(kind.__new__(kind), (service, number), checksum(content), body=body)
        # before its attributes are read, which may refer back to the object
        self._nodes.add(node)
        state, node.children = self.load(content)
        vars(node.found).update(state)
        for attribute, make in EMPTY.get(class_name(kind), {}).items():
            setattr(node.found, attribute, make())
        count(node.children)
        return node
