"""Policies by the API: what is accepted, what is refused and in which words."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.ecr.lifecycle_text import check_lifecycle_policy
from labs_helpers.sandbox.ecr.operations.policies import POLICY
from labs_helpers.sandbox.ecr.policy_text import check_registry_policy, check_repository_policy
from labs_helpers.sandbox.ecr.repositories import Registry, get
from labs_helpers.sandbox.service.errors import AccessDenied
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, REGION, Ecr

HOME = Registry(ACCOUNT, REGION)

PULL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "AllowPull",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}
FAILURE = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Statement", "Effect", "Principal", "Action", "rules", "selection", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def rule(priority: int = 1, **selection: Any) -> dict[str, Any]:
    chosen = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
    return {
        "rulePriority": priority,
        "selection": {**chosen, **selection},
        "action": {"type": "expire"},
    }


def lifecycle(*rules: Any) -> str:
    return json.dumps({"rules": list(rules)}, indent=8)


def test_a_repository_policy_is_kept_laid_out_as_ecr_does(demo: Ecr) -> None:
    text = """{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "AllowPull",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::210987654321:root"
    },
    "Action" : [ "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" ]
  } ]
}"""
    assert demo("SetRepositoryPolicy", repositoryName="demo", policyText=json.dumps(PULL)) == {
        "registryId": ACCOUNT,
        "repositoryName": "demo",
        "policyText": text,
    }
    assert demo("GetRepositoryPolicy", repositoryName="demo")["policyText"] == text
    assert demo("DeleteRepositoryPolicy", repositoryName="demo")["policyText"] == text
    for operation in ("GetRepositoryPolicy", "DeleteRepositoryPolicy"):
        assert demo.error(operation, repositoryName="demo") == (
            "RepositoryPolicyNotFoundException",
            "Repository policy does not exist for the repository with name 'demo' in the registry "
            f"with id '{ACCOUNT}'",
        )


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Perhaps"},
        {"Principal": None},
        {"Principal": {"Group": "x"}},
        {"Action": "s3:GetObject"},
        {"Action": []},
        {"NotAction": "ecr:*"},
        {"Unknown": 1},
        {"Condition": "x"},
        {"Condition": {"StringEquals": {"aws:x": {}}}},
        {"Sid": "\ud800"},
        {"Resource": "*"},
        {"NotResource": "arn:aws:ecr:us-west-2:123456789012:repository/demo"},
    ],
)
def test_what_is_no_repository_policy_is_refused(demo: Ecr, change: dict[str, Any]) -> None:
    """Reported as S1."""
    policy = {**PULL, "Statement": [{**PULL["Statement"][0], **change}]}  # type: ignore[dict-item]
    code, message = demo.error(
        "SetRepositoryPolicy", repositoryName="demo", policyText=json.dumps(policy)
    )
    assert code == "InvalidParameterException"
    assert message.startswith(
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
        "'Invalid repository policy provided' ("
    )


def test_the_place_that_is_wrong_is_named(demo: Ecr) -> None:
    other = {**PULL["Statement"][0], "Sid": "other", "Action": "s3:*"}  # type: ignore[dict-item]
    policy = {**PULL, "Statement": [PULL["Statement"][0], other]}
    _, message = demo.error(
        "SetRepositoryPolicy", repositoryName="demo", policyText=json.dumps(policy)
    )
    assert message.endswith("(Statement[1].Action: Policy has invalid action)")


def test_two_statements_may_have_one_sid(demo: Ecr) -> None:
    """Reported as S2."""
    policy = json.dumps({**PULL, "Statement": PULL["Statement"] * 2})  # type: ignore[operator]
    stored = demo("SetRepositoryPolicy", repositoryName="demo", policyText=policy)["policyText"]
    assert json.loads(stored) == json.loads(policy)


def test_a_principal_that_is_not_there_is_not_found(ecr: Ecr) -> None:
    """Reported as F9."""
    there = f"arn:aws:iam::{ACCOUNT}:role/here"
    ecr.elsewhere = Elsewhere(principal_exists=lambda arn: arn == there)
    ecr("CreateRepository", repositoryName="demo")

    def policy(*principals: str) -> str:
        statement = {**PULL["Statement"][0], "Principal": {"AWS": list(principals)}}  # type: ignore[dict-item]
        return json.dumps({**PULL, "Statement": statement})

    ecr("SetRepositoryPolicy", repositoryName="demo", policyText=policy(there))
    gone = policy(there, f"arn:aws:iam::{ACCOUNT}:role/gone")
    assert ecr.error("SetRepositoryPolicy", repositoryName="demo", policyText=gone) == (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    )


def test_a_policy_that_locks_its_author_out_needs_force(demo: Ecr) -> None:
    """Reported as S3."""

    def refuse(principal: Any, action: str, *rest: Any, **more: Any) -> None:
        stored = documents.get(demo.store, get(demo.store, HOME, "demo"), POLICY)
        if action == "ecr:SetRepositoryPolicy" and stored and '"Deny"' in stored:
            raise AccessDenied("no")

    demo.authorize = refuse
    asked = {"repositoryName": "demo"}
    demo("SetRepositoryPolicy", **asked, policyText=json.dumps(PULL))
    deny = {**PULL["Statement"][0], "Effect": "Deny", "Principal": "*", "Action": "ecr:*"}  # type: ignore[dict-item]
    locked = json.dumps({**PULL, "Statement": deny})
    for force in ({}, {"force": False}):
        code, message = demo.error("SetRepositoryPolicy", **asked, policyText=locked, **force)
        assert code == "InvalidParameterException"
        assert "would prevent you from setting another policy" in message
    kept = demo("GetRepositoryPolicy", **asked)["policyText"]
    assert json.loads(kept) == PULL
    demo("SetRepositoryPolicy", **asked, policyText=locked, force=True)
    kept = demo("GetRepositoryPolicy", **asked)["policyText"]
    assert json.loads(kept)["Statement"]["Effect"] == "Deny"


def test_a_missing_policy_is_named_as_ecr_names_it(demo: Ecr) -> None:
    assert demo.error("SetRepositoryPolicy", repositoryName="demo") == (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Cannot be null'",
    )


@given(ANY_JSON)
def test_no_document_breaks_the_checks(document: Any) -> None:
    text = json.dumps(document)
    for check in (check_repository_policy, check_registry_policy, check_lifecycle_policy):
        with suppress(InvalidParameter):
            check(text)


def compact(text: str) -> str:
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def test_a_lifecycle_policy_comes_back_compact_in_every_answer(demo: Ecr) -> None:
    """Reported as S5."""
    text = lifecycle({**rule(), "description": "älter als ein Tag"})
    asked = {"repositoryName": "demo"}
    answers = [demo("PutLifecyclePolicy", **asked, lifecyclePolicyText=text)]
    answers += [demo(f"{verb}LifecyclePolicy", **asked) for verb in ("Get", "Delete")]
    assert {one["lifecyclePolicyText"] for one in answers} == {compact(text)}


def test_a_lifecycle_policy_is_kept_and_not_evaluated_at_once(demo: Ecr) -> None:
    text = lifecycle(rule())
    demo("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText=text)
    kept = demo("GetLifecyclePolicy", repositoryName="demo")
    assert (kept["lifecyclePolicyText"], kept["lastEvaluatedAt"]) == (compact(text), 0)
    demo("DeleteLifecyclePolicy", repositoryName="demo")
    assert demo.error("GetLifecyclePolicy", repositoryName="demo") == (
        "LifecyclePolicyNotFoundException",
        "Lifecycle policy does not exist for the repository with name 'demo' in the registry with "
        f"id '{ACCOUNT}'",
    )


TO_ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
PULLED = {"countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90}
MOVED = {"countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}


@pytest.mark.parametrize(
    "rules",
    [
        [rule(tagStatus="tagged", tagPrefixList=["v"])],
        [rule(tagStatus="tagged", tagPatternList=["*a*b*"])],
        [rule(countType="sinceImagePushed", countUnit="days", countNumber=14)],
        [rule(1), rule(2, tagStatus="any")],
        [{**rule(**PULLED), "action": TO_ARCHIVE}],
        [{**rule(), "action": TO_ARCHIVE}],
        [rule(storageClass="archive", **MOVED), rule(2)],
    ],
)
def test_the_documented_lifecycle_rules_are_accepted(rules: list[Any]) -> None:
    check_lifecycle_policy(lifecycle(*rules))


NO_ARRAY = 'instance type ({}) does not match any allowed primitive type (allowed: ["array"])'
NO_SCHEMA = "instance failed to match exactly one schema (matched 0 out of 2)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x" * 100, "Could not map policyString into LifecyclePolicy."),
        ("{}", 'object has missing required properties (["rules"])'),
        (
            lifecycle({"rulePriority": 1}),
            'object has missing required properties (["action","selection"])',
        ),
        (
            lifecycle({**rule(), "more": 1}),
            'object instance has properties which are not allowed by the schema: (["more"])',
        ),
        (
            lifecycle({**rule(), "action": {"type": "keep"}}),
            'instance value ("keep") not found in enum (possible values: ["expire","transition"])',
        ),
        (
            lifecycle(rule(countNumber=0)),
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
        ),
        (lifecycle(rule(countUnit="days")), NO_SCHEMA),
        (
            lifecycle(rule(tagStatus="tagged", tagPatternList=["v*"], tagPrefixList=None)),
            NO_ARRAY.format("null"),
        ),
        (lifecycle(rule(tagPrefixList="v")), NO_ARRAY.format("string")),
        (lifecycle(rule(tagStatus="tagged")), NO_SCHEMA),
        (lifecycle(rule(tagPrefixList=["v"])), NO_SCHEMA),
        (lifecycle(rule(tagStatus="tagged", tagPatternList=["*a*b*c*d*"])), NO_SCHEMA),
        # the archive: only its own count, only by expiry; days since a pull never expire
        (lifecycle(rule(storageClass="archive")), NO_SCHEMA),
        (lifecycle(rule(storageClass="archive", **PULLED)), NO_SCHEMA),
        (lifecycle(rule(**MOVED)), NO_SCHEMA),
        (lifecycle(rule(storageClass="standard", **MOVED)), NO_SCHEMA),
        (lifecycle({**rule(storageClass="archive", **MOVED), "action": TO_ARCHIVE}), NO_SCHEMA),
        (lifecycle(rule(**PULLED)), NO_SCHEMA),
        (
            lifecycle(rule(1), rule(2)),
            "Only one rule can select Untagged images per storage class.",
        ),
        (
            lifecycle(rule(1, tagStatus="any"), rule(2)),
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
        ),
    ],
)
def test_a_lifecycle_policy_that_is_wrong_is_told_why(text: str, fault: str) -> None:
    """Reported as M2."""
    with pytest.raises(InvalidParameter) as refused:
        check_lifecycle_policy(text)
    assert refused.value.message == f"{FAILURE}'Lifecycle policy validation failure: {fault}'"


def test_a_lifecycle_policy_has_at_least_a_hundred_characters(demo: Ecr) -> None:
    assert demo.error("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText="{}") == (
        "InvalidParameterException",
        "Invalid parameter at 'lifecyclePolicyText' failed to satisfy constraint: "
        "'Member must have length greater than or equal to 100'",
    )
