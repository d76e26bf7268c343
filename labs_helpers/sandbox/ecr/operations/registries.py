"""Operations on a registry as a whole: policy, replication, scanning and account settings."""

from typing import Any

from labs_helpers.sandbox.ecr import documents, scan_queue, scan_rules
from labs_helpers.sandbox.ecr.operations.call import Call
from labs_helpers.sandbox.ecr.policy_text import check_registry_policy
from labs_helpers.sandbox.ecr.settings_errors import RegistryPolicyNotFound
from labs_helpers.sandbox.ecr.validation import invalid

POLICY = "registry-policy"
REPLICATION = "replication"
ACCOUNT = "account-setting"

#: Settings of an account, the values each takes and the one it has at first.
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


def put_registry_policy(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Sets who may replicate into, and cache through, the registry."""
    text = params["policyText"]
    check_registry_policy(text)
    documents.put(call.store, call.registry, POLICY, {"text": text})
    return {"registryId": call.registry_id, "policyText": text}


def get_registry_policy(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The registry's policy; RegistryPolicyNotFoundException when none is set."""
    found = documents.get(call.store, call.registry, POLICY)
    if found is None:
        raise RegistryPolicyNotFound(call.registry_id)
    return {"registryId": call.registry_id, "policyText": found["text"]}


def delete_registry_policy(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Removes the registry's policy and answers what it was."""
    found = documents.delete(call.store, call.registry, POLICY)
    if found is None:
        raise RegistryPolicyNotFound(call.registry_id)
    return {"registryId": call.registry_id, "policyText": found["text"]}


def describe_registry(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The registry's id and its replication rules."""
    rules = documents.get(call.store, call.registry, REPLICATION)
    return {
        "registryId": call.registry_id,
        "replicationConfiguration": rules or {"rules": []},
    }


def put_replication_configuration(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Keeps the replication rules. The sandbox does not copy images by them."""
    configuration = params["replicationConfiguration"]
    for rule in configuration["rules"]:
        for destination in rule["destinations"]:
            if destination == {"region": call.registry.region, "registryId": call.registry_id}:
                raise invalid(
                    "replicationConfiguration",
                    "Replication destination cannot be the same as the source registry",
                )
    documents.put(call.store, call.registry, REPLICATION, configuration)
    return {"replicationConfiguration": configuration}


def get_registry_scanning_configuration(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """What is scanned when; BASIC without rules until somebody sets it."""
    return {"registryId": call.registry_id, "scanningConfiguration": scanning_configuration(call)}


def put_registry_scanning_configuration(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Replaces the registry's scanning rules; a member that is not given keeps its value."""
    configuration = {**scanning_configuration(call), **params}
    for rule in configuration["rules"]:
        if rule["scanFrequency"] not in _FREQUENCIES[configuration["scanType"]]:
            raise invalid(
                "scanFrequency",
                f"{rule['scanFrequency']} is not supported with scan type "
                f"{configuration['scanType']}",
            )
    documents.put(call.store, call.registry, scan_rules.KIND, configuration)
    scan_queue.on_rules(call.store, call.registry)
    return {"registryScanningConfiguration": configuration}


def scanning_configuration(call: Call) -> dict[str, Any]:
    """``{"scanType": ..., "rules": [...]}`` of the call's registry."""
    with call.store.read() as db:
        return scan_rules.configuration(db, call.registry)


def get_account_setting(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The value of an account setting, the first one until it is set."""
    values = _values_of(params["name"])
    found = documents.get(call.store, call.registry, ACCOUNT, params["name"])
    return {"name": params["name"], "value": found["value"] if found else values[0]}


def put_account_setting(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Sets an account setting to one of the values it takes."""
    name, value = params["name"], params["value"]
    if value not in _values_of(name):
        raise invalid(
            "value", f"Member must satisfy enum value set: [{', '.join(_values_of(name))}]"
        )
    documents.put(call.store, call.registry, ACCOUNT, {"value": value}, name)
    return {"name": name, "value": value}


def _values_of(name: str) -> tuple[str, ...]:
    if name not in _ACCOUNT_SETTINGS:
        raise invalid(
            "name", f"Member must satisfy enum value set: [{', '.join(_ACCOUNT_SETTINGS)}]"
        )
    return _ACCOUNT_SETTINGS[name]
