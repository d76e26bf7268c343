"""Lab 12: what its checks say of answers that people give."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from labs_helpers.prepare import ecs
from labs_helpers.prepare.people import no_role, no_user
from labs_helpers.prepare.repositories import no_repository
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
def test_too_late_and_then_the_colleague_s_cell_alone(lab: Desk) -> None:
    lab.lab.clock.advance(minutes=6)
    lab.done(NEWEST + BACK % "SUCCESSFUL")
    lab.cells("11")
    lab.finds_wrong("12.1", STOP, "let the service run next.json (1.1.0) to its end")


@pytest.mark.usefixtures("mistaken")
def test_a_deployment_that_goes_on_is_not_tried(lab: Desk) -> None:
    assert lab.after("12.1", "").startswith("not tried: the deployments of the service front")


@pytest.mark.usefixtures("mistaken")
def test_without_the_service_nothing_is_tried(lab: Desk) -> None:
    lab.cells("99")
    assert lab.after("12.1", "").startswith("not tried: the deployments of the service front")


class Shop:
    """The files of the ticket of lab 10, in this lab's folder."""

    def __init__(self, lab: Desk) -> None:
        self.files = sorted((lab.place.files / "10").glob("shop*"))
        self.files.append(lab.place.files / "10" / "trust-ecs.json")
        no_role("shop-execution").ensure(lab.place)

    def __enter__(self) -> None:
        for file in self.files:
            shutil.copy(file, file.name)

    def __exit__(self, *_: object) -> None:
        for file in self.files:
            Path(file.name).unlink()


# cleaning up; a service without tasks is as much in the way, and goes at once

ALL_GONE = {
    "services": """for one in web shop; do
  aws ecs delete-service --cluster demo --service $one --force --query service.status
done
for second in $(seq 30); do
  aws ecs list-services --cluster demo --query 'length(serviceArns)' | grep -q 0 && break
  sleep 0.5
done""",
    "cluster": "aws ecs delete-cluster --cluster demo --query cluster.status",
    "task definitions": """for family in demo-app shop; do
  for one in $(aws ecs list-task-definitions --family-prefix $family \
 --query 'taskDefinitionArns[]' --output text); do
    aws ecs deregister-task-definition --task-definition $one --query taskDefinition.status
  done
done""",
    "roles": """aws iam detach-role-policy --role-name demo-app-execution --policy-arn \
 arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy
aws iam delete-role --role-name demo-app-execution
aws iam delete-role-policy --role-name shop-execution --policy-name pull
aws iam delete-role --role-name shop-execution
aws iam detach-role-policy --role-name demo-app-node --policy-arn \
 arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly
aws iam delete-role --role-name demo-app-node""",
    "repository": "aws ecr delete-repository --repository-name demo-app-repo --force",
}


def but(kind: str, instead: str = "") -> str:
    """Everything deleted but one kind."""
    return "\n".join([*(how for name, how in ALL_GONE.items() if name != kind), instead])


CLEAN_RIGHT = {
    "everything": but(""),
    "with the labs' own command": "labs clean-up --delete --agree $ACCOUNT",
    "and things of one's own stay": but("")
    + "\naws ecr create-repository --repository-name production"
    + "\naws iam create-user --user-name ada",
}
CLEAN_WRONG = {
    "the services kept": (but("services"), "service shop\nservice web\n"),
    "a task of no service": (
        "aws ecs run-task --cluster demo --task-definition demo-app --launch-type FARGATE "
        "--network-configuration file://my-network.json --query 'tasks[0].lastStatus'\n"
        + but("task definitions"),
        "of no service\ncluster demo",
    ),
    "with advice on a task of no service": (
        "aws ecs run-task --cluster demo --task-definition demo-app --launch-type FARGATE "
        "--network-configuration file://my-network.json --query 'tasks[0].lastStatus'\n"
        + but("cluster"),
        "somebody started this task by hand, so it runs until somebody stops it",
    ),
    "only begun, with a cluster that refuses to go": (
        "aws ecr batch-delete-image --repository-name demo-app-repo --image-ids imageTag=1.1.0\n"
        "aws ecs delete-service --cluster demo --service shop --force\n"
        "aws ecs delete-cluster --cluster demo",
        "service web",
    ),
    "the cluster kept": (but("cluster"), "cluster demo | nothing is left"),
    "one revision kept": (
        but("") + "\naws ecs register-task-definition --cli-input-json file://shop.json",
        "a task definition goes revision by revision",
    ),
    "a role not deleted, for its policy": (
        but("roles", "aws iam delete-role --role-name demo-app-execution"),
        "role demo-app-execution",
    ),
    "the repository kept": (
        but("repository", "aws ecr delete-repository --repository-name demo-app-repo"),
        "repository demo-app-repo | nothing is left",
    ),
    "tasks stopped, which the service replaces": (
        """aws ecs update-service --cluster demo --service web --desired-count 1 --query x
aws ecs wait services-stable --cluster demo --services web
task=$(aws ecs list-tasks --cluster demo --service-name web --query 'taskArns[0]' --output text)
aws ecs stop-task --cluster demo --task $task --query task.desiredStatus""",
        "a service replaces what stops",
    ),
}


@pytest.fixture
def deployed(lab: Desk) -> None:
    """What the second exercise finds, with services that want no task, to be quick."""
    no_user("ada").ensure(lab.place)
    no_repository("production").ensure(lab.place)
    lab.begin()
    lab.cells("04", "81", "87")
    with Shop(lab):
        lab.done("bash shop.sh")
    for service in ("web", "shop"):
        lab.done(
            f"aws ecs update-service --cluster demo --service {service} --desired-count 0 "
            "--query service.status"
        )


@pytest.mark.usefixtures("deployed")
def test_everything_still_there_is_not_tried(lab: Desk) -> None:
    assert lab.after("12.2", "").startswith("not tried: what this lab made, by name")


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("answer", rows(CLEAN_RIGHT, 2))
def test_clean_right(lab: Desk, answer: str) -> None:
    seen = lab.after("12.2", CLEAN_RIGHT[answer])
    assert seen.startswith("passed: Nothing of this lab is left"), seen


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("answer", rows(CLEAN_WRONG, 4))
def test_clean_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("12.2", *CLEAN_WRONG[answer])


def cell(lab: Desk, name: str) -> str:
    """The shell of a cell of the notebook."""
    cells = {one.id: one.source for one in nbformat.read(lab.notebook, as_version=4).cells}
    return str(cells[f"12-{name}"].partition("\n")[2])


def test_the_load_balancer_is_finished_after_an_interruption_and_goes_without_an_error(
    lab: Desk,
) -> None:
    lab.begin()
    script = Path("front.sh").read_text()
    lab.done(script.partition("vpc=")[0])
    assert not Path("my-front.json").exists()
    lab.done(cell(lab, "91"))
    first = Path("my-front.json").read_text()
    assert first.count("arn:aws:elasticloadbalancing:") == 3
    lab.done(cell(lab, "91"))
    assert Path("my-front.json").read_text() == first
    for _ in range(2):
        gone = lab.shell(cell(lab, "99"))
        assert (gone.returncode, gone.stderr, gone.stdout.splitlines()[-1]) == (0, "", "done")
    elb = lab.place.client("elbv2")
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert elb.describe_target_groups()["TargetGroups"] == []
