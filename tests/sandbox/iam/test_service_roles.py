"""A service takes the role that it was given, and acts with the role's rights."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from labs_helpers.sandbox import assembly
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codepipeline.sessions import Sessions
from labs_helpers.sandbox.door.http import Server
from labs_helpers.sandbox.iam import credentials
from labs_helpers.sandbox.iam.service_roles import Principal, RoleRefused, ServiceRoles
from tests.policies import allow, policy
from tests.ports import free_port

CODEBUILD = Principal("codebuild.amazonaws.com", "CodeBuild")
ARN = "arn:aws:iam::123456789012:role/service-role/builder"
PROJECT = "arn:aws:codebuild:us-west-2:123456789012:project/demo"


def trust(*principals: str, **condition: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(principals)},
        "Action": "sts:AssumeRole",
        **({"Condition": condition} if condition else {}),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Rooms:
    """A sandbox in this process, so that the module works on the state that the port answers by."""

    roles: ServiceRoles
    client: Callable[[str], Any]
    clock: Clock

    def role(self, trust_policy: str) -> None:
        self.client("iam").create_role(
            RoleName="builder", Path="/service-role/", AssumeRolePolicyDocument=trust_policy
        )


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    port = free_port()
    sandbox = assembly.build(tmp_path, port, "instance")
    server = Server(port, sandbox.application)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    mine = credentials.learner(tmp_path / "learner.json")

    def client(service: str) -> Any:
        return boto3.session.Session().client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-west-2",
            aws_access_key_id=mine.principal.access_key_id,
            aws_secret_access_key=mine.secret,
        )

    who = sandbox.people
    yield Rooms(ServiceRoles(who.directory, who.sessions, port), client, sandbox.store.clock)
    sandbox.hang_up()
    server.stop()
    thread.join()
    sandbox.close()


def test_the_trust_policy_decides_who_takes_a_role(rooms: Rooms) -> None:
    rooms.role(trust("codepipeline.amazonaws.com"))
    with pytest.raises(RoleRefused) as refused:
        rooms.roles.assume(ARN, CODEBUILD, "AWSCodeBuild-1", "us-west-2")
    assert str(refused.value) == (
        f"CodeBuild is not authorized to perform: sts:AssumeRole on {ARN}"
    )


def test_a_role_that_is_not_there_is_refused_in_the_same_words(rooms: Rooms) -> None:
    rooms.role(trust("codebuild.amazonaws.com"))
    with pytest.raises(RoleRefused, match="sts:AssumeRole on arn:aws:iam::123456789012:role/gone"):
        rooms.roles.check("arn:aws:iam::123456789012:role/gone", CODEBUILD)


def test_a_condition_on_the_source_holds(rooms: Rooms) -> None:
    rooms.role(trust("codebuild.amazonaws.com", StringEquals={"aws:SourceArn": PROJECT}))
    with pytest.raises(RoleRefused):
        rooms.roles.check(ARN, CODEBUILD, {"aws:sourcearn": (PROJECT + "-2",)})
    assert rooms.roles.check(ARN, CODEBUILD, {"aws:sourcearn": (PROJECT,)}).name == "builder"


def test_the_session_calls_the_sandbox_with_the_roles_rights(rooms: Rooms) -> None:
    rooms.role(trust("codebuild.amazonaws.com"))
    rooms.client("iam").put_role_policy(
        RoleName="builder",
        PolicyName="list",
        PolicyDocument=policy(allow("ecr:DescribeRepositories")),
    )
    taken = rooms.roles.assume(ARN, CODEBUILD, "build of/demo", "us-west-2")
    session = "arn:aws:sts::123456789012:assumed-role/builder/build-of-demo"
    assert taken.client("sts").get_caller_identity()["Arn"] == session
    assert taken.client("ecr").describe_repositories()["repositories"] == []
    with pytest.raises(ClientError) as refused:
        taken.client("ecr").create_repository(repositoryName="demo")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert f"User: {session} is not authorized to perform: ecr:CreateRepository" in str(
        refused.value
    )
    assert taken.environment["AWS_DEFAULT_REGION"] == "us-west-2"


def test_a_service_takes_the_role_again_when_a_moved_clock_has_ended_the_session(
    rooms: Rooms,
) -> None:
    rooms.role(trust("codepipeline.amazonaws.com"))
    sessions = Sessions(rooms.roles, lambda *asked: None)
    attempt = ("attempt", {"name": "demo", "roleArn": ARN}, {}, ("123456789012", "us-west-2"))
    first = sessions.of(*attempt)
    assert sessions.of(*attempt) is first
    rooms.clock.advance(timedelta(days=1))
    with pytest.raises(ClientError, match="ExpiredToken"):
        first.client("sts").get_caller_identity()
    found = sessions.of(*attempt).client("sts").get_caller_identity()
    assert found["Arn"].endswith("assumed-role/builder/codepipeline=demo")
    assert sessions.of(*attempt) is not first
    second = sessions.of(*attempt)
    sessions.keep(["attempt"])
    assert sessions.of(*attempt) is second
    sessions.keep([])
    assert sessions.of(*attempt) is not second
