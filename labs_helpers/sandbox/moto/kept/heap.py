"""Shards and backends in memory beside their rows: what a change writes, and how a service is read.

A shard is written when it is touched or new, and goes when nothing refers to it any more. Whoever
calls holds the turns of `state.py`.
"""

from __future__ import annotations

import importlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from labs_helpers.sandbox.moto.kept import graph, restored
from labs_helpers.sandbox.moto.kept.bodies import Bodies, StoredBody
from labs_helpers.sandbox.moto.kept.classes import EMPTY, NO_STATE, SHARDS
from labs_helpers.sandbox.moto.kept.graph import Name, Unreadable
from labs_helpers.sandbox.moto.kept.rows import Change, Place, Rows, Shard

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
    """The nodes of all services that were read or written."""

    def __init__(self, bodies: Bodies, backend: Backend) -> None:
        self._bodies = bodies
        self._backend = backend
        self._shards: dict[int, Node] = {}
        self._by_name: dict[Shard, Node] = {}
        self._backends: dict[Place, Node] = {}
        self._next: dict[str, int] = defaultdict(int)
        self._packages: dict[type, str] = {}
        self._pending = _Pending()
        self._met: set[Node] = set()
        self._met_body = ""

    def learn(self, package: str) -> None:
        """Know the shards of a package, which is imported."""
        for target in SHARDS.get(package, ()):
            module, _, name = target.partition(":")
            self._packages[getattr(importlib.import_module(module), name)] = package

    def packages(self, touched: Mapping[int, Any]) -> set[str]:
        """The packages of touched shards."""
        return {self._packages[type(found)] for found in touched.values()}

    def change(self, backends: Mapping[Place, Any], touched: Mapping[int, Any]) -> Change:
        """What has to be written of these backends and shards, and of all that is new in them.

        Raises what pickle raises. `done` or `undo` follows.
        """
        pending = self._pending = _Pending()
        handlers = self._handlers()
        change = Change()
        for place, backend in backends.items():
            node = self._backends.get(place)
            if node is None or node.found is not backend:
                children = frozenset[Node]() if node is None else node.children
                node = self._backends[place] = Node(backend, place, children=children)
            if (content := self._taken(node, handlers)) is not None:
                change.backends[place] = content
        for node in [self._shards[each] for each in touched if each in self._shards]:
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
            self._drop(node)

    def undo(self) -> None:
        """The change is not on disk."""
        pending, self._pending = self._pending, _Pending()
        for node in pending.new:
            self._drop(node)

    def forget(self, package: str) -> None:
        """Know nothing of a package any more."""
        for place in [place for place in self._backends if place[0] == package]:
            del self._backends[place]
        for node in [node for node in self._shards.values() if node.name[0] == package]:
            self._drop(node)

    def read(self, package: str, rows: Rows) -> list[int]:
        """Make a package's backends as they were; the numbers of the shards nothing refers to.

        Raises Unreadable, and TypeError, KeyError, AttributeError or ValueError of odd content.
        """
        stored = rows.shards(package)
        self._next[package] = max(stored, default=0)
        read = _Reading(self, package, stored)
        places = [
            (restored.new_backend(package, account, region), (package, account, region), content)
            for account, region, content in rows.backends(package)
        ]
        for backend, place, content in places:
            state, children = read.load(content)
            _fill(backend, state)
            node = Node(backend, place, _sum(content), children)
            self._backends[place] = node
            _count(children)
        restored.put_right(package)
        return [number for number in stored if (package, number) not in self._by_name]

    def _handlers(self) -> graph.Handlers:
        found = graph.Handlers(_backend_class(), _name_of_backend)
        found |= graph.plain_handlers(self._body)
        found[StoredBody] = self._body
        found |= dict.fromkeys(self._packages, self._name_of_shard)
        return found

    def _take_shard(self, node: Node, handlers: graph.Handlers, change: Change) -> None:
        if node in self._pending.written:
            return
        content = self._taken(node, handlers)
        if content is not None:
            service, number = node.name[0], int(node.name[1])
            kind = type(node.found)
            name = f"{kind.__module__}:{kind.__qualname__}"
            change.shards[service, number] = (name, content, self._pending.written[node].body)

    def _taken(self, node: Node, handlers: graph.Handlers) -> bytes | None:
        """The content of a node; None when the row has the same already."""
        self._met, self._met_body = set(), ""
        state = _state_of(node.found)
        with state["lock"] if "_value_buffer" in state else nullcontext():
            content = graph.dump(state, handlers)
        checksum, children = _sum(content), frozenset(self._met)
        self._pending.written[node] = _Written(checksum, children, self._met_body)
        for child in children - node.children:
            self._pending.references[child] += 1
        for child in node.children - children:
            self._pending.references[child] -= 1
        return None if checksum == node.sha256 else content

    def _let_go(self, change: Change) -> None:
        """Find the shards that nothing refers to any more."""
        pending = self._pending
        waiting = [node for node, less in pending.references.items() if node.references + less <= 0]
        while waiting:
            node = waiting.pop()
            if node in pending.gone:
                continue
            pending.gone.add(node)
            shard = (node.name[0], int(node.name[1]))
            change.shards.pop(shard, None)
            change.gone.add(shard)
            written = pending.written.get(node)
            for child in node.children if written is None else written.children:
                pending.references[child] -= 1
                if child.references + pending.references[child] <= 0:
                    waiting.append(child)

    def _name_of_shard(self, found: Any) -> Name:
        node = self._shards.get(id(found))
        if node is None:
            package = self._packages[type(found)]
            self._next[package] += 1
            node = Node(found, (package, self._next[package]))
            self._add(node)
            self._pending.new.append(node)
        self._met.add(node)
        return "shard", node.name[0], node.name[1]

    def _body(self, found: Any) -> Name:
        digest = getattr(found, "digest", "")
        if not digest and not getattr(found, "closed", False):
            digest = self._bodies.add(found)
        self._met_body = digest
        return "body", digest

    def _leave_to_disk(self, node: Node) -> None:
        """Let a key read its body from disk from now on."""
        key = node.found
        with key.lock:
            buffer = key._value_buffer
            if getattr(buffer, "digest", "") != node.body:
                key._value_buffer = self._bodies.open(node.body)
                buffer.close()

    def _add(self, node: Node) -> None:
        self._shards[id(node.found)] = node
        self._by_name[node.name[0], int(node.name[1])] = node

    def _drop(self, node: Node) -> None:
        self._shards.pop(id(node.found), None)
        self._by_name.pop((node.name[0], int(node.name[1])), None)


class _Reading:
    """One package on its way from rows to objects."""

    def __init__(
        self, heap: Heap, package: str, stored: Mapping[int, tuple[str, bytes, str]]
    ) -> None:
        self._heap = heap
        self._package = package
        self._stored = stored
        self._met: set[Node] = set()

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
            return self._heap._backend(*map(str, rest))
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
        if not self._heap._bodies.has(digest):
            raise Unreadable(f"the body {digest} is missing")
        return self._heap._bodies.open(digest)

    def _shard(self, service: str, number: int) -> Node:
        there = self._heap._by_name.get((service, number))
        if there is not None:
            return there
        if service != self._package or number not in self._stored:
            raise Unreadable(f"the object {number} of {service} is missing")
        name, content, body = self._stored[number]
        kind = graph.allowed(*name.split(":"))
        if kind not in self._heap._packages:
            raise Unreadable(f"it holds {name}, which is no part of a service's state")
        node = Node(kind.__new__(kind), (service, number), _sum(content), body=body)
        # before its attributes are read, which may refer back to the object
        self._heap._add(node)
        state, node.children = self.load(content)
        vars(node.found).update(state)
        for attribute, make in EMPTY.get(_class_name(kind), {}).items():
            setattr(node.found, attribute, make())
        _count(node.children)
        return node


def _backend_class() -> Any:
    from moto.core.base_backend import BaseBackend

    return BaseBackend


def _name_of_backend(backend: Any) -> Name:
    package = str(type(backend).__module__).split(".")[1]
    return "backend", package, backend.account_id, backend.region_name


def _state_of(found: Any) -> dict[str, Any]:
    """The attributes that are state; a lambda that fills a dictionary is made anew."""
    left = NO_STATE.get(_class_name(type(found)), ())
    return {
        name: dict(value) if _has_local_factory(value) else value
        for name, value in dict(vars(found)).items()
        if name not in left
    }


def _has_local_factory(value: Any) -> bool:
    if type(value) is not defaultdict:
        return False
    return "<" in getattr(value.default_factory, "__qualname__", "")


def _fill(backend: Any, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        own = vars(backend)[name]
        if _has_local_factory(own):
            own.clear()
            own.update(value)
        else:
            setattr(backend, name, value)


def _count(children: Iterable[Node]) -> None:
    for child in children:
        child.references += 1


def _class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _sum(content: bytes) -> str:
    return sha256(content).hexdigest()
