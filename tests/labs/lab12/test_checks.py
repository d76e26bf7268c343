"""Lab 12: what its checks say of answers that people give."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.checks.world import World
from labs_helpers.errors import LabError
from labs_helpers.labs.deployment import running
from labs_helpers.labs.deployment.running import Running
from labs_helpers.labs.lab12 import checks
from labs_helpers.prepare import beginning, ecs
from labs_helpers.prepare.record import Entry
from tests.labs.desk import Desk, desk, rows


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("12") as made:
        yield made


# a colleague's deployment is taken back

NEWEST = """newest() { aws ecs list-service-deployments --cluster demo --service front \
  --query "serviceDeployments[0].$1" --output text; }
"""
STOP = (
    NEWEST
    + """aws ecs stop-service-deployment \
 --service-deployment-arn $(newest serviceDeploymentArn) --query x
"""
)
BACK = """for second in $(seq 120); do
  [ $(newest status) = %s ] && break
  sleep 0.5
done
"""
BY_BOTO3 = """python3 -c '
import boto3
ecs = boto3.client("ecs")
found = ecs.list_service_deployments(cluster="demo", service="front", status=["IN_PROGRESS"])
(one,) = found["serviceDeployments"]
ecs.stop_service_deployment(serviceDeploymentArn=one["serviceDeploymentArn"], stopType="ROLLBACK")
'
"""
REGISTERED = """revision=$(aws ecs register-task-definition --cli-input-json file://{file} \
 --query taskDefinition.taskDefinitionArn --output text)
"""
DEPLOY = (
    REGISTERED
    + """aws ecs update-service --cluster demo --service front \
 --task-definition $revision {more} --query service.status
"""
)
RIGHT = {
    "stopped": STOP,
    "stopped, and waited for": STOP + BACK % "ROLLBACK_SUCCESSFUL",
    "by boto3": BY_BOTO3,
    "after a second try, as the first came too late": STOP
    + BACK % "ROLLBACK_SUCCESSFUL"
    + DEPLOY.format(file="task-definition.json", more="")
    + STOP,
}
WRONG = {
    "another deployment, of the newer version": (
        DEPLOY.format(file="next.json", more=""),
        "STOPPED: nobody stopped the deployment, and another one took its place",
    ),
    "another, to everybody at once": (
        DEPLOY.format(
            file="next.json",
            more="--deployment-configuration strategy=BLUE_GREEN,bakeTimeInMinutes=0",
        ),
        "STOPPED: nobody stopped the deployment, and another one took its place",
    ),
    "stopped, and then the older version again, by hand": (
        STOP
        + BACK % "ROLLBACK_SUCCESSFUL"
        + DEPLOY.format(
            file="task-definition.json",
            more="--deployment-configuration strategy=BLUE_GREEN,bakeTimeInMinutes=0",
        )
        + BACK % "SUCCESSFUL",
        "SUCCESSFUL: the deployment has ended, and everybody meets the older version",
    ),
    "stopped, with no task wanted": (
        STOP
        + BACK % "ROLLBACK_SUCCESSFUL"
        + "aws ecs update-service --cluster demo --service front --desired-count 0 --query x",
        "0 wanted by the service",
    ),
    "stopped, with two tasks": (
        STOP
        + BACK % "ROLLBACK_SUCCESSFUL"
        + "aws ecs update-service --cluster demo --service front --desired-count 2 --query x",
        "2 wanted by the service",
    ),
}


@pytest.fixture
def mistaken(lab: Desk) -> None:
    """The service front as the colleague's deployment leaves it, a tenth of the way."""
    if "front" not in ecs.services(lab.place, "demo"):
        lab.cells("04", "91", "92")
        lab.done(NEWEST + BACK % "SUCCESSFUL")
    more = "--desired-count 1 --deployment-configuration strategy=BLUE_GREEN,bakeTimeInMinutes=0"
    lab.done(
        DEPLOY.format(file="next.json", more=more)
        + NEWEST
        + BACK % "SUCCESSFUL"
        + "aws ecs update-service --cluster demo --service front "
        "--deployment-configuration file://canary.json --query service.status"
    )
    lab.cells("11")


@pytest.mark.usefixtures("mistaken")
@pytest.mark.parametrize("answer", rows(RIGHT, 2))
def test_taken_back_right(lab: Desk, answer: str) -> None:
    seen = lab.after("12.1", RIGHT[answer])
    assert seen.startswith("passed: Everybody meets 1.1.0 again"), seen


@pytest.mark.usefixtures("mistaken")
@pytest.mark.parametrize("answer", rows(WRONG, 3))
def test_taken_back_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("12.1", *WRONG[answer])


@pytest.mark.usefixtures("mistaken")
def test_a_deployment_that_nobody_stopped(lab: Desk) -> None:
    lab.lab.clock.advance(minutes=6)
    lab.finds_wrong(
        "12.1",
        NEWEST + BACK % "SUCCESSFUL",
        "SUCCESSFUL: the deployment has ended, and everybody meets the older version",
    )


@pytest.mark.usefixtures("mistaken")
def test_a_service_that_was_deleted_too_late(lab: Desk) -> None:
    lab.lab.clock.advance(minutes=6)
    deleted = (
        "aws ecs delete-service --cluster demo --service front --force --query service.status\n"
        "aws ecs wait services-inactive --cluster demo --services front"
    )
    lab.finds_wrong(
        "12.1", NEWEST + BACK % "SUCCESSFUL" + deleted, "deleted | the service front is there"
    )


@pytest.mark.usefixtures("mistaken")
def test_too_late_and_then_the_colleague_s_cell_alone(lab: Desk) -> None:
    lab.lab.clock.advance(minutes=6)
    lab.done(NEWEST + BACK % "SUCCESSFUL")
    lab.cells("11")
    lab.finds_wrong("12.1", STOP, "let the service run next.json (1.1.0) to its end")
    # the newer version since then does not make that stop one that helped
    again = DEPLOY.format(
        file="next.json",
        more="--deployment-configuration strategy=BLUE_GREEN,bakeTimeInMinutes=0",
    )
    says = "deployment of 1.0.0 began when everybody met this version already"
    lab.finds_wrong(
        "12.1", NEWEST + BACK % "ROLLBACK_SUCCESSFUL" + again + BACK % "SUCCESSFUL", says
    )


@pytest.mark.usefixtures("mistaken")
def test_a_deployment_that_goes_on_is_not_tried(lab: Desk) -> None:
    assert lab.after("12.1", "").startswith("not tried: the deployments of the service front")


OTHERS = {
    "green's task stopped by hand": """tasks() {
  aws ecs list-tasks --cluster demo --service-name front --query 'taskArns[]' --output text
}
task=$(for one in $(tasks); do
  aws ecs describe-tasks --cluster demo --tasks $one --output text \
 --query "tasks[?ends_with(containers[0].image, ':1.0.0')].taskArn"
done)
aws ecs stop-task --cluster demo --task $task --query task.desiredStatus
""",
    "blue's task stopped by hand": """task=$(for one in $(aws ecs list-tasks --cluster demo \
  --service-name front --query 'taskArns[]' --output text); do
  aws ecs describe-tasks --cluster demo --tasks $one --output text \
 --query "tasks[?ends_with(containers[0].image, ':1.1.0')].taskArn"
done)
aws ecs stop-task --cluster demo --task $task --query task.desiredStatus
""",
    "the weights changed by hand": """balancer=$(aws elbv2 describe-load-balancers --names front \
 --query 'LoadBalancers[0].LoadBalancerArn' --output text)
listener=$(aws elbv2 describe-listeners --load-balancer-arn $balancer \
 --query 'Listeners[0].ListenerArn' --output text)
actions=$(aws elbv2 describe-listeners --load-balancer-arn $balancer --output json \
 --query 'Listeners[0].DefaultActions' | sed 's/"Weight": [0-9]*/"Weight": 50/')
aws elbv2 modify-listener --listener-arn $listener --default-actions "$actions" --query x
""",
    "the deployment before stopped": """aws ecs stop-service-deployment --service-deployment-arn \
 $(aws ecs list-service-deployments --cluster demo --service front \
 --query 'serviceDeployments[1].serviceDeploymentArn' --output text)
""",
    "one more task": (
        "aws ecs update-service --cluster demo --service front --desired-count 2 --query x"
    ),
    "the service deleted": (
        "aws ecs delete-service --cluster demo --service front --force --query x\n"
        "aws ecs wait services-inactive --cluster demo --services front"
    ),
    "no task wanted": (
        "aws ecs update-service --cluster demo --service front --desired-count 0 --query x"
    ),
}


BY_HAND = {
    "task stopped": "a task was stopped by hand | ",
    "weights": "the weights at the load balancer were changed by hand | ",
    "before": "another deployment was to be stopped, and ECS refused | ",
}
ANY = "whatever tasks there are"


@pytest.mark.usefixtures("mistaken")
@pytest.mark.parametrize("answer", rows(OTHERS, 4))
def test_who_does_something_else_while_the_deployment_goes_on_has_tried(
    lab: Desk, answer: str
) -> None:
    lab.lab.clock.advance(minutes=1)  # the history of calls has whole seconds
    says = "| deleted |" if "delete-service" in OTHERS[answer] else "| IN_PROGRESS: under way"
    hand = next((said for name, said in BY_HAND.items() if name in answer), "")
    lab.finds_wrong("12.1", OTHERS[answer], f"{says}, {ANY}\n{hand}" if hand else says)


@pytest.mark.usefixtures("mistaken")
def test_without_the_service_nothing_is_tried(lab: Desk) -> None:
    lab.done(STOP + BACK % "ROLLBACK_SUCCESSFUL")
    lab.cells("99")
    seen = lab.after("12.1", "")
    assert seen.startswith("not tried: the deployments of the service front; the service and its")
    notes = beginning.go_on("12", lab.place, Entry(finished=True)).notes
    gone = "gone, as after a clean-up: the service front of the cluster demo with its load balancer"
    assert gone in notes
    with pytest.raises(LabError, match="There is no load balancer front: ") as told:
        lab.lab.open("front")
    assert "docker" not in str(told.value)


@pytest.mark.usefixtures("mistaken")
def test_a_deployment_that_lasts_is_not_waited_for(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def look(world: World, name: str, patience: float) -> Running | None:
        waited.append(patience)
        return running.look(world, name, 0.0)

    monkeypatch.setattr(checks, "look", look)
    lab.finds_wrong("12.1", DEPLOY.format(file="next.json", more=""), "STOPPED")
    assert waited == [0.0]


def test_the_load_balancer_is_finished_after_an_interruption_and_goes_without_an_error(
    lab: Desk,
) -> None:
    lab.begin()
    script = Path("front.sh").read_text()
    lab.done(script.partition("vpc=")[0])
    assert not Path("my-front.json").exists()
    lab.done(lab.cell("91"))
    first = Path("my-front.json").read_text()
    assert first.count("arn:aws:elasticloadbalancing:") == 3
    lab.done(lab.cell("91"))
    assert Path("my-front.json").read_text() == first
    for _ in range(2):
        gone = lab.shell(lab.cell("99"))
        assert (gone.returncode, gone.stderr, gone.stdout.splitlines()[-1]) == (0, "", "done")
    elb = lab.place.client("elbv2")
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert elb.describe_target_groups()["TargetGroups"] == []


def test_a_restart_after_lab_11_leaves_no_container_of_that_lab_s_service(lab: Desk) -> None:
    beginning.make("11", lab.place)
    begun = beginning.make("12", lab.place)
    assert [one for one in begun.notes if "container" in one] == []
    assert [tag for one in lab.place.docker.images.list("in-use") for tag in one.tags] == []
