"""AssumeRoleWithWebIdentity: a GitHub Actions workflow gets a role without a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.policies import policy
from tests.sandbox import sandbox_process
from tests.sandbox.iam.people import ACCOUNT, AWS, directory_of, refused
from tests.sandbox.sandbox_process import Running, keys_of

HOST = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
SUBJECT = "repo:octo-org/demo-app:ref:refs/heads/main"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/github"


def trust(subject: str = "repo:octo-org/demo-app:*") -> str:
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{HOST}:aud": "sts.amazonaws.com"},
                "StringLike": {f"{HOST}:sub": subject},
            },
        }
    )


@pytest.fixture(scope="module")
def sandbox(sandbox: Running) -> Running:
    iam = sandbox.client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"])
    iam.create_role(RoleName="github", AssumeRolePolicyDocument=trust())
    iam.attach_role_policy(RoleName="github", PolicyArn=f"{AWS}AmazonEC2ContainerRegistryPowerUser")
    return sandbox


def token(sandbox: Running, subject: str = SUBJECT, **more: Any) -> str:
    code, told = sandbox.control("POST", "oidc/token", {"subject": subject, **more})
    assert code == 200, told
    return str(told["token"])


def assume(sandbox: Running, text: str, **more: Any) -> dict[str, Any]:
    """As a workflow does: no key at all."""
    anonymous = boto3.session.Session().client(
        "sts",
        endpoint_url=sandbox.url,
        region_name="us-west-2",
        config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}),
    )
    asked = {"RoleArn": ROLE, "RoleSessionName": "workflow", "WebIdentityToken": text, **more}
    return dict(anonymous.assume_role_with_web_identity(**asked))


def test_a_workflow_gets_the_role(sandbox: Running) -> None:
    given = assume(sandbox, token(sandbox))
    keys = keys_of(given["Credentials"])
    who = sandbox.client("sts", **keys).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/github/workflow"
    assert given["SubjectFromWebIdentityToken"] == SUBJECT
    assert (given["Provider"], given["Audience"]) == (PROVIDER, "sts.amazonaws.com")
    assert "repositories" in sandbox.client("ecr", **keys).describe_repositories()


def test_its_claims_stay_with_the_session(sandbox: Running) -> None:
    given = assume(sandbox, token(sandbox))
    with directory_of(sandbox) as who:
        found = who.directory.find(given["Credentials"]["AccessKeyId"])
        assert found is not None
        keys = who.directory.rights_of(found.principal).session_keys
    assert keys[f"{HOST}:sub"] == SUBJECT
    assert keys[f"{HOST}:aud"] == "sts.amazonaws.com"
    assert keys["aws:federatedprovider"] == PROVIDER


def test_a_token_has_the_claims_of_github(sandbox: Running) -> None:
    payload = token(sandbox, claims={"job_workflow_ref": "x"}).split(".")[1]
    import base64

    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["iss"] == f"https://{HOST}"
    assert claims["aud"] == "sts.amazonaws.com"
    assert claims["repository"] == "octo-org/demo-app"
    assert claims["ref"] == "refs/heads/main"
    assert claims["job_workflow_ref"] == "x"
    assert claims["exp"] > claims["iat"] > claims["nbf"]


def test_a_subject_with_numbers_says_them_in_claims_of_their_own(sandbox: Running) -> None:
    import base64

    subject = "repo:octo-org@12/demo-app@34:ref:refs/heads/main"
    claims = json.loads(base64.urlsafe_b64decode(token(sandbox, subject).split(".")[1] + "=="))
    assert (claims["sub"], claims["repository"]) == (subject, "octo-org/demo-app")
    assert (claims["repository_owner_id"], claims["repository_id"]) == ("12", "34")


DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"


@pytest.mark.parametrize(
    ("subject", "role"),
    [("repo:somebody-else/demo-app:ref:refs/heads/main", ROLE), (SUBJECT, f"{ROLE}-not")],
)
def test_whom_the_trust_policy_does_not_mean_is_refused(
    sandbox: Running, subject: str, role: str
) -> None:
    with refused("AccessDenied", 403) as said:
        assume(sandbox, token(sandbox, subject), RoleArn=role)
    assert said == [DENIED]


def test_a_role_for_others_trusts_no_web_identity(sandbox: Running) -> None:
    sandbox.client("iam").create_role(
        RoleName="for-users",
        AssumeRolePolicyDocument=policy(
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"],
            }
        ),
    )
    with refused("AccessDenied", 403) as said:
        role = f"arn:aws:iam::{ACCOUNT}:role/for-users"
        assume(sandbox, token(sandbox), RoleArn=role)
    assert said == [DENIED]


def test_another_audience_is_refused(sandbox: Running) -> None:
    with refused("InvalidIdentityToken", 400) as said:
        assume(sandbox, token(sandbox, audience="https://github.com/octo-org"))
    assert said == ["Incorrect token audience"]


def test_an_account_without_the_provider_is_named(sandbox: Running) -> None:
    with refused("InvalidIdentityToken", 400) as said:
        assume(sandbox, token(sandbox), RoleArn="arn:aws:iam::999999999999:role/github")
    assert said == [f"No OpenIDConnect provider found in your account for https://{HOST}"]


def test_a_token_ends_by_the_sandbox_clock(tmp_path: Path) -> None:
    other = sandbox_process.start(tmp_path, LABS_CLOCK="2026-01-01T00:00:00Z")
    iam = other.client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"])
    iam.create_role(RoleName="github", AssumeRolePolicyDocument=trust())
    text = token(other)
    assert assume(other, text)["Credentials"]
    other.control("POST", "clock", {"advance_seconds": 301})
    with refused("ExpiredTokenException", 400) as said:
        assume(other, text)
    other.stop()
    assert said[0].startswith("Token expired: current date/time ")


def test_a_restart_keeps_the_key(tmp_path: Path) -> None:
    first = sandbox_process.start(tmp_path)
    text = token(first)
    first.stop()
    second = sandbox_process.start(tmp_path)
    iam = second.client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"])
    iam.create_role(RoleName="github", AssumeRolePolicyDocument=trust())
    given = assume(second, text)
    second.stop()
    assert given["Credentials"]


def forged(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))


def test_a_forged_token_is_not_believed(sandbox: Running) -> None:
    claims = {"iss": f"https://{HOST}", "sub": SUBJECT, "aud": "sts.amazonaws.com", "exp": 2**33}
    with refused("InvalidIdentityToken", 400) as said:
        assume(sandbox, forged(claims))
    assert said[0].startswith("Couldn't retrieve verification key from your identity provider")


def test_a_token_of_another_issuer_is_not_believed(sandbox: Running) -> None:
    sandbox.client("iam").create_open_id_connect_provider(
        Url="https://accounts.example.com", ClientIDList=["sts.amazonaws.com"]
    )
    with refused("InvalidIdentityToken", 400) as said:
        assume(sandbox, token(sandbox, claims={"iss": "https://accounts.example.com"}))
    assert said[0].startswith("Couldn't retrieve verification key from your identity provider")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_of_another_algorithm_is_not_believed(sandbox: Running, algorithm: str) -> None:
    import base64

    header, payload, _ = token(sandbox).split(".")
    changed = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).decode()
    with refused("InvalidIdentityToken", 400):
        assume(sandbox, f"{changed.rstrip('=')}.{payload}.AAAA")
    assert header


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "e30.e30.e30", "...."])
def test_what_is_no_token_is_named(sandbox: Running, text: str) -> None:
    with refused("InvalidIdentityToken", 400):
        assume(sandbox, text)


def test_a_session_name_is_checked_here_too(sandbox: Running) -> None:
    with refused("ValidationError", 400) as said:
        assume(sandbox, token(sandbox), RoleSessionName="dependabot[bot]")
    assert "at 'roleSessionName'" in said[0]


@pytest.mark.parametrize(
    "body", [{}, {"subject": ""}, {"subject": 1}, {"subject": "s", "claims": []}, []]
)
def test_a_request_for_a_token_without_sense_is_refused(sandbox: Running, body: Any) -> None:
    assert sandbox.control("POST", "oidc/token", body)[0] == 400
