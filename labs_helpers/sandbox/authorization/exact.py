"""Every ARN of a request has exactly the form of a type of resource, or the request is refused.

moto keeps one piece of an ARN (`arn.split("/")[-1]`, `split(":")[-1]`), and a decision is made on
the whole ARN. An ARN with a segment too many or too few would so name two resources. The forms are
AWS's, of tables/arns.json; in a name stands no separator of the form.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from labs_helpers.sandbox.authorization.forms import BY_ARN, FORMS, OF_ID
from labs_helpers.sandbox.authorization.tables import arn_formats, table
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.service.refusal import Refusal

_PLAIN = r"[^:/*?\s]+"
_WITH_SLASHES = r"[^:*?\s]+"
_NAMES: Mapping[str, str] = {
    "Account": r"[0-9]{12}",
    "AlarmName": r"[^:*?]+",
    "Alias": r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*",
    "BuildId": r"[^:/*?\s]+:[^:/*?\s]+",
    "LogGroupName": _WITH_SLASHES,
    "LogStreamName": _WITH_SLASHES,
    # a version or a label follows the name:
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    "ParameterNameWithoutLeadingSlash": r"[^:/*?\s]+(?:/[^:/*?\s]+)*(?::[^:/*?\s]+)?",
    "Partition": "aws",
    "Region": r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+",
    "RepositoryName": r"[^:/*?\s]+(?:/[^:/*?\s]+)*",
    "SecretId": _WITH_SLASHES,
    "StreamLabel": r"[0-9T:.-]+",
    "TaskSetId": r"(?:ecs-svc/)?[^:/*?\s]+",
}
"""What a name of a form may be, where the name may have a separator or only some characters."""

_MORE: Mapping[str, Mapping[str, str]] = {
    "iam": {
        "aws-policy": "arn:${Partition}:iam::aws:policy/${PolicyNameWithPath}",
        "root": "arn:${Partition}:iam::${Account}:root",
    },
    "sns": {"subscription": "arn:${Partition}:sns:${Region}:${Account}:${TopicName}:${Id}"},
    "sts": {
        "assumed-role": "arn:${Partition}:sts::${Account}:assumed-role/${Role}/${Session}",
    },
}
"""ARNs that a request may have and a policy may not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

_BY_ARN_ONLY: Mapping[str, tuple[str, ...]] = {
    "codepipeline": ("pipeline",),
    "dynamodb": ("table",),
    "elasticloadbalancing": (),
    "ecs": ("cluster", "service", "task", "task-definition", "container-instance"),
    "events": ("event-bus", "rule-on-custom-event-bus", "rule-on-default-event-bus"),
    "logs": ("log-group",),
}
"""The types that the sandbox has, where moto would take an ARN of another type for one of these.

moto looks a load balancer and what belongs to it up by the whole ARN; there every type is taken.
"""

_WHOSE_PARAMETER: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "cloudtrail": {"trailNameList": ("trail",)},
    "codebuild": {
        "id": ("build", "build-batch", "sandbox"),
        "ids": ("build", "build-batch", "sandbox"),
        "arn": ("fleet", "report", "report-group"),
        "reportArn": ("report",),
        "reportArns": ("report",),
    },
    "dynamodb": {"IndexName": ("index",), "RequestItems": ("table",), "TableName": ("table",)},
    "ecs": {"clusterArn": ("cluster",)},
    # the tables have the type of a Classic Load Balancer for some operations of version 2
    "elasticloadbalancing": {
        "LoadBalancerArn": ("loadbalancer/app/", "loadbalancer/gwy/", "loadbalancer/net/")
    },
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
    "kms": {"KeyId": ("key", "alias"), "AliasName": ("alias",)},
    "secretsmanager": {"SecretIdList": ("Secret",)},
    "sns": {"SubscriptionArn": ("subscription",)},
}
"""The types of resource that a parameter takes an ARN of, where forms.py does not say so.

forms.py has a parameter of ListX under the type of X, and one of an alias under that of its key.
"""

_CODES: Mapping[str, str] = {
    "cloudformation": "ValidationError",
    "codebuild": "InvalidInputException",
    "codecommit": "InvalidResourceArnException",
    "codedeploy": "InvalidArnException",
    "codepipeline": "InvalidArnException",
    "ec2": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
    "eks": "InvalidParameterException",
    "elasticloadbalancing": "ValidationError",
    "kms": "InvalidArnException",
    "logs": "InvalidParameterException",
    "monitoring": "ValidationError",
    "organizations": "InvalidInputException",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "tagging": "InvalidParameterException",
}
"""The code of a service for a value that it does not take; elsewhere ValidationException."""

DATA = frozenset(
    {
        "AttributeValue",
        "Attributes",
        "Dimensions",
        "Detail",
        "EncryptionContext",
        "ExclusiveStartKey",
        "Expected",
        "ExpressionAttributeValues",
        "Input",
        "Item",
        "Key",
        "Message",
        "MessageAttributes",
        "MessageBody",
        "ParameterValue",
        "SecretString",
        "Subject",
        "Tag",
        "TagFilters",
        "TagKeys",
        "Tags",
        "Value",
        "Values",
        "environment",
        "message",
        "tagKeys",
        "tags",
        "value",
        "valueFrom",
    }
)
"""Members with text of the caller's, which names no resource even where it looks like an ARN."""

WORDS = ("Description", "description", "AlarmDescription", "StateReason", "Reason")
EVENT = ("Resources", "Source", "DetailType", "TaskDefinitionArn")
"""What an event tells of, whatever it is; and the task definition of a target, with a revision or
without, which RunTask reads when an event has come."""


_TARGETS = ("logs", "sns", "sqs")
"""The services that an event gets to."""


class NoResource(Refusal):
    """An ARN has the form of no type of resource."""


def check(asked: ApiRequest) -> None:
    """Raise NoResource for an ARN that has the form of no type of resource of its service.

    Amazon S3, IAM and STS look ARNs up whole, and have rules of their own.
    """
    if asked.service in ("iam", "s3", "sts"):
        return
    for member, arn in arns_in(asked.params, asked.service):
        if not arn.startswith("arn:"):
            continue
        service = arn.split(":")[2] if arn.count(":") >= 5 else asked.prefix
        if asked.operation == "PutTargets" and member == "Arn" and service not in _TARGETS:
            continue  # refused as a target, in words of its own: moto/table.py
        kinds = _kinds(asked, member) if service == asked.prefix else ()
        if member not in BY_ARN and service == "logs" and ":log-group:" in arn:
            # so DescribeLogGroups spells a log group
            arn = arn.removesuffix(":*")
        # elsewhere than in a parameter for an ARN, a text that is no ARN says nothing of a resource
        whole = arn.count(":") >= 5
        known = (service in arn_formats() or service in _MORE) if whole else bool(kinds)
        if known and not fits(arn, service, kinds):
            raise refusal(asked.service, arn, service, kinds)


def refusal(service: str, arn: str, of: str, kinds: Iterable[str] = ()) -> NoResource:
    """What a service answers to an ARN that no resource of `of` has, or none of these types."""
    wanted = " or ".join(kinds)
    is_of = next((kind for kind in arn_formats().get(of, {}) if fits(arn, of, [kind])), None)
    if wanted and is_of:
        words = f"'{arn[:200]}' is no ARN of a resource of the type {wanted}, but of {is_of}."
    else:
        words = f"'{arn[:200]}' is no ARN of a resource of {of[:40]}."
    return NoResource(_CODES.get(service, "ValidationException"), words)


def fits(arn: str, service: str, kinds: Iterable[str] = ()) -> bool:
    """Whether an ARN has exactly the form of a type of the service, of `kinds` if there are any."""
    forms = {**arn_formats().get(service, {}), **_MORE.get(service, {})}
    wanted = [kind for kind in kinds if kind in forms] or list(forms)
    return any(
        (found := _pattern(forms[kind]).fullmatch(arn)) is not None
        and (service != "ec2" or _id_fits(kind, found[0]))
        for kind in wanted
    )


def kinds_by_arn(prefix: str, operation: str) -> tuple[str, ...]:
    """The types that an operation on whatever resource has an ARN takes; () for every type."""
    row = table(prefix).get(operation, {})
    named = (*row.get("needs", ()), *row.get("may", ()))
    held = _BY_ARN_ONLY.get(prefix)
    if held is None:
        return named
    return tuple(kind for kind in held if kind in named) or held


def arns_in(params: Mapping[str, Any], service: str) -> Iterator[tuple[str, str]]:
    """(member, text) of every text that may name a resource."""
    skipped = {*DATA, *WORDS, *(EVENT if service == "events" else ())}
    yield from _texts(params, "", skipped)


def _texts(value: Any, member: str, skipped: set[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in skipped:
                continue
            if isinstance(name, str) and name.startswith("arn:"):
                yield member, name  # DynamoDB names tables as the keys of a map
            yield from _texts(each, name, skipped)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, member, skipped)
    elif isinstance(value, str):
        yield member, value


def _kinds(asked: ApiRequest, member: str) -> tuple[str, ...]:
    if member in BY_ARN:
        return kinds_by_arn(asked.prefix, asked.operation)
    if held := _WHOSE_PARAMETER.get(asked.prefix, {}).get(member):
        return held
    row = table(asked.prefix).get(asked.operation, {})
    named = {*row.get("needs", ()), *row.get("may", ())}
    spelled = _spelled(asked.prefix).get(member, ())
    return tuple(kind for kind in spelled if kind in named) or spelled


@cache
def _spelled(prefix: str) -> Mapping[str, tuple[str, ...]]:
    """The types that each parameter of a service names: it is the last in the form of the type.

    What stands before the last is the name of what the resource belongs to, of another type.
    """
    found: dict[str, tuple[str, ...]] = {}
    for kind, form in FORMS.get(prefix, {}).items():
        holes = re.findall(r"\{([^}=]+)[^}]*\}", form)
        for path in holes[-1].split("|") if holes else ():
            member = path.rpartition(".")[2]
            if not member.endswith("<:"):  # the ARN of what belongs to the resource
                found[member] = (*found.get(member, ()), kind)
    return found


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"\$\{(\w+)\}", form)
    texts = [re.escape(part) for part in parts[::2]]
    names = [f"(?:{_name(each)})" for each in parts[1::2]]
    return re.compile("".join(a + b for a, b in zip(texts, [*names, ""], strict=True)))


def _name(variable: str) -> str:
    if variable.endswith("WithPath") or variable == "OidcProviderName":
        return r"[^:/*?\s]+(?:/[^:/*?\s]+)*"
    return _NAMES.get(variable, r"[^:]+" if variable == "ObjectName" else _PLAIN)


def _id_fits(kind: str, arn: str) -> bool:
    """Whether the id in an ARN of EC2 is of the type in the ARN: moto looks at the id alone."""
    begins = arn.rpartition("/")[2].partition("-")[0]
    other = OF_ID.get(begins)
    return other is None or other == kind or kind == "key-pair"
