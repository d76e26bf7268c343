"""A repository, and rules and queues for its events, as a client of the sandbox makes them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from tests import policies
from tests.sandbox.sandbox_process import Running

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ECR = {"source": ["aws.ecr"]}
ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "logs": ["logs:CreateLogStream", "logs:PutLogEvents"],
}


class Events:
    """One test's own repository, and rules and queues named after it."""

    def __init__(self, sandbox: Running, name: str, **keys: str) -> None:
        self.sandbox, self.name = sandbox, name
        self.rules = sandbox.client("events", **keys)
        self.sqs = sandbox.client("sqs", **keys)
        self.ecr = sandbox.client("ecr", **keys)
        self.ecr.create_repository(repositoryName=name)

    def queue(self, name: str = "", let_in: bool = True) -> tuple[str, str]:
        """(URL, ARN) of a queue whose policy lets EventBridge in."""
        url = self.sqs.create_queue(QueueName=f"{self.name}{name}")["QueueUrl"]
        asked = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        if let_in:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(arn)})
        return url, arn

    def rule(self, pattern: Any, *targets: Any, name: str = "", **settings: Any) -> str:
        """A rule with targets, each an ARN or a whole target; the rule's ARN."""
        name = f"{self.name}{name}"
        arn = self.rules.put_rule(Name=name, EventPattern=json.dumps(pattern), **settings)
        whole = [one if isinstance(one, dict) else {"Arn": one} for one in targets]
        numbered = [{"Id": str(number), **one} for number, one in enumerate(whole)]
        self.rules.put_targets(Rule=name, Targets=numbered)
        return str(arn["RuleArn"])

    def mine(self, **detail: list[Any]) -> dict[str, Any]:
        """The pattern of this test's repository."""
        named = {key.replace("_", "-"): value for key, value in detail.items()}
        return {**ECR, "detail": {"repository-name": [self.name], **named}}

    def push(self, tag: str) -> str:
        """An image through the control plane; its digest."""
        text = self.manifest()
        self.ecr.put_image(repositoryName=self.name, imageManifest=text, imageTag=tag)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def manifest(self) -> str:
        config = b"{}"
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        name = self.name
        upload = self.ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        self.ecr.upload_layer_part(
            repositoryName=name,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=1,
            layerPartBlob=config,
        )
        asked = {"repositoryName": name, "layerDigests": [digest]}
        known = self.ecr.batch_check_layer_availability(**asked)["layers"][0]
        if known["layerAvailability"] == "UNAVAILABLE":
            self.ecr.complete_layer_upload(uploadId=upload, **asked)
        blob = {"mediaType": CONFIG, "digest": digest, "size": 2}
        return json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": [blob]}
        )

    def received(self, url: str, count: int) -> list[str]:
        """The bodies of the first messages of a queue, once there are that many."""
        found: list[str] = []

        def some() -> bool:
            told = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for one in told.get("Messages", []):
                found.append(one["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            return len(found) >= count

        until(some)
        return found

    def tags(self, url: str, count: int) -> list[str]:
        return [json.loads(body)["detail"]["image-tag"] for body in self.received(url, count)]


def policy(resource: str) -> str:
    service = resource.split(":")[2]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ACTIONS[service],
        "Resource": resource,
    }
    return policies.policy(statement)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it has not happened in 30 seconds"
