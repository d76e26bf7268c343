"""Blue/green deployments by CodeDeploy: whom the visitors meet, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers import servers
from tests.policies import allow, policy
from tests.sandbox.codedeploy.deploy_room import BLUE_GREEN, ROLE, SERVICE_ROLE, Aws, Deployed, spec
from tests.sandbox.ecs.task_room import Room

LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
ON_ALARM = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]}


@pytest.fixture(scope="module")
def shop(room: Room) -> Deployed:
    """A service whose visitors meet "one", and a deployment group with an alarm."""
    made = Deployed(room, "shop")
    room.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    made.api.create_deployment_group(
        **made.group(
            alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]},
            autoRollbackConfiguration=ON_ALARM,
        )
    )
    made.settled()
    return made


@pytest.fixture
def two(shop: Deployed) -> str:
    return shop.define("two")


def events_heard(room: Room) -> Any:
    """A queue that hears of deployments; returns what reads its states."""
    sqs, events = room.client("sqs"), room.client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["QueueArn"],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    pattern = {"source": ["aws.codedeploy"]}
    events.put_rule(Name="deployments", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="deployments", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])
    heard: list[dict[str, Any]] = []

    def read() -> dict[str, Any]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for each in found.get("Messages", []):
            heard.append(json.loads(each["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return {"events": heard}

    return read


def test_the_real_command_deploys_all_at_once_and_its_waiter_waits_for_the_end(
    room: Room, shop: Deployed, two: str, aws: Aws
) -> None:
    read = events_heard(room)
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec(two)}}
    number = aws(
        *("deploy", "create-deployment", "--application-name", "shop"),
        *("--deployment-group-name", "shop", "--revision", json.dumps(revision)),
        *("--query", "deploymentId", "--output", "text"),
    )
    shop.shifted(number, 100.0)
    shop.front.once_met("two")
    assert shop.front.weights() == {shop.front.blue: 0, shop.front.green: 100}
    assert list(shop.events(number)) == [
        *("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic"),
        *("AfterAllowTestTraffic", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"),
    ]
    assert set(shop.events(number).values()) == {"Succeeded"}
    # the original task set is kept for five minutes, and the deployment goes on
    waiting = shop.deployment(number)
    assert waiting["status"] == "InProgress"
    assert waiting["instanceTerminationWaitTimeStarted"]
    assert "deploymentOverview" not in waiting
    assert shop.sets() == {shop.one: "ACTIVE", two: "PRIMARY"}
    shop.wait(minutes=5)
    aws("deploy", "wait", "deployment-successful", "--deployment-id", number)
    done = shop.deployment(number)
    assert done["deploymentOverview"]["Succeeded"] == 1
    assert done["creator"] == "user"
    assert shop.sets() == {two: "PRIMARY"}
    assert shop.front.visit(4) == {"two": 4}
    service = room.service("shop")
    assert service["taskDefinition"] == two
    assert service["deployments"] == []
    heard = room.once(read, lambda found: len(found["events"]) == 2)["events"]
    assert [each["detail"]["state"] for each in heard] == ["START", "SUCCESS"]
    arn = "arn:aws:codedeploy:us-west-2:123456789012"
    assert heard[0]["resources"] == [f"{arn}:application:shop", f"{arn}:deploymentgroup:shop/shop"]
    assert heard[0]["detail-type"] == "CodeDeploy Deployment State-change Notification"
    # one who may look at this group only sees the group's deployments
    room.client("iam").create_user(UserName="onlooker")
    room.client("iam").put_user_policy(
        UserName="onlooker",
        PolicyName="looks",
        PolicyDocument=policy(
            allow("codedeploy:GetDeployment", on=f"{arn}:deploymentgroup:shop/*")
        ),
    )
    onlooker = room.client_of("onlooker", "codedeploy")
    assert onlooker.get_deployment(deploymentId=number)["deploymentInfo"]["status"] == "Succeeded"
    with pytest.raises(ClientError, match="deploymentgroup:\\*/\\*"):
        onlooker.get_deployment(deploymentId="d-AAAAAAAAA")
    detail = heard[1]["detail"]
    assert set(detail) == {
        *("region", "deploymentId", "instanceGroupId", "application", "deploymentGroup", "state"),
    }
    assert detail["deploymentId"] == number


def test_a_tenth_meets_the_canary_and_an_alarm_takes_them_back(
    room: Room, shop: Deployed, two: str
) -> None:
    number = shop.deploy(shop.one, deploymentConfigName=CANARY)
    shop.shifted(number, 10.0)
    assert shop.front.visit(20) == {"two": 18, "one": 2}
    assert shop.front.visit(4, address=shop.on_test()) == {"one": 4}
    info = {each["taskSetLabel"]: each for each in shop.target(number)["taskSetsInfo"]}
    assert info["Blue"]["trafficWeight"] == 90.0
    assert info["Green"]["targetGroup"] == {"name": "shop-blue"}

    cloudwatch = room.client("cloudwatch")
    cloudwatch.put_metric_data(
        Namespace="shop", MetricData=[{"MetricName": "Errors", "Value": 6.0}]
    )
    stopped = shop.ended(number, "Stopped")
    assert stopped["errorInformation"] == {
        "code": "ALARM_ACTIVE",
        "message": "One or more alarms have been activated according to the Amazon CloudWatch "
        "metrics you selected, and the affected deployments have been stopped. Activated alarms: "
        "<errors>",
    }
    back = stopped["rollbackInfo"]["rollbackDeploymentId"]
    assert stopped["rollbackInfo"]["rollbackMessage"] == (
        f"Deployment {number} terminated. Automatic rollback is triggered with a DeploymentId "
        f"{back}."
    )
    assert list(shop.events(number).values())[-2:] == ["Failed", "Skipped"]
    rollback = shop.ended(back)
    assert rollback["creator"] == "codeDeployRollback"
    assert rollback["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert rollback["rollbackInfo"] == {
        "rollbackTriggeringDeploymentId": number,
        "rollbackMessage": f"Deployment {back} is triggered to roll back deployment {number}.",
    }
    assert shop.front.visit(5) == {"two": 5}
    assert shop.front.visit(2, address=shop.on_test()) == {"two": 2}
    assert shop.sets() == {room.service("shop")["taskDefinition"]: "PRIMARY"}
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="by hand")


def test_a_linear_deployment_goes_on_after_a_restart_and_a_request_rolls_it_back(
    room: Room, shop: Deployed, aws: Aws
) -> None:
    number = shop.deploy(shop.one, deploymentConfigName=LINEAR)
    shop.shifted(number, 10.0)
    shop.wait(minutes=1)
    shop.shifted(number, 20.0)
    servers.stop(room.workspace)
    room.port = servers.start(room.workspace).sandbox.port
    shop.wait(minutes=1)
    shop.shifted(number, 30.0)
    room.once(
        lambda: {"met": shop.front.visit(20)}, lambda found: found["met"] == {"two": 14, "one": 6}
    )
    code = shop.refused(
        "create_deployment",
        applicationName="shop",
        deploymentGroupName="shop",
        revision=shop.revision(shop.one),
    )
    assert code == (
        "DeploymentLimitExceededException",
        f"The Deployment Group 'shop' already has an active Deployment '{number}'",
    )
    said = json.loads(
        aws("deploy", "stop-deployment", "--deployment-id", number, "--auto-rollback-enabled")
    )
    assert said["status"] == "Succeeded"
    back = shop.deployment(number)["rollbackInfo"]["rollbackDeploymentId"]
    shop.ended(back)
    assert shop.deployment(number)["errorInformation"]["code"] == "MANUAL_STOP"
    assert shop.front.visit(5) == {"two": 5}
    assert shop.refused("stop_deployment", deploymentId=number)[0] == (
        "DeploymentAlreadyCompletedException"
    )
    listed = shop.api.list_deployments(applicationName="shop", deploymentGroupName="shop")
    assert listed["deployments"][:2] == [back, number]


def test_a_deployment_waits_for_a_word_before_it_moves_the_visitors(
    room: Room, shop: Deployed
) -> None:
    ready = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 10}
    shop.api.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="shop",
        blueGreenDeploymentConfiguration={**BLUE_GREEN, "deploymentReadyOption": ready},
    )
    number = shop.deploy(shop.one)
    shop.ended(number, "Ready")
    assert shop.front.visit(4) == {"two": 4}
    assert shop.front.visit(4, address=shop.on_test()) == {"one": 4}
    assert (
        shop.refused(
            "continue_deployment", deploymentId=number, deploymentWaitType="TERMINATION_WAIT"
        )[0]
        == "DeploymentIsNotInReadyStateException"
    )
    shop.api.continue_deployment(deploymentId=number, deploymentWaitType="READY_WAIT")
    shop.shifted(number, 100.0)
    assert shop.front.visit(4) == {"one": 4}
    shop.api.continue_deployment(deploymentId=number, deploymentWaitType="TERMINATION_WAIT")
    shop.ended(number)

    number = shop.deploy(shop.define("two"))
    shop.ended(number, "Ready")
    shop.wait(minutes=10)
    stopped = shop.ended(number, "Stopped")
    assert stopped["errorInformation"] == {
        "code": "TIMEOUT",
        "message": "The deployment timed out while waiting for a notification to continue. This "
        "time out period is 10 minutes.",
    }
    shop.ended(stopped["rollbackInfo"]["rollbackDeploymentId"])
    assert shop.front.visit(4) == {"one": 4}


def test_a_role_without_a_right_fails_the_deployment_in_awss_words(
    room: Room, shop: Deployed
) -> None:
    iam = room.client("iam")
    fewer = {**SERVICE_ROLE, "Action": [a for a in SERVICE_ROLE["Action"] if "TaskSet" not in a]}
    iam.put_role_policy(RoleName=ROLE, PolicyName="rights", PolicyDocument=policy(fewer))
    number = shop.deploy(shop.one)
    failed = shop.ended(number, "Failed")
    assert failed["errorInformation"] == {
        "code": "IAM_ROLE_PERMISSIONS",
        "message": "The IAM role arn:aws:iam::123456789012:role/deploys does not give you "
        "permission to perform operations in the following AWS service: AmazonECS. Contact your "
        "AWS administrator if you need help. If you are an AWS administrator, you can grant "
        "permissions to your users or groups by creating IAM policies.",
    }
    assert shop.events(number)["Install"] == "Failed"
    iam.put_role_policy(RoleName=ROLE, PolicyName="rights", PolicyDocument=policy(SERVICE_ROLE))
    shop.ended(failed["rollbackInfo"]["rollbackDeploymentId"])
    assert shop.front.visit(4) == {"one": 4}


def test_a_container_that_the_task_definition_does_not_have_fails_the_deployment(
    shop: Deployed,
) -> None:
    wrong = spec(shop.one).replace('"app"', '"web"')
    number = shop.deploy(shop.one, revision=shop.revision(shop.one, wrong))
    said = shop.ended(number, "Failed")["errorInformation"]
    assert said["code"] == "ECS_UPDATE_ERROR"
    assert said["message"].startswith(
        "The ECS service cannot be updated due to an unexpected error: The container web does not "
        "exist in the task definition. (Service: AmazonECS; Status Code: 400; Error Code: "
        "InvalidParameterException; Request ID: "
    )
