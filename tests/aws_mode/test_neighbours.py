"""`labs clean-up` knows each kind that delivers, and leaves what is only named or tagged alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers import on_aws
from labs_helpers.clean_up.delete import delete
from labs_helpers.clean_up.found import TAG, survey
from labs_helpers.clean_up.listed import listed
from labs_helpers.cli import clean_up, main
from labs_helpers.prepare import Place, networks
from tests.aws_mode.account import ACCOUNT, REGION, Learner, added, everything
from tests.aws_mode.test_agreement import agree, enter
from tests.sandbox.sandbox_process import Running

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["codebuild.amazonaws.com", "codepipeline.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
SUBNET = "subnet-0a1b2c3d"


@pytest.fixture
def place(learner: Learner, there: Running) -> Iterator[Place]:
    """The learner has agreed, and has opened every lab; the account is as it was afterwards."""
    before = everything(there)
    workspace = agree(learner)
    enter(workspace)
    made = clean_up.find(workspace)
    for lab in sorted({lab for one in listed(ACCOUNT) for lab in one.labs}):
        on_aws.notes(made, lab)
    yield made
    assert everything(there) == before


def cleaned() -> int:
    return main.main(["clean-up", "--delete", "--agree", ACCOUNT])


def role(place: Place, name: str) -> str:
    made = place.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    return str(made["Role"]["Arn"])


def project(place: Place, name: str, arn: str) -> None:
    place.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=arn,
    )


def rule(place: Place, name: str, queue: str) -> None:
    events = place.client("events")
    events.put_rule(Name=name, EventPattern='{"source": ["aws.ecr"]}')
    url = place.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
    assert url.endswith(queue)
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])


def connection(place: Place, name: str) -> str:
    client = place.client("codeconnections")
    made = client.create_connection(ProviderType="GitHub", ConnectionName=name)
    return str(made["ConnectionArn"])


def cluster(place: Place, name: str, service: str, family: str) -> None:
    """A cluster with a service that wants no task, so that no container is needed."""
    ecs = place.client("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "public.ecr.aws/nginx/nginx:latest"}],
    )
    serve(place, name, service, family)


def serve(place: Place, name: str, service: str, family: str) -> None:
    place.client("ecs").create_service(
        cluster=name,
        serviceName=service,
        taskDefinition=family,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [SUBNET]}},
    )


def deliveries(place: Place, suffix: str = "") -> set[tuple[str, str]]:
    """Of each kind that delivers one thing, under a lab's name and this suffix; what was made."""
    arn = role(place, f"demo-app-build{suffix}")
    project(place, f"demo-app-build{suffix}", arn)
    place.client("logs").create_log_group(logGroupName=f"/aws/codebuild/demo-app-build{suffix}")
    rule(place, f"demo-app-pushed{suffix}", f"demo-app-pushed{suffix}")
    connection(place, f"demo-app-github{suffix}")
    place.client("codecommit").create_repository(repositoryName=f"demo-app{suffix}")
    networks.open_group(place, f"demo-app-web{suffix}")
    cluster(place, f"demo{suffix}", f"web{suffix}", f"demo-app{suffix}")
    place.client("ecr").create_repository(repositoryName=f"demo-app-repo{suffix}")
    return {
        ("role", f"demo-app-build{suffix}"),
        ("build project", f"demo-app-build{suffix}"),
        ("log group", f"/aws/codebuild/demo-app-build{suffix}"),
        ("event rule", f"demo-app-pushed{suffix}"),
        ("queue", f"demo-app-pushed{suffix}"),
        ("connection", f"demo-app-github{suffix}"),
        ("source repository", f"demo-app{suffix}"),
        ("security group", f"demo-app-web{suffix}"),
        ("cluster", f"demo{suffix}"),
        ("service", f"demo{suffix}/web{suffix}"),
        ("task definition", f"demo-app{suffix}"),
        ("repository", f"demo-app-repo{suffix}"),
    }


def remove(place: Place, things: set[tuple[str, str]]) -> None:
    """Delete the neighbours of a test, whose names no list has."""
    from labs_helpers.clean_up.kinds import KINDS

    for kind in KINDS:
        for name in (name for one, name in things if one == kind):
            KINDS[kind].delete(place, name)


def test_what_delivers_goes_and_its_neighbours_stay(place: Place, there: Running) -> None:
    before = everything(there)
    neighbours = deliveries(place, "-2")
    place.client("ecr").tag_resource(
        resourceArn=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/demo-app-repo-2",
        tags=[{"Key": TAG, "Value": "labs-like"}, {"Key": "Labs:Session", "Value": "x"}],
    )
    ours = deliveries(place)
    assert added(before, everything(there)) == ours | neighbours

    assert cleaned() == 0

    assert added(before, everything(there)) == neighbours
    remove(place, neighbours)


def test_everything_that_aws_can_tag_is_tagged_and_found_by_its_tag(
    place: Place, there: Running
) -> None:
    ours = deliveries(place)
    for lab in ("09", "10"):
        assert on_aws.tag(place, lab) == []
    for record in place.workspace.home.glob("before-*.json"):
        record.unlink()  # the labs of another folder know the tag only
    found = survey(place)
    assert found.unread == ()
    assert {(one.kind, one.name) for one in found.things if one.ours} == ours
    assert {one.why for one in found.things} == {f"it has the tag {TAG}"}
    assert cleaned() == 0


def test_a_tag_takes_no_other_tag_away(place: Place, there: Running) -> None:
    project(place, "demo-app-build", role(place, "demo-app-build"))
    place.client("codebuild").update_project(
        name="demo-app-build", tags=[{"key": "team", "value": "shop"}]
    )
    assert on_aws.tag(place, "09") == []
    asked = place.client("codebuild").batch_get_projects(names=["demo-app-build"])["projects"]
    assert {one["key"] for one in asked[0]["tags"]} == {"team", TAG}
    assert cleaned() == 0


def test_two_connections_of_a_name_are_the_labs_only_if_both_are(
    place: Place, there: Running
) -> None:
    connection(place, "demo-app-github")
    assert on_aws.tag(place, "09") == []
    connection(place, "demo-app-github")
    for record in place.workspace.home.glob("before-*.json"):
        record.unlink()
    assert {one.ours for one in survey(place).things} == {False}
    remove(place, {("connection", "demo-app-github")})


def test_what_is_interrupted_half_way_is_found_again(place: Place, there: Running) -> None:
    before = everything(there)
    ours = deliveries(place)
    told: list[str] = []

    def interrupted(line: str) -> None:
        told.append(line)
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete(place, survey(place).things, interrupted)
    left = added(before, everything(there))
    assert 0 < len(left) < len(ours)
    assert {(one.kind, one.name) for one in survey(place).things if one.ours} == left

    assert cleaned() == 0
    assert added(before, everything(there)) == set()


def test_a_learner_s_service_in_the_labs_cluster_stays(
    place: Place, there: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster(place, "demo", "web", "demo-app")
    cluster(place, "other", "web", "own")
    serve(place, "demo", "own", "own")
    try:
        things = survey(place).things
        remains = delete(place, things, print, wait=lambda seconds: None)
        assert [str(one.thing) for one in remains] == ["cluster demo"]
        assert "ClusterContainsServices" in remains[0].reason
        assert set(everything(there)["service"]) == {"demo/own", "other/web"}
    finally:
        remove(place, {("service", "demo/own"), ("service", "other/web"), ("cluster", "other")})
        remove(place, {("task definition", "own")})
    assert cleaned() == 0


def test_a_policy_of_the_labs_that_a_learner_s_user_has_stays_with_the_reason(
    place: Place,
) -> None:
    iam = place.client("iam")
    document = (
        '{"Version": "2012-10-17", "Statement":'
        ' [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}'
    )
    arn = iam.create_policy(PolicyName="labs-push-demo-app", PolicyDocument=document)["Policy"][
        "Arn"
    ]
    iam.create_user(UserName="labs-dev-2")
    iam.attach_user_policy(UserName="labs-dev-2", PolicyArn=arn)
    try:
        remains = delete(place, survey(place).things, print, wait=lambda seconds: None)
        assert [str(one.thing) for one in remains] == ["policy labs-push-demo-app"]
        assert "DeleteConflict" in remains[0].reason
        attached = iam.list_attached_user_policies(UserName="labs-dev-2")["AttachedPolicies"]
        assert [one["PolicyName"] for one in attached] == ["labs-push-demo-app"]
    finally:
        iam.detach_user_policy(UserName="labs-dev-2", PolicyArn=arn)
        iam.delete_user(UserName="labs-dev-2")
    assert cleaned() == 0


@pytest.mark.parametrize(
    ("make", "thing"),
    [
        (lambda place: connection(place, "demo-app-github"), "connection demo-app-github"),
        (
            lambda place: place.client("sqs").create_queue(QueueName="demo-app-pushed"),
            "queue demo-app-pushed",
        ),
    ],
    ids=["connection", "queue"],
)
def test_a_connection_and_a_queue_of_the_learner_s_stay(
    make: Callable[[Place], Any], thing: str, learner: Learner, there: Running
) -> None:
    workspace = agree(learner)
    enter(workspace)
    place = clean_up.find(workspace)
    make(place)
    assert any(thing in note for note in on_aws.notes(place, "09"))
    assert cleaned() == 0
    assert [(str(one), one.ours) for one in survey(place).things] == [(thing, False)]
    kind, _, name = thing.partition(" ")
    remove(place, {(kind, name)})


def test_nothing_is_pushed_to_a_repository_of_the_learner_s(
    learner: Learner, there: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = agree(learner)
    enter(workspace)
    place = clean_up.find(workspace)
    place.client("codecommit").create_repository(repositoryName="demo-app")
    on_aws.notes(place, "09")
    (tmp_path / "app" / ".git").mkdir(parents=True)
    for repository, said in (
        ("your-org/demo-app", "that the labs did not make"),
        ("your-org/other", "their own repository only: demo-app"),
    ):
        assert main.main(["connect", "demo-app-github", repository, str(tmp_path / "app")]) == 1
        assert said in capsys.readouterr().err
    assert not list((tmp_path / "app" / ".git").iterdir())
    remove(place, {("source repository", "demo-app")})
