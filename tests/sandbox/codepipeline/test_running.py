"""Pipelines that run in one sandbox: what fails and why, approvals, stops, retries, variables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labs_helpers import deliveries
from tests.policies import allow, deny, policy
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    SITE,
    SOURCE,
    STORE,
    TRUST,
    PipelineRoom,
    action,
    approval,
    definition,
    s3_deploy,
    s3_source,
)


@pytest.fixture(scope="module", autouse=True)
def _source(room: PipelineRoom) -> None:
    room.put({"index.html": "one"})


def failed(room: PipelineRoom, made: dict[str, Any], action: str) -> tuple[str, str]:
    """(code, message) of an action that fails in a new pipeline's first execution."""
    execution = room.create(made)
    assert room.ended(made["name"], execution) == "Failed"
    return room.error(made["name"], execution, action)


def test_a_source_that_cannot_be_read_says_why(room: PipelineRoom) -> None:
    absent = definition("absent", s3_source("nothing.zip"), s3_deploy())
    assert failed(room, absent, "Source") == (
        "ConfigurationError",
        f"The object with key 'nothing.zip' does not exist in the bucket {SOURCE}.",
    )
    plain = definition("plain", s3_source(S3Bucket=SITE), s3_deploy())
    code, message = failed(room, plain, "Source")
    assert (code, "is not versioned" in message) == ("ConfigurationError", True)

    room.builds.role("nothing-allowed", trust=TRUST)
    role = f"arn:aws:iam::{ACCOUNT}:role/nothing-allowed"
    code, message = failed(
        room, definition("closed", s3_source(), s3_deploy(), roleArn=role), "Source"
    )
    assert code == "PermissionError"
    assert message.startswith(
        "The service role or action role doesn't have the permissions required to access the "
        f"Amazon S3 bucket named {SOURCE}. Update the IAM role permissions, and then try again. "
        "Error: "
    )


def test_a_store_that_the_role_may_not_write_fails_the_source(room: PipelineRoom) -> None:
    rights = (allow("s3:*"), deny("s3:PutObject", on=f"arn:aws:s3:::{STORE}/*"))
    role = room.builds.role("reads-only", *rights, trust=TRUST)
    code, message = failed(room, definition("ro", s3_source(), s3_deploy(), roleArn=role), "Source")
    assert code == "PermissionError"
    assert message.startswith("Upload to S3 failed with the following error: ")


def test_what_is_no_zip_is_not_extracted_and_can_be_deployed_whole(room: PipelineRoom) -> None:
    room.client("s3").put_object(Bucket=SOURCE, Key="plain.txt", Body=b"not a zip")
    code, message = failed(room, definition("zip", s3_source("plain.txt"), s3_deploy()), "Deploy")
    assert code == "ConfigurationError"
    assert message.startswith("The input artifact Source is not a ZIP file")
    whole = s3_deploy(Extract="false", ObjectKey="#{SourceVariables.ETag}.txt")
    execution = room.create(definition("whole", s3_source("plain.txt"), whole))
    assert room.ended("whole", execution) == "Succeeded"
    tag = room.actions("whole", execution)["Source"]["output"]["outputVariables"]["ETag"]
    assert room.site(f"{tag}.txt") == "not a zip"
    shown = room.actions("whole", execution)["Deploy"]["input"]
    assert shown["configuration"]["ObjectKey"] == "#{SourceVariables.ETag}.txt"
    assert shown["resolvedConfiguration"]["ObjectKey"] == f"{tag}.txt"


def test_an_approval_tells_its_topic_and_takes_one_answer_with_its_token(
    room: PipelineRoom,
) -> None:
    sns, sqs = room.client("sns"), room.client("sqs")
    topic = sns.create_topic(Name="approvals")["TopicArn"]
    queue = f"arn:aws:sqs:us-west-2:{ACCOUNT}:approvals"
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    url = sqs.create_queue(QueueName="approvals", Attributes={"Policy": policy(let_in)})["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    asks = approval(NotificationArn=topic, CustomData="Is it good?")
    execution = room.create(definition("asks", s3_source(), asks, s3_deploy()))
    token = room.token("asks")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])["approval"]
    assert told["token"] == token
    assert (told["pipelineName"], told["customData"]) == ("asks", "Is it good?")

    answer = {
        "pipelineName": "asks",
        "stageName": "Approval",
        "actionName": "Approval",
        "result": {"status": "Rejected", "summary": "too red"},
    }
    other = token[:-1] + ("0" if token[-1] != "0" else "1")
    wrong = refusal_of(room.api, "put_approval_result", token=other, **answer)
    assert wrong[1] == "InvalidApprovalTokenException"
    room.api.put_approval_result(token=token, **answer)
    assert room.ended("asks", execution) == "Failed"
    state = room.stages("asks")["Approval"]["actionStates"][0]["latestExecution"]
    assert (state["status"], state["summary"]) == ("Failed", "too red")
    assert state["lastUpdatedBy"].endswith("user/learner")
    again = refusal_of(room.api, "put_approval_result", token=token, **answer)
    assert again[1:] == (
        "ApprovalAlreadyCompletedException",
        "The approval action has already been approved or rejected.",
    )

    retry = {"pipelineName": "asks", "stageName": "Approval", "retryMode": "FAILED_ACTIONS"}
    room.api.retry_stage_execution(pipelineExecutionId=execution, **retry)
    assert room.token("asks") != token
    room.answer("asks", "Approved")
    assert room.ended("asks", execution) == "Succeeded"
    late = refusal_of(room.api, "retry_stage_execution", pipelineExecutionId=execution, **retry)
    assert late[1] == "StageNotRetryableException"


def test_who_may_not_approve_is_denied(room: PipelineRoom) -> None:
    person = People(room.builds.sandbox).make("looker", allow("codepipeline:Get*"))
    denied = person.denied(
        "codepipeline",
        "put_approval_result",
        pipelineName="asks",
        stageName="Approval",
        actionName="Approval",
        token="00000000-0000-0000-0000-000000000000",
        result={"status": "Approved", "summary": ""},
    )
    assert f"arn:aws:codepipeline:us-west-2:{ACCOUNT}:asks/Approval/Approval" in denied


def test_an_execution_is_stopped_with_its_reason(room: PipelineRoom) -> None:
    execution = room.create(definition("stops", s3_source(), approval(), s3_deploy()))
    room.token("stops")
    given = {"pipelineName": "stops", "pipelineExecutionId": execution}
    room.api.stop_pipeline_execution(reason="wrong day", **given)
    assert room.execution("stops", execution)["status"] == "Stopping"
    assert room.stages("stops")["Approval"]["latestExecution"]["status"] == "Stopping"
    twice = refusal_of(room.api, "stop_pipeline_execution", **given)
    assert twice[1] == "DuplicatedStopRequestException"
    room.api.stop_pipeline_execution(abandon=True, **given)
    assert room.execution("stops", execution)["status"] == "Stopped"
    assert room.actions("stops", execution)["Approval"]["status"] == "Abandoned"
    listed = room.api.list_pipeline_executions(pipelineName="stops")
    assert listed["pipelineExecutionSummaries"][0]["stopTrigger"] == {"reason": "wrong day"}
    ended = refusal_of(room.api, "stop_pipeline_execution", **given)
    assert ended[1] == "PipelineExecutionNotStoppableException"


def test_a_disabled_transition_says_who_and_why(room: PipelineRoom) -> None:
    made = definition("held", s3_source(), approval(), s3_deploy())
    execution = room.create(made)
    place = {"pipelineName": "held", "stageName": "Deploy", "transitionType": "Inbound"}
    room.api.disable_stage_transition(reason="not on Fridays", **place)
    room.answer("held", "Approved")
    room.wait(lambda: "inboundExecution" in room.stages("held")["Deploy"])
    stage = room.stages("held")["Deploy"]
    assert stage["inboundExecution"]["pipelineExecutionId"] == execution
    transition = stage["inboundTransitionState"]
    assert (transition["enabled"], transition["disabledReason"]) == (False, "not on Fridays")
    room.api.enable_stage_transition(**place)
    assert room.ended("held", execution) == "Succeeded"


def test_variables_and_revisions_of_a_start_reach_the_actions(room: PipelineRoom) -> None:
    old = room.put({"index.html": "old"}, "versions.zip")
    room.put({"index.html": "new"}, "versions.zip")
    deploy = s3_deploy(ObjectKey="#{variables.folder}/#{codepipeline.PipelineExecutionId}")
    made = definition(
        "varied",
        s3_source("versions.zip"),
        deploy,
        pipelineType="V2",
        variables=[{"name": "folder", "defaultValue": "plain"}],
    )
    first = room.create(made)
    assert room.ended("varied", first) == "Succeeded"
    assert room.site(f"plain/{first}/index.html") == "new"
    revision = {
        "actionName": "Source",
        "revisionType": "S3_OBJECT_VERSION_ID",
        "revisionValue": old,
    }
    second = room.start(
        "varied", variables=[{"name": "folder", "value": "f"}], sourceRevisions=[revision]
    )
    assert room.ended("varied", second) == "Succeeded"
    assert room.site(f"f/{second}/index.html") == "old"
    shown = room.execution("varied", second)["variables"]
    assert shown == [{"name": "folder", "resolvedValue": "f"}]
    wrong = refusal_of(
        room.api, "start_pipeline_execution", name="varied", variables=[{"name": "x", "value": "y"}]
    )
    assert wrong[1] == "ValidationException"

    back = room.api.rollback_stage(
        pipelineName="varied", stageName="Deploy", targetPipelineExecutionId=first
    )["pipelineExecutionId"]
    assert room.ended("varied", back) == "Succeeded"
    assert room.execution("varied", back)["executionType"] == "ROLLBACK"
    assert set(room.actions("varied", back)) == {"Deploy"}


def test_a_value_that_a_variable_gives_is_checked_when_the_action_runs(room: PipelineRoom) -> None:
    given = {
        "ConnectionArn": "#{variables.connection}",
        "FullRepositoryId": "ada/app",
        "BranchName": "main",
    }
    source = action("Source", "CodeStarSourceConnection", given, outputs=["Source"])
    made = definition("late", source, s3_deploy(), pipelineType="V2")
    made["variables"] = [{"name": "connection", "defaultValue": "foo"}]
    assert failed(room, made, "Source") == (
        "ConfigurationError",
        "Action configuration for action 'Source': ConnectionArn is the ARN of a connection, not "
        "'foo'",
    )


def test_a_token_starts_one_execution(room: PipelineRoom) -> None:
    room.create(definition("once", s3_source(), s3_deploy()))
    first = room.start("once", clientRequestToken="once")
    assert room.start("once", clientRequestToken="once") == first


def test_an_action_has_a_role_of_its_own_that_the_pipelines_role_takes(room: PipelineRoom) -> None:
    trust = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    )
    store = allow("s3:GetObject*", "s3:PutObject", on=f"arn:aws:s3:::{STORE}/*")
    reads = allow("s3:Get*", on=[f"arn:aws:s3:::{SOURCE}", f"arn:aws:s3:::{SOURCE}/*"])
    taker = room.builds.role("taker", store, reads, trust=TRUST)
    writer = room.builds.role("writer", allow("s3:*"), trust=trust)
    deploy = {**s3_deploy(), "roleArn": writer}
    made = definition("chained", s3_source(), deploy, roleArn=taker)
    code, message = failed(room, made, "Deploy")
    assert code == "PermissionError"
    assert f"is not authorized to perform: sts:AssumeRole on resource: {writer}" in message
    room.client("iam").put_role_policy(
        RoleName="taker",
        PolicyName="takes",
        PolicyDocument=policy(allow("sts:AssumeRole", on=writer)),
    )
    execution = room.start("chained")
    assert room.ended("chained", execution) == "Succeeded"


def test_a_role_that_codepipeline_may_not_take_makes_no_pipeline(room: PipelineRoom) -> None:
    room.builds.role("for-builds")
    role = f"arn:aws:iam::{ACCOUNT}:role/for-builds"
    made = definition("untrusted", s3_source(), approval(), roleArn=role)
    assert refusal_of(room.api, "create_pipeline", pipeline=made)[1:] == (
        "InvalidStructureException",
        f"CodePipeline is not authorized to perform AssumeRole on role {role}",
    )


def test_a_pipeline_that_writes_its_own_source_ends(room: PipelineRoom) -> None:
    room.put({"index.html": "round"}, "round.zip")
    deploy = s3_deploy(BucketName=SOURCE, Extract="false", ObjectKey="round.zip")
    room.create(definition("round", s3_source("round.zip"), deploy))
    stopped = "the pipeline round was started 20 times in 10 minutes by its source"
    room.wait(lambda: stopped in room.builds.sandbox.log)
    found = room.api.list_pipeline_executions(pipelineName="round")["pipelineExecutionSummaries"]
    assert len(found) == 21


def test_events_tell_of_executions_stages_and_actions(room: PipelineRoom) -> None:
    events, logs = room.client("events"), room.client("logs")
    group = f"arn:aws:logs:us-west-2:{ACCOUNT}:log-group:/pipelines"
    logs.create_log_group(logGroupName="/pipelines")
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{group}:*",
    }
    logs.put_resource_policy(policyName="events", policyDocument=policy(let_in))
    pattern = {"source": ["aws.codepipeline"], "detail": {"pipeline": ["told"]}}
    events.put_rule(Name="told", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": group}])
    execution = room.create(definition("told", s3_source(), s3_deploy()))
    assert room.ended("told", execution) == "Succeeded"

    def heard() -> list[dict[str, Any]]:
        found = logs.filter_log_events(logGroupName="/pipelines")["events"]
        return [json.loads(each["message"]) for each in found]

    room.wait(lambda: len(heard()) == 10)
    kinds = [each["detail-type"].removeprefix("CodePipeline ") for each in heard()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "Pipeline Execution State Change": 2,
        "Stage Execution State Change": 4,
        "Action Execution State Change": 4,
    }
    first = next(each for each in heard() if each["detail"]["state"] == "STARTED")
    assert first["resources"] == [f"arn:aws:codepipeline:us-west-2:{ACCOUNT}:told"]
    assert first["detail"]["execution-id"] == execution


def test_a_pipeline_is_changed_shown_tagged_and_deleted(room: PipelineRoom) -> None:
    made = definition("kept", s3_source(), approval())
    room.create(made, tags=[{"key": "team", "value": "web"}])
    twice = refusal_of(room.api, "create_pipeline", pipeline=made)
    assert twice[1:] == (
        "PipelineNameInUseException",
        f"A pipeline with the name 'kept' already exists in account '{ACCOUNT}'",
    )
    changed = definition("kept", s3_source(), approval(CustomData="new"))
    assert room.api.update_pipeline(pipeline=changed)["pipeline"]["version"] == 2
    found = room.api.get_pipeline(name="kept")
    arn = found["metadata"]["pipelineArn"]
    assert found["pipeline"]["version"] == 2
    before = room.api.get_pipeline(name="kept", version=1)["pipeline"]
    assert before["stages"][1]["actions"][0]["configuration"] == {}
    missing = refusal_of(room.api, "get_pipeline", name="kept", version=3)
    assert missing[1] == "PipelineVersionNotFoundException"
    room.api.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    room.api.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert room.api.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    room.api.delete_pipeline(name="kept")
    assert refusal_of(room.api, "get_pipeline_state", name="kept")[1:] == (
        "PipelineNotFoundException",
        f"Account '{ACCOUNT}' does not have a pipeline with name 'kept'",
    )
    assert refusal_of(room.api, "start_pipeline_execution", name="kept")[1:] == (
        "PipelineNotFoundException",
        f"Pipeline with name kept does not exist in account {ACCOUNT}.",
    )


def test_a_lab_draws_a_pipeline_as_it_is(
    room: PipelineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.be_learner(monkeypatch)
    execution = room.create(definition("seen", s3_source(), approval(), s3_deploy()))
    shown: list[str] = []
    text = deliveries.pipeline("seen", 60, "", lambda drawing: shown.append(drawing.text)).text
    assert text.splitlines()[:3] == [
        "The pipeline seen: the stage Approval waits for an approval.",
        "",
        "✓ Source  →  ▶ Approval  →  ○ Deploy",
    ]
    room.answer("seen", "Rejected", "no")
    assert room.ended("seen", execution) == "Failed"
    last = deliveries.pipeline("seen", 60).text
    assert "✗ Approval / Approval: Failed: Rejected by arn:aws:iam::" in last
    assert last.endswith("○ Deploy / Deploy: not yet")


def test_paginators_go_over_every_list(room: PipelineRoom) -> None:
    assert room.ended("paged", room.create(definition("paged", s3_source(), s3_deploy())))
    for _ in range(3):
        room.start("paged")
    for operation, member in (
        ("list_pipeline_executions", "pipelineExecutionSummaries"),
        ("list_action_executions", "actionExecutionDetails"),
    ):
        pages = room.api.get_paginator(operation).paginate(
            pipelineName="paged", PaginationConfig={"PageSize": 1}
        )
        whole = getattr(room.api, operation)(pipelineName="paged")[member]
        assert len([each for page in pages for each in page[member]]) >= len(whole) > 1


def test_an_image_of_ecr_that_is_not_there_fails_the_source(room: PipelineRoom) -> None:
    room.client("ecr").create_repository(repositoryName="app")
    source = action("Source", "ECR", {"RepositoryName": "app"}, outputs=["Source"])
    code, message = failed(room, definition("image", source, s3_deploy()), "Source")
    assert code == "ConfigurationError"
    assert "ImageNotFoundException" in message


def test_a_deployment_to_a_deleted_service_fails_with_its_name(room: PipelineRoom) -> None:
    ecs = room.client("ecs")
    ecs.create_cluster(clusterName="deploys")
    ecs.register_task_definition(
        family="gone",
        containerDefinitions=[{"name": "app", "image": "box"}],
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
    )
    ecs.create_service(
        cluster="deploys",
        serviceName="gone",
        taskDefinition="gone",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )
    ecs.delete_service(cluster="deploys", service="gone", force=True)
    images = json.dumps([{"name": "app", "imageUri": "box:2"}])
    room.put({"imagedefinitions.json": images}, "images.zip")
    given = {"ClusterName": "deploys", "ServiceName": "gone"}
    deploy = action("Deploy", "ECS", given, inputs=["Source"])
    code, message = failed(room, definition("gone", s3_source("images.zip"), deploy), "Deploy")
    assert code
    assert "gone" in message
    assert ecs.list_task_definitions(familyPrefix="gone")["taskDefinitionArns"][1:] == []
