"""The AWS managed policies of the sandbox are AWS's own."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from moto.iam import aws_managed_policies

from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.managed import Managed
from labs_helpers.sandbox.policy import grammar
from tests.sandbox.iam.people import AWS, refused
from tests.sandbox.sandbox_process import Running

POLICIES = list(managed.policies().values())
EACH = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)


@pytest.fixture(scope="module")
def of_moto() -> dict[str, dict[str, object]]:
    import importlib

    # the sandbox may have put its own, empty, in this module's place
    fresh = importlib.util.spec_from_file_location("whole", find(aws_managed_policies.__name__))
    assert fresh is not None
    assert fresh.loader is not None
    module = importlib.util.module_from_spec(fresh)
    fresh.loader.exec_module(module)
    found: dict[str, dict[str, object]] = json.loads(module.aws_managed_policies_data)
    return found


def find(module: str) -> str:
    import moto.iam

    return str(moto.iam.__path__[0]) + "/" + module.rpartition(".")[2] + ".py"


@EACH
def test_a_policy_is_as_the_pinned_moto_has_it(
    policy: Managed, of_moto: dict[str, dict[str, object]]
) -> None:
    theirs = of_moto[policy.name]
    assert (policy.path, policy.version) == (theirs["Path"], theirs["DefaultVersionId"])
    assert json.loads(policy.document) == theirs["Document"]
    assert policy.created == datetime.fromisoformat(str(theirs["CreateDate"]))
    assert policy.updated == datetime.fromisoformat(str(theirs["UpdateDate"]))


@EACH
def test_a_policy_is_one_by_the_grammar(policy: Managed) -> None:
    grammar.check_identity_policy(policy.document)


def test_they_are_listed_with_ids_that_stay(sandbox: Running) -> None:
    pages = sandbox.client("iam").get_paginator("list_policies").paginate(Scope="AWS")
    listed = {one["Arn"]: one["PolicyId"] for page in pages for one in page["Policies"]}
    assert listed == {policy.arn: policy.id for policy in POLICIES}


def test_a_policy_outside_the_subset_is_not_there(sandbox: Running) -> None:
    iam, arn = sandbox.client("iam"), f"{AWS}AmazonPollyReadOnlyAccess"
    with refused("NoSuchEntity", 404) as said:
        iam.attach_user_policy(UserName="learner", PolicyArn=arn)
    assert said == [f"Policy {arn} does not exist or is not attachable."]
    with refused("NoSuchEntity", 404) as said:
        iam.get_policy(PolicyArn=arn)
    assert said == [f"Policy {arn} was not found."]


def test_nobody_changes_a_policy_of_aws(sandbox: Running) -> None:
    iam, arn = sandbox.client("iam"), f"{AWS}PowerUserAccess"
    with refused("AccessDenied", 403):
        iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied", 403):
        iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "k", "Value": "v"}])
