"""What Fargate asks of a task definition, and the sizes of tasks that it has.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from labs_helpers.sandbox.ecs.errors import Refused
from labs_helpers.sandbox.ecs.naming import Document

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|on\.aws)(\.cn)?/")
_GIB = 1024
_SIZES: Mapping[int, Iterable[int]] = {
    256: (512, _GIB, 2 * _GIB),
    512: range(_GIB, 4 * _GIB + 1, _GIB),
    1024: range(2 * _GIB, 8 * _GIB + 1, _GIB),
    2048: range(4 * _GIB, 16 * _GIB + 1, _GIB),
    4096: range(8 * _GIB, 30 * _GIB + 1, _GIB),
    8192: range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB),
    16384: range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB),
    32768: (60 * _GIB, 120 * _GIB, 184 * _GIB, 244 * _GIB),
}
"""CPU units -> MiB of memory that Fargate has with them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
"""
_TROUBLESHOOTING = (
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)


def _is_ecr(image: str) -> bool:
    """Whether an image is named by an ECR registry."""
    return _ECR.match(image) is not None


def why_not(params: Mapping[str, Any], containers: list[Document]) -> str:
    """Why Fargate does not take a task definition; empty where it does."""
    if params.get("networkMode") != "awsvpc":
        return "Fargate only supports network mode ‘awsvpc’."  # noqa: RUF001 (AWS's own quotes)
    for name in ("cpu", "memory"):
        if not params.get(name):
            return f"Fargate requires that '{name}' be defined at the task level."
    cpu, memory = (units(params[name], name) for name in ("cpu", "memory"))
    if cpu not in _SIZES:
        return f"Invalid 'cpu' setting for task. {_TROUBLESHOOTING}"
    if memory not in _SIZES[cpu]:
        return "No Fargate configuration exists for given values."
    for each in containers:
        for port in each["portMappings"]:
            if port.get("hostPort") not in (None, 0, port.get("containerPort")):
                return (
                    "When networkMode=awsvpc, the host ports and container ports in port mappings "
                    "must match."
                )
        if not params.get("executionRoleArn"):
            if _is_ecr(each["image"]):
                return (
                    "Fargate requires task definition to have execution role ARN to support ECR "
                    "images."
                )
            if each.get("logConfiguration"):
                return (
                    "Fargate requires task definition to have execution role ARN to support log "
                    "driver awslogs."
                )
            if each.get("secrets"):
                return (
                    "When you are specifying container secrets, you must also specify a value for "
                    "'executionRoleArn'."
                )
    return ""


def units(text: str, name: str) -> int:
    """CPU units or MiB of "256", ".25 vCPU", "0.5 GB"; raises Refused."""
    found = re.fullmatch(r"\s*(\d*\.?\d+)\s*(vcpu|gb)?\s*", text, re.IGNORECASE)
    unit = "" if found is None else (found[2] or "").lower()
    if found is None or unit not in ("", {"cpu": "vcpu", "memory": "gb"}[name]):
        raise Refused(f"Invalid '{name}' setting for task. {_TROUBLESHOOTING}")
    return int(float(found[1]) * (_GIB if unit else 1))
