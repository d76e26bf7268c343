"""CodeBuild's events: the state of a build, and each phase that ended.

Form: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.service.events import Event, event

SOURCE = "aws.codebuild"

Document = Mapping[str, Any]


def state_changed(build: Document, place: tuple[str, str], at: datetime) -> Event:
    """ "CodeBuild Build State Change"."""
    phase = build["phases"][-1]
    detail = {
        "build-status": build["buildStatus"],
        "project-name": build["projectName"],
        "build-id": build["arn"],
        "additional-information": _information(build),
        "current-phase": build["currentPhase"],
        "current-phase-context": _context(phase),
        "version": "1",
    }
    return event(SOURCE, "CodeBuild Build State Change", *place, at, detail, [build["arn"]])


def phase_changed(build: Document, phase: Document, place: tuple[str, str], at: datetime) -> Event:
    """ "CodeBuild Build Phase Change", of a phase that ended."""
    detail = {
        "completed-phase": phase["phaseType"],
        "project-name": build["projectName"],
        "build-id": build["arn"],
        "completed-phase-context": _context(phase),
        "additional-information": _information(build),
        "completed-phase-status": phase["phaseStatus"],
        "completed-phase-duration-seconds": float(phase["durationInSeconds"]),
        "completed-phase-start": _written(phase["startTime"]),
        "completed-phase-end": _written(phase["endTime"]),
        "version": "1",
    }
    return event(SOURCE, "CodeBuild Build Phase Change", *place, at, detail, [build["arn"]])


def _information(build: Document) -> dict[str, Any]:
    environment, logs = build["environment"], build["logs"]
    found: dict[str, Any] = {
        "artifact": {
            {"md5sum": "md5sum", "sha256sum": "sha256sum"}.get(name, name): value
            for name, value in build["artifacts"].items()
            if name in ("md5sum", "sha256sum", "location")
        },
        "environment": {
            "image": environment["image"],
            "privileged-mode": environment["privilegedMode"],
            "image-pull-credentials-type": environment["imagePullCredentialsType"],
            "compute-type": environment["computeType"],
            "type": environment["type"],
            "environment-variables": environment["environmentVariables"],
        },
        "timeout-in-minutes": float(build["timeoutInMinutes"]),
        "queued-timeout-in-minutes": float(build["queuedTimeoutInMinutes"]),
        "build-complete": build["buildComplete"],
        "initiator": build["initiator"],
        "build-number": float(build["buildNumber"]),
        "build-start-time": _written(build["startTime"]),
        "source": {
            name: build["source"][name]
            for name in ("type", "location")
            if build["source"].get(name)
        },
        "phases": [_phase(each) for each in build["phases"]],
        "cache": {"type": build["cache"]["type"]},
    }
    if "sourceVersion" in build:
        found["source-version"] = build["sourceVersion"]
    if "groupName" in logs:
        found["logs"] = {
            "group-name": logs["groupName"],
            "stream-name": logs["streamName"],
            "deep-link": logs["deepLink"],
        }
    return found


def _phase(phase: Document) -> dict[str, Any]:
    found: dict[str, Any] = {
        "phase-context": [_context(phase)] if phase.get("contexts") else [],
        "start-time": _written(phase["startTime"]),
        "phase-type": phase["phaseType"],
    }
    if "endTime" in phase:
        found |= {
            "end-time": _written(phase["endTime"]),
            "duration-in-seconds": float(phase["durationInSeconds"]),
            "phase-status": phase["phaseStatus"],
        }
    return found


def _context(phase: Document) -> str:
    """The phase's contexts as a text, as AWS's example has them: "[: ]" for an empty one."""
    pairs = [f"{each['statusCode']}: {each['message']}" for each in phase.get("contexts", [])]
    return f"[{', '.join(pairs) or ': '}]"


def _written(seconds: float) -> str:
    """ "Sep 1, 2017 4:12:29 PM" """
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%b} {at.day}, {at.year} {at.hour % 12 or 12}:{at:%M:%S} {at:%p}"
