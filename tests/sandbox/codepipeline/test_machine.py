"""The state machine: order of actions, modes, transitions, stops."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.codepipeline import executions, machine, shown
from labs_helpers.sandbox.codepipeline.definition import with_defaults
from tests.sandbox.codepipeline.pipeline_room import approval, definition, s3_deploy, s3_source

Document = dict[str, Any]


def pipeline(mode: str = "SUPERSEDED") -> Document:
    """Source, two approvals after each other, Deploy."""
    approvals = [{**approval(), "name": name, "runOrder": at} for at, name in ((1, "A"), (2, "B"))]
    made = definition("p", s3_source(), approvals, s3_deploy(), executionMode=mode)
    return with_defaults(made, 1)


class World:
    """Executions of one pipeline, advanced together."""

    def __init__(self, mode: str = "SUPERSEDED", count: int = 1) -> None:
        self.made = pipeline(mode)
        self.transitions: dict[str, Any] = {}
        self.executions: list[Document] = []
        for _ in range(count):
            self.begin()

    def begin(self) -> Document:
        trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": "me"}
        self.executions.append(executions.new(self.made, trigger, 0.0))
        self.go()
        return self.executions[-1]

    def go(self) -> list[machine.Change]:
        return machine.advance(self.executions, self.transitions, 1.0)

    def end(self, execution: Document, status: str = "Succeeded") -> list[str]:
        """The running actions end; returns "stage/action state" of what then changed."""
        for each in list(executions.running(execution)):
            machine.end_attempt(each, status, 1.0)
        return [
            f"{each.stage}{'/' + each.attempt['action'] if each.attempt else ''} {each.state}"
            for each in self.go()
        ]


def running(execution: Document) -> list[str]:
    return [each["action"] for each in executions.running(execution)]


def stage(execution: Document) -> str:
    return str(executions.stage_of(execution)["name"])


def test_actions_follow_their_run_order_and_stages_each_other() -> None:
    world = World()
    (one,) = world.executions
    assert running(one) == ["Source"]
    assert world.end(one) == ["Source SUCCEEDED", "A STARTED", "A/A STARTED"]
    assert world.end(one) == ["A/B STARTED"]
    assert world.end(one) == ["A SUCCEEDED", "Deploy STARTED", "Deploy/Deploy STARTED"]
    assert world.end(one) == ["Deploy SUCCEEDED", " SUCCEEDED"]
    assert one["status"] == "Succeeded"
    assert one["stages"] == dict.fromkeys(("Source", "A", "Deploy"), "Succeeded")


def test_an_action_that_fails_ends_stage_and_execution() -> None:
    world = World()
    (one,) = world.executions
    assert world.end(one, "Failed") == ["Source FAILED", " FAILED"]
    assert (one["status"], one["stages"]) == ("Failed", {"Source": "Failed"})


def test_a_stage_holds_one_execution_and_the_newest_takes_the_place_of_one_that_waits() -> None:
    world = World(count=3)
    first, second, third = world.executions
    assert running(first) == ["Source"]
    assert (second["status"], third["status"]) == ("Superseded", "InProgress")
    assert third["id"] in second["summary"]
    world.end(first)
    assert (running(first), running(third)) == (["A"], ["Source"])
    world.end(third)
    assert running(third) == []
    world.end(first)
    world.end(first)
    assert (running(first), running(third)) == (["Deploy"], ["A"])


def test_a_failed_execution_frees_its_stage() -> None:
    world = World(count=2)
    first, second = world.executions
    world.end(first, "Failed")
    assert running(second) == ["Source"]


def test_queued_executions_wait_in_order() -> None:
    world = World("QUEUED", count=3)
    first, second, third = world.executions
    world.end(first)
    assert [running(each) for each in (first, second, third)] == [["A"], ["Source"], []]
    world.end(second)
    assert [each["status"] for each in world.executions] == ["InProgress"] * 3
    assert [running(each) for each in (first, second, third)] == [["A"], [], ["Source"]]


def test_parallel_executions_do_not_wait_for_each_other() -> None:
    world = World("PARALLEL", count=3)
    assert [running(each) for each in world.executions] == [["Source"]] * 3


def test_a_disabled_transition_holds_executions_back_until_it_is_enabled() -> None:
    world = World()
    (one,) = world.executions
    world.transitions["A"] = {"enabled": False}
    assert world.end(one) == ["Source SUCCEEDED"]
    newer = world.begin()
    world.end(newer)
    assert (one["status"], running(newer)) == ("Superseded", [])
    world.transitions["A"] = {"enabled": True}
    world.go()
    assert running(newer) == ["A"]


@pytest.mark.parametrize("abandon", [False, True])
def test_a_stop_waits_for_the_actions_that_run_or_abandons_them(abandon: bool) -> None:
    world = World()
    (one,) = world.executions
    one["status"] = executions.STOPPING
    if abandon:
        machine.abandon(one, 1.0)
        world.go()
        assert one["actions"][0]["status"] == "Abandoned"
    else:
        assert world.go() == []
        world.end(one)
        assert one["actions"][0]["status"] == "Succeeded"
    assert (one["status"], one["stages"]["Source"]) == ("Stopped", "Stopped")


def test_a_rollback_runs_its_stage_only() -> None:
    world = World()
    (one,) = world.executions
    for _ in range(4):
        world.end(one)
    back = executions.rollback(
        one, 2, {"triggerType": "ManualRollback", "triggerDetail": "me"}, 2.0
    )
    world.executions.append(back)
    world.go()
    assert running(back) == ["Deploy"]
    world.end(back)
    assert (back["status"], list(back["stages"])) == ("Succeeded", ["Deploy"])


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED"])
def test_nobody_enters_a_failed_stage_before_its_rollback(mode: str) -> None:
    world = World(mode)
    world.made["stages"][2]["onFailure"] = {"result": "ROLLBACK"}
    (first,) = world.executions
    while first["status"] == "InProgress":
        world.end(first)
    bad = world.begin()
    while running(bad) != ["Deploy"]:
        world.end(bad)
    newer = world.begin()
    while stage(newer) != "Deploy":
        world.end(newer)
    world.end(bad, "Failed")
    assert (bad["status"], bad["rollback"], running(newer)) == ("Failed", "Deploy", [])

    trigger = {"triggerType": "AutomatedRollback", "triggerDetail": "{}"}
    back = executions.rollback(first, 2, trigger, 2.0)
    world.executions.append(back)
    del bad["rollback"]
    world.go()
    assert (running(back), running(newer), newer["status"]) == (["Deploy"], [], "InProgress")
    world.end(back)
    assert running(newer) == ["Deploy"]


def test_a_rollback_that_waits_gives_way_to_a_newer_rollback_only() -> None:
    world = World()
    (first,) = world.executions
    while first["status"] == "InProgress":
        world.end(first)
    world.transitions["Deploy"] = {"enabled": False}
    trigger = {"triggerType": "ManualRollback", "triggerDetail": "me"}
    backs = [executions.rollback(first, 2, trigger, 2.0) for _ in range(2)]
    waiting = world.begin()
    while stage(waiting) != "Deploy":
        world.end(waiting)
    for back in backs:
        world.executions.append(back)
        world.go()
    assert [each["status"] for each in backs] == ["Superseded", "InProgress"]
    assert waiting["status"] == "InProgress"
    world.transitions.clear()
    world.go()
    assert (running(backs[1]), running(waiting)) == (["Deploy"], [])


def test_of_executions_of_one_moment_the_state_shows_the_last() -> None:
    world = World(count=1)
    world.end(world.executions[0], "Failed")
    last = world.begin()
    world.end(last, "Failed")
    kept = {"declaration": world.made, "transitions": {}, "created": 0.0, "updated": 0.0}
    seen = shown.state(kept, world.executions)["stageStates"][0]
    assert seen["latestExecution"]["pipelineExecutionId"] == last["id"]
    assert seen["actionStates"][0]["latestExecution"]["status"] == "Failed"
