"""The Security Token Service, as AWS documents each operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labs_helpers.sandbox.iam import mfa
from tests.policies import allow, policy
from tests.sandbox import sandbox_process
from tests.sandbox.iam.people import ACCOUNT, LEARNER, directory_of, refused, trust
from tests.sandbox.sandbox_process import Running, keys_of

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
FAILED = "1 validation error detected: Value"


@pytest.fixture(scope="module")
def sandbox(sandbox: Running) -> Running:
    iam = sandbox.client("iam")
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust(), MaxSessionDuration=7200)
    iam.attach_role_policy(
        RoleName="deployer", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    return sandbox


def assume(sandbox: Running, keys: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """AssumeRole, its parameters not checked by botocore first."""
    from botocore.config import Config

    config = Config(retries={"max_attempts": 0}, parameter_validation=False)
    asked = {"RoleArn": ROLE, "RoleSessionName": "build", **more}
    given = sandbox.client("sts", config=config, **(keys or {})).assume_role(**asked)
    return dict(given)


def test_a_session_says_whose_it_is(sandbox: Running) -> None:
    given = assume(sandbox)
    role = sandbox.client("iam").get_role(RoleName="deployer")["Role"]
    who = sandbox.client("sts", **keys_of(given["Credentials"])).get_caller_identity()
    assert given["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role['RoleId']}:build",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/build",
    }
    assert (who["Arn"], who["UserId"]) == (
        given["AssumedRoleUser"]["Arn"],
        given["AssumedRoleUser"]["AssumedRoleId"],
    )
    assert "PackedPolicySize" not in given


def test_a_session_lasts_as_long_as_asked(sandbox: Running) -> None:
    for asked, hours in (({}, 1), ({"DurationSeconds": 7200}, 2)):
        ends = assume(sandbox, **asked)["Credentials"]["Expiration"]
        lasts = ends - datetime.now(UTC)
        assert timedelta(hours=hours, minutes=-1) < lasts <= timedelta(hours=hours)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"DurationSeconds": 899},
        "ValidationError",
        f"{FAILED} '899' at 'durationSeconds' failed to satisfy constraint: Member must have value "
        "greater than or equal to 900",
    ),
    (
        {"DurationSeconds": 43201},
        "ValidationError",
        f"{FAILED} '43201' at 'durationSeconds' failed to satisfy constraint: Member must have "
        "value less than or equal to 43200",
    ),
    (
        {"DurationSeconds": 7201},
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ),
    (
        {"RoleSessionName": "a b"},
        "ValidationError",
        f"{FAILED} 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [\\w+=,.@-]*",
    ),
    (
        {"RoleSessionName": "a"},
        "ValidationError",
        f"{FAILED} 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length "
        "greater than or equal to 2",
    ),
    (
        {"RoleArn": "deployer-without-an-arn"},
        "ValidationError",
        "deployer-without-an-arn is invalid",
    ),
    (
        {"Policy": policy(allow("s3:Get*", on="x" * 2100))},
        "PackedPolicyTooLarge",
        "Packed policy consumes 108% of allotted space, please use smaller policy.",
    ),
    (
        {"RoleArn": f"{ROLE}-2"},
        "AccessDenied",
        f"User: {LEARNER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}-2",
    ),
]


@pytest.mark.parametrize(("asked", "code", "message"), WRONG)
def test_what_aws_refuses_is_refused_in_its_words(
    sandbox: Running, asked: dict[str, Any], code: str, message: str
) -> None:
    with refused(code, 403 if code == "AccessDenied" else 400) as said:
        assume(sandbox, **asked)
    # once decided before, the sentence of a denial goes on with why
    assert said[0].startswith(message)


@pytest.mark.parametrize("policy", ["{", "{}", '{"Version": "2012-10-17"}', "[]"])
def test_a_session_policy_that_is_none_is_refused(sandbox: Running, policy: str) -> None:
    with refused("MalformedPolicyDocument", 400):
        assume(sandbox, Policy=policy)


def test_a_chained_session_lasts_an_hour_at_most(sandbox: Running) -> None:
    keys = keys_of(assume(sandbox)["Credentials"])
    with refused("ValidationError", 400) as said:
        assume(sandbox, keys, DurationSeconds=3601)
    assert said == [
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
        "chaining."
    ]
    assert assume(sandbox, keys, DurationSeconds=3600)["Credentials"]


def test_transitive_tags_and_the_source_identity_go_along(sandbox: Running) -> None:
    tags = [{"Key": "Team", "Value": "a"}, {"Key": "Stays", "Value": "here"}]
    first = assume(sandbox, Tags=tags, TransitiveTagKeys=["Team"], SourceIdentity="ada")
    second = assume(sandbox, keys_of(first["Credentials"]))
    with directory_of(sandbox) as who:
        found = who.directory.find(second["Credentials"]["AccessKeyId"])
        assert found is not None
        held = who.directory.rights_of(found.principal)
    assert held.tags == {"Team": "a"}
    assert held.session_keys["aws:sourceidentity"] == "ada"
    assert second["SourceIdentity"] == "ada"
    with refused("InvalidParameterValue", 400):
        assume(sandbox, keys_of(first["Credentials"]), Tags=[{"Key": "team", "Value": "b"}])


def test_a_session_ends_when_the_sandbox_clock_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sandbox = sandbox_process.start(
        tmp_path_factory.mktemp("labs"), LABS_CLOCK="2026-01-01T00:00:00Z"
    )
    given = sandbox.client("sts").get_session_token(DurationSeconds=3600)["Credentials"]
    session = sandbox.client("sts", **keys_of(given))
    assert session.get_caller_identity()["Arn"] == LEARNER
    sandbox.control("POST", "clock", {"advance_seconds": 3000})
    assert session.get_caller_identity()["Arn"] == LEARNER
    sandbox.control("POST", "clock", {"advance_seconds": 601})
    with refused("ExpiredToken"):
        session.get_caller_identity()
    with directory_of(sandbox) as who:
        # a registry token that the session made is decided by its rights still
        ended = who.directory.find(given["AccessKeyId"])
        assert ended is not None
        assert who.directory.rights_of(ended.principal).identity
    later = sandbox.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    assert later["Expiration"] - given["Expiration"] > timedelta(minutes=14)
    assert sandbox.client("sts", **keys_of(later)).get_caller_identity()["Arn"] == LEARNER
    sandbox.stop()


@pytest.mark.parametrize("operation", ["GetSessionToken", "GetFederationToken"])
def test_a_session_gets_no_further_token(sandbox: Running, operation: str) -> None:
    keys = keys_of(assume(sandbox)["Credentials"])
    sts = sandbox.client("sts", **keys)
    with refused("AccessDenied", 403) as said:
        if operation == "GetSessionToken":
            sts.get_session_token()
        else:
            sts.get_federation_token(Name="guest")
    assert said == [f"Cannot call {operation} with session credentials"]


def test_what_a_session_token_may_not_call_is_known(sandbox: Running) -> None:
    given = sandbox.client("sts").get_session_token()["Credentials"]
    guest = sandbox.client("sts").get_federation_token(Name="guest")["Credentials"]
    role = assume(sandbox)["Credentials"]
    with directory_of(sandbox) as who:
        said = {
            (name, action): bool(who.directory.refusal(found.principal, action))
            for name, key in (("user", given), ("guest", guest), ("role", role))
            for action in ("iam:ListUsers", "sts:AssumeRole", "sts:GetCallerIdentity", "ecr:GetX")
            if (found := who.directory.find(key["AccessKeyId"]))
        }
    assert [key for key, refused in said.items() if refused] == [
        ("user", "iam:ListUsers"),
        ("guest", "iam:ListUsers"),
        ("guest", "sts:AssumeRole"),
    ]


def test_a_federated_user_is_named(sandbox: Running) -> None:
    told = sandbox.client("sts").get_federation_token(Name="guest", Policy=policy(allow("ecr:*")))
    who = sandbox.client("sts", **keys_of(told["Credentials"])).get_caller_identity()
    assert told["FederatedUser"] == {
        "FederatedUserId": f"{ACCOUNT}:guest",
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
    }
    assert 0 < told["PackedPolicySize"] < 100
    assert who["Arn"] == told["FederatedUser"]["Arn"]


def test_a_code_of_the_users_own_device_counts_as_mfa(sandbox: Running) -> None:
    iam, sts = sandbox.client("iam"), sandbox.client("sts")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    seed, serial = device["Base32StringSeed"].decode(), device["SerialNumber"]
    now = datetime.now(UTC)
    before, shown = mfa.code(seed, now - timedelta(seconds=30)), mfa.code(seed, now)
    wrong = f"{(int(shown) + 500_000) % 1_000_000:06}"
    named = {"UserName": "learner", "SerialNumber": serial, "AuthenticationCode1": before}
    with refused("InvalidAuthenticationCode", 403):
        iam.enable_mfa_device(**named, AuthenticationCode2=wrong)
    iam.enable_mfa_device(**named, AuthenticationCode2=shown)
    with refused("DeleteConflict", 409):
        iam.delete_virtual_mfa_device(SerialNumber=serial)
    with refused("AccessDenied", 403):
        sts.get_session_token(SerialNumber=serial, TokenCode=wrong)
    given = sts.get_session_token(SerialNumber=serial, TokenCode=shown)["Credentials"]
    with directory_of(sandbox) as who:
        found = who.directory.find(given["AccessKeyId"])
        assert found is not None
        held = who.directory.rights_of(found.principal)
        assert who.directory.refusal(found.principal, "iam:ListUsers") is None
    assert held.session_keys["aws:multifactorauthpresent"] == "true"
    assert 0 <= int(held.session_keys["aws:multifactorauthage"]) < 3600


def test_totp_is_that_of_the_rfc() -> None:
    # RFC 6238, appendix B: the last six of its eight digits
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert mfa.code(seed, datetime.fromtimestamp(59, UTC)) == "287082"
    assert mfa.code(seed, datetime.fromtimestamp(1111111109, UTC)) == "081804"
    assert mfa.is_code(seed, "287082", datetime.fromtimestamp(89, UTC))
    assert not mfa.is_code(seed, "287082", datetime.fromtimestamp(149, UTC))


def test_the_account_of_a_key_is_told(sandbox: Running) -> None:
    sts = sandbox.client("sts")
    mine = sandbox.learner["access_key_id"]
    assert sts.get_access_key_info(AccessKeyId=mine)["Account"] == ACCOUNT
    with refused("InvalidClientTokenId"):
        sts.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE")


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("decode_authorization_message", {"EncodedMessage": "x"}),
        (
            "assume_role_with_saml",
            {"RoleArn": ROLE, "PrincipalArn": ROLE, "SAMLAssertion": "PHg+"},
        ),
    ],
)
def test_what_sts_lacks_is_named(sandbox: Running, operation: str, asked: dict[str, str]) -> None:
    with refused("NotInSandbox", 501):
        getattr(sandbox.client("sts"), operation)(**asked)
