"""`lab.why` on AWS draws what IAM's simulator reports, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from labs_helpers import modes
from labs_helpers.curriculum import LABS
from labs_helpers.errors import LabError
from labs_helpers.lab import Lab
from labs_helpers.prepare import Place
from labs_helpers.workspace import Workspace

ANA = "arn:aws:iam::123456789012:user/ana"
REPO = "arn:aws:ecr:eu-west-1:123456789012:repository/demo"
USER_POLICY = {
    "SourcePolicyId": "user_ana_pushers",
    "SourcePolicyType": "IAM Policy",
    "StartPosition": {"Line": 3, "Column": 17},
    "EndPosition": {"Line": 8, "Column": 6},
}


@pytest.fixture
def opened(tmp_path: Path) -> Lab:
    """A lab on AWS."""
    workspace = Workspace(tmp_path / "home", tmp_path)
    return Lab(LABS["05"], Place(workspace, modes.AWS, "123456789012", "eu-west-1"))


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """AWS's IAM with the answers that a test sets; the caller is Ana."""
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    clients = {
        "iam": session.client("iam"),
        "sts": SimpleNamespace(get_caller_identity=lambda: {"Arn": ANA}),
    }
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    with Stubber(clients["iam"]) as stub:
        yield stub
        stub.assert_no_pending_responses()


def simulated(iam: Stubber, decision: str, who: str = ANA, **more: Any) -> None:
    result = {"EvalActionName": "ecr:PutImage", "EvalDecision": decision, **more}
    asked = {"PolicySourceArn": who, "ActionNames": ["ecr:PutImage"], "ResourceArns": [REPO]}
    iam.add_response("simulate_principal_policy", {"EvaluationResults": [result]}, asked)


def test_why_asks_the_simulator_and_names_the_policy(opened: Lab, iam: Stubber) -> None:
    simulated(iam, "allowed", MatchedStatements=[USER_POLICY])
    said = opened.why("ecr:PutImage", "demo", "ana").text
    assert said.startswith(f"✓ allowed\n  who            {ANA}\n")
    assert "because        a statement of user_ana_pushers (IAM Policy) at line 3" in said
    assert "not looked at  policies on the resource" in said


def test_a_missing_allow_is_told_with_the_statement_that_would_help(
    opened: Lab, iam: Stubber
) -> None:
    simulated(iam, "implicitDeny", MissingContextValues=["aws:SourceIp"])
    said = opened.why("ecr:PutImage", "demo", "ana").text
    assert "because          no identity-based policy allows the ecr:PutImage action" in said
    assert f"this statement in an identity-based policy of {ANA}" in said
    assert "not known        aws:SourceIp" in said


@pytest.mark.parametrize(
    ("limit", "kind"),
    [
        (
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "service control policy",
        ),
        (
            {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
            "permissions boundary",
        ),
    ],
)
def test_a_limit_is_no_want_of_an_allow(
    limit: dict[str, Any], kind: str, opened: Lab, iam: Stubber
) -> None:
    simulated(iam, "implicitDeny", **limit)
    said = opened.why("ecr:PutImage", "demo", "ana").text
    assert f"no {kind} allows the ecr:PutImage action" in said
    assert "this statement" not in said


def test_a_deny_names_the_policy_that_denies(opened: Lab, iam: Stubber) -> None:
    simulated(iam, "explicitDeny", MatchedStatements=[USER_POLICY])
    said = opened.why("ecr:PutImage", "demo", "ana").text
    assert said.startswith("✗ refused")
    assert "with an explicit deny" in said
    assert "a statement of user_ana_pushers" in said
    assert "no allow beats it" in said


def test_a_session_is_simulated_by_its_role(opened: Lab, iam: Stubber) -> None:
    role = "arn:aws:iam::123456789012:role/ci/deploy"
    given = {
        "Path": "/ci/",
        "RoleName": "deploy",
        "RoleId": "AROAEXAMPLE000000000",
        "Arn": role,
        "CreateDate": datetime(2026, 11, 2, tzinfo=UTC),
    }
    iam.add_response("get_role", {"Role": given}, {"RoleName": "deploy"})
    simulated(iam, "allowed", who=role, MatchedStatements=[USER_POLICY])
    session = "arn:aws:sts::123456789012:assumed-role/deploy/build"
    assert f"who            {role}" in opened.why("ecr:PutImage", "demo", session).text


def test_whoever_asks_is_meant(opened: Lab, iam: Stubber) -> None:
    simulated(iam, "allowed", MatchedStatements=[USER_POLICY])
    assert ANA in opened.why("ecr:PutImage", "demo").text


@pytest.mark.parametrize(
    ("who", "said"), [("root", "the root user"), ("federated-user/x", "accepts users, groups")]
)
def test_whom_the_simulator_does_not_take_is_told(
    who: str, said: str, opened: Lab, iam: Stubber
) -> None:
    with pytest.raises(LabError, match=said):
        opened.why("ecr:PutImage", "demo", f"arn:aws:iam::123456789012:{who}")


def test_a_refusal_of_the_simulator_is_told_without_a_traceback(opened: Lab, iam: Stubber) -> None:
    iam.add_client_error("simulate_principal_policy", "AccessDenied", "not authorized")
    with pytest.raises(LabError, match="AccessDenied"):
        opened.why("ecr:PutImage", "demo", "ana")


def test_the_last_refusal_is_looked_up_elsewhere(opened: Lab) -> None:
    said = opened.why().text
    assert "AWS cannot be asked for your last refusal" in said
    assert "aws sts decode-authorization-message" in said
    assert "aws cloudtrail lookup-events" in said


@pytest.mark.parametrize("action", ["PutImage", "ecr:", "ecr PutImage", "arn:aws:ecr:::x", ""])
def test_an_action_without_its_service_is_no_action(opened: Lab, iam: Stubber, action: str) -> None:
    with pytest.raises(LabError, match='as "ecr:PutImage"'):
        opened.why(action, "demo-app-repo")
