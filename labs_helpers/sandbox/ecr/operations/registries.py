"""Operations on a whole registry: password, policy, replication, scanning, account settings."""

from typing import Any

from labs_helpers.sandbox.ecr import documents, scan_queue, scan_rules, tokens
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.policy_text import check_registry_policy
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.validation import invalid, one_of
from labs_helpers.sandbox.policy.unique_ids import saved, shown
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "DescribeImageReplicationStatus": "Replication rules are stored and not followed.",
}

POLICY = "registry-policy"
REPLICATION = "replication"
ACCOUNT = "account-setting"

#: The possible values of each account setting; the first is the default.
#: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html
_ACCOUNT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE",),
    "REGISTRY_POLICY_SCOPE": ("V2",),
    "BLOB_MOUNTING": ("ENABLED", "DISABLED"),  # DISABLED on AWS: labs/lab07/differences.json
}

_FREQUENCIES = {
    "BASIC": ("SCAN_ON_PUSH",),
    "ENHANCED": ("SCAN_ON_PUSH", "CONTINUOUS_SCAN"),
}


class RegistryPolicyNotFound(ServiceError):
    """The registry has no policy."""

    code = "RegistryPolicyNotFoundException"
    words = "Registry policy does not exist in the registry with id '{registryId}'"


def get_authorization_token(call: Call, params: Members) -> Members:
    """A new password of the caller for the registries of the region, valid for 12 hours.

    One entry for each of ``registryIds``, else one for the caller's own registry.
    """
    data = []
    for account in dict.fromkeys(params.get("registryIds", [call.account])):
        token = tokens.mint(call.store, call.principal, call.registry.region)
        host = Registry(account, call.registry.region).host
        data.append(
            {
                "authorizationToken": token.authorization_token,
                "expiresAt": token.expires_at,
                "proxyEndpoint": f"https://{host}",
            }
        )
    return {"authorizationData": data}


def put_registry_policy(call: Call, params: Members) -> Members:
    """Replaces the policy that says who may replicate and cache into the registry."""
    text = params["policyText"]
    check_registry_policy(text)
    kept = saved(text, call.elsewhere.principals.id_of)
    documents.put(call.store, call.registry, POLICY, {"text": kept})
    return {"registryId": call.account, "policyText": shown(kept, call.elsewhere.principals.arn_of)}


def get_registry_policy(call: Call, params: Members) -> Members:
    """The registry's policy; RegistryPolicyNotFoundException when none is set."""
    missing = RegistryPolicyNotFound(registryId=call.account)
    found = documents.get(call.store, call.registry, POLICY, missing=missing)
    text = shown(found["text"], call.elsewhere.principals.arn_of)
    return {"registryId": call.account, "policyText": text}


def delete_registry_policy(call: Call, params: Members) -> Members:
    """Removes the registry's policy and answers with it."""
    answer = get_registry_policy(call, params)
    documents.delete(call.store, call.registry, POLICY)
    return answer


def describe_registry(call: Call, params: Members) -> Members:
    """The registry's id and its replication rules."""
    rules = documents.get(call.store, call.registry, REPLICATION)
    return {
        "registryId": call.account,
        "replicationConfiguration": rules or {"rules": []},
    }


def put_replication_configuration(call: Call, params: Members) -> Members:
    """Stores the replication rules. The sandbox does not follow them."""
    configuration = params["replicationConfiguration"]
    for rule in configuration["rules"]:
        for destination in rule["destinations"]:
            if destination == {"region": call.registry.region, "registryId": call.account}:
                raise invalid(
                    "replicationConfiguration",
                    "Replication destination cannot be the same as the source registry",
                )
    documents.put(call.store, call.registry, REPLICATION, configuration)
    return {"replicationConfiguration": configuration}


def get_registry_scanning_configuration(call: Call, params: Members) -> Members:
    """The scanning rules; BASIC without rules until somebody sets others."""
    return {"registryId": call.account, "scanningConfiguration": _scanning_configuration(call)}


def put_registry_scanning_configuration(call: Call, params: Members) -> Members:
    """Replaces the scanning rules; a member that the request leaves out keeps its value."""
    configuration = {**_scanning_configuration(call), **params}
    for rule in configuration["rules"]:
        if rule["scanFrequency"] not in _FREQUENCIES[configuration["scanType"]]:
            raise invalid(
                "scanFrequency",
                f"{rule['scanFrequency']} is not supported with scan type "
                f"{configuration['scanType']}",
            )
    documents.put(call.store, call.registry, scan_rules.KIND, configuration)
    scan_queue.add_by_rules(call.store, call.registry)
    return {"registryScanningConfiguration": configuration}


def _scanning_configuration(call: Call) -> dict[str, Any]:
    """``{"scanType": ..., "rules": [...]}`` of the call's registry."""
    with call.store.read() as db:
        return scan_rules.configuration(db, call.registry)


def get_account_setting(call: Call, params: Members) -> Members:
    """The value of an account setting, or its default."""
    values = _values_of(params["name"])
    found = documents.get(call.store, call.registry, ACCOUNT, params["name"])
    return {"name": params["name"], "value": found["value"] if found else values[0]}


def put_account_setting(call: Call, params: Members) -> Members:
    """Sets an account setting to one of its possible values."""
    name, value = params["name"], params["value"]
    if value not in _values_of(name):
        raise invalid("value", one_of(_values_of(name)))
    documents.put(call.store, call.registry, ACCOUNT, {"value": value}, name)
    return {"name": name, "value": value}


def _values_of(name: str) -> tuple[str, ...]:
    if name not in _ACCOUNT_SETTINGS:
        raise invalid("name", one_of(list(_ACCOUNT_SETTINGS)))
    return _ACCOUNT_SETTINGS[name]
