"""Log groups of CloudWatch Logs."""

from __future__ import annotations

from contextlib import suppress

from labs_helpers.prepare.step import Place


def no_log_group(place: Place, name: str) -> None:
    """No log group of this name, nor what was written into the group."""
    logs = place.client("logs")
    with suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_log_group(logGroupName=name)
        place.removed.append(f"log group {name}")
