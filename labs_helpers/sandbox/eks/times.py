"""How long what EKS makes and deletes takes, by the sandbox clock.

On AWS a cluster takes about ten minutes, and a node group some minutes:
https://docs.aws.amazon.com/eks/latest/userguide/getting-started-console.html. Here nothing is made
but the record, and the times are short. The statuses and their order are AWS's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLUSTER, NODEGROUP, PROFILE = "cluster", "nodegroup", "fargateprofile"

_MAKING = {CLUSTER: 30.0, NODEGROUP: 15.0, PROFILE: 10.0}
_DELETING = {CLUSTER: 10.0, NODEGROUP: 10.0, PROFILE: 5.0}


def status(document: Mapping[str, Any], kind: str, now: float) -> str:
    """CREATING, ACTIVE or DELETING; "" for what is gone by now."""
    if (gone := document.get("deletedAt")) is not None:
        return "DELETING" if now < gone + _DELETING[kind] else ""
    return "CREATING" if now < document["createdAt"] + _MAKING[kind] else "ACTIVE"
