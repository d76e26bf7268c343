"""Parameters that name a resource otherwise than by its name or ARN, turned into such.

A queue's URL, the parameter that a version or label follows, the text that only one key decrypts:
each has a function here, which returns the parameters as the forms (forms.py) expect them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.authorization.arns import values
from labs_helpers.sandbox.authorization.known import Known
from labs_helpers.sandbox.hosts import Site, site_of
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a request was sent, and what exists there."""

    region: str
    account: str
    known: Known


_QUEUE = re.compile(
    r"https?://(?P<host>[^/?#]+)/(?P<account>\d{12})/(?P<name>[A-Za-z0-9_-]+(?:\.fifo)?)"
)
_QUEUE_HOST = re.compile(r"(?:sqs\.(?P<new>[a-z0-9-]+)|(?P<old>[a-z0-9-]+)\.queue)\.amazonaws\.com")
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?")


def _of_sqs(operation: str, params: Params, place: Place) -> Params:
    """QueueUrl and QueueName as ARNs.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
    """
    found = dict(params)
    if url := params.get("QueueUrl"):
        found["QueueUrl"] = _queue(str(url), place)
    if name := params.get("QueueName"):
        owner = str(params.get("QueueOwnerAWSAccountId") or place.account)
        if not _QUEUE_NAME.fullmatch(str(name)):
            raise Refusal(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. "
                "1 to 80 in length",
            )
        found["QueueName"] = f"arn:aws:sqs:{place.region}:{owner}:{name}"
    return found


def _queue(url: str, place: Place) -> str:
    if _QUEUE_NAME.fullmatch(url):
        return f"arn:aws:sqs:{place.region}:{place.account}:{url}"
    named = _QUEUE.fullmatch(url)
    if named is None or site_of(named["host"]) not in (Site.AWS, Site.LOOPBACK):
        raise Refusal(
            "InvalidAddress", f"The address {url[:200]} is not valid for this endpoint.", 404
        )
    host = _QUEUE_HOST.fullmatch(named["host"])
    region = (host["new"] or host["old"]) if host else place.region
    region = "us-east-1" if host and region == "queue" else region
    return f"arn:aws:sqs:{region}:{named['account']}:{named['name']}"


_PROTOCOLS = (
    "application",
    "email",
    "email-json",
    "firehose",
    "http",
    "https",
    "lambda",
    "sms",
    "sqs",
)


def _of_sns(operation: str, params: Params, place: Place) -> Params:
    """The topic of a subscription: what its ARN has before the last colon.

    Raises Refusal for a protocol that SNS does not have:
    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    protocol = params.get("Protocol")
    if operation == "Subscribe" and protocol and str(protocol).lower() not in _PROTOCOLS:
        words = "Invalid parameter: Amazon SNS does not support this protocol string: "
        raise Refusal("InvalidParameter", words + str(protocol)[:80])
    arn = str(params.get("SubscriptionArn") or "")
    return {**params, "SubscriptionArn": arn.rpartition(":")[0]} if arn.count(":") == 6 else params


def _of_ssm(operation: str, params: Params, place: Place) -> Params:
    """Names of parameters without a slash before them, a version or a label behind them.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    """
    found = dict(params)
    for name in ("Name", "Path", "Names"):
        if given := values(params, name):
            found[name] = [_parameter(each) for each in given]
    kind, identity = params.get("ResourceType"), params.get("ResourceId")
    if kind and identity:
        if kind != "Parameter":
            raise not_implemented(f"tags of a resource of the type {str(kind)[:80]}")
        found["ResourceId"] = _parameter(str(identity))
    return found


def _parameter(name: str) -> str:
    if not name.startswith("arn:"):
        return name.partition(":")[0].lstrip("/") or "*"
    *begins, resource = name.split(":", 5)
    return ":".join([*begins, resource.partition(":")[0]])


def _of_ec2(operation: str, params: Params, place: Place) -> Params:
    """A group that is not made yet has a name, and no id that a policy could be on."""
    if operation != "CreateSecurityGroup":
        return params
    return {name: value for name, value in params.items() if name != "GroupName"}


_OF_SERVICES = ("serviceDeploymentArn", "serviceDeploymentArns", "serviceRevisionArns")


def _of_ecs(operation: str, params: Params, place: Place) -> Params:
    """The service of a service deployment and of a service revision, which their ARNs have.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    found = []
    for name in _OF_SERVICES:
        value = params.get(name) or []
        for arn in [value] if isinstance(value, str) else value:
            begins, _, rest = str(arn).partition(":service-")
            if rest.count("/") == 3:
                found.append(f"{begins}:service/{'/'.join(rest.split('/')[1:3])}")
    sets = {name: _task_sets(params, name, place) for name in ("taskSet", "taskSets")}
    named = {name: given for name, given in sets.items() if given}
    return {**params, **named, **({"services": found} if found else {})}


def _task_sets(params: Params, name: str, place: Place) -> list[str]:
    """The ARNs of task sets, whose IDs have a slash: ecs-svc/123.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
    """
    where = f"arn:aws:ecs:{place.region}:{place.account}:task-set"
    owners = [
        str(params.get(each) or usual).rpartition("/")[2]
        for each, usual in (("cluster", "default"), ("service", "*"))
    ]
    return [
        each if each.startswith("arn:") else "/".join([where, *owners, each])
        for each in values(params, name)
    ]


def _of_elasticloadbalancing(operation: str, params: Params, place: Place) -> Params:
    """The load balancer that will be made, whose ARN has its kind.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
    """
    name = params.get("Name")
    if operation != "CreateLoadBalancer" or not name:
        return params
    kind = {"network": "net", "gateway": "gwy"}.get(str(params.get("Type")), "app")
    where = f"arn:aws:elasticloadbalancing:{place.region}:{place.account}"
    return {**params, "NewLoadBalancer": f"{where}:loadbalancer/{kind}/{name}/*"}


_ORGANIZED = {
    "account": re.compile(r"\d{12}"),
    "organizationalunit": re.compile(r"ou-.+"),
    "policy": re.compile(r"p-.+"),
    "root": re.compile(r"r-.+"),
}
"""https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListChildren.html"""


def _of_organizations(operation: str, params: Params, place: Place) -> Params:
    """Ids by the type that they are of, whatever the parameter is called."""
    given = [value for value in params.values() if isinstance(value, str)]
    return {
        kind: [each for each in given if form.fullmatch(each)] for kind, form in _ORGANIZED.items()
    }


def _of_dynamodb(operation: str, params: Params, place: Place) -> Params:
    """The tables that a batch names as the keys of a map."""
    items = params.get("RequestItems")
    return {**params, "RequestItems": list(items)} if isinstance(items, Mapping) else params


def _of_kms(operation: str, params: Params, place: Place) -> Params:
    """The key of an alias or of a text, beside the key that a request names."""
    found = dict(params)
    for name in ("KeyId", "TargetKeyId"):
        if given := params.get(name):
            # the alias is looked up in the account and region of its ARN
            found[name] = str(given).replace(":alias/", ":key/alias/", 1)
    if operation in ("Decrypt", "ReEncryptFrom"):
        of_text = place.known.key_of(str(params.get("CiphertextBlob", "")))
        given = values(found, "KeyId")
        # a text of another account is opened in the account of the key that the request names
        where = [each.rpartition(":")[0] for each in given if each.startswith("arn:aws:kms:")]
        if of_text and where:
            of_text = f"{where[0]}:key/{of_text}"
        found["KeyId"] = [*given, *([of_text] if of_text else [])]
    return found


def _of_cloudformation(operation: str, params: Params, place: Place) -> Params:
    """The stacks of a change set, beside the stack that a request names."""
    named = params.get("ChangeSetName")
    if not named or operation == "CreateChangeSet":
        return params
    stacks = place.known.stacks_of(place.account, place.region, str(named))
    return {**params, "StackName": [*values(params, "StackName"), *stacks]}


def _of_codedeploy(operation: str, params: Params, place: Place) -> Params:
    """The deployment groups of the deployments that a request names.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html
    """
    named = [*values(params, "deploymentId"), *values(params, "deploymentIds")]
    found = [place.known.group_of(place.account, place.region, each) for each in named]
    groups = [each for each in found if each]
    if not groups:
        return params
    applications = [each.rpartition(":")[2].partition("/")[0] for each in groups]
    return {**params, "applicationName": applications, "deploymentGroupName": groups}


SPELLED: Mapping[str, Callable[[str, Params, Place], Params]] = {
    "cloudformation": _of_cloudformation,
    "codedeploy": _of_codedeploy,
    "dynamodb": _of_dynamodb,
    "ec2": _of_ec2,
    "ecs": _of_ecs,
    "elasticloadbalancing": _of_elasticloadbalancing,
    "kms": _of_kms,
    "organizations": _of_organizations,
    "sns": _of_sns,
    "sqs": _of_sqs,
    "ssm": _of_ssm,
}
"""By the prefix of the service's actions: (operation, parameters, place) -> parameters."""
