"""Access entries: which principals of IAM may do what in a cluster.

https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
"""

from __future__ import annotations

from labs_helpers.sandbox.eks import entries, store
from labs_helpers.sandbox.eks.call import EksCall, shown
from labs_helpers.sandbox.eks.errors import InUse, InvalidParameter, InvalidRequest, NotFound
from labs_helpers.sandbox.eks.store import ENTRY, Document
from labs_helpers.sandbox.service.service import Members

_POLICIES = (
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
)
"""Those for people: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html"""


def create_access_entry(call: EksCall, params: Members) -> Members:
    cluster, arn = params["clusterName"], params["principalArn"]
    with call.store.write() as db:
        _check_mode(call.cluster(db, cluster))
        if not arn.startswith("arn:aws:iam::") or not call.exists(arn):
            raise InvalidParameter("The specified principalArn is invalid: invalid principal.")
        if store.part(db, call.place, cluster, ENTRY, arn) is not None:
            raise InUse("The specified access entry resource is already in use on this cluster.")
        made = entries.made(call, cluster, arn, params)
        store.save_part(db, call.place, ENTRY, arn, made)
    return {"accessEntry": shown(made)}


def describe_access_entry(call: EksCall, params: Members) -> Members:
    return {"accessEntry": shown(_found(call, params))}


def update_access_entry(call: EksCall, params: Members) -> Members:
    found = _found(call, params)
    for name in ("kubernetesGroups", "username"):
        found[name] = params.get(name, found[name])
    _save(call, found)
    return {"accessEntry": shown(found)}


def list_access_entries(call: EksCall, params: Members) -> Members:
    cluster, wanted = params["clusterName"], params.get("associatedPolicyArn")
    with call.store.read() as db:
        _check_mode(call.cluster(db, cluster))
        found = store.parts(db, call.place, cluster, ENTRY)
    keyed = [
        ([arn], arn)
        for arn, each in sorted(found.items())
        if wanted is None or wanted in [policy["policyArn"] for policy in each["policies"]]
    ]
    part, token = call.page(keyed, params, cluster, str(wanted))
    return {"accessEntries": part, "nextToken": token}


def delete_access_entry(call: EksCall, params: Members) -> Members:
    found = _found(call, params)
    with call.store.write() as db:
        name, arn = found["clusterName"], found["principalArn"]
        store.forget_part(db, call.place, name, ENTRY, arn)
    return {}


def associate_access_policy(call: EksCall, params: Members) -> Members:
    """Give an entry a policy of EKS's, in the whole cluster or in namespaces."""
    found, wanted = _found(call, params), params["policyArn"]
    if wanted.removeprefix(entries.POLICY) not in _POLICIES:
        raise InvalidParameter(f"The policyArn parameter is invalid: {wanted}")
    scope = {"namespaces": [], **params["accessScope"]}
    if scope.get("type") == "namespace" and not scope["namespaces"]:
        raise InvalidParameter("An access scope of the type namespace names namespaces")
    made = entries.associated(call, wanted, scope)
    kept = [each for each in found["policies"] if each["policyArn"] != wanted]
    found["policies"] = [*kept, made]
    _save(call, found)
    return {
        "clusterName": found["clusterName"],
        "principalArn": found["principalArn"],
        "associatedAccessPolicy": shown(made),
    }


def disassociate_access_policy(call: EksCall, params: Members) -> Members:
    found, wanted = _found(call, params), params["policyArn"]
    kept = [each for each in found["policies"] if each["policyArn"] != wanted]
    if len(kept) == len(found["policies"]):
        raise NotFound(f"The access entry has no policy {wanted}")
    found["policies"] = kept
    _save(call, found)
    return {}


def list_associated_access_policies(call: EksCall, params: Members) -> Members:
    found = _found(call, params)
    keyed = [([each["policyArn"]], shown(each)) for each in found["policies"]]
    keyed.sort(key=lambda each: each[0])
    part, token = call.page(keyed, params, found["clusterName"], found["principalArn"])
    return {
        "clusterName": found["clusterName"],
        "principalArn": found["principalArn"],
        "associatedAccessPolicies": part,
        "nextToken": token,
    }


def list_access_policies(call: EksCall, params: Members) -> Members:
    keyed = [([name], {"name": name, "arn": f"{entries.POLICY}{name}"}) for name in _POLICIES]
    part, token = call.page(keyed, params)
    return {"accessPolicies": part, "nextToken": token}


def _found(call: EksCall, params: Members) -> Document:
    with call.store.read() as db:
        _check_mode(call.cluster(db, params["clusterName"]))
        found = store.part(db, call.place, params["clusterName"], ENTRY, params["principalArn"])
    if found is None:
        raise NotFound(
            "The specified principalArn could not be found. You can view your available access "
            "entries with 'list-access-entries'."
        )
    return found


def _save(call: EksCall, found: Document) -> None:
    found["modifiedAt"] = call.now
    with call.store.write() as db:
        store.save_part(db, call.place, ENTRY, found["principalArn"], found)


def _check_mode(cluster: Document) -> None:
    if cluster["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        raise InvalidRequest(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to "
            "perform this operation."
        )
