"""Our tables, names of actions, ARNs and condition keys, held to AWS's own reference."""

from __future__ import annotations

import re
from typing import cast

import pytest

from labs_helpers.sandbox.authorization import actions, exact, forms, models, s3, s3_copies
from labs_helpers.sandbox.authorization.models import prefix_of
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal
from tests.sandbox.authorization import reference
from tests.sandbox.authorization.people_here import Nobody
from tests.sandbox.ecr.operations.ecr_api import OPERATIONS, STATELESS, allow_all

DEV = Principal("123456789012", "arn:aws:iam::123456789012:user/dev", "AIDADEV", "AKIADEV")

BEYOND_THE_REFERENCE = {
    # botocore knows the operation, and the reference does not name an action of it yet
    "cloudformation": {"RemoveAlias", "SetAlias"},
    "iam": {"AcquireRole", "UpdateDelegationRequest"},
    "logs": {"GetLogObject"},
}
NOT_OF_S3 = {
    "CreateBucketMetadataConfiguration",
    "CreateSession",
    "DeleteBucketMetadataConfiguration",
    "GetBucketMetadataConfiguration",
    "ListDirectoryBuckets",
    "RenameObject",
    "WriteGetObjectResponse",
}
"""Operations on directory buckets, metadata tables and Object Lambda, which moto does not have."""


WHOLE = (
    "cloudformation",
    "codebuild",
    "codedeploy",
    "codepipeline",
    "ec2",
    "ecs",
    "eks",
    "events",
    "iam",
    "logs",
    "sts",
)
"""Services of which every operation has forms; of the others those that are open have.

test_open_operations.py goes over the open ones.
"""


@pytest.fixture(autouse=True)
def any_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ARNs of these requests are made up; test_exact_arns.py has real ones."""
    monkeypatch.setattr(exact, "check", lambda asked: None)


def every_operation() -> list[tuple[str, str]]:
    return [
        (service, operation)
        for service in WHOLE
        for operation in reference.model(service).operation_names
    ]


def asked_with_everything(service: str, operation: str) -> ApiRequest:
    """A request in which each parameter is given, by its name and as the wire spells it."""
    shape = reference.model(service).operation_model(operation).input_shape
    params: dict[str, object] = {}
    for name, member in shape.members.items() if shape else ():
        value: object = [f"some-{name}"] if member.type_name == "list" else f"some-{name}"
        if member.type_name in ("string", "list"):
            if name in forms.BY_ARN:
                value = f"arn:aws:{service}:us-west-2:123456789012:{name}"
            if service == "ec2" and name == "Resources":
                value = ["vpc-some"]
            params[member.serialization.get("name", name)] = value
            params[name] = value
    return ApiRequest(service, service, operation, params)


def needs(asked: ApiRequest) -> list[Permission]:
    return actions.needed(asked, DEV, "us-west-2", Nobody())


@pytest.mark.parametrize("service", reference.SERVICES)
def test_the_tables_are_the_references_own(service: str) -> None:
    file = reference.TABLES / f"{prefix_of(service)}.json"
    assert file.read_text(encoding="utf-8") == reference.written(service)


def test_the_forms_of_arns_are_the_references_own() -> None:
    file = reference.TABLES / "arns.json"
    assert file.read_text(encoding="utf-8") == reference.formats()


def test_every_action_is_one_that_the_reference_knows() -> None:
    unknown: dict[str, set[str]] = {}
    for service, operation in every_operation():
        for needed in needs(asked_with_everything(service, operation)):
            prefix, _, name = needed.action.partition(":")
            try:
                reference.action(prefix, name)
            except KeyError:
                unknown.setdefault(service, set()).add(operation)
    new = unknown.pop("ec2")
    assert unknown == BEYOND_THE_REFERENCE
    assert len(new) < 40


@pytest.mark.parametrize("service", WHOLE)
def test_every_resource_has_a_form_that_the_reference_gives_the_action(service: str) -> None:
    wrong = []
    for operation in reference.model(service).operation_names:
        try:
            entry = reference.action(service, operation)
        except KeyError:
            continue
        types = [each["name"] for each in entry["resourceTypes"]]
        own = reference.resource_types(service)
        allowed = [arn_pattern(own[name]) for name in types if name in own]
        for needed in needs(asked_with_everything(service, operation)):
            if needed.action != f"{service}:{operation}" or needed.resource.split(":")[-1] in (
                "*",
                *IDS,
            ):
                continue
            unparsed = needed.resource.startswith("some-") or ":*/some-" in needed.resource
            if (service, operation) in EXPLAINED or unparsed:
                continue
            if not any(pattern.fullmatch(needed.resource) for pattern in allowed):
                wrong.append((needed.action, needed.resource))
    assert wrong == []


IDS = (
    *("resourceArn", "ResourceARN", "ResourceArn", "some-Arn"),
    *("some-serviceDeploymentArn", "some-serviceDeploymentArns", "some-serviceRevisionArns"),
)

EXPLAINED = {
    # not in moto
    ("iam", "GetRoleTemplateVersion"),
    # AWS's refusals name a resource, where the reference has no type
    *forms.WITHOUT_TYPE,
    ("iam", "ListUsers"),
    ("iam", "ListRoles"),
    ("iam", "ListGroups"),
    ("iam", "ListInstanceProfiles"),
    ("iam", "ListVirtualMFADevices"),
    ("iam", "ListServerCertificates"),
}


def arn_pattern(arn: str) -> re.Pattern[str]:
    """Up to the name: what we do not know of it is a star, however many parts it has."""
    head = arn.split(":", 5)[5].partition("$")[0]
    parts = ":".join(".*" if "$" in part else part for part in arn.split(":", 5)[:5])
    return re.compile(f"{parts}:{re.escape(head)}.*")


@pytest.mark.parametrize("service", sorted({*WHOLE} - {"ec2"}))
def test_every_type_that_the_table_needs_has_a_form(service: str) -> None:
    """Else a request would be decided on a resource that it does not name."""
    needed = {
        kind
        for operation, row in reference.table(service).items()
        for kind in row.get("needs", ())
        if operation in reference.model(service).operation_names
    }
    later = {
        # younger than moto's services: their calls are answered with NotInSandbox
        "ecs": {
            "daemon",
            "daemon-deployment",
            "daemon-revision",
            "daemon-task-definition",
            "gateway",
            "gateway-route",
            "service-deployment",
            "service-revision",
        },
    }
    known = set(forms.FORMS.get(service, ())) | later.get(service, set())
    if service not in ("iam", "sts"):
        assert needed - known == set()


def test_the_keys_that_are_filled_are_the_actions_own() -> None:
    wrong = []
    for service, operation in every_operation():
        for needed in needs(asked_with_everything(service, operation)):
            prefix, _, name = needed.action.partition(":")
            try:
                entry = reference.action(prefix, name)
            except KeyError:
                continue
            keys = {*entry["conditionKeys"]}
            keys |= {key for each in entry["resourceTypes"] for key in each["conditionKeys"]}
            known = {key.lower().partition("/")[0] for key in keys}
            for key in needed.keys:
                if not key.startswith("aws:") and key.partition("/")[0] not in known:
                    wrong.append((needed.action, key))
    assert wrong == []


def test_the_actions_of_s3_are_the_references() -> None:
    wrong = set()
    for route in models.routes("s3"):
        objects = [("k", ""), ("k", "1")]
        copied = s3_copies.source("b/k?versionId=1")
        params = {"Bucket": "b", "Key": "k", "objects": objects, "source": copied}
        for version in ({}, {"versionId": "1"}):
            for needed in s3.needed(ApiRequest("s3", "s3", route.operation, {**params, **version})):
                try:
                    reference.action("s3", needed.action.partition(":")[2])
                except KeyError:
                    wrong.add(route.operation)
    assert wrong - NOT_OF_S3 == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_ecr_asks_for_what_the_reference_says(operation: str) -> None:
    store = cast(Store, None)  # what a call needs does not depend on the state
    call = Call(operation, DEV, "123456789012", "us-west-2", store, Clock(), allow_all)
    arn = "arn:aws:ecr:us-west-2:123456789012:repository/demo"
    shape = reference.model("ecr").operation_model(operation).input_shape
    given = {"repositoryName": "demo", "repositoryNames": ["demo"], "resourceArn": arn}
    params = {name: given[name] for name in given if shape and name in shape.members}
    for action, resource in STATELESS.permissions(call, params):
        entry = reference.action("ecr", action.partition(":")[2])
        types = [each["name"] for each in entry["resourceTypes"]]
        assert (resource == arn) == (types == ["repository"]), (action, resource)
