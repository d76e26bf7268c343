"""Deployment configurations: made, shown, listed, deleted."""

from __future__ import annotations

import uuid
from typing import Any

from labs_helpers.sandbox.codedeploy import configs, shown, store
from labs_helpers.sandbox.codedeploy.call import CodeDeployCall
from labs_helpers.sandbox.codedeploy.errors import NoConfig, Refused
from labs_helpers.sandbox.service.service import Members


def create_deployment_config(call: CodeDeployCall, params: Members) -> Members:
    made = {
        "deploymentConfigId": str(uuid.uuid4()),
        "deploymentConfigName": params["deploymentConfigName"],
        "computePlatform": "ECS",
        "trafficRoutingConfig": configs.checked(params),
        "created": call.now,
    }
    with call.store.write() as db:
        if store.config(db, call.place, made["deploymentConfigName"]) is not None:
            raise Refused(
                "DeploymentConfigAlreadyExists",
                f"A deployment configuration named {made['deploymentConfigName']} exists.",
            )
        store.save_config(db, call.place, made)
    return {"deploymentConfigId": made["deploymentConfigId"]}


def get_deployment_config(call: CodeDeployCall, params: Members) -> Members:
    name = params["deploymentConfigName"]
    with call.store.read() as db:
        own = store.config(db, call.place, name)
        traffic = call.traffic(db, name)
    found: dict[str, Any] = {
        "deploymentConfigName": name,
        "computePlatform": "ECS",
        "trafficRoutingConfig": traffic,
    }
    if own is not None:
        found["deploymentConfigId"] = own["deploymentConfigId"]
        found["createTime"] = shown.time(own["created"])
    return {"deploymentConfigInfo": found}


def list_deployment_configs(call: CodeDeployCall, params: Members) -> Members:
    """AWS's for ECS, and the account's own; those for servers and for Lambda are not here."""
    with call.store.read() as db:
        names = sorted([*configs.PREDEFINED, *store.configs(db, call.place)])
    listed, token = call.page([([name], name) for name in names], params)
    return {"deploymentConfigsList": listed, "nextToken": token}


def delete_deployment_config(call: CodeDeployCall, params: Members) -> Members:
    name = params["deploymentConfigName"]
    if name in configs.PREDEFINED:
        raise Refused("InvalidOperation", f"{name} is of AWS and cannot be deleted.")
    with call.store.write() as db:
        if store.config(db, call.place, name) is None:
            raise NoConfig(name=name)
        groups = store.all_groups(db, call.place)
        if any(each["deploymentConfigName"] == name for each in groups):
            raise Refused("DeploymentConfigInUse", f"A deployment group has {name}.")
        store.delete_config(db, call.place, name)
    return {}
