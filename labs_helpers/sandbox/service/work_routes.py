"""The part of the control API by which the runner claims jobs of the desk and reports events.

POST /_labs/work/claim   {"runner", "kinds", "running", "held", "seconds"} -> {"job", "stop"}
POST /_labs/work/report  {"runner", "job", "number", "events"} -> {}; 410 where the job is lost
GET  /_labs/work         {"runners", "waiting", "claimed"}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from labs_helpers.runtime import process_identity
from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.service.work import Desk


def routes(desk: Desk) -> Routes:
    """(method, path) -> what answers it."""

    def claim(sent: dict[str, Any]) -> dict[str, Any]:
        try:
            kinds, running, held = (
                list(map(str, sent[name])) for name in ("kinds", "running", "held")
            )
            note, seconds = _process_in(sent), float(sent["seconds"])
            if not math.isfinite(seconds):
                raise ValueError("seconds must be a number")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ControlRefused(400, f"this is no claim: {error}") from error
        return desk.claim(note, kinds, running, held, seconds)

    def report(sent: dict[str, Any]) -> dict[str, Any]:
        try:
            note, job, number = _process_in(sent), str(sent["job"]), int(sent["number"])
            events = [dict(each) for each in sent["events"]]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ControlRefused(400, f"this is no report: {error}") from error
        desk.report(note, job, number, events)
        return {}

    return {
        ("POST", "/_labs/work/claim"): claim,
        ("POST", "/_labs/work/report"): report,
        ("GET", "/_labs/work"): lambda sent: desk.facts(),
    }


def _process_in(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says of its runner; raises ValueError for no process that runs."""
    note = dict(sent["runner"])
    if not process_identity.is_alive(note):
        raise ValueError("the runner is no process that runs")
    return note
