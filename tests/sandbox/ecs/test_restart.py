"""Runner, sandbox and engine end in the middle of a task: the task says so, and nothing goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from labs_helpers import servers
from labs_helpers.runner import process as runner
from labs_helpers.sandbox import process as sandbox
from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.front import Front, is_open
from tests.sandbox.ecs.task_room import NETWORK, REGISTRY, Room
from tests.sandbox.ecs.test_services import PORTS, create

pytestmark = pytest.mark.soak

IMAGE = f"{REGISTRY}/web:one"
LONG = ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]


@pytest.fixture
def own() -> Iterator[Room]:
    with task_room.running() as made:
        yield made


def kill(pid: int) -> None:
    process = psutil.Process(pid)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([process], timeout=30)


def test_a_task_ends_with_its_runner_and_a_service_goes_on_after_both_restarts(own: Room) -> None:
    alone = own.define("alone", IMAGE, entryPoint=LONG)
    arn = own.run(alone)
    own.until(arn, "RUNNING")
    found = runner.running(own.workspace)
    assert found is not None
    kill(found.pid)
    ended = own.until(arn, "STOPPED")
    assert "the labs' runner ended" in ended["stoppedReason"].lower()

    runner.start(own.workspace, print)
    own.ecs.create_service(
        serviceName="web",
        taskDefinition=alone,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    own.settled("web")
    # the new runner removed what the old one left
    assert len(own.containers()) == 1

    before = own.ecs.list_tasks(serviceName="web")["taskArns"]
    server = sandbox.running(own.workspace)
    assert server is not None
    kill(server.pid)
    servers.start(own.workspace)
    own.settled("web")
    after = own.ecs.list_tasks(serviceName="web")["taskArns"]
    assert len(after) == 1
    assert after != before
    assert own.task(before[0])["stoppedReason"] == "The sandbox was restarted while this ran."
    own.once(
        lambda: {"names": own.containers()},
        lambda found: len(found["names"]) == 1,
    )


def test_nothing_runs_after_labs_stop(own: Room) -> None:
    arn = own.run(own.define("left", IMAGE, entryPoint=LONG))
    own.until(arn, "RUNNING")
    servers.stop(own.workspace)
    home = str(own.workspace.home)
    left = [
        each.info
        for each in psutil.process_iter(["pid", "cmdline"])
        if any(home in word for word in each.info["cmdline"] or [])
    ]
    assert left == []
    servers.start(own.workspace)
    assert own.task(arn)["lastStatus"] == "STOPPED"
    assert own.containers() == []


def test_a_load_balancer_ends_with_its_runner_and_comes_back_at_the_same_address(own: Room) -> None:
    front = Front(own, "front")
    web = own.define("web", IMAGE, portMappings=PORTS)
    create(own, "web", web, loadBalancers=front.balancers())
    own.settled("web")
    front.once_met("one")
    address = front.address

    found = runner.running(own.workspace)
    assert found is not None
    kill(found.pid)
    assert not is_open(address)
    runner.start(own.workspace, print)
    own.settled("web")
    own.once(
        lambda: {"health": front.health(front.blue)},
        lambda found: found["health"] == ["healthy"],
    )
    assert front.address == address
    front.once_met("one")

    server = sandbox.running(own.workspace)
    assert server is not None
    kill(server.pid)
    own.port = servers.start(own.workspace).sandbox.port
    own.settled("web")
    assert front.address == address
    front.once_met("one")
    servers.stop(own.workspace)
    assert not is_open(address)
