"""Clusters: made, looked at, listed, deleted, tagged."""

from __future__ import annotations

from collections.abc import Callable

from labs_helpers.sandbox.eks import entries, store
from labs_helpers.sandbox.eks.call import EksCall, shown
from labs_helpers.sandbox.eks.errors import InUse, InvalidParameter, NotFound
from labs_helpers.sandbox.iam.service_roles import Principal, RoleRefused
from labs_helpers.sandbox.service.errors import NotHere, not_here
from labs_helpers.sandbox.service.service import Members

_EKS = Principal("eks.amazonaws.com", "EKS")
_NO_KUBERNETES = (
    "The sandbox keeps the record of a cluster and runs no Kubernetes API, so that kubectl has "
    "nothing to talk to. lab.pods does what a node does with a manifest."
)
_CLUSTER_UPDATES = "Delete the cluster, and create a new one."
NOT_BUILT = {
    **dict.fromkeys(("UpdateClusterConfig", "UpdateClusterVersion"), _CLUSTER_UPDATES),
    "CreateAddon": "No add-on would run here.",
    "CreatePodIdentityAssociation": "No pod here asks the agent of Pod Identity for a role.",
    "AssociateIdentityProviderConfig": "The sandbox runs no Kubernetes API to log in to.",
    "RegisterCluster": "There is no cluster elsewhere that the sandbox could reach.",
    "DescribeClusterVersions": "The sandbox keeps no list of the versions of Kubernetes.",
}

_ABSENT = (
    "encryptionConfig",
    "outpostConfig",
    "zonalShiftConfig",
    "remoteNetworkConfig",
    "computeConfig",
    "storageConfig",
    "controlPlaneScalingConfig",
    "kubeApiServerConfig",
    "kubeSchedulerConfig",
    "kubeControllerManagerConfig",
)
"""Arguments of CreateCluster that would be without effect here."""


def create_cluster(call: EksCall, params: Members) -> Members:
    """A cluster, CREATING at first. Subnets are taken as described, and not looked up."""
    name, place = params["name"], call.place
    for each in _ABSENT:
        if params.get(each):
            raise not_here(each, _NO_KUBERNETES)
    if not params.get("version"):
        raise NotHere(
            "The sandbox keeps no list of the versions of Kubernetes: name one with "
            "--kubernetes-version."
        )
    network = params["resourcesVpcConfig"]
    if len(set(network.get("subnetIds", ()))) < 2:
        raise InvalidParameter("Subnets specified must be in at least two different AZs")
    arn = f"arn:aws:eks:{call.region}:{call.account}:cluster/{name}"
    _check_role(call, params["roleArn"], arn)
    mode = params.get("accessConfig", {})
    made = {
        "name": name,
        "arn": arn,
        "createdAt": call.now,
        "version": params["version"],
        "roleArn": params["roleArn"],
        "resourcesVpcConfig": {
            "securityGroupIds": [],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
            **network,
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": "10.100.0.0/16",
            "ipFamily": "ipv4",
            **params.get("kubernetesNetworkConfig", {}),
        },
        "logging": params.get("logging", {"clusterLogging": []}),
        "tags": params.get("tags", {}),
        "accessConfig": {
            "authenticationMode": mode.get("authenticationMode", "CONFIG_MAP"),
            "bootstrapClusterCreatorAdminPermissions": mode.get(
                "bootstrapClusterCreatorAdminPermissions", True
            ),
        },
        "upgradePolicy": {"supportType": "EXTENDED", **params.get("upgradePolicy", {})},
        "deletionProtection": params.get("deletionProtection", False),
    }
    with call.store.write() as db:
        if call.with_status(store.cluster(db, place, name), store.CLUSTER) is not None:
            raise InUse(f"Cluster already exists with name: {name}")
        store.forget_cluster(db, place, name)
        store.save_cluster(db, place, made)
        entries.bootstrap(call, db, made)
    return {"cluster": shown({**made, "status": "CREATING"})}


def describe_cluster(call: EksCall, params: Members) -> Members:
    """A cluster. Without endpoint and certificateAuthority, as no Kubernetes API runs here.

    `aws eks update-kubeconfig` asks this operation and writes a file by the answer. Version 2 of
    the CLI names the command in its user agent, and is refused, because kubectl would find nothing;
    version 1 does not, and is refused by the labs' own launcher (runtime/shims.py).
    """
    agent = " ".join(call.keys.get("aws:useragent", ()))
    if "eks.update-kubeconfig" in agent:
        raise NotHere(f"aws eks update-kubeconfig has nothing to write. {_NO_KUBERNETES}")
    with call.store.read() as db:
        return {"cluster": shown(call.cluster(db, params["name"]))}


def list_clusters(call: EksCall, params: Members) -> Members:
    with call.store.read() as db:
        found = store.clusters(db, call.place)
    names = [each["name"] for each in found if call.with_status(each, store.CLUSTER)]
    part, token = call.page([([name], name) for name in sorted(names)], params)
    return {"clusters": part, "nextToken": token}


def delete_cluster(call: EksCall, params: Members) -> Members:
    """Begin to delete a cluster that has neither node groups nor Fargate profiles.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteCluster.html
    """
    name, place = params["name"], call.place
    with call.store.write() as db:
        found = call.cluster(db, name)
        for kind, words in ((store.NODEGROUP, "nodegroups"), (store.PROFILE, "Fargate profiles")):
            parts = store.parts(db, place, name, kind).values()
            if any(call.with_status(each, kind) for each in parts):
                raise InUse(f"Cluster has {words} attached")
        if found["deletionProtection"]:
            raise InvalidParameter(f"Cluster {name} is protected from deletion")
        del found["status"]
        found.setdefault("deletedAt", call.now)
        store.save_cluster(db, place, found)
    return {"cluster": shown({**found, "status": "DELETING"})}


def list_tags_for_resource(call: EksCall, params: Members) -> Members:
    with call.store.read() as db:
        return {"tags": call.cluster(db, _name(call, params["resourceArn"]))["tags"]}


def tag_resource(call: EksCall, params: Members) -> Members:
    return _tagged(call, params["resourceArn"], lambda tags: {**tags, **params["tags"]})


def untag_resource(call: EksCall, params: Members) -> Members:
    """Take tags away; a key that no tag has is no error."""
    gone = set(params["tagKeys"])
    return _tagged(
        call,
        params["resourceArn"],
        lambda tags: {key: value for key, value in tags.items() if key not in gone},
    )


def _tagged(call: EksCall, arn: str, change: Callable[[dict[str, str]], dict[str, str]]) -> Members:
    with call.store.write() as db:
        found = call.cluster(db, _name(call, arn))
        del found["status"]
        found["tags"] = change(found["tags"])
        store.save_cluster(db, call.place, found)
    return {}


def _name(call: EksCall, arn: str) -> str:
    start = f"arn:aws:eks:{call.region}:{call.account}:cluster/"
    if not arn.startswith(start):
        raise NotFound(f"The sandbox keeps tags of clusters only: {arn} is none of this account")
    return arn.removeprefix(start)


def _check_role(call: EksCall, role: str, arn: str) -> None:
    keys = {"aws:sourcearn": (arn,), "aws:sourceaccount": (call.account,)}
    try:
        call.roles.check(role, _EKS, keys)
    except RoleRefused as error:
        raise InvalidParameter(
            f"Role with arn: {role}, could not be assumed because it does not exist or the trusted "
            "entity is not correct"
        ) from error
