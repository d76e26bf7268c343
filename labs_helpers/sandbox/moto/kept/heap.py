"""Shards and backends in memory beside their rows: what a change writes, and what has gone.

A shard is written when it is touched or new, and goes when nothing refers to it any more. Whoever
calls holds the turns of `state.py`. reading.py reads a service.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.sandbox.moto.kept import graph, restored
from labs_helpers.sandbox.moto.kept.bodies import Bodies, StoredBody
from labs_helpers.sandbox.moto.kept.classes import NO_STATE
from labs_helpers.sandbox.moto.kept.graph import Name
from labs_helpers.sandbox.moto.kept.nodes import (
    Backend,
    Node,
    Nodes,
    checksum,
    class_name,
    count,
    has_local_factory,
)
from labs_helpers.sandbox.moto.kept.reading import Reading
from labs_helpers.sandbox.moto.kept.rows import Change, Place, Rows


@dataclass
class _Written:
    """What a change has taken of a node, until the change is on disk."""

    sha256: str
    children: frozenset[Node]
    body: str


@dataclass
class _Pending:
    """A change that is not on disk yet."""

    new: list[Node] = field(default_factory=list)
    written: dict[Node, _Written] = field(default_factory=dict)
    references: dict[Node, int] = field(default_factory=lambda: defaultdict(int))
    gone: set[Node] = field(default_factory=set)


class Heap:
    """What is in memory of all services that were read or written."""

    def __init__(self, bodies: Bodies, backend: Backend) -> None:
        self._nodes = Nodes(bodies, backend)
        self._pending = _Pending()
        self._met: set[Node] = set()
        self._met_body = ""

    def learn(self, package: str) -> None:
        """Know the shards of a package, which is imported."""
        self._nodes.learn(package)

    def packages(self, touched: Mapping[int, Any]) -> set[str]:
        """The packages of touched shards."""
        return {self._nodes.packages[type(found)] for found in touched.values()}

    def change(self, backends: Mapping[Place, Any], touched: Mapping[int, Any]) -> Change:
        """What has to be written of these backends and shards, and of all that is new in them.

        Raises what pickle raises. `done` or `undo` follows.
        """
        pending = self._pending = _Pending()
        handlers = self._handlers()
        change = Change()
        for place, backend in backends.items():
            node = self._nodes.backends.get(place)
            if node is None or node.found is not backend:
                children = frozenset[Node]() if node is None else node.children
                node = self._nodes.backends[place] = Node(backend, place, children=children)
            if (content := self._taken(node, handlers)) is not None:
                change.backends[place] = content
        for node in [found for each in touched if (found := self._nodes.of(each))]:
            self._take_shard(node, handlers, change)
        # grows while a new shard refers to another new shard
        for node in pending.new:
            self._take_shard(node, handlers, change)
        self._let_go(change)
        return change

    def done(self) -> None:
        """The change is on disk."""
        pending, self._pending = self._pending, _Pending()
        for node, written in pending.written.items():
            node.sha256, node.children, node.body = written.sha256, written.children, written.body
            if written.body:
                self._leave_to_disk(node)
        for node, difference in pending.references.items():
            node.references += difference
        for node in pending.gone:
            self._nodes.drop(node)

    def undo(self) -> None:
        """The change is not on disk."""
        pending, self._pending = self._pending, _Pending()
        for node in pending.new:
            self._nodes.drop(node)

    def forget(self, package: str) -> None:
        """Know nothing of a package any more."""
        self._nodes.forget(package)

    def read(self, package: str, rows: Rows) -> list[int]:
        """Make a package's backends as they were; the numbers of the shards nothing refers to.

        Raises Unreadable, and TypeError, KeyError, AttributeError or ValueError of odd content.
        """
        stored = rows.shards(package)
        self._nodes.number_from(package, max(stored, default=0))
        reading = Reading(self._nodes, package, stored)
        places = [
            (restored.new_backend(package, account, region), (package, account, region), content)
            for account, region, content in rows.backends(package)
        ]
        for backend, place, content in places:
            children = reading.fill(backend, content)
            self._nodes.backends[place] = Node(backend, place, checksum(content), children)
            count(children)
        restored.put_right(package)
        return [number for number in stored if self._nodes.named((package, number)) is None]

    def _handlers(self) -> graph.Handlers:
        found = graph.Handlers(_backend_class(), _name_of_backend)
        found |= graph.plain_handlers(self._body)
        found[StoredBody] = self._body
        found |= dict.fromkeys(self._nodes.packages, self._name_of_shard)
        return found

    def _take_shard(self, node: Node, handlers: graph.Handlers, change: Change) -> None:
        if node in self._pending.written:
            return
        content = self._taken(node, handlers)
        if content is not None:
            kind = type(node.found)
            name = f"{kind.__module__}:{kind.__qualname__}"
            change.shards[node.shard] = (name, content, self._pending.written[node].body)

    def _taken(self, node: Node, handlers: graph.Handlers) -> bytes | None:
        """The content of a node; None when the row has the same already."""
        self._met, self._met_body = set(), ""
        state = _state_of(node.found)
        with state["lock"] if "_value_buffer" in state else nullcontext():
            content = graph.dump(state, handlers)
        now, children = checksum(content), frozenset(self._met)
        self._pending.written[node] = _Written(now, children, self._met_body)
        for child in children - node.children:
            self._pending.references[child] += 1
        for child in node.children - children:
            self._pending.references[child] -= 1
        return None if now == node.sha256 else content

    def _let_go(self, change: Change) -> None:
        """Find the shards that nothing refers to any more."""
        pending = self._pending
        waiting = [node for node, less in pending.references.items() if node.references + less <= 0]
        while waiting:
            node = waiting.pop()
            if node in pending.gone:
                continue
            pending.gone.add(node)
            change.shards.pop(node.shard, None)
            change.gone.add(node.shard)
            written = pending.written.get(node)
            for child in node.children if written is None else written.children:
                pending.references[child] -= 1
                if child.references + pending.references[child] <= 0:
                    waiting.append(child)

    def _name_of_shard(self, found: Any) -> Name:
        node = self._nodes.of(id(found))
        if node is None:
            node = self._nodes.new(found)
            self._pending.new.append(node)
        self._met.add(node)
        return "shard", node.name[0], node.name[1]

    def _body(self, found: Any) -> Name:
        digest = getattr(found, "digest", "")
        if not digest and not getattr(found, "closed", False):
            digest = self._nodes.bodies.add(found)
        self._met_body = digest
        return "body", digest

    def _leave_to_disk(self, node: Node) -> None:
        """Let a key read its body from disk from now on."""
        key = node.found
        with key.lock:
            buffer = key._value_buffer
            if getattr(buffer, "digest", "") != node.body:
                key._value_buffer = self._nodes.bodies.open(node.body)
                buffer.close()


def _backend_class() -> Any:
    from moto.core.base_backend import BaseBackend

    return BaseBackend


def _name_of_backend(backend: Any) -> Name:
    package = str(type(backend).__module__).split(".")[1]
    return "backend", package, backend.account_id, backend.region_name


def _state_of(found: Any) -> dict[str, Any]:
    """The attributes that are state; a lambda that fills a dictionary is made anew."""
    left = NO_STATE.get(class_name(type(found)), ())
    return {
        name: dict(value) if has_local_factory(value) else value
        for name, value in dict(vars(found)).items()
        if name not in left
    }
