"""What pods would run on: managed node groups and Fargate profiles."""

from __future__ import annotations

import sqlite3
import uuid

from labs_helpers.sandbox.eks import store
from labs_helpers.sandbox.eks.call import EksCall, shown
from labs_helpers.sandbox.eks.errors import InUse, InvalidParameter, NotFound
from labs_helpers.sandbox.eks.store import NODEGROUP, PROFILE, Document
from labs_helpers.sandbox.iam.service_roles import Principal, RoleRefused
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_EC2 = Principal("ec2.amazonaws.com", "EC2")
_FARGATE = Principal("eks-fargate-pods.amazonaws.com", "EKS Fargate")
_NO_NODES = "No machine starts here: delete the node group, and create a new one."
NOT_BUILT = dict.fromkeys(("UpdateNodegroupConfig", "UpdateNodegroupVersion"), _NO_NODES)

_LABELS = 5
"""Labels of a selector.

https://docs.aws.amazon.com/eks/latest/APIReference/API_FargateProfileSelector.html
"""


def create_nodegroup(call: EksCall, params: Members) -> Members:
    """A node group of an ACTIVE cluster. No instance starts, so that its resources are empty."""
    cluster, name = params["clusterName"], params["nodegroupName"]
    _check_template(params)
    for each in ("launchTemplate", "remoteAccess", "warmPoolConfig", "nodeRepairConfig"):
        if params.get(each):
            raise not_here(each, _NO_NODES)
    scaling = {"minSize": 1, "maxSize": 2, "desiredSize": 2, **params.get("scalingConfig", {})}
    if not scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]:
        raise InvalidParameter(
            f"desired capacity {scaling['desiredSize']} is not between the minimum size "
            f"{scaling['minSize']} and the maximum size {scaling['maxSize']}"
        )
    with call.store.write() as db:
        version = call.active(db, cluster)["version"]
        _check_free(call, db, cluster, NODEGROUP, name)
        _check_node_role(call, params["nodeRole"])
        made = {
            "nodegroupName": name,
            "nodegroupArn": _arn(call, NODEGROUP, cluster, name),
            "clusterName": cluster,
            "version": params.get("version", version),
            "createdAt": call.now,
            "modifiedAt": call.now,
            "capacityType": params.get("capacityType", "ON_DEMAND"),
            "scalingConfig": scaling,
            "instanceTypes": params.get("instanceTypes", ["t3.medium"]),
            "subnets": params["subnets"],
            "amiType": params.get("amiType", "AL2023_x86_64_STANDARD"),
            "nodeRole": params["nodeRole"],
            "labels": params.get("labels", {}),
            "taints": params.get("taints", []),
            "resources": {"autoScalingGroups": []},
            "diskSize": params.get("diskSize", 20),
            "health": {"issues": []},
            "updateConfig": params.get("updateConfig", {"maxUnavailable": 1}),
            "tags": params.get("tags", {}),
        }
        store.save_part(db, call.place, NODEGROUP, name, made)
    return {"nodegroup": shown({**made, "status": "CREATING"})}


def describe_nodegroup(call: EksCall, params: Members) -> Members:
    found = _found(call, params["clusterName"], NODEGROUP, params["nodegroupName"])
    return {"nodegroup": shown(found)}


def list_nodegroups(call: EksCall, params: Members) -> Members:
    names, token = _listed(call, params, NODEGROUP)
    return {"nodegroups": names, "nextToken": token}


def delete_nodegroup(call: EksCall, params: Members) -> Members:
    return {"nodegroup": _deleted(call, params, NODEGROUP, params["nodegroupName"])}


def create_fargate_profile(call: EksCall, params: Members) -> Members:
    cluster, name = params["clusterName"], params["fargateProfileName"]
    selectors = params.get("selectors", [])
    _check_selectors(selectors)
    with call.store.write() as db:
        call.active(db, cluster)
        _check_free(call, db, cluster, PROFILE, name)
        try:
            call.roles.check(params["podExecutionRoleArn"], _FARGATE)
        except RoleRefused as error:
            raise InvalidParameter(
                "Misconfigured PodExecutionRole Trust Policy; Please add the "
                "eks-fargate-pods.amazonaws.com Service Principal"
            ) from error
        made = {
            "fargateProfileName": name,
            "fargateProfileArn": _arn(call, PROFILE, cluster, name),
            "clusterName": cluster,
            "createdAt": call.now,
            "podExecutionRoleArn": params["podExecutionRoleArn"],
            "subnets": params.get("subnets", []),
            "selectors": selectors,
            "tags": params.get("tags", {}),
            "health": {"issues": []},
        }
        store.save_part(db, call.place, PROFILE, name, made)
    return {"fargateProfile": shown({**made, "status": "CREATING"})}


def describe_fargate_profile(call: EksCall, params: Members) -> Members:
    found = _found(call, params["clusterName"], PROFILE, params["fargateProfileName"])
    return {"fargateProfile": shown(found)}


def list_fargate_profiles(call: EksCall, params: Members) -> Members:
    names, token = _listed(call, params, PROFILE)
    return {"fargateProfileNames": names, "nextToken": token}


def delete_fargate_profile(call: EksCall, params: Members) -> Members:
    return {"fargateProfile": _deleted(call, params, PROFILE, params["fargateProfileName"])}


def _found(call: EksCall, cluster: str, kind: str, name: str) -> Document:
    with call.store.read() as db:
        call.cluster(db, cluster)
        found = call.with_status(store.part(db, call.place, cluster, kind, name), kind)
    if found is None and kind == PROFILE:
        raise NotFound(f"No Fargate Profile found with name: {name}.")
    if found is None:
        raise NotFound(f"No node group found for name: {name}.")
    return found


def _listed(call: EksCall, params: Members, kind: str) -> tuple[list[str], str | None]:
    cluster = params["clusterName"]
    with call.store.read() as db:
        call.cluster(db, cluster)
        found = store.parts(db, call.place, cluster, kind)
    names = [name for name, each in found.items() if call.with_status(each, kind)]
    return call.page([([name], name) for name in sorted(names)], params, cluster)


def _deleted(call: EksCall, params: Members, kind: str, name: str) -> Members:
    cluster = params["clusterName"]
    found = _found(call, cluster, kind, name)
    del found["status"]
    found.setdefault("deletedAt", call.now)
    with call.store.write() as db:
        store.save_part(db, call.place, kind, name, found)
    return shown({**found, "status": "DELETING"})


def _check_free(call: EksCall, db: sqlite3.Connection, cluster: str, kind: str, name: str) -> None:
    if call.with_status(store.part(db, call.place, cluster, kind, name), kind) is not None:
        if kind == PROFILE:
            raise InUse("A Fargate Profile already exists with this name in this cluster.")
        raise InUse(f"NodeGroup already exists with name {name} and cluster name {cluster}")


def _check_template(params: Members) -> None:
    """A launch template says what the request may not say as well."""
    if not params.get("launchTemplate"):
        return
    if params.get("diskSize"):
        raise InvalidParameter("Disk size must be specified within the launch template.")
    if params.get("remoteAccess"):
        raise InvalidParameter(
            "Remote access configuration cannot be specified with a launch template."
        )


def _check_selectors(selectors: list[Document]) -> None:
    if not selectors:
        raise InvalidParameter("Fargate Profile requires at least one selector.")
    if any(not each.get("namespace") for each in selectors):
        raise InvalidParameter(
            "Fargate Profile must have at least one selector with at least one namespace value."
        )
    if any(len(each.get("labels", {})) > _LABELS for each in selectors):
        raise InvalidParameter(f"Request contains Selector with more than {_LABELS} Label pairs")


def _check_node_role(call: EksCall, role: str) -> None:
    """In EKS's words (https://github.com/eksctl-io/eksctl/issues/2358)."""
    try:
        call.roles.check(role, _EC2)
    except RoleRefused as error:
        raise InvalidParameter(
            "Following required service principals [ec2.amazonaws.com] were not found in the trust "
            f"relationships of nodeRole {role}"
        ) from error


def _arn(call: EksCall, kind: str, cluster: str, name: str) -> str:
    return f"arn:aws:eks:{call.region}:{call.account}:{kind}/{cluster}/{name}/{uuid.uuid4()}"
