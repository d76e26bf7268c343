"""What an image that arrives, goes or is scanned sets off: rules, patterns, targets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import policies
from tests.sandbox.events.event_rules import CONFIG, ECR, MANIFEST, Events, policy, until
from tests.sandbox.sandbox_process import Running


@pytest.fixture
def events(sandbox: Running, request: pytest.FixtureRequest) -> Events:
    return Events(sandbox, request.node.name.removeprefix("test_")[:60].rstrip("_"))


def test_a_push_arrives_in_a_queue_in_awss_shape(events: Events) -> None:
    url, queue = events.queue()
    events.rule(events.mine(), queue)
    digest = events.push("v1")
    (body,) = events.received(url, 1)
    told = json.loads(body)
    assert told.pop("id")
    assert told.pop("time").endswith("Z")
    assert told == {
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "123456789012",
        "region": "us-west-2",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": events.name,
            "image-digest": digest,
            "action-type": "PUSH",
            "image-tag": "v1",
            "manifest-media-type": MANIFEST,
            "artifact-media-type": CONFIG,
        },
    }


def test_a_push_over_v2_arrives_too(events: Events) -> None:
    url, queue = events.queue()
    events.rule(events.mine(), queue)
    body = events.manifest().encode()
    (given,) = events.ecr.get_authorization_token()["authorizationData"]
    headers = {
        "Host": "123456789012.dkr.ecr.us-west-2.amazonaws.com",
        "Authorization": f"Basic {given['authorizationToken']}",
        "Content-Type": MANIFEST,
    }
    path = f"/v2/{events.name}/manifests/v2"
    assert events.sandbox.ask("PUT", path, body, headers)[0] == 201
    assert events.tags(url, 1) == ["v2"]


def test_a_deletion_and_a_scan_arrive_in_the_order_of_the_acts(events: Events) -> None:
    url, queue = events.queue()
    events.rule(events.mine(), queue)
    events.ecr.put_image_scanning_configuration(
        repositoryName=events.name, imageScanningConfiguration={"scanOnPush": True}
    )
    events.push("v1")
    bodies = events.received(url, 2)
    events.ecr.batch_delete_image(repositoryName=events.name, imageIds=[{"imageTag": "v1"}])
    told = [json.loads(body) for body in [*bodies, *events.received(url, 1)]]
    assert [
        (one["detail-type"], one["detail"].get("action-type", one["detail"].get("scan-status")))
        for one in told
    ] == [
        ("ECR Image Action", "PUSH"),
        ("ECR Image Scan", "FAILED"),
        ("ECR Image Action", "DELETE"),
    ]


def test_the_pattern_decides(events: Events) -> None:
    url, queue = events.queue()
    pattern = {
        **events.mine(action_type=["PUSH"], result=["SUCCESS"], image_tag=["production"]),
        "detail-type": ["ECR Image Action"],
    }
    events.rule(pattern, queue)
    last, all_of_it = events.queue("-all")
    events.rule(events.mine(), all_of_it, name="-all")
    for tag in ("v1", "production", "v2"):
        events.push(tag)
    events.ecr.batch_delete_image(
        repositoryName=events.name, imageIds=[{"imageTag": tag} for tag in ("production",)]
    )
    assert events.tags(last, 4) == ["v1", "production", "v2", "production"]
    assert events.tags(url, 1) == ["production"]


def takes_nothing(events: Events, url: str) -> None:
    """A queue stays empty while one of another rule is sent the same push."""
    last, taken = events.queue("-last")
    events.rule(events.mine(), taken, name="-last")
    events.push("v1")
    assert events.tags(last, 1) == ["v1"]
    assert "Messages" not in events.sqs.receive_message(QueueUrl=url)


def test_a_disabled_rule_takes_nothing(events: Events) -> None:
    url, queue = events.queue()
    events.rule(ECR, queue, State="DISABLED")
    takes_nothing(events, url)


def test_a_rule_of_a_schedule_takes_nothing(events: Events) -> None:
    url, queue = events.queue()
    events.rules.put_rule(Name=events.name, ScheduleExpression="rate(5 minutes)")
    events.rules.put_targets(Rule=events.name, Targets=[{"Id": "1", "Arn": queue}])
    takes_nothing(events, url)


def test_a_rule_of_another_bus_takes_nothing(events: Events) -> None:
    url, queue = events.queue()
    bus = {"EventBusName": "other"}
    events.rules.create_event_bus(Name="other")
    events.rules.put_rule(Name="other", EventPattern=json.dumps(ECR), **bus)
    events.rules.put_targets(Rule="other", Targets=[{"Id": "1", "Arn": queue}], **bus)
    takes_nothing(events, url)


def test_a_rule_of_another_region_takes_nothing(events: Events) -> None:
    url, queue = events.queue()
    abroad = events.sandbox.client("events", region_name="eu-west-1")
    abroad.put_rule(Name="abroad", EventPattern=json.dumps(ECR))
    abroad.put_targets(Rule="abroad", Targets=[{"Id": "1", "Arn": queue}])
    takes_nothing(events, url)


def test_a_target_that_fails_keeps_nothing_from_the_others(events: Events) -> None:
    url, queue = events.queue()
    absent = "arn:aws:sqs:us-west-2:123456789012:absent"
    rule = events.rule(events.mine(), absent, queue)
    events.push("v1")
    assert events.tags(url, 1) == ["v1"]
    said = f"did not reach {absent}, a target of {rule}: there is no such queue"
    assert said in events.sandbox.log


def test_a_queue_without_a_policy_is_sent_nothing(events: Events) -> None:
    url, queue = events.queue(let_in=False)
    last, let_in = events.queue("-last")
    events.rule(events.mine(), queue, let_in)
    events.push("v1")
    assert events.tags(last, 1) == ["v1"]
    assert "Messages" not in events.sqs.receive_message(QueueUrl=url)
    said = "no policy on it allows events.amazonaws.com the action sqs:SendMessage"
    assert said in events.sandbox.log


def test_a_target_with_a_role_is_sent_to_by_the_roles_rights(events: Events) -> None:
    url, queue = events.queue(let_in=False)
    last, after = events.queue("-last")
    iam = events.sandbox.client("iam")
    trust = policies.policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )
    role = iam.create_role(RoleName="of-events", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    events.rule(events.mine(), {"Arn": queue, "RoleArn": role}, after)
    events.push("v1")
    assert events.tags(last, 1) == ["v1"]
    assert "is not authorized to perform: sqs:SendMessage on resource" in events.sandbox.log
    document = policies.policy(policies.allow("sqs:SendMessage", on=queue))
    iam.put_role_policy(RoleName="of-events", PolicyName="own", PolicyDocument=document)
    events.push("v2")
    assert events.tags(url, 1) == ["v2"]


def test_a_target_with_a_role_that_does_not_trust_eventbridge_is_not_sent_to(
    events: Events,
) -> None:
    _, queue = events.queue(let_in=False)
    last, after = events.queue("-last")
    role = "arn:aws:iam::123456789012:role/absent"
    events.rule(events.mine(), {"Arn": queue, "RoleArn": role}, after)
    events.push("v1")
    assert events.tags(last, 1) == ["v1"]
    assert f"There is no role {role}" in events.sandbox.log


def test_an_event_of_ones_own_asks_the_queues_policy(events: Events) -> None:
    shut, closed = events.queue("-shut", let_in=False)
    url, queue = events.queue()
    events.rule({"source": ["mine"]}, closed, queue)
    entry = {"Source": "mine", "DetailType": "d", "Detail": "{}"}
    assert events.rules.put_events(Entries=[entry])["FailedEntryCount"] == 0
    (body,) = events.received(url, 1)
    told = json.loads(body)
    assert (told["source"], told["account"]) == ("mine", "123456789012")
    assert "Messages" not in events.sqs.receive_message(QueueUrl=shut)


def test_a_log_group_has_the_event_as_a_line(events: Events) -> None:
    logs = events.sandbox.client("logs")
    group = f"/aws/events/{events.name}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-west-2:123456789012:log-group:{group}"
    logs.put_resource_policy(policyName="events", policyDocument=policy(f"{arn}:*"))
    events.rule(events.mine(), arn)
    events.push("v1")
    until(lambda: bool(logs.filter_log_events(logGroupName=group)["events"]))
    (line,) = logs.filter_log_events(logGroupName=group)["events"]
    assert json.loads(line["message"])["detail"]["image-tag"] == "v1"


def test_a_topic_passes_the_event_on(events: Events) -> None:
    sns = events.sandbox.client("sns")
    topic = sns.create_topic(Name=events.name)["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(topic))
    url, queue = events.queue(let_in=False)
    let_in = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
              "Action": "sqs:SendMessage", "Resource": queue}  # fmt: skip
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=topic, Message="too early")
    attributes = {"Policy": policies.policy(let_in)}
    events.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    events.rule(events.mine(), topic)
    events.push("v1")
    (body,) = events.received(url, 1)
    assert json.loads(json.loads(body)["Message"])["detail"]["image-tag"] == "v1"


def test_a_topic_as_it_is_made_lets_eventbridge_not_in(events: Events) -> None:
    topic = events.sandbox.client("sns").create_topic(Name=events.name)["TopicArn"]
    last, queue = events.queue()
    events.rule(events.mine(), topic, queue)
    events.push("v1")
    assert events.tags(last, 1) == ["v1"]
    assert f"did not reach {topic}" in events.sandbox.log


def test_a_queue_in_order_gets_the_group_that_the_target_names(events: Events) -> None:
    name = {"QueueName": f"{events.name}.fifo"}
    settings = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = events.sqs.create_queue(**name, Attributes=settings)["QueueUrl"]
    queue = f"arn:aws:sqs:us-west-2:123456789012:{events.name}.fifo"
    events.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(queue)})
    events.rule(events.mine(), {"Arn": queue, "SqsParameters": {"MessageGroupId": "images"}})
    events.push("v1")
    assert events.tags(url, 1) == ["v1"]


def test_a_target_is_sent_what_its_template_says(events: Events) -> None:
    url, queue = events.queue()
    transformer = {
        "InputPathsMap": {"tag": "$.detail.image-tag", "name": "$.detail.repository-name"},
        "InputTemplate": '{"said": "<name>:<tag> was pushed"}',
    }
    events.rule(events.mine(), {"Arn": queue, "InputTransformer": transformer})
    events.push("v1")
    assert events.received(url, 1) == [f'{{"said": "{events.name}:v1 was pushed"}}']


def test_a_rule_of_a_stack_takes_events(events: Events) -> None:
    url, queue = events.queue()
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {"EventPattern": events.mine(), "Targets": [{"Id": "1", "Arn": queue}]},
    }
    events.sandbox.client("cloudformation").create_stack(
        StackName="pushed", TemplateBody=json.dumps({"Resources": {"Rule": rule}})
    )
    events.push("v1")
    assert events.tags(url, 1) == ["v1"]


def test_the_events_of_another_account_are_that_accounts(events: Events) -> None:
    url, queue = events.queue()
    events.rule(ECR, queue)
    asked = {"account": "210987654321", "user": "admin"}
    _, made = events.sandbox.control("POST", "accounts", asked)
    theirs = Events(
        events.sandbox,
        "theirs",
        aws_access_key_id=made["access_key_id"],
        aws_secret_access_key=made["secret_access_key"],
    )
    their_url, their_queue = theirs.queue()
    theirs.rule(ECR, their_queue)
    theirs.push("theirs")
    events.push("mine")
    assert theirs.tags(their_url, 1) == ["theirs"]
    assert events.tags(url, 1) == ["mine"]


NOBODY_CALLED = """
import sys
from pathlib import Path
from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.events import store as rules
from labs_helpers.sandbox.events.delivery import EventDelivery
from labs_helpers.sandbox.events.router import Router
from labs_helpers.sandbox.moto.event_targets import SENDERS
from tests.sandbox.events import test_delivery as here

store = here.Store(Path(sys.argv[1]), here.CLOCK)
here.keep(store, "one")
router = Router(rules.opened(Path(sys.argv[1])), here.CLOCK)
EventDelivery(store, router.emit).work()
print(events.queue(store), [name for name in sys.modules if name.startswith("moto")])
"""


def test_events_that_nobody_asked_for_are_dropped_without_loading_moto(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NOBODY_CALLED, str(tmp_path / "ecr")]
    told = subprocess.run(command, timeout=60, check=True, capture_output=True, text=True)
    assert told.stdout == "[] []\n"
