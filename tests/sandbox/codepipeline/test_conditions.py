"""Conditions of stages: what they refuse, what they decide, and what a pipeline does then."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline import conditions, executions, machine, rules
from labs_helpers.sandbox.codepipeline.definition import check, with_defaults
from labs_helpers.sandbox.service.errors import ServiceError
from tests.policies import allow
from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    TRUST,
    PipelineRoom,
    approval,
    codebuild,
    definition,
    s3_deploy,
    s3_source,
)

Document = dict[str, Any]
STAGE, STRUCTURE, ABSENT = (
    "InvalidStageDeclarationException",
    "InvalidStructureException",
    "NotInSandbox",
)


def rule(provider: str = "VariableCheck", name: str = "check", **configuration: str) -> Document:
    kind = {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "ruleTypeId": kind, "configuration": configuration}


def variable(wanted: str, operator: str = "EQ", name: str = "check") -> Document:
    return rule(name=name, Variable="#{variables.GO}", Value=wanted, Operator=operator)


def typed(**kind: str) -> Document:
    """A rule with other members of its type."""
    found = variable("yes")
    return {**found, "ruleTypeId": {**found["ruleTypeId"], **kind}}


def condition(result: str, *rules: Document) -> Document:
    return {"conditions": [{"result": result, "rules": list(rules)}]}


def made(name: str = "p", pipeline_type: str = "V2", **deploy: Any) -> Document:
    """Source and Deploy; deploy: conditions of the stage Deploy."""
    found = definition(name, s3_source(), s3_deploy(), pipelineType=pipeline_type)
    if pipeline_type == "V2":
        found["variables"] = [{"name": "GO", "defaultValue": "yes"}]
    found["stages"][1] |= deploy
    return found


WRONG: list[tuple[str, Document, str, str]] = [
    ("of a pipeline V1", made(pipeline_type="V1", onFailure={"result": "ROLLBACK"}), STRUCTURE,
     "A stage of a pipeline of type V1 has no onFailure: set pipelineType to V2"),
    ("a result of another type", made(beforeEntry=condition("ROLLBACK", variable("yes"))), STAGE,
     "Stage Deploy: the result of beforeEntry is FAIL or SKIP, not ROLLBACK"),
    ("no result", made(onSuccess={"conditions": [{"rules": [variable("yes")]}]}), STAGE,
     "Stage Deploy: the result of onSuccess is FAIL or ROLLBACK, not None"),
    ("nothing on failure", made(onFailure={"retryConfiguration": {"retryMode": "ALL_ACTIONS"}}),
     STAGE, "Stage Deploy: the result of onFailure is ROLLBACK or RETRY, not None"),
    ("a retry that is none", made(onFailure={"result": "ROLLBACK",
                                             "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}),
     STAGE, "Stage Deploy: retryConfiguration is for the result RETRY"),
    ("no rule", made(beforeEntry={"conditions": [{"result": "FAIL"}]}), STAGE,
     "Stage Deploy has a condition without rules"),
    ("rules of one name", made(beforeEntry=condition("FAIL", variable("a"), variable("b"))), STAGE,
     "Stage Deploy: rule names must be unique in a condition"),
    ("a rule that is none", made(beforeEntry=condition("FAIL", rule("Weather"))), STAGE,
     "Rule check in stage Deploy: there is no rule Weather"),
    ("a rule of another version", made(beforeEntry=condition("FAIL", typed(version="99"))), STAGE,
     "Rule check in stage Deploy: the rule VariableCheck has version 1 only, not 99"),
    ("commands of a rule", made(beforeEntry=condition("FAIL", {**variable("a"), "commands": ["ls"]})
                                ), STAGE,
     "Rule check in stage Deploy is not of a type that has commands"),
    ("an input of a rule", made(beforeEntry=condition("FAIL", {**variable("a"), "inputArtifacts": [
        {"name": "Source"}]})), STAGE,
     "Rule check in stage Deploy declares 1 input artifacts which is more than the maximum count"),
    ("an alarm that skips", made(beforeEntry=condition("SKIP", rule("CloudWatchAlarm",
                                                                    AlarmName="a"))), STAGE,
     "Rule check in stage Deploy: a condition with the result SKIP has rules of LambdaInvoke and "
     "VariableCheck only, not of CloudWatchAlarm"),
    ("a condition that retries", made(onFailure=condition("RETRY", variable("a"))), STAGE,
     "Stage Deploy: automatic stage retry cannot be used with conditions of onFailure"),
    ("a retry beside a condition", made(onFailure={"result": "RETRY", **condition(
        "ROLLBACK", variable("a"))}), STAGE,
     "Stage Deploy: automatic stage retry cannot be used with conditions of onFailure"),
    ("a rollback of PARALLEL", {**made(onFailure={"result": "ROLLBACK"}),
                                "executionMode": "PARALLEL"}, STAGE,
     "Stage Deploy: onFailure cannot have the result ROLLBACK, which is not available in the "
     "execution mode PARALLEL"),
    ("a condition of PARALLEL that rolls back", {
        **made(onSuccess=condition("ROLLBACK", variable("a"))), "executionMode": "PARALLEL"},
     STAGE, "Stage Deploy: onSuccess cannot have the result ROLLBACK"),
    ("a function", made(beforeEntry=condition("FAIL", rule("LambdaInvoke", FunctionName="f"))),
     ABSENT, "The sandbox does not have the rule LambdaInvoke; it exists on AWS. It calls"),
    ("no operator", made(beforeEntry=condition("FAIL", rule(Variable="a", Value="b"))), STAGE,
     "Rule check in stage Deploy is missing required configuration 'Operator'"),
    ("an operator that is none", made(beforeEntry=condition("FAIL", variable("a", "GT"))), STAGE,
     "Rule check in stage Deploy: Operator is one of EQ, NE, CONTAINS, MATCHES"),
    ("a key that is none", made(onSuccess=condition("FAIL", rule("CloudWatchAlarm", AlarmName="a",
                                                                 Wait="1"))), STAGE,
     "Rule check in stage Deploy contains unknown configuration 'Wait'"),
    ("a time that is none", made(onSuccess=condition("FAIL", rule("CloudWatchAlarm", AlarmName="a",
                                                                  WaitTime="soon"))), STAGE,
     "Rule check in stage Deploy: WaitTime is a number of minutes from 0 to 86400"),
    *((f"a time of {len(text)} digits", made(onSuccess=condition("FAIL", rule(
        "CloudWatchAlarm", AlarmName="a", WaitTime=text))), STAGE,
       "Rule check in stage Deploy: WaitTime is a number of minutes from 0 to 86400")
      for text in ("\u0666\u0660", "86401", "9" * 400)),
    ("a state that is none", made(onSuccess=condition("FAIL", rule(
        "CloudWatchAlarm", AlarmName="a", AlarmStates="RED"))), STAGE,
     "Rule check in stage Deploy: AlarmStates are of ALARM, OK, INSUFFICIENT_DATA"),
    ("another Region", made(beforeEntry=condition("FAIL", {**variable("a"), "region": "eu-west-1"}
                                                  )), ABSENT,
     "The sandbox runs rules in the pipeline's Region only: check."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "code", "words"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG]
)
def test_what_codepipeline_refuses(given: Document, code: str, words: str) -> None:
    with pytest.raises(ServiceError) as caught:
        check(with_defaults(given, 1), ACCOUNT, "us-west-2")
    assert caught.value.code == code
    assert caught.value.message.startswith(words)


def test_a_source_stage_is_not_rolled_back() -> None:
    given = made()
    given["stages"][0]["onFailure"] = {"result": "ROLLBACK"}
    with pytest.raises(ServiceError, match="The source stage Source cannot be rolled back"):
        check(with_defaults(given, 1), ACCOUNT, "us-west-2")


@pytest.mark.parametrize(
    ("variable", "operator", "value", "status"),
    [
        ("main", "EQ", "main", "Succeeded"),
        ("main", "EQ", "Main", "Failed"),
        ("main", "NE", "main", "Failed"),
        ("main", "NE", "other", "Succeeded"),
        ("an update of it", "CONTAINS", "update", "Succeeded"),
        ("release/1.2", "MATCHES", r"release/\d+\.\d+", "Succeeded"),
        ("release/1.2", "MATCHES", "release", "Failed"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "MATCHES", "(a+)+", "Failed"),
        ("a", "MATCHES", "(", "Failed"),
        # others would keep Python's own matcher busy for years
        ("a" * 60, "MATCHES", "a?" * 60 + "a" * 60, "Succeeded"),
        ("a" * 60, "MATCHES", "(a|aa)" * 33 + "b", "Failed"),
        ("a" * 60, "MATCHES", "(?x)(a+) +b", "Failed"),
        ("a", "MATCHES", "a{99999999999}", "Failed"),
        ("a", "MATCHES", "(" * 500, "Failed"),
    ],
)
def test_a_variable_is_checked(variable: str, operator: str, value: str, status: str) -> None:
    given = {"Variable": variable, "Operator": operator, "Value": value}
    outcome = rules.variable_check(rules.Look(given, lambda _: None, 0))
    assert outcome.status == status
    assert outcome.summary


ENTRY, SUCCESS, FAILURE = "beforeEntry", "onSuccess", "onFailure"
WELL = {"was well": True}


def alarm_look(
    state: str | None, kind: str = ENTRY, memory: Document | None = None, **more: Any
) -> rules.Look:
    """A look at the alarm page-is-slow in a state; None: there is no such alarm."""

    class CloudWatch:
        def describe_alarms(self, **_: Any) -> Document:
            return {"MetricAlarms": [{"StateValue": state}] if state else []}

    configuration = {"AlarmName": "page-is-slow", **more.pop("configuration", {})}
    return rules.Look(
        configuration,
        lambda _: CloudWatch(),
        more.pop("since", 0),
        kind=kind,
        memory=memory or {},
        **more,
    )


@pytest.mark.parametrize("kind", [ENTRY, SUCCESS, FAILURE])
@pytest.mark.parametrize(
    ("state", "configuration", "since", "status"),
    [
        ("OK", {}, 0, "Succeeded"),
        ("INSUFFICIENT_DATA", {}, 0, "Succeeded"),
        ("ALARM", {}, 0, "Failed"),
        ("ALARM", {"WaitTime": "2"}, 119, "InProgress"),
        ("ALARM", {"WaitTime": "2"}, 120, "Failed"),
        ("OK", {"WaitTime": "2"}, 120, "Succeeded"),
        ("INSUFFICIENT_DATA", {"AlarmStates": "ALARM, INSUFFICIENT_DATA"}, 0, "Failed"),
        ("ALARM", {"AlarmStates": "OK"}, 0, "Succeeded"),
        (None, {}, 0, "Failed"),
        (None, {"WaitTime": "2"}, 0, "Failed"),
    ],
)
def test_an_alarm_is_looked_at(
    state: str | None, configuration: dict[str, str], since: float, status: str, kind: str
) -> None:
    outcome = rules.alarm(alarm_look(state, kind, configuration=configuration, since=since))
    assert outcome.status == status
    assert "page-is-slow" in outcome.summary


@pytest.mark.parametrize(
    ("kind", "state", "memory", "status", "kept"),
    [
        (ENTRY, "OK", {}, "Succeeded", {}),
        (SUCCESS, "OK", {}, "InProgress", WELL),
        (FAILURE, "OK", {}, "InProgress", WELL),
        (SUCCESS, "INSUFFICIENT_DATA", WELL, "InProgress", WELL),
        (SUCCESS, "ALARM", WELL, "Failed", {}),
        (FAILURE, "ALARM", WELL, "Failed", {}),
    ],
)
def test_after_the_actions_an_alarm_is_watched_for_the_whole_time(
    kind: str, state: str, memory: Document, status: str, kept: Document
) -> None:
    look = alarm_look(state, kind, memory, configuration={"WaitTime": "60"}, since=1800)
    outcome = rules.alarm(look)
    assert (outcome.status, outcome.memory) == (status, kept)


@pytest.mark.parametrize(
    ("state", "since", "status"),
    [("OK", 299, "InProgress"), ("OK", 300, "Failed"), ("ALARM", 300, "Failed")],
)
def test_a_rule_ends_after_its_timeout(state: str, since: float, status: str) -> None:
    wait = {"WaitTime": "60"}
    look = alarm_look(state, SUCCESS, configuration=wait, since=since, timeout=5)
    outcome = rules.look_at("CloudWatchAlarm", look)
    assert outcome.status == status
    assert outcome.summary.startswith("The rule timed out after 5 minutes.") == (since == 300)


class World:
    """One execution, in which actions and rules end as a test says."""

    def __init__(self, **deploy: Any) -> None:
        declaration = with_defaults(made(**deploy), 1)
        trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": "me"}
        self.one = executions.new(declaration, trigger, 0.0)
        self.go()
        self.act()

    def go(self) -> list[str]:
        changes = machine.advance([self.one], {}, 1.0)
        return [f"{each.stage} {each.state}".strip() for each in changes]

    def act(self, status: str = "Succeeded") -> list[str]:
        """The running actions end."""
        for each in list(executions.running(self.one)):
            machine.end_attempt(each, status, 1.0)
        return self.go()

    def rule(self, status: str = "Succeeded") -> list[str]:
        """The running rules end."""
        looked_at = list(conditions.running(self.one))
        assert looked_at
        for _, each in looked_at:
            each |= {"status": status, "summary": "said"}
        return self.go()

    @property
    def running(self) -> list[str]:
        actions = [each["action"] for each in executions.running(self.one)]
        return [*actions, *(each["rule"] for _, each in conditions.running(self.one))]


def test_a_stage_is_entered_once_its_condition_is_met() -> None:
    world = World(beforeEntry=condition("FAIL", variable("yes"), variable("a", "NE", "other")))
    assert world.running == ["check", "other"]
    assert world.rule() == ["Deploy STARTED"]
    assert world.running == ["Deploy"]
    world.act()
    assert world.one["status"] == "Succeeded"


def test_an_entry_that_fails_ends_the_execution_before_any_action() -> None:
    world = World(beforeEntry=condition("FAIL", variable("no")))
    assert world.rule("Failed") == ["Deploy FAILED", "FAILED"]
    assert world.one["stages"] == {"Source": "Succeeded", "Deploy": "Failed"}
    assert world.one["summary"] == "The rule check failed: said"
    assert executions.current(world.one, "Deploy") == {}


def test_a_stop_that_waits_ends_the_condition_with_its_rules() -> None:
    world = World(beforeEntry=condition("FAIL", variable("no")))
    world.one["status"] = executions.STOPPING
    world.rule("Failed")
    assert world.one["status"] == "Stopped"
    run = conditions.current(world.one, "Deploy", "beforeEntry")
    assert run is not None
    assert run["status"] == "Failed"


def test_an_entry_may_skip_the_stage() -> None:
    world = World(beforeEntry=condition("SKIP", variable("no")))
    assert world.rule("Failed") == ["Deploy", "SUCCEEDED"]
    assert world.one["stages"]["Deploy"] == "Skipped"


@pytest.mark.parametrize(("result", "back"), [("FAIL", None), ("ROLLBACK", "Deploy")])
def test_a_success_that_does_not_hold_fails_the_stage(result: str, back: str | None) -> None:
    world = World(onSuccess=condition(result, rule("CloudWatchAlarm", AlarmName="a")))
    assert world.act() == ["Deploy"]
    assert world.rule("Failed") == ["Deploy FAILED", "FAILED"]
    assert world.one.get("rollback") == back


def test_a_failed_stage_is_retried_once_by_itself() -> None:
    world = World(onFailure={"result": "RETRY"})
    assert world.act("Failed") == ["RESUMED", "Deploy RESUMED", "Deploy STARTED"]
    assert world.one["retries"]["Deploy"]["automatic"] == 1
    assert world.act("Failed") == ["Deploy FAILED", "FAILED"]


def test_a_failed_stage_whose_condition_is_met_only_fails() -> None:
    world = World(onFailure=condition("ROLLBACK", variable("yes")))
    assert world.act("Failed") == ["Deploy"]
    assert world.rule() == ["Deploy FAILED", "FAILED"]
    assert "rollback" not in world.one


def test_a_rollback_looks_at_no_condition() -> None:
    world = World(beforeEntry=condition("FAIL", variable("no")), onFailure={"result": "ROLLBACK"})
    trigger = {"triggerType": "ManualRollback", "triggerDetail": "me"}
    world.one = executions.rollback(world.one, 1, trigger, 2.0)
    world.go()
    assert world.running == ["Deploy"]
    assert world.act("Failed") == ["Deploy FAILED", "FAILED"]
    assert "rollback" not in world.one


def test_a_stop_abandons_the_rules_that_run() -> None:
    world = World(beforeEntry=condition("FAIL", variable("yes")))
    world.one |= {"status": "Stopping", "stop": {"abandon": True, "reason": ""}}
    machine.abandon(world.one, 2.0)
    assert world.go() == ["Deploy STOPPED", "STOPPED"]
    run = conditions.current(world.one, "Deploy", "beforeEntry")
    assert run is not None
    assert (run["status"], run["rules"][0]["status"]) == ("Abandoned", "Abandoned")


@pytest.fixture(scope="module")
def _ready(room: PipelineRoom) -> None:
    room.put({"index.html": "one"})
    rights = allow("s3:*", "cloudwatch:DescribeAlarms")
    room.builds.role("watching", rights, trust=TRUST)


@pytest.mark.usefixtures("_ready")
def test_a_condition_is_overridden_and_told(room: PipelineRoom) -> None:
    execution = room.create(made("entry", beforeEntry=condition("FAIL", variable("no"))))
    assert room.ended("entry", execution) == "Failed"
    state = room.stages("entry")["Deploy"]["beforeEntryConditionState"]
    said = "The rule check failed: 'yes' EQ 'no' does not hold"
    assert state["latestExecution"] == {"status": "Failed", "summary": said}
    assert room.execution("entry", execution)["statusSummary"] == said
    (ran,) = room.api.list_rule_executions(pipelineName="entry")["ruleExecutionDetails"]
    assert (ran["ruleName"], ran["status"]) == ("check", "Failed")
    assert ran["input"]["resolvedConfiguration"]["Variable"] == "yes"

    asked = {"pipelineName": "entry", "stageName": "Deploy", "pipelineExecutionId": execution}
    room.api.override_stage_condition(**asked, conditionType="BEFORE_ENTRY")
    assert room.ended("entry", execution) == "Succeeded"
    state = room.stages("entry")["Deploy"]["beforeEntryConditionState"]
    assert state["latestExecution"]["status"] == "Overridden"
    with pytest.raises(ClientError, match="ConditionNotOverridableException"):
        room.api.override_stage_condition(**asked, conditionType="BEFORE_ENTRY")
    with pytest.raises(ClientError, match="has the status not begun"):
        room.api.override_stage_condition(**asked, conditionType="ON_SUCCESS")


@pytest.mark.usefixtures("_ready")
def test_what_a_skipped_stage_would_have_made_is_missed_by_the_action_that_takes_it(
    room: PipelineRoom,
) -> None:
    skipped = definition("skip", s3_source(), codebuild(), s3_deploy("Built"), pipelineType="V2")
    skipped["variables"] = [{"name": "GO", "defaultValue": "yes"}]
    skipped["stages"][1]["beforeEntry"] = condition("SKIP", variable("no"))
    execution = room.create(skipped)
    assert room.ended("skip", execution) == "Failed"
    code, words = room.error("skip", execution, "Deploy")
    assert (code, words) == (
        "ConfigurationError",
        "The input artifact Built does not exist: the stage that makes it was skipped",
    )


@pytest.mark.usefixtures("_ready")
def test_an_alarm_after_the_deployment_takes_the_stage_back(room: PipelineRoom) -> None:
    watching = condition("ROLLBACK", rule("CloudWatchAlarm", AlarmName="page-is-slow"))
    role = f"arn:aws:iam::{ACCOUNT}:role/watching"
    cloudwatch = room.client("cloudwatch")
    room.alarm("page-is-slow")
    room.put({"index.html": "good"})
    good = room.create({**made("alarmed", onSuccess=watching), "roleArn": role})
    assert room.ended("alarmed", good) == "Succeeded"
    assert room.site() == "good"

    cloudwatch.set_alarm_state(AlarmName="page-is-slow", StateValue="ALARM", StateReason="slow")
    room.put({"index.html": "slow"})
    room.wait(lambda: room.newest("alarmed") != good)

    def rolled_back() -> list[Document]:
        found = room.api.list_pipeline_executions(pipelineName="alarmed")
        return [
            each
            for each in found["pipelineExecutionSummaries"]
            if each["executionType"] == "ROLLBACK"
        ]

    room.wait(lambda: bool(rolled_back()))
    (back,) = rolled_back()
    assert room.ended("alarmed", back["pipelineExecutionId"]) == "Succeeded"
    assert back["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert back["trigger"]["triggerType"] == "AutomatedRollback"
    failed = json.loads(back["trigger"]["triggerDetail"])["FailedPipelineExecutionId"]
    assert room.execution("alarmed", failed)["status"] == "Failed"
    assert room.site() == "good"


@pytest.mark.usefixtures("_ready")
def test_a_role_that_may_not_read_alarms_fails_the_rule_with_its_words(room: PipelineRoom) -> None:
    watching = condition("FAIL", rule("CloudWatchAlarm", AlarmName="page-is-slow"))
    execution = room.create(made("blind", onSuccess=watching))
    assert room.ended("blind", execution) == "Failed"
    (ran,) = room.api.list_rule_executions(pipelineName="blind")["ruleExecutionDetails"]
    assert (
        "cloudwatch:DescribeAlarms" in ran["output"]["executionResult"]["errorDetails"]["message"]
    )


@pytest.mark.usefixtures("_ready")
def test_a_retry_looks_at_a_condition_again(room: PipelineRoom) -> None:
    given = made("again", beforeEntry=condition("FAIL", variable("no", "NE")))
    room.api.create_pipeline(pipeline=given)
    assert room.ended("again", room.newest("again")) == "Succeeded"
    wrong = room.start("again", variables=[{"name": "GO", "value": "no"}])
    assert room.ended("again", wrong) == "Failed"
    room.api.retry_stage_execution(
        pipelineName="again",
        stageName="Deploy",
        pipelineExecutionId=wrong,
        retryMode="FAILED_ACTIONS",
    )
    assert room.ended("again", wrong) == "Failed"
    asked = {"pipelineExecutionId": wrong}
    ran = room.api.list_rule_executions(pipelineName="again", filter=asked)["ruleExecutionDetails"]
    assert [each["status"] for each in ran] == ["Failed", "Failed"]
    assert room.stages("again")["Deploy"]["retryStageMetadata"]["manualStageRetryAttempt"] == 1


def test_an_approval_may_stand_in_a_stage_with_a_condition(room: PipelineRoom) -> None:
    room.put({"index.html": "two"})
    given = definition("asked", s3_source(), approval(), pipelineType="V2")
    given["stages"][1]["beforeEntry"] = condition(
        "FAIL", rule(Variable="#{SourceVariables.VersionId}", Value=".+", Operator="MATCHES")
    )
    execution = room.create(given)
    room.answer("asked", "Approved")
    assert room.ended("asked", execution) == "Succeeded"
