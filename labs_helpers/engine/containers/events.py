"""What happened to containers, for `docker events`.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/System/operation/SystemEvents
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_KEPT = 256
"""Events that a client may ask for afterwards, as many as dockerd keeps."""


class Events:
    """The latest events; safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._count = 0

    def emit(self, kind: str, action: str, name: str, attributes: Mapping[str, str]) -> None:
        """Note an event about an object of a kind ("container")."""
        nanoseconds = time.time_ns()
        event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": name, "Attributes": dict(attributes)},
            "scope": "local",
            "time": nanoseconds // 10**9,
            "timeNano": nanoseconds,
        }
        if kind == "container":
            event |= {"status": action, "id": name, "from": attributes.get("image", "")}
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
    attributes = event["Actor"]["Attributes"]
    name = event["Actor"]["ID"]

    def one(key: str, values: Sequence[str]) -> bool:
        match key:
            case "event":
                return event["Action"] in values
            case "container":
                return any(name.startswith(v) or attributes.get("name") == v for v in values)
            case "image":
                return any(attributes.get("image", "") in (v, f"{v}:latest") for v in values)
            case "label":
                pairs = [value.partition("=") for value in values]
                return all(k in attributes and (not e or attributes[k] == v) for k, e, v in pairs)
        return True

    return all(one(key, values) for key, values in filters.items())
