"""Lab 14: what its check says of answers that people give."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs_helpers.prepare.people import no_user
from labs_helpers.prepare.repositories import no_repository
from tests.labs.desk import Desk, desk, rows


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("14") as made:
        yield made


NODE = """aws iam create-role --role-name demo-app-node --query Role.RoleName \
 --assume-role-policy-document file://trust-ec2.json
aws iam attach-role-policy --role-name demo-app-node --policy-arn \
 arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly
"""
"""What lab 12 leaves of its node where its last cell was not run."""


@contextmanager
def ticket(lab: Desk) -> Iterator[None]:
    """The files of the ticket of lab 10, and of the node of lab 12, in this lab's folder."""
    ours = [*(lab.place.files / "10").glob("shop*"), lab.place.files / "10" / "trust-ecs.json"]
    ours.append(lab.place.files / "12" / "trust-ec2.json")
    for file in ours:
        shutil.copy(file, file.name)
    network = (lab.place.files / "10" / "network.json").read_text("utf-8")
    Path("my-network.json").write_text(network.replace("SUBNET", "subnet-of-the-labs"), "utf-8")
    try:
        yield
    finally:
        for name in (*(file.name for file in ours), "my-network.json"):
            Path(name).unlink()


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
    "the services kept": (
        but("services"),
        "service shop, which wants no task\nservice web, which wants no task\n",
    ),
    "the services scaled to nothing": ("", "a service that wants no task goes at the first word"),
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
def deployed(lab: Desk) -> Iterator[None]:
    """What the exercise finds after labs 10 and 12; the services want no task, to be quick."""
    no_user("ada").ensure(lab.place)
    no_repository("production").ensure(lab.place)
    lab.begin()
    with ticket(lab):
        lab.done(f"{NODE}bash shop.sh")
        for service in ("web", "shop"):
            lab.done(
                f"aws ecs update-service --cluster demo --service {service} --desired-count 0 "
                "--query service.status"
            )
        yield


@pytest.mark.usefixtures("deployed")
def test_everything_still_there_is_not_tried(lab: Desk) -> None:
    lab.done(
        "aws ecs update-service --cluster demo --service web --desired-count 1 --query x\n"
        "aws ecs wait services-stable --cluster demo --services web"
    )
    assert lab.after("14.1", "").startswith("not tried: what the labs deployed, by name")


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("answer", rows(CLEAN_RIGHT, 2))
def test_clean_right(lab: Desk, answer: str) -> None:
    seen = lab.after("14.1", CLEAN_RIGHT[answer])
    assert seen.startswith("passed: Nothing of this lab is left"), seen


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("answer", rows(CLEAN_WRONG, 5))
def test_clean_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("14.1", *CLEAN_WRONG[answer])


@pytest.mark.usefixtures("deployed")
def test_a_service_that_was_deleted_alone_is_a_try(lab: Desk) -> None:
    lab.finds_wrong(
        "14.1",
        "aws ecs delete-service --cluster demo --service web --force --query service.status",
        "cluster demo",
    )


def test_after_the_solution_no_process_runs_and_no_port_is_open(lab: Desk) -> None:
    lab.begin()
    client = lab.place.docker
    of_tasks = {"label": "com.amazonaws.ecs.task-arn"}
    running = client.containers.list(filters=of_tasks)
    ports = [int(one["HostPort"]) for each in running for one in each.ports["80/tcp"]]
    assert len(ports) == 2
    for port in ports:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()

    # as who leaves lab 12 before its clean-up
    for file in (lab.place.files / "12").iterdir():
        shutil.copy(file, file.name)
    lab.done("bash front.sh")
    assert lab.lab.receipt().text.endswith("for load balancers: 1.")
    lab.cells("29")
    assert lab.name("monthly")["load balancers: 1"] > 10

    seen = lab.after("14.1", lab.solution("14.1"))

    assert seen.startswith("passed: Nothing of this lab is left"), seen
    assert client.containers.list(all=True, filters=of_tasks) == []
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert "Nothing of the labs is left." in lab.lab.receipt().text
    assert lab.lab.receipt().text.endswith("for load balancers: 0.")
    # the table of costs is for afterwards, too
    lab.cells("29")
    monthly = lab.name("monthly")
    assert [monthly["tasks on Fargate: 0"], monthly["public IPv4 addresses: 0"]] == [0, 0]
    # and so are the four deletions, each in AWS's words
    again = lab.shell(lab.cell("31"))
    assert again.stderr.count("An error occurred (") == 4, again.stderr
