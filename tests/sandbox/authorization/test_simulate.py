"""The policy simulator, asked by boto3: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html"""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.policies import allow, deny, policy
from tests.sandbox.authorization.people_here import ACCOUNT, DEMO, OTHER, People, no_policy
from tests.sandbox.authorization.test_adversarial import FORM, Crook
from tests.sandbox.sandbox_process import Running

LATER = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "dynamodb:*",
        "Resource": "*",
        "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2018-08-16T12:00:00Z"}},
    },
}
REPOSITORY = "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"


def custom(sandbox: Running, *documents: str, **more: Any) -> list[dict[str, Any]]:
    asked = {"ActionNames": ["ecr:PutImage"], **more}
    told = sandbox.client("iam").simulate_custom_policy(PolicyInputList=list(documents), **asked)
    results: list[dict[str, Any]] = told["EvaluationResults"]
    return results


def decisions(results: list[dict[str, Any]]) -> list[str]:
    return [result["EvalDecision"] for result in results]


@pytest.mark.parametrize(("when", "decision"), [("2019", "allowed"), ("2014", "implicitDeny")])
def test_the_example_of_the_documentation(sandbox: Running, when: str, decision: str) -> None:
    """https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html"""
    (result,) = custom(
        sandbox,
        json.dumps(LATER, separators=(",", ":")),
        ActionNames=["dynamodb:CreateBackup"],
        ContextEntries=[
            {
                "ContextKeyName": "aws:CurrentTime",
                "ContextKeyValues": [f"{when}-04-25T11:00:00Z"],
                "ContextKeyType": "date",
            }
        ],
    )
    matched = [
        {
            "SourcePolicyId": "PolicyInputList.1",
            "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 1, "Column": 38},
            "EndPosition": {"Line": 1, "Column": 167},
        }
    ]
    assert result == {
        "EvalActionName": "dynamodb:CreateBackup",
        "EvalResourceName": "*",
        "EvalDecision": decision,
        "MatchedStatements": matched if decision == "allowed" else [],
        "MissingContextValues": [],
    }


def test_statements_in_a_list_are_found_in_the_text(sandbox: Running) -> None:
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [allow("s3:*"), allow("ecr:*")]}, indent=4
    )
    (result,) = custom(sandbox, policy(allow("iam:*")), text)
    (matched,) = result["MatchedStatements"]
    lines = text.splitlines()
    end = matched["EndPosition"]
    assert matched["SourcePolicyId"] == "PolicyInputList.2"
    assert lines[end["Line"] - 1][: end["Column"] - 1].strip() == "}"
    assert matched["StartPosition"]["Line"] < end["Line"]


def test_one_action_has_one_result_whatever_the_resources(sandbox: Running) -> None:
    other = DEMO.replace("demo", "other")
    (result,) = custom(
        sandbox,
        policy(allow("ecr:*", on=DEMO), deny("ecr:*", on=other)),
        ResourceArns=[DEMO, other],
    )
    assert (result["EvalDecision"], result["EvalResourceName"]) == ("explicitDeny", REPOSITORY)
    assert [
        (each["EvalResourceName"], each["EvalResourceDecision"])
        for each in result["ResourceSpecificResults"]
    ] == [(DEMO, "allowed"), (other, "explicitDeny")]


def test_condition_keys_that_were_not_given_are_named(sandbox: Running) -> None:
    condition = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    text = policy(allow("ecr:*", on="*", Condition=condition))
    (result,) = custom(sandbox, text)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["aws:RequestedRegion"]
    names = sandbox.client("iam").get_context_keys_for_custom_policy(PolicyInputList=[text])
    assert names["ContextKeyNames"] == ["aws:RequestedRegion"]


def test_a_permissions_boundary_takes_part(sandbox: Running) -> None:
    (result,) = custom(
        sandbox,
        policy(allow("ecr:*")),
        PermissionsBoundaryPolicyInputList=[policy(allow("s3:*"))],
    )
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_a_resource_policy_takes_part_and_needs_a_caller(sandbox: Running) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/dev"
    text = policy(
        {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "ecr:*", "Resource": "*"}
    )
    asked = {"ResourcePolicy": text, "ResourceArns": [DEMO]}
    (result,) = custom(sandbox, policy(allow("s3:*")), **asked, CallerArn=arn)
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"][0]["SourcePolicyType"] == "Resource Policy"
    with pytest.raises(ClientError, match="InvalidInput"):
        custom(sandbox, policy(allow("s3:*")), **asked)


def test_across_accounts_each_kind_of_policy_says_its_own(sandbox: Running) -> None:
    arn = f"arn:aws:iam::{OTHER}:user/dev"
    text = policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "*", "Resource": "*"})
    (result,) = custom(
        sandbox,
        policy(allow("s3:*")),
        ResourcePolicy=text,
        CallerArn=arn,
        ResourceArns=[DEMO],
    )
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalDecisionDetails"] == {
        "IAM Policy": "implicitDeny",
        "Resource Policy": "allowed",
    }


def test_service_control_policies_by_level(sandbox: Running) -> None:
    levels = [
        {"ServiceControlPolicyInputList": [policy(allow("*"))]},
        {"ServiceControlPolicyInputList": [policy(allow("s3:*"))]},
    ]
    (result,) = custom(sandbox, policy(allow("ecr:*")), OrderedOrganizationPolicyInputList=levels)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_results_come_in_pages(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    actions = [f"ecr:Action{number}" for number in range(7)]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[policy(allow("*"))],
        ActionNames=actions,
        PaginationConfig={"PageSize": 3},
    )
    found = [[one["EvalActionName"] for one in page["EvaluationResults"]] for page in pages]
    assert found == [actions[:3], actions[3:6], actions[6:]]


class TestPrincipal:
    def test_everything_a_user_has_is_simulated(self, people: People, sandbox: Running) -> None:
        iam = sandbox.client("iam")
        person = people.make("sim", allow("ecr:PutImage"), managed=("AmazonS3ReadOnlyAccess",))
        iam.create_group(GroupName="sims")
        iam.put_group_policy(
            GroupName="sims", PolicyName="deletes", PolicyDocument=policy(deny("ecr:Delete*"))
        )
        iam.add_user_to_group(GroupName="sims", UserName="sim")
        told = iam.simulate_principal_policy(
            PolicySourceArn=person.arn,
            ActionNames=["ecr:PutImage", "s3:GetObject", "ecr:DeleteRepository", "iam:ListUsers"],
        )["EvaluationResults"]
        assert decisions(told) == ["allowed", "allowed", "explicitDeny", "implicitDeny"]
        assert [
            statement["SourcePolicyId"] for one in told for statement in one["MatchedStatements"]
        ] == ["user_sim_own", "AmazonS3ReadOnlyAccess", "group_sims_deletes"]
        assert all("StartPosition" in one for one in told[0]["MatchedStatements"])

    def test_a_policy_can_be_tried_before_it_is_attached(
        self, people: People, sandbox: Running
    ) -> None:
        person = people.make("before")
        asked = {"PolicySourceArn": person.arn, "ActionNames": ["ecr:PutImage"]}
        iam = sandbox.client("iam")
        assert decisions(iam.simulate_principal_policy(**asked)["EvaluationResults"]) == [
            "implicitDeny"
        ]
        tried = iam.simulate_principal_policy(**asked, PolicyInputList=[policy(allow("ecr:*"))])
        assert decisions(tried["EvaluationResults"]) == ["allowed"]

    def test_and_left_out_before_it_is_detached(self, people: People, sandbox: Running) -> None:
        person = people.make("after", allow("ecr:*"), managed=("AdministratorAccess",))
        asked = {"PolicySourceArn": person.arn, "ActionNames": ["ecr:PutImage", "s3:GetObject"]}
        without = [{"PolicyType": "aws-managed"}]
        told = sandbox.client("iam").simulate_principal_policy(**asked, PolicyExclusionList=without)
        assert decisions(told["EvaluationResults"]) == ["allowed", "implicitDeny"]

    def test_keys_that_its_policies_ask_for(self, people: People, sandbox: Running) -> None:
        own = {"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}
        person = people.make("keys", allow("ecr:*", Condition=own))
        told = sandbox.client("iam").get_context_keys_for_principal_policy(
            PolicySourceArn=person.arn
        )
        assert sorted(told["ContextKeyNames"], key=str.lower) == [
            "aws:principaltag/team",
            "ecr:ResourceTag/team",
        ]

    @pytest.mark.parametrize(
        ("arn", "code"),
        [
            (f"arn:aws:iam::{ACCOUNT}:user/nobody-there", "NoSuchEntity"),
            (f"arn:aws:iam::{ACCOUNT}:policy/some-policy", "InvalidInput"),
            ("arn:aws:s3:::some-bucket-of-mine", "InvalidInput"),
        ],
    )
    def test_an_entity_that_is_none_is_refused(self, sandbox: Running, arn: str, code: str) -> None:
        with pytest.raises(ClientError, match=code):
            sandbox.client("iam").simulate_principal_policy(
                PolicySourceArn=arn, ActionNames=["ecr:PutImage"]
            )

    def test_the_simulator_itself_needs_a_permission(self, people: People) -> None:
        person = people.make("curious")
        told = person.denied(
            "iam",
            "simulate_principal_policy",
            PolicySourceArn=person.arn,
            ActionNames=["ecr:PutImage"],
        )
        assert told == no_policy(person.arn, "iam:SimulatePrincipalPolicy", person.arn)


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": 1}', '{"Statement": [{}]}'])
def test_a_policy_that_is_none_is_refused(sandbox: Running, text: str) -> None:
    with pytest.raises(ClientError, match="InvalidInput"):
        custom(sandbox, text)


@pytest.mark.parametrize(
    "query",
    [
        "MaxItems=many",
        "MaxItems.x=1",
        "Marker=x",
        "Marker=99",
        "PolicyExclusionList.member.1=x",
        "ContextEntries.member.1=x",
        "ContextEntries=x",
        "ActionNames.member.1=x",
        "ActionNames.member.1=s3:*",
        "ResourcePolicy=%7B",
        "CallerArn=x",
    ],
)
def test_no_request_is_a_fault_of_the_simulator(people: People, query: str) -> None:
    name = f"sim{zlib.crc32(query.encode())}"
    crook = Crook(people.make(name, allow("iam:Simulate*")))
    action = "" if "ActionNames" in query else "&ActionNames.member.1=s3%3AGetObject"
    arn = f"PolicySourceArn=arn:aws:iam::{ACCOUNT}:user/{name}"
    body = f"Action=SimulatePrincipalPolicy&Version=2010-05-08&{arn}{action}&{query}"
    told = crook.send("iam", body=body.encode(), headers=FORM)
    assert told.status in (200, 400, 404), told
