"""What a look at a service leads to, beside the changes of the service's document."""

from __future__ import annotations

from dataclasses import dataclass, field

from labs_helpers.sandbox.ecs.naming import Document


@dataclass
class Plan:
    """What follows beside the changes of the service's document.

    starts: how many tasks of each deployment; stop: (task, stopCode, stoppedReason);
    news: names of events for EventBridge, with a deployment and a reason where the name is of a
    deployment; again: whether the scheduler has to look again by itself, soon; due: when it has
    to, by the sandbox clock.
    """

    starts: dict[str, int] = field(default_factory=dict)
    stop: list[tuple[Document, str, str]] = field(default_factory=list)
    news: list[tuple[str, str, str]] = field(default_factory=list)
    again: bool = False
    due: float | None = None
