"""A length of time for people, as Docker prints it: the daemon in STATUS, the client in CREATED."""

from __future__ import annotations


def human_duration(value: float) -> str:
    """Seconds as go-units' HumanDuration writes them: ``5 minutes``, ``About an hour``.

    https://github.com/docker/go-units/blob/v0.5.0/duration.go
    """
    seconds = int(value)
    minutes, hours = seconds // 60, round(seconds / 3600)
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < 60:
        return f"{seconds} seconds"
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    for size, name, until in ((1, "hours", 48), (24, "days", 24 * 14), (24 * 7, "weeks", 24 * 60)):
        if hours < until:
            return f"{hours // size} {name}"
    return f"{hours // 24 // 30} months" if hours < 24 * 365 * 2 else f"{hours // 24 // 365} years"
