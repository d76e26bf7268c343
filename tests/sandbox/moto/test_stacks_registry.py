"""Updates of stacks with resources of ECR: in place, or by a new resource in the old one's place.

"Update requires" of each property:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ECR.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.moto.test_stacks import (
    ACCOUNT,
    events,
    make,
    names,
    put_image,
    repository,
    template,
)
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def stacks(sandbox: Running) -> Any:
    return sandbox.client("cloudformation")


@pytest.fixture(scope="module")
def ecr(sandbox: Running) -> Any:
    return sandbox.client("ecr")


def update(stacks: Any, name: str, text: str) -> str:
    """Update a stack; its status after that."""
    stacks.update_stack(StackName=name, TemplateBody=text)
    return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def physical(stacks: Any, name: str) -> dict[str, str]:
    found = stacks.describe_stack_resources(StackName=name)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}


def cache(prefix: str, **more: str) -> tuple[str, dict[str, str]]:
    return "ECR::PullThroughCacheRule", {
        "EcrRepositoryPrefix": prefix,
        "UpstreamRegistryUrl": "public.ecr.aws",
        **more,
    }


def prefixes(ecr: Any) -> list[str]:
    found = ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    return [one["ecrRepositoryPrefix"] for one in found]


def statement(sid: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "ecr:CreateRepository",
                "Resource": f"arn:aws:ecr:us-west-2:{ACCOUNT}:repository/*",
            }
        ],
    }


def test_a_new_name_makes_a_new_repository_and_then_deletes_the_old_one(
    stacks: Any, ecr: Any
) -> None:
    made = template(
        A=repository("first"), P=("SSM::Parameter", {"Type": "String", "Value": {"Ref": "A"}})
    )
    make(stacks, "renames", made)
    again = template(
        A=repository("second"), P=("SSM::Parameter", {"Type": "String", "Value": {"Ref": "A"}})
    )
    assert update(stacks, "renames", again) == "UPDATE_COMPLETE"
    assert ("first" in names(ecr), "second" in names(ecr)) == (False, True)
    assert physical(stacks, "renames")["A"] == "second"
    assert [status for name, status in events(stacks, "renames") if name == "A"] == [
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",  # which says that the update needs a new resource
        "UPDATE_COMPLETE",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]
    whole = [status for name, status in events(stacks, "renames") if name == "renames"]
    assert whole[-2:] == ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    stacks.delete_stack(StackName="renames")
    assert "second" not in names(ecr)


def test_an_old_repository_with_images_stays_unless_the_template_empties_it(
    stacks: Any, ecr: Any
) -> None:
    make(
        stacks,
        "full",
        template(A=repository("full-a"), B=repository("full-b", EmptyOnDelete=True)),
    )
    for name in ("full-a", "full-b"):
        put_image(ecr, name)
    again = template(A=repository("new-a"), B=repository("new-b"))
    assert update(stacks, "full", again) == "UPDATE_COMPLETE"
    assert {"full-a", "new-a", "new-b"} <= set(names(ecr))
    assert "full-b" not in names(ecr)
    assert physical(stacks, "full") == {"A": "new-a", "B": "new-b"}


def test_a_custom_name_cannot_be_replaced_by_itself(stacks: Any, ecr: Any) -> None:
    make(stacks, "named", template(A=repository("named", ImageTagMutability="IMMUTABLE")))
    kms = template(
        A=repository(
            "named",
            ImageTagMutability="IMMUTABLE",
            EncryptionConfiguration={"EncryptionType": "AES256"},
        )
    )
    assert update(stacks, "named", kms) == "UPDATE_ROLLBACK_COMPLETE"
    failed = next(
        one["ResourceStatusReason"]
        for one in stacks.describe_stack_events(StackName="named")["StackEvents"]
        if one["ResourceStatus"] == "UPDATE_FAILED"
    )
    assert "already exists" in failed
    (found,) = ecr.describe_repositories(repositoryNames=["named"])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"


def test_a_replacement_that_fails_later_is_taken_back(stacks: Any, ecr: Any) -> None:
    make(stacks, "back", template(A=repository("back-1"), C=cache("back-c")))
    text = template(
        A=repository("back-2"),
        C=cache("back-d"),
        Bad=("SSM::Parameter", {"Type": "String", "Name": "no"}, {"DependsOn": ["A", "C"]}),
    )
    assert update(stacks, "back", text) == "UPDATE_ROLLBACK_COMPLETE"
    assert ("back-1" in names(ecr), "back-2" in names(ecr)) == (True, False)
    assert ("back-c" in prefixes(ecr), "back-d" in prefixes(ecr)) == (True, False)
    assert physical(stacks, "back")["A"] == "back-1"
    stacks.delete_stack(StackName="back")
    assert "back-1" not in names(ecr)
    assert "back-c" not in prefixes(ecr)


def test_a_cache_rule_is_always_replaced(stacks: Any, ecr: Any) -> None:
    make(stacks, "cached", template(C=cache("one")))
    assert update(stacks, "cached", template(C=cache("two"))) == "UPDATE_COMPLETE"
    assert {"one", "two"} & set(prefixes(ecr)) == {"two"}
    same = template(C=cache("two", UpstreamRegistry="ecr-public"))
    assert update(stacks, "cached", same) == "UPDATE_ROLLBACK_COMPLETE"
    assert "two" in prefixes(ecr)
    stacks.delete_stack(StackName="cached")
    assert "two" not in prefixes(ecr)


def test_the_registrys_own_are_changed_in_place(stacks: Any, ecr: Any) -> None:
    def text(sid: str, filtered: str, **more: Any) -> str:
        rule = {
            "ScanFrequency": "SCAN_ON_PUSH",
            "RepositoryFilters": [{"Filter": filtered, "FilterType": "WILDCARD"}],
        }
        found = {"Prefix": "in-place", "AppliedFor": ["CREATE_ON_PUSH"], **more}
        return template(
            {"Registry": {"Value": {"Ref": "P"}}},
            P=("ECR::RegistryPolicy", {"PolicyText": statement(sid)}),
            S=("ECR::RegistryScanningConfiguration", {"ScanType": "BASIC", "Rules": [rule]}),
            T=("ECR::RepositoryCreationTemplate", found),
        )

    tags = [{"Key": "team", "Value": "web"}]
    made = make(
        stacks,
        "own",
        text("one", "a*", ImageTagMutability="IMMUTABLE", ResourceTags=tags, Description="d"),
    )
    assert made["StackStatus"] == "CREATE_COMPLETE"
    assert made["Outputs"][0]["OutputValue"] == ACCOUNT
    assert update(stacks, "own", text("two", "b*", AppliedFor=["PULL_THROUGH_CACHE"])) == (
        "UPDATE_COMPLETE"
    )
    policy = json.loads(ecr.get_registry_policy()["policyText"])
    assert policy["Statement"][0]["Sid"] == "two"
    scanning = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert scanning["rules"][0]["repositoryFilters"] == [{"filter": "b*", "filterType": "WILDCARD"}]
    (found,) = ecr.describe_repository_creation_templates(prefixes=["in-place"])[
        "repositoryCreationTemplates"
    ]
    assert found["appliedFor"] == ["PULL_THROUGH_CACHE"]
    assert found["imageTagMutability"] == "MUTABLE"
    assert not found.get("resourceTags")
    stacks.delete_stack(StackName="own")
    assert refusal_of(ecr, "get_registry_policy")[1] == "RegistryPolicyNotFoundException"
    assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"] == []
    scanning = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert scanning["rules"] == []
