"""An alarm that a stage watches after its actions; rules that cannot be looked at; overrides."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.policies import allow
from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    TRUST,
    PipelineRoom,
    definition,
    s3_deploy,
    s3_source,
)
from tests.sandbox.codepipeline.test_conditions import condition, made, rule, variable

ALARM = "page-is-slow"
WATCHING = condition("ROLLBACK", rule("CloudWatchAlarm", AlarmName=ALARM, WaitTime="60"))


@pytest.fixture(scope="module", autouse=True)
def _ready(room: PipelineRoom) -> None:
    room.put({"index.html": "one"})
    room.builds.role("watching", allow("s3:*", "cloudwatch:DescribeAlarms"), trust=TRUST)


def alarm(room: PipelineRoom, state: str) -> None:
    room.alarm(ALARM)
    room.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="told")


def watched(name: str, **deploy: Any) -> dict[str, Any]:
    """Source and Deploy, by the role that may read alarms."""
    found = {**made(name, **deploy), "roleArn": f"arn:aws:iam::{ACCOUNT}:role/watching"}
    found["stages"][0]["actions"] = [s3_source(PollForSourceChanges="false")]
    return found


def status_of(room: PipelineRoom, name: str, execution: str) -> str:
    """The status of the rule of an execution, "" before it began."""
    found = room.api.list_rule_executions(
        pipelineName=name, filter={"pipelineExecutionId": execution}
    )["ruleExecutionDetails"]
    return str(found[0]["status"]) if found else ""


def looked_at(room: PipelineRoom, name: str, execution: str) -> None:
    """Until the rule of an execution has looked at the alarm, and looks again."""
    room.wait(lambda: status_of(room, name, execution) == "InProgress")
    before = room.builds.sandbox.log.count(":DescribeAlarms ")
    room.wait(lambda: room.builds.sandbox.log.count(":DescribeAlarms ") >= before + 3)
    assert status_of(room, name, execution) == "InProgress"


def advance(room: PipelineRoom, minutes: float) -> None:
    moved = {"advance_seconds": 60 * minutes}
    assert room.builds.sandbox.control("POST", "clock", moved)[0] == 200


def test_an_alarm_that_rings_within_the_wait_time_takes_the_deployment_back(
    room: PipelineRoom,
) -> None:
    alarm(room, "OK")
    first = room.create(watched("canary", onSuccess=WATCHING))
    looked_at(room, "canary", first)
    advance(room, 59)
    looked_at(room, "canary", first)
    advance(room, 1)
    assert room.ended("canary", first) == "Succeeded"

    room.put({"index.html": "slow"})
    second = room.start("canary")
    looked_at(room, "canary", second)
    assert room.site() == "slow"
    alarm(room, "ALARM")
    assert room.ended("canary", second) == "Failed"
    assert status_of(room, "canary", second) == "Failed"
    back = room.newest("canary")
    assert room.execution("canary", back)["executionType"] == "ROLLBACK"
    assert room.ended("canary", back) == "Succeeded"
    assert room.site() == "one"


def test_an_alarm_at_the_entry_is_waited_for_once(room: PipelineRoom) -> None:
    alarm(room, "ALARM")
    entry = condition("FAIL", rule("CloudWatchAlarm", AlarmName=ALARM, WaitTime="60"))
    execution = room.create(watched("gate", beforeEntry=entry))
    looked_at(room, "gate", execution)
    alarm(room, "OK")
    assert room.ended("gate", execution) == "Succeeded"
    assert status_of(room, "gate", execution) == "Succeeded"


def test_a_variable_that_is_not_there_is_told_in_a_rules_words(room: PipelineRoom) -> None:
    asks = rule(Variable="#{Nobody.X}", Value="a", Operator="EQ")
    execution = room.create(watched("unresolved", beforeEntry=condition("FAIL", asks)))
    assert room.ended("unresolved", execution) == "Failed"
    (found,) = room.api.list_rule_executions(pipelineName="unresolved")["ruleExecutionDetails"]
    assert found["output"]["executionResult"]["errorDetails"] == {
        "code": "ConfigurationError",
        "message": "The rule configuration references an output variable #{Nobody.X}, which is not "
        "there in this execution",
    }


def test_a_configuration_that_grows_beyond_its_bound_fails(room: PipelineRoom) -> None:
    asks = rule(Variable="#{variables.GO}" * 400, Value="a", Operator="EQ")
    long = watched("long", beforeEntry=condition("FAIL", asks))
    long["variables"] = [{"name": "GO", "defaultValue": "x" * 1000}]
    execution = room.create(long)
    assert room.ended("long", execution) == "Failed"
    (found,) = room.api.list_rule_executions(pipelineName="long")["ruleExecutionDetails"]
    assert found["output"]["executionResult"]["errorDetails"]["message"] == (
        "The rule configuration is longer than 100 KB with the values of its variables"
    )


def test_a_bucket_at_an_address_that_nobody_has_fails_its_action(room: PipelineRoom) -> None:
    point = "arn:aws:s3:us-west-2:123456789012:accesspoint/x"
    execution = room.create(definition("point", s3_source(S3Bucket=point), s3_deploy()))
    assert room.ended("point", execution) == "Failed"


def override(room: PipelineRoom, name: str, execution: str) -> None:
    room.api.override_stage_condition(
        pipelineName=name,
        stageName="Deploy",
        pipelineExecutionId=execution,
        conditionType="BEFORE_ENTRY",
    )


def test_a_condition_that_skips_is_not_overridden(room: PipelineRoom) -> None:
    execution = room.create(watched("skips", beforeEntry=condition("SKIP", variable("no"))))
    assert room.ended("skips", execution) == "Succeeded"
    with pytest.raises(ClientError, match=r"ConditionNotOverridableException.*its result is SKIP"):
        override(room, "skips", execution)


def test_a_condition_of_an_older_version_is_not_overridden(room: PipelineRoom) -> None:
    given = watched("changed", beforeEntry=condition("FAIL", variable("no")))
    execution = room.create(given)
    assert room.ended("changed", execution) == "Failed"
    given["stages"][1]["actions"][0]["name"] = "Other"
    room.api.update_pipeline(pipeline=given)
    with pytest.raises(ClientError, match=r"ConditionNotOverridableException.*was changed after"):
        override(room, "changed", execution)
    assert room.execution("changed", execution)["status"] == "Failed"
