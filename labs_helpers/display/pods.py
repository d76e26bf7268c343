"""Pods as `kubectl get pods` and `kubectl describe pod` show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from labs_helpers.display.rendering import Rendering, columns


def listed(pods: Sequence[Mapping[str, Any]], now: datetime) -> Rendering:
    """`kubectl get pods`; the columns are three spaces apart."""
    if not pods:
        return _plain("No resources found in default namespace.")
    rows = [("NAME", "READY", "STATUS", "RESTARTS", "AGE")]
    rows += [
        (
            each["name"],
            f"{_ready(each)}/{len(each['containers'])}",
            each["status"],
            str(each["restarts"]),
            age(now - datetime.fromisoformat(each["made"])),
        )
        for each in pods
    ]
    widths = [max(len(row[number]) for row in rows) for number in range(5)]
    lines = [
        "   ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return _plain("\n".join(lines))


def described(pod: Mapping[str, Any], now: datetime, waits: int) -> Rendering:
    """The parts of `kubectl describe pod` that say what runs and what happened.

    waits: seconds until the next try, which kubectl does not show.
    """
    head = [("Name:", pod["name"]), ("Namespace:", "default"), ("Status:", _phase(pod))]
    if pod["status"] != "Running":
        head += [("State:", "Waiting"), ("Reason:", pod["status"])]
    head += [
        (f"Image of {each['spec']['name']}:", each["spec"]["image"]) for each in pod["containers"]
    ]
    events = [
        f"  {each['type']:<8} {each['reason']:<10} {_when(each, now):<16} {each['message']}"
        for each in pod["events"]
    ]
    text = "\n".join([columns(head), "Events:", *events])
    if waits:
        text += f"\n(the next try is in {age(timedelta(seconds=waits))})"
    return _plain(text)


def age(length: timedelta) -> str:
    """As kubectl shortens a length of time: 45s, 2m10s, 15m, 3h5m, 2d.

    https://github.com/kubernetes/apimachinery/blob/master/pkg/util/duration/duration.go
    """
    seconds = max(int(length.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{days}d"


def _phase(pod: Mapping[str, Any]) -> str:
    """Pending until the image of each container was there: what `describe` calls the status.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
    """
    return "Running" if all(each["image"] for each in pod["containers"]) else "Pending"


def _ready(pod: Mapping[str, Any]) -> int:
    return sum(bool(each["id"]) for each in pod["containers"])


def _when(event: Mapping[str, Any], now: datetime) -> str:
    last = age(now - datetime.fromisoformat(event["last"]))
    if event["count"] == 1:
        return last
    first = age(now - datetime.fromisoformat(event["first"]))
    return f"{last} (x{event['count']} over {first})"


def _plain(text: str) -> Rendering:
    return Rendering(text, f"<pre>{escape(text)}</pre>")
