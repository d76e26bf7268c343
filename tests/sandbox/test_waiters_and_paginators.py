"""botocore's paginators and waiters, of its own models, against each service of delivery.

What is open answers a page or an outcome that the waiter knows; what is not, is refused in words at
once. Nothing is an error of the sandbox's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, WaiterError
from botocore.model import Shape
from botocore.waiter import WaiterModel

from tests.policies import policy
from tests.sandbox.sandbox_process import Running

SERVICES = ("codebuild", "codecommit", "codedeploy", "codepipeline", "ecs", "eks", "events")
TRUST = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": ["codebuild.amazonaws.com", "eks.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
)
SUBNETS = ["subnet-1", "subnet-2"]


@functools.cache
def _botocore() -> Any:
    return botocore.session.Session()


def _paginators() -> Iterator[tuple[str, str]]:
    loader = _botocore().get_component("data_loader")
    for service in SERVICES:
        for name in loader.load_service_model(service, "paginators-1")["pagination"]:
            yield service, name


def _waiters() -> Iterator[tuple[str, str]]:
    loader = _botocore().get_component("data_loader")
    for service in SERVICES:
        try:
            model = WaiterModel(loader.load_service_model(service, "waiters-2"))
        except botocore.exceptions.UnknownServiceError:
            continue
        except botocore.exceptions.DataNotFoundError:
            continue
        for name in model.waiter_names:
            yield service, name


def value(shape: Shape) -> Any:
    """A value that the model takes."""
    match shape.type_name:
        case "structure":
            required = shape.required_members
            return {name: value(shape.members[name]) for name in required}
        case "list":
            return [value(shape.member)]
        case "map":
            return {"a": value(shape.value)}
        case "string":
            text = (shape.enum or ["absent"])[0]
            return text.ljust(int(shape.metadata.get("min", 0)), "x")
        case "boolean":
            return False
        case "timestamp":
            return 0
        case "blob":
            return b"x"
        case _:
            return int(shape.metadata.get("min", 1))


def params_of(client: Any, operation: str) -> dict[str, Any]:
    shape = client.meta.service_model.operation_model(operation).input_shape
    found: dict[str, Any] = value(shape) if shape else {}
    return found


def check_refusal(error: ClientError) -> None:
    """A refusal of AWS's kind or by name, and no failure of the sandbox."""
    said, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    assert status < 500 or said["Code"] == "NotInSandbox", said
    assert said["Code"] not in ("InternalFailure", "InternalError", "Unknown"), said
    assert said["Message"], said


@pytest.mark.parametrize(("service", "operation"), list(_paginators()))
def test_each_paginator_gets_a_page_or_a_refusal_in_words(
    sandbox: Running, service: str, operation: str
) -> None:
    client = sandbox.client(service)
    python = next(k for k, v in client.meta.method_to_api_mapping.items() if v == operation)
    paginator = client.get_paginator(python)
    try:
        page = next(iter(paginator.paginate(**params_of(client, operation))))
    except ClientError as error:
        check_refusal(error)
        return
    assert any(key.search(page) is not None for key in paginator.result_keys), page


@pytest.mark.parametrize(("service", "name"), list(_waiters()))
def test_each_waiter_ends_with_what_the_service_says(
    sandbox: Running, service: str, name: str
) -> None:
    client = sandbox.client(service)
    python = next(each for each in client.waiter_names if each.replace("_", "") == name.lower())
    waiter = client.get_waiter(python)
    params = params_of(client, waiter.config.operation)
    try:
        waiter.wait(**params, WaiterConfig={"Delay": 0, "MaxAttempts": 1})
    except WaiterError as error:
        answer = error.last_response
        if "Error" in answer:
            check_refusal(ClientError(answer, waiter.config.operation))


Make = Callable[[Any, str], object]

WALKS: list[tuple[str, str, str, dict[str, Any], Make]] = [
    (
        *("codebuild", "list_projects", "projects", {}),
        lambda client, name: client.create_project(
            name=name,
            source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "computeType": "BUILD_GENERAL1_SMALL",
                "image": "aws/codebuild/standard:7.0",
            },
            serviceRole="arn:aws:iam::123456789012:role/walks",
        ),
    ),
    (
        *("codebuild", "list_report_groups", "reportGroups", {}),
        lambda client, name: client.create_report_group(
            name=name, type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"}
        ),
    ),
    (
        *("codecommit", "list_repositories", "repositories[].repositoryName", {}),
        lambda client, name: client.create_repository(repositoryName=name),
    ),
    (
        *("codedeploy", "list_applications", "applications", {}),
        lambda client, name: client.create_application(applicationName=name, computePlatform="ECS"),
    ),
    (
        *("ecs", "list_clusters", "clusterArns", {}),
        lambda client, name: client.create_cluster(clusterName=name),
    ),
    (
        *("ecs", "list_task_definition_families", "families", {}),
        lambda client, name: client.register_task_definition(
            family=name, containerDefinitions=[{"name": "app", "image": "box", "memory": 64}]
        ),
    ),
    (
        *("eks", "list_clusters", "clusters", {}),
        lambda client, name: client.create_cluster(
            name=name,
            version="1.33",
            roleArn="arn:aws:iam::123456789012:role/walks",
            resourcesVpcConfig={"subnetIds": SUBNETS},
        ),
    ),
    (
        *("events", "list_rules", "Rules[].Name", {}),
        lambda client, name: client.put_rule(Name=name, EventPattern='{"source": ["a"]}'),
    ),
]


@pytest.fixture(scope="module")
def role(sandbox: Running) -> None:
    sandbox.client("iam").create_role(RoleName="walks", AssumeRolePolicyDocument=TRUST)


@pytest.mark.parametrize(
    ("service", "operation", "within", "params", "make"),
    WALKS,
    ids=[f"{each[0]}-{each[1]}" for each in WALKS],
)
def test_a_list_is_walked_page_by_page(
    sandbox: Running,
    role: None,
    service: str,
    operation: str,
    within: str,
    params: dict[str, Any],
    make: Make,
) -> None:
    """Each thing once, in pages of two; for a list without a size of pages, all in its pages."""
    client = sandbox.client(service)
    names = [f"walked-{at}" for at in range(5)]
    for name in names:
        make(client, name)
    paginator = client.get_paginator(operation)
    sizes = {"PageSize": 2} if paginator._pagination_cfg.get("limit_key") else {}
    found = paginator.paginate(**params, PaginationConfig=sizes).search(within)
    seen = [str(each).rpartition("/")[2] for each in found]
    assert sorted(each for each in seen if each.startswith("walked-")) == names
