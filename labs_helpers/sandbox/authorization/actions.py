"""What a request needs of IAM: its actions, their resources, and the keys of both.

Names of actions, types of resources: AWS's service authorization reference, kept in tables/ and
held equal to it by tests/sandbox/authorization/test_reference.py.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.authorization import iam, s3
from labs_helpers.sandbox.authorization.forms import (
    BY_ARN,
    FORMS,
    OF_ID,
    PASSED,
    WITHOUT_TYPE,
    account_of,
    made,
    values,
    wild,
)
from labs_helpers.sandbox.authorization.iam import Names, tag_keys
from labs_helpers.sandbox.authorization.models import LISTED
from labs_helpers.sandbox.authorization.s3_requests import object_of_url
from labs_helpers.sandbox.authorization.tables import Row, arn_formats, start, table
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.identity import Principal

_OF_ARN = ("TagResource", "UntagResource", "ListTagsForResource")
_PROFILED = ("RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation")
_SILENT = ("Describe", "Get", "List")
"""EC2 names no resource in its refusal of these."""


def needed(asked: ApiRequest, caller: Principal, region: str, names: Names) -> list[Permission]:
    """Every permission that the request needs; an operation that anybody may call needs none."""
    if asked.service == "s3":
        found = list(s3.needed(asked))
    elif asked.service == "sts":
        found = list(iam.of_sts(asked, caller))
    elif asked.service == "iam":
        row = table("iam").get(asked.operation, {})
        found = list(iam.of_iam(asked, row, caller, names))
    elif asked.service in LISTED:
        found = list(_listed(asked, caller, region))
    else:
        found = [Permission(f"{asked.prefix}:{asked.operation}")]
    return [*found, *_passed(asked, caller, names)]


def _listed(asked: ApiRequest, caller: Principal, region: str) -> Iterator[Permission]:
    service, params = asked.service, asked.params
    row = table(service).get(asked.operation, {})
    action = f"{asked.prefix}:{asked.operation}"
    whose = (region, caller.account)
    keys = {**_tags(params), **_own_keys(asked, row, start(service, "cluster", *whose))}
    arns, shown = list(_arns(asked, row, whose)), None
    if not arns:
        form = WITHOUT_TYPE.get((service, asked.operation))
        arns = [wild(form, params, start(service, "", *whose)) if form else "*"]
        if service == "ec2" and asked.operation.startswith(_SILENT):
            shown = ""
    for arn in arns:
        yield Permission(action, arn, account_of(arn), keys, shown)
    if service == "cloudformation":
        for url in values(params, "TemplateURL"):
            if place := object_of_url(url):
                yield Permission("s3:GetObject", f"arn:aws:s3:::{'/'.join(place)}")


def _arns(asked: ApiRequest, row: Row, whose: tuple[str, str]) -> Iterator[str]:
    service, params = asked.service, asked.params
    if not row.get("needs") and not row.get("may"):
        return
    if asked.operation in _OF_ARN or "Policy" in asked.operation:
        for name in BY_ARN:
            if given := params.get(name):
                yield str(given)
                return
    if service == "events" and any(kind.startswith("rule-") for kind in row.get("may", ())):
        yield _rule(params, start(service, "", *whose))
        return
    if service == "ec2" and "ResourceId" in params:
        for each in values(params, "ResourceId"):
            kind = OF_ID.get(each.partition("-")[0], "*")
            yield f"{start(service, kind, *whose)}{kind}/{each}"
        return
    forms = FORMS[service]
    for kind in row.get("needs", ()):
        if kind not in arn_formats()[service]:
            continue  # another service's, which is asked for by itself
        form = forms.get(kind, f"{kind}/{{{kind}}}")
        if kind == "task-definition" and asked.operation == "RegisterTaskDefinition":
            form = "task-definition/{family}:*"
        of_kind = start(service, kind, *whose)
        yield from made(form, params, of_kind) or [wild(form, params, of_kind)]
    for kind in row.get("may", ()):
        if kind in forms:
            yield from made(forms[kind], params, start(service, kind, *whose))


def _rule(params: Mapping[str, Any], begins: str) -> str:
    """A rule of the default event bus has no bus in its ARN."""
    name = params.get("Name") or params.get("Rule") or "*"
    bus = str(params.get("EventBusName") or "default").rpartition("/")[2]
    return f"{begins}rule/{name}" if bus == "default" else f"{begins}rule/{bus}/{name}"


def _own_keys(asked: ApiRequest, row: Row, begins: str) -> dict[str, tuple[str, ...]]:
    """ecs:cluster, which most actions of ECS have: the cluster's ARN."""
    if asked.service != "ecs" or "ecs:cluster" not in row.get("keys", ()):
        return {}
    clusters = made("cluster/{cluster|clusterArn=default}", asked.params, begins)
    return {"ecs:cluster": tuple(clusters[:1])}


def _tags(params: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The tags of a request, however the service spells them."""
    given = params.get("tags", params.get("Tags"))
    found: dict[str, str] = {}
    if isinstance(given, Mapping):
        found = {str(key): str(value) for key, value in given.items()}
    for tag in _tag_lists(params, given):
        key = tag.get("key", tag.get("Key"))
        if key is not None:
            found[str(key)] = str(tag.get("value", tag.get("Value", "")))
    removed = values(params, "tagKeys") or values(params, "TagKeys")
    return tag_keys(found) or ({"aws:tagkeys": tuple(removed)} if removed else {})


def _tag_lists(params: Mapping[str, Any], given: Any) -> Iterator[Mapping[str, Any]]:
    lists = [given, params.get("Tag")]
    specified = params.get("TagSpecification")
    for one in specified if isinstance(specified, list) else ():
        if isinstance(one, Mapping):
            lists.append(one.get("Tag"))
    for each in lists:
        if isinstance(each, list):
            yield from (tag for tag in each if isinstance(tag, Mapping))


def _passed(asked: ApiRequest, caller: Principal, names: Names) -> Iterator[Permission]:
    """iam:PassRole for each role that the request hands to a service."""
    if asked.service == "ec2" and asked.operation in _PROFILED:
        yield from _of_profile(asked, caller, names)
    for path, service in PASSED.get(asked.service, {}).get(asked.operation, ()):
        for role in dict.fromkeys(values(asked.params, path)):
            arn = (
                role if role.startswith("arn:") else names.entity_arn(caller.account, "role", role)
            )
            arn = arn or f"arn:aws:iam::{caller.account}:role/{role}"
            keys = {"iam:passedtoservice": (f"{service}.amazonaws.com",)}
            yield Permission("iam:PassRole", arn, account_of(arn), keys)


def _of_profile(asked: ApiRequest, caller: Principal, names: Names) -> Iterator[Permission]:
    """An instance profile hands its role to the instance."""
    for name in values(asked.params, "IamInstanceProfile.Name") + [
        arn.rpartition("/")[2] for arn in values(asked.params, "IamInstanceProfile.Arn")
    ]:
        role = names.role_of_profile(caller.account, name)
        arn = role or f"arn:aws:iam::{caller.account}:role/{name}"
        keys = {"iam:passedtoservice": ("ec2.amazonaws.com",)}
        yield Permission("iam:PassRole", arn, account_of(arn), keys)
