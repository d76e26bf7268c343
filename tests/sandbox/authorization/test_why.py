"""/_labs/why: the last refusal explained, and a question answered without a request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import allow, deny
from tests.sandbox.authorization.people_here import ACCOUNT, DEMO, OTHER, People, no_policy
from tests.sandbox.sandbox_process import Running


def why(sandbox: Running, query: str = "") -> dict[str, Any]:
    status, told = sandbox.control("GET", f"why{query}")
    assert status == 200
    refusal: dict[str, Any] = told["refusal"]
    return refusal


def test_at_first_nothing_was_refused(sandbox: Running) -> None:
    assert why(sandbox) is None


def test_a_refusal_says_what_was_missing_and_what_would_allow(
    people: People, sandbox: Running
) -> None:
    person = people.make("reads", allow("ecr:Describe*"))
    told = person.denied("ecr", "create_repository", repositoryName="demo")
    found = why(sandbox, f"?account={ACCOUNT}&principal={person.arn}")
    context = found.pop("context")
    found.pop("at")
    assert found == {
        "number": found["number"],
        "account": ACCOUNT,
        "principal": person.arn,
        "action": "ecr:CreateRepository",
        "resource": DEMO,
        "resource_account": ACCOUNT,
        "outcome": "implicitDeny",
        "kind": "identity-based policy",
        "sentence": told,
        "missing_context": [],
        "policies": [
            {
                "kind": "identity-based policy",
                "name": "own",
                "arn": "",
                "via": "inline in user reads",
                "decided": False,
            }
        ],
        "statements": [],
        "would_allow": {"Effect": "Allow", "Action": "ecr:CreateRepository", "Resource": DEMO},
        "where": f"an identity-based policy of {person.arn}",
    }
    assert context["aws:username"] == ["reads"]
    assert context["aws:principalarn"] == [person.arn]
    assert context["aws:sourceip"] == ["127.0.0.1"]
    assert "aws:multifactorauthpresent" not in context


def test_an_explicit_deny_shows_its_statement(people: People, sandbox: Running) -> None:
    statement = deny("ecr:Create*", Sid="NoNewOnes")
    person = people.make("stopped", statement, managed=("AdministratorAccess",))
    person.denied("ecr", "create_repository", repositoryName="demo")
    found = why(sandbox, f"?principal={person.arn}")
    assert found["outcome"] == "explicitDeny"
    assert found["statements"] == [
        {
            "kind": "identity-based policy",
            "name": "own",
            "arn": "",
            "via": "inline in user stopped",
            "index": 0,
            "sid": "NoNewOnes",
            "statement": statement,
        }
    ]
    assert found["would_allow"] is None
    assert [policy["decided"] for policy in found["policies"]] == [False, True]


def test_each_account_has_its_own_last_refusal(people: People, sandbox: Running) -> None:
    people.make("first").denied("ecr", "get_authorization_token")
    people.of_account(OTHER).denied(
        "ecr", "describe_images", registryId=ACCOUNT, repositoryName="demo"
    )
    theirs = why(sandbox, f"?account={OTHER}")
    assert theirs["kind"] == "resource-based policy"
    assert theirs["where"] == f"the policy of {DEMO}, in account {ACCOUNT}"
    assert why(sandbox, f"?account={ACCOUNT}")["action"] == "ecr:GetAuthorizationToken"
    assert why(sandbox)["account"] == OTHER


def test_a_question_is_answered_as_a_request_would_be(people: People, sandbox: Running) -> None:
    at_home = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    person = people.make("asked", allow("ecr:PutImage", on=DEMO, Condition=at_home))
    question: dict[str, Any] = {
        "principal": person.arn,
        "action": "ecr:PutImage",
        "resource": DEMO,
    }
    status, told = sandbox.control("POST", "why", question)
    assert (status, told["verdict"]["outcome"]) == (200, "implicitDeny")
    assert told["verdict"]["sentence"] == no_policy(person.arn, "ecr:PutImage", DEMO)
    assert told["verdict"]["missing_context"] == ["aws:SourceIp"]
    question["context"] = {"aws:SourceIp": "10.1.2.3"}
    verdict = sandbox.control("POST", "why", question)[1]["verdict"]
    assert (verdict["outcome"], verdict["sentence"]) == ("allowed", "")
    assert verdict["statements"][0]["via"] == "inline in user asked"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"principal": "arn:aws:iam::123456789012:user/x", "action": "a", "resource": "*"}, 400),
        ({"principal": "x", "action": "ecr:PutImage", "resource": "*"}, 404),
        ({"principal": "x", "action": "ecr:PutImage", "resource": 1}, 400),
    ],
)
def test_a_question_that_is_none_says_how_to_ask(
    sandbox: Running, body: dict[str, Any], status: int
) -> None:
    answered, told = sandbox.control("POST", "why", body)
    assert answered == status
    assert told["error"]


def test_only_the_owner_of_the_files_may_ask(sandbox: Running) -> None:
    assert sandbox.ask("GET", "/_labs/why")[0] == 401
