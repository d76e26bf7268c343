"""What things cost on AWS, by the dated figures of ``prices.json``, which labs 03 and 14 read."""

from __future__ import annotations

import json

from labs_helpers.workspace import Workspace

IMAGES_GB = 0.2
"""What the images of all labs take together in ECR, rounded up (`labs status` counts them)."""
TASK_VCPU, TASK_GB = 0.25, 0.5
"""The size of each task of the labs, as its task definition says: 256 units, 512 MiB."""


def figures(workspace: Workspace) -> dict[str, float]:
    """The prices by name, in USD, each by the unit that the file says."""
    path = workspace.notebooks / "files" / "03" / "prices.json"
    listed = json.loads(path.read_text(encoding="utf-8"))["prices"]
    return {str(one["name"]): float(one["price"]) for one in listed}


def images_month(workspace: Workspace) -> float:
    """USD a month for the images of all labs."""
    return IMAGES_GB * figures(workspace)["ecr_storage"]


def task_hour(workspace: Workspace) -> float:
    """USD an hour for one task of the labs on Fargate, with its public address."""
    known = figures(workspace)
    return (
        TASK_VCPU * known["fargate_vcpu_hour"]
        + TASK_GB * known["fargate_gb_hour"]
        + known["public_ipv4_hour"]
    )
