"""What a principal holds: its policies by the way they reach it, its boundary, tags and keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.iam import credentials, people
from labs_helpers.sandbox.iam.people import People
from labs_helpers.sandbox.iam.rights import Rights
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.moto.records import open_records
from labs_helpers.sandbox.policy.model import Kind
from tests.policies import allow, deny, policy
from tests.sandbox.iam.people import ACCOUNT, ADMINISTRATOR, AWS, LEARNER, directory_of, trust
from tests.sandbox.sandbox_process import Running

PULL = f"{AWS}AmazonEC2ContainerRegistryPullOnly"
PUSH = f"{AWS}AmazonEC2ContainerRegistryPowerUser"


def named(held: Rights) -> list[tuple[str, str]]:
    return [(policy.name, policy.via) for policy in held.identity]


def holds(sandbox: Running, access_key_id: str) -> Rights:
    with directory_of(sandbox) as who:
        credential = who.directory.find(access_key_id)
        assert credential is not None
        return who.directory.rights_of(credential.principal)


def test_a_new_learner_is_decided_without_moto(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from labs_helpers.sandbox.iam import credentials, people\n"
        "from labs_helpers.sandbox.moto.records import open_records\n"
        "from labs_helpers.sandbox.clock import Clock\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "learner = credentials.learner(folder / 'learner.json')\n"
        "records = open_records(folder / 'identity', learner)\n"
        "who = people.build(folder / 'identity', records, Clock())\n"
        "found = who.directory.find(learner.principal.access_key_id)\n"
        "held = who.directory.rights_of(found.principal)\n"
        "assert who.directory.find('AKIAIOSFODNN7EXAMPLE') is None\n"
        "print(held.identity[0].name, held.identity[0].via, 'moto' in sys.modules)\n"
        "print((folder / 'identity').exists())\n"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [
        "AdministratorAccess attached to user learner False",
        "False",
    ]


def test_a_user_holds_its_own_policies_and_those_of_its_groups(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="dev", Tags=[{"Key": "Team", "Value": "a"}])
    key = iam.create_access_key(UserName="dev")["AccessKey"]
    iam.attach_user_policy(UserName="dev", PolicyArn=PULL)
    iam.put_user_policy(UserName="dev", PolicyName="mine", PolicyDocument=policy(allow("ecr:*")))
    iam.create_group(GroupName="pushers")
    iam.attach_group_policy(GroupName="pushers", PolicyArn=PUSH)
    iam.put_group_policy(
        GroupName="pushers", PolicyName="theirs", PolicyDocument=policy(deny("ecr:Delete*"))
    )
    iam.add_user_to_group(GroupName="pushers", UserName="dev")
    held = holds(sandbox, key["AccessKeyId"])
    assert named(held) == [
        ("AmazonEC2ContainerRegistryPullOnly", "attached to user dev"),
        ("mine", "inline in user dev"),
        ("AmazonEC2ContainerRegistryPowerUser", "attached to group pushers"),
        ("theirs", "inline in group pushers"),
    ]
    assert [policy.arn for policy in held.identity] == [PULL, "", PUSH, ""]
    assert held.boundary is None
    assert held.session is None
    assert held.tags == {"Team": "a"}
    assert held.session_keys["aws:username"] == "dev"
    assert "aws:tokenissuetime" not in held.session_keys
    assert "aws:multifactorauthpresent" not in held.session_keys


def test_the_default_version_of_a_policy_counts(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    arn = iam.create_policy(PolicyName="versions", PolicyDocument=policy(allow("s3:*")))["Policy"][
        "Arn"
    ]
    iam.create_user(UserName="reader")
    iam.attach_user_policy(UserName="reader", PolicyArn=arn)
    key = iam.create_access_key(UserName="reader")["AccessKey"]["AccessKeyId"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("s3:Get*")))
    before = holds(sandbox, key).identity[0].document.statements[0].source["Action"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    after = holds(sandbox, key).identity[0].document.statements[0].source["Action"]
    assert (before, after) == (["s3:*"], ["s3:Get*"])


@pytest.mark.parametrize("kind", ["user", "role"])
def test_a_boundary_of_a_user_and_of_a_role(sandbox: Running, kind: str) -> None:
    iam, name = sandbox.client("iam"), f"bounded-{kind}"
    if kind == "user":
        iam.create_user(UserName=name, PermissionsBoundary=PULL)
        shown = iam.get_user(UserName=name)["User"]["PermissionsBoundary"]
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    else:
        role = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trust(), PermissionsBoundary=PULL
        )["Role"]
        shown = iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]
        sts = sandbox.client("sts")
        given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="build")
        key = given["Credentials"]["AccessKeyId"]
    boundary = holds(sandbox, key).boundary
    assert shown["PermissionsBoundaryArn"] == PULL
    assert boundary is not None
    assert (boundary.kind, boundary.arn) == (Kind.BOUNDARY, PULL)
    getattr(iam, f"delete_{kind}_permissions_boundary")(**{f"{kind.title()}Name": name})
    assert holds(sandbox, key).boundary is None


def test_a_role_session_holds_the_roles_policies_within_its_session_policies(
    sandbox: Running,
) -> None:
    iam = sandbox.client("iam")
    role = iam.create_role(
        RoleName="deployer",
        Path="/ci/",
        AssumeRolePolicyDocument=trust(),
        Tags=[{"Key": "Team", "Value": "role"}, {"Key": "Env", "Value": "test"}],
    )["Role"]
    iam.attach_role_policy(RoleName="deployer", PolicyArn=PUSH)
    given = sandbox.client("sts").assume_role(
        RoleArn=role["Arn"],
        RoleSessionName="build",
        Policy=policy(allow("ecr:Get*")),
        PolicyArns=[{"arn": PULL}],
        Tags=[{"Key": "Team", "Value": "session"}],
        SourceIdentity="ada",
    )
    held = holds(sandbox, given["Credentials"]["AccessKeyId"])
    assert named(held) == [("AmazonEC2ContainerRegistryPowerUser", "attached to role deployer")]
    assert held.session is not None
    assert [policy.arn for policy in held.session] == ["", PULL]
    assert held.caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/build"
    assert held.caller.principal_arn == role["Arn"]
    assert held.tags == {"Team": "session", "Env": "test"}
    assert held.session_keys["aws:userid"] == f"{role['RoleId']}:build"
    assert held.session_keys["aws:sourceidentity"] == "ada"
    assert held.session_keys["aws:multifactorauthpresent"] == "false"
    assert "aws:username" not in held.session_keys


def test_a_federated_user_has_only_what_its_session_policy_lets_through(sandbox: Running) -> None:
    sts = sandbox.client("sts")
    without = sts.get_federation_token(Name="guest")["Credentials"]["AccessKeyId"]
    within = sts.get_federation_token(Name="guest", Policy=policy(allow("ecr:*")))
    one, other = holds(sandbox, without), holds(sandbox, within["Credentials"]["AccessKeyId"])
    assert one.session is not None
    assert [policy.document.statements for policy in one.session] == [()]
    assert other.session is not None
    assert len(other.session[0].document.statements) == 1
    assert other.caller.arn == f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
    assert other.caller.federated_by == LEARNER
    assert other.session_keys["aws:userid"] == f"{ACCOUNT}:guest"


def test_who_is_gone_holds_nothing_even_when_the_name_comes_back(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="gone")
    key = iam.create_access_key(UserName="gone")["AccessKey"]["AccessKeyId"]
    with directory_of(sandbox) as who:
        found = who.directory.find(key)
    assert found is not None
    iam.delete_access_key(UserName="gone", AccessKeyId=key)
    iam.delete_user(UserName="gone")
    iam.create_user(UserName="gone")
    iam.attach_user_policy(UserName="gone", PolicyArn=ADMINISTRATOR)
    with directory_of(sandbox) as who:
        assert who.directory.rights_of(found.principal).identity == ()
        assert who.directory.find(key) is None


def test_a_role_made_again_is_not_the_one_of_the_session(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    arn = iam.create_role(RoleName="again", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    given = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="build")["Credentials"]
    iam.delete_role(RoleName="again")
    iam.create_role(RoleName="again", AssumeRolePolicyDocument=trust())
    iam.attach_role_policy(RoleName="again", PolicyArn=ADMINISTRATOR)
    assert holds(sandbox, given["AccessKeyId"]).identity == ()


def test_an_inactive_key_is_unknown(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="idle")
    key = iam.create_access_key(UserName="idle")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="idle", AccessKeyId=key, Status="Inactive")
    with directory_of(sandbox) as who:
        assert who.directory.find(key) is None
        assert who.directory.account_of_key(key) == ACCOUNT


def test_entities_have_their_path_in_their_arn(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="placed", Path="/team/a/", Tags=[{"Key": "K", "Value": "v"}])
    iam.create_group(GroupName="placed", Path="/team/")
    with directory_of(sandbox) as who:
        found = who.directory
        assert found.entity_arn(ACCOUNT, "user", "placed") == (
            f"arn:aws:iam::{ACCOUNT}:user/team/a/placed"
        )
        assert found.entity_arn(ACCOUNT, "group", "placed") == (
            f"arn:aws:iam::{ACCOUNT}:group/team/placed"
        )
        assert found.entity_arn(ACCOUNT, "policy", "PowerUserAccess") == f"{AWS}PowerUserAccess"
        assert found.entity_arn(ACCOUNT, "role", "placed") is None
        assert found.entity_arn("999999999999", "user", "learner") is None
        assert found.tags_of(f"arn:aws:iam::{ACCOUNT}:user/team/a/placed") == {"K": "v"}
        assert found.tags_of("arn:aws:s3:::bucket") == {}


def test_a_role_has_its_trust_policy(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    arn = iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    with directory_of(sandbox) as who:
        policy = who.directory.role_trust(arn)
        assert policy is not None
        assert (policy.kind, policy.name) == (Kind.TRUST, "trust policy of role trusting")
        assert who.directory.role_trust(f"{arn}-not") is None


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[People]:
    learner = credentials.learner(tmp_path / "learner.json")
    records = open_records(tmp_path / "identity", learner)
    who = people.build(tmp_path / "identity", records, Clock(tmp_path / "clock.json"))
    yield who
    who.close()


@pytest.mark.parametrize("arn", [LEARNER, f"arn:aws:iam::{ACCOUNT}:user/other", "*"])
def test_a_principal_that_is_made_up_holds_nothing(alone: People, arn: str) -> None:
    made_up = Principal(ACCOUNT, arn, "AIDAIOSFODNN7EXAMPLE1", "AKIAIOSFODNN7EXAMPLE")
    assert alone.directory.rights_of(made_up).identity == ()


def test_a_policy_that_cannot_be_read_gives_nothing(
    alone: People, caplog: pytest.LogCaptureFixture
) -> None:
    records: Any = alone.records
    backend: Any = records.identity.backend(ACCOUNT)
    backend.users["learner"].policies["broken"] = "{"
    held = alone.directory.rights_of(alone.records.learner.principal)
    assert [len(policy.document.statements) for policy in held.identity] == [1, 0]
    assert "cannot be read" in caplog.text
