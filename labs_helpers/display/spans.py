"""Lengths of time in words, for where a date would differ from run to run."""

from __future__ import annotations

from datetime import timedelta


def span(length: timedelta) -> str:
    """To the minute: "12 hours", "2 days 1 hour", "1 hour 5 minutes", "less than a minute"."""
    minutes = round(length.total_seconds() / 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [
        f"{count} {unit}{'' if count == 1 else 's'}"
        for count, unit in ((days, "day"), (hours, "hour"), (minutes, "minute"))
        if count
    ]
    return " ".join(parts) or "less than a minute"


def until(remaining: timedelta) -> str:
    """When something ends, seen from now: "in 12 hours", "1 hour ago"."""
    if remaining < timedelta():
        return f"{span(-remaining)} ago"
    return f"in {span(remaining)}"
