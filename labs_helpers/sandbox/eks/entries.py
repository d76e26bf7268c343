"""What an access entry is, and the entry of who creates a cluster.

https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
"""

from __future__ import annotations

import sqlite3
import uuid

from labs_helpers.sandbox.eks import store
from labs_helpers.sandbox.eks.call import EksCall
from labs_helpers.sandbox.eks.store import ENTRY, Document
from labs_helpers.sandbox.service.service import Members

POLICY = "arn:aws:eks::aws:cluster-access-policy/"
"""How the ARN of each policy begins."""


def bootstrap(call: EksCall, db: sqlite3.Connection, cluster: Document) -> None:
    """In a transaction: the entry by which who creates a cluster administers the cluster."""
    mode = cluster["accessConfig"]
    if (
        mode["authenticationMode"] == "CONFIG_MAP"
        or not (mode["bootstrapClusterCreatorAdminPermissions"])
    ):
        return
    entry = made(call, cluster["name"], _principal(call.principal.arn), {})
    scope = {"type": "cluster", "namespaces": []}
    entry["policies"] = [associated(call, f"{POLICY}AmazonEKSClusterAdminPolicy", scope)]
    store.save_part(db, call.place, ENTRY, entry["principalArn"], entry)


def made(call: EksCall, cluster: str, arn: str, params: Members) -> Document:
    kind, name = arn.split(":")[5].split("/", 1) if "/" in arn else ("root", "root")
    place = f"{kind}/{call.account}/{name.rpartition('/')[2]}"
    return {
        "clusterName": cluster,
        "principalArn": arn,
        "kubernetesGroups": params.get("kubernetesGroups", []),
        "accessEntryArn": f"arn:aws:eks:{call.region}:{call.account}:access-entry/{cluster}/{place}"
        f"/{uuid.uuid4()}",
        "createdAt": call.now,
        "modifiedAt": call.now,
        "tags": params.get("tags", {}),
        "username": params.get("username", arn),
        "type": params.get("type", "STANDARD"),
        "policies": [],
    }


def associated(call: EksCall, policy: str, scope: Members) -> Document:
    return {
        "policyArn": policy,
        "accessScope": scope,
        "associatedAt": call.now,
        "modifiedAt": call.now,
    }


def _principal(arn: str) -> str:
    """The role of a session's ARN; any other principal as it is."""
    parts = arn.split(":", 5)
    if not parts[5].startswith("assumed-role/"):
        return arn
    return f"arn:aws:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
