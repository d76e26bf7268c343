"""The record of one call, in the shape of CloudTrail's own JSON.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.identity import Principal

VERSION = "1.11"

LARGEST = 16 * 1024
"""Characters of the parameters, and of the answer, as JSON; AWS keeps 100 KB of each."""

_READS = (
    *("Admin", "BatchCheck", "BatchGet", "Check", "Describe", "Detect", "Estimate", "Get", "Head"),
    *("List", "Lookup", "Preview", "Query", "Scan", "Search", "Select", "Simulate", "Test"),
    *("Validate", "AssumeRole", "Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt", "Verify"),
)
"""What the names of operations begin with that change nothing."""

RoleArn = Callable[[str, str], str | None]
"""(account, role's name) -> the role's ARN; None where there is no such role."""


@dataclass(frozen=True)
class Call:
    """One call after its answer.

    resources: ARNs on which IAM decided; params, answer: plain values without secrets, None where
    they are left out; code, message: of a refusal, empty for a success.
    """

    principal: Principal
    service: str
    operation: str
    region: str
    at: datetime
    request_id: str
    source_ip: str
    user_agent: str
    resources: Sequence[str] = ()
    params: Any = None
    answer: Any = None
    code: str = ""
    message: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def read_only(self) -> bool:
        """Whether the operation changes nothing, by its name."""
        return self.operation.startswith(_READS)

    @property
    def source(self) -> str:
        """The eventSource."""
        return f"{self.service}.amazonaws.com"


def of(call: Call, role_arn: RoleArn) -> dict[str, Any]:
    """The record; ``role_arn`` finds the role of a session."""
    refused = {"errorCode": call.code, "errorMessage": call.message} if call.code else {}
    record = {
        "eventVersion": VERSION,
        "userIdentity": identity(call.principal, role_arn),
        "eventTime": call.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": call.source,
        "eventName": call.operation,
        "awsRegion": call.region,
        "sourceIPAddress": call.source_ip,
        "userAgent": call.user_agent,
        **refused,
        "requestParameters": _bounded(call.params),
        "responseElements": None if call.code else _bounded(call.answer),
        "requestID": call.request_id,
        "eventID": call.id,
        "readOnly": call.read_only,
        "resources": resources(call.resources, call.principal.account),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.principal.account,
        "eventCategory": "Management",
    }
    if not record["resources"]:
        del record["resources"]
    return record


def identity(principal: Principal, role_arn: RoleArn) -> dict[str, Any]:
    """The userIdentity of a caller; that of a service which acts as itself names the service.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    if principal.is_service:
        return {"type": "AWSService", "invokedBy": principal.arn}
    kind, *names = principal.arn.split(":")[5].split("/")
    found = {
        "type": _TYPES.get(kind, "Unknown"),
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": principal.access_key_id,
    }
    if kind == "user":
        found["userName"] = names[-1]
    if kind != "assumed-role":
        return found
    issuer = {
        "type": "Role",
        "principalId": principal.user_id.partition(":")[0],
        "arn": role_arn(principal.account, names[0]),
        "accountId": principal.account,
        "userName": names[0],
    }
    session = {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}
    return {**found, "sessionContext": session}


_TYPES = {
    "root": "Root",
    "user": "IAMUser",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
}


def username(principal: Principal) -> str:
    """The name under which LookupEvents finds a caller: a user's, or a session's; "root"."""
    return principal.arn.split(":")[-1].rpartition("/")[2]


def resources(arns: Sequence[str], account: str) -> list[dict[str, str]]:
    """The ``resources`` of a record: ARN, account and type, without patterns and repetitions."""
    return [
        {"accountId": arn.split(":")[4] or account, "type": _type(arn), "ARN": arn}
        for arn in dict.fromkeys(arns)
        if arn.count(":") >= 5 and not set("*?") & set(arn)
    ]


_NAMES = {
    ("ecr", "repository"): "AWS::ECR::Repository",
    ("ecs", "task-definition"): "AWS::ECS::TaskDefinition",
    ("logs", "log-group"): "AWS::Logs::LogGroup",
    ("s3", ""): "AWS::S3::Bucket",
    ("sns", ""): "AWS::SNS::Topic",
    ("sqs", ""): "AWS::SQS::Queue",
}
_SERVICES = {
    **{name: name.upper() for name in ("ecr", "ecs", "iam", "kms", "ssm", "sts", "eks", "ec2")},
    **{"codebuild": "CodeBuild", "codedeploy": "CodeDeploy", "codepipeline": "CodePipeline"},
    **{"secretsmanager": "SecretsManager", "cloudformation": "CloudFormation", "logs": "Logs"},
    "events": "Events",
}


def _type(arn: str) -> str:
    """The type of a resource as CloudFormation names it: AWS::ECR::Repository."""
    service, rest = arn.split(":")[2], arn.split(":", 5)[5]
    kind = rest.replace("/", ":").partition(":")[0] if ":" in rest or "/" in rest else ""
    if name := _NAMES.get((service, kind)) or _NAMES.get((service, "")):
        return name
    words = "".join(word[:1].upper() + word[1:] for word in kind.split("-"))
    return f"AWS::{_SERVICES.get(service, service.title())}::{words or 'Resource'}"


def _bounded(value: Any) -> Any:
    """The value; a note in AWS's words when the value is too long to be kept."""
    length = len(json.dumps(value, default=str))
    if length <= LARGEST:
        return value
    return {"omitted": True, "originalSize": length, "reason": "the field is too large"}
