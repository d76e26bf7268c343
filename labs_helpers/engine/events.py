"""What happened to containers, images and volumes, for `docker events`.

Sources: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/System/operation/SystemEvents
and https://github.com/moby/moby/tree/v28.2.2/daemon/events (events.go, filter.go)
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

CONTAINER, IMAGE, VOLUME = KINDS = ("container", "image", "volume")
"""The kinds of objects whose events are kept."""
FILTERS = frozenset({"container", "event", "image", "label", "scope", "type", "volume"})
"""The filters of a request that can select one of these events."""

_KEPT = 256
"""Events that a client may ask for afterwards, as many as dockerd keeps."""


class Events:
    """The latest events; safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._count = 0

    def emit(self, kind: str, action: str, name: str, attributes: Mapping[str, str]) -> None:
        """Note an event about an object of one of the kinds; ``name`` is its ID for Docker."""
        nanoseconds = time.time_ns()
        event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": name, "Attributes": dict(attributes)},
            "scope": "local",
            "time": nanoseconds // 10**9,
            "timeNano": nanoseconds,
        }
        if kind == CONTAINER:
            event |= {"status": action, "id": name, "from": attributes.get("image", "")}
        elif kind == IMAGE:
            event |= {"status": action, "id": name}
        with self._changed:
            self._events.append(event)
            self._count += 1
            self._changed.notify_all()

    def follow(
        self, since: float | None, until: float | None, is_gone: Callable[[], bool]
    ) -> Iterator[dict[str, Any] | None]:
        """Events from ``since`` (Unix time; None: from now) to ``until`` (None: without end).

        "Now" is the moment of this call, so that a client which has its answer misses nothing.
        Yields None while nothing happens, so that the caller can look after its client.
        """
        with self._changed:
            known = [e for e in self._events if since is not None and e["timeNano"] >= since * 1e9]
            seen = self._count
        known = [e for e in known if until is None or e["timeNano"] < until * 1e9]
        return self._follow(known, seen, until, is_gone)

    def _follow(
        self,
        known: list[dict[str, Any]],
        seen: int,
        until: float | None,
        is_gone: Callable[[], bool],
    ) -> Iterator[dict[str, Any] | None]:
        yield from known
        while not is_gone():
            left = None if until is None else until - time.time()
            if left is not None and left <= 0:
                return
            with self._changed:
                if self._count == seen:
                    self._changed.wait(min(1.0, left or 1.0))
                new = min(self._count - seen, len(self._events))
                fresh = list(self._events)[len(self._events) - new :]
                seen = self._count
            yield from fresh
            if not fresh:
                yield None


def matches(event: Mapping[str, Any], filters: Mapping[str, Sequence[str]]) -> bool:
    """Whether filters of `docker events` select an event."""
    return all(_matches(event, key, values) for key, values in filters.items())


def _matches(event: Mapping[str, Any], key: str, values: Sequence[str]) -> bool:
    attributes, name = event["Actor"]["Attributes"], event["Actor"]["ID"]
    match key:
        case "type":
            return event["Type"] in values
        case "scope":
            return event["scope"] in values
        case "event":
            action = event["Action"]
            # health_status, exec_create and exec_start have a colon and more behind their names
            return action in values or action.partition(":")[0] in values
        case "container" | "volume":
            names = (name, attributes.get("name", ""))
            return event["Type"] == key and any(
                each.startswith(value) for each in names for value in values
            )
        case "image":
            known = (name, attributes.get("name" if event["Type"] == IMAGE else "image", ""))
            return any(each in values or _without_tag(each) in values for each in known)
        case _:
            pairs = [value.partition("=") for value in values]
            return all(k in attributes and (not e or attributes[k] == v) for k, e, v in pairs)


def _without_tag(name: str) -> str:
    try:
        return references.parse(name).familiar_name
    except InvalidReference:
        return name
