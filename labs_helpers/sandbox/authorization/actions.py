"""What a request needs of IAM: its actions, their resources, and the keys of both.

Names of actions, types of resources: AWS's service authorization reference, kept in tables/ and
held equal to it by tests/sandbox/authorization/test_reference.py.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.authorization import exact, iam, s3, several, tagging
from labs_helpers.sandbox.authorization.arns import account_of, made, values, wild
from labs_helpers.sandbox.authorization.forms import BY_ARN, FORMS, OF_ID, WITHOUT_TYPE
from labs_helpers.sandbox.authorization.iam import Names, tag_keys
from labs_helpers.sandbox.authorization.known import Known, Nothing
from labs_helpers.sandbox.authorization.models import LISTED
from labs_helpers.sandbox.authorization.passed import passed
from labs_helpers.sandbox.authorization.s3_requests import object_of_url
from labs_helpers.sandbox.authorization.spelled import SPELLED, Place
from labs_helpers.sandbox.authorization.tables import Row, arn_formats, start, table
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.refusal import Refusal

_OF_ARN = ("TagResource", "UntagResource", "ListTagsForResource", "AddTags", "RemoveTags")
_TAGS = ("CreateTags",)
"""An operation that is the action on tags itself."""
_SILENT = ("Describe", "Get", "List")
"""EC2 names no resource in its refusal of these."""


def needed(
    asked: ApiRequest, caller: Principal, region: str, names: Names, known: Known | None = None
) -> list[Permission]:
    """Every permission that the request needs; an operation that anybody may call needs none.

    Raises Refusal for an ARN that is the ARN of no type of resource.
    """
    exact.check(asked)
    if asked.service == "s3":
        found = list(s3.needed(asked))
    elif asked.service == "sts":
        found = list(iam.of_sts(asked, caller))
    elif asked.service == "iam":
        row = table("iam").get(asked.operation, {})
        found = list(iam.of_iam(asked, row, caller, names))
    elif asked.service in LISTED:
        place = Place(region, caller.account, known or Nothing())
        found = [each for one in several.actions(asked) for each in _listed(one, place)]
        if asked.service == "tagging":
            found += tagging.needed(asked, place.known)
        found += _elsewhere(asked, caller, found)
    else:
        found = [Permission(f"{asked.prefix}:{asked.operation}")]
    tags = () if asked.operation in _TAGS else tagging.on_creation(asked, found)
    return [*found, *tags, *passed(asked, caller, names)]


def _elsewhere(
    asked: ApiRequest, caller: Principal, found: list[Permission]
) -> Iterator[Permission]:
    """The resources of other accounts that a request names where no action of its own is on them.

    They are decided on like the others, so that only a policy of theirs lets the request in.
    """
    action = f"{asked.prefix}:{asked.operation}"
    covered = {each.resource for each in found}
    for arn in dict.fromkeys(_arns_in(asked.params, f"arn:aws:{asked.prefix}:", "")):
        if account_of(arn) not in ("", caller.account) and arn not in covered:
            yield Permission(action, arn, account_of(arn))


_DATA = frozenset(
    {
        "Description",
        "Detail",
        "Input",
        "Item",
        "Key",
        "Message",
        "MessageBody",
        "SecretString",
        "Subject",
        "Value",
        "description",
        "message",
        "value",
    }
)
"""Members with text of the caller's, which names nothing even where it looks like an ARN."""


def _arns_in(value: Any, begins: str, member: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name not in _DATA:
                yield from _arns_in(each, begins, name)
    elif isinstance(value, list):
        for each in value:
            yield from _arns_in(each, begins, member)
    elif isinstance(value, str) and value.startswith(begins) and " " not in value:
        yield value


def _listed(asked: ApiRequest, place: Place) -> Iterator[Permission]:
    prefix = asked.prefix
    spelled = SPELLED.get(prefix)
    params = spelled(asked.operation, asked.params, place) if spelled else asked.params
    row = table(prefix).get(asked.operation, {})
    action = f"{prefix}:{asked.operation}"
    whose = (place.region, place.account)
    keys = {**_tags(params), **_own_keys(asked, row, start(prefix, "cluster", *whose))}
    arns, shown = list(dict.fromkeys(_arns(prefix, asked.operation, params, row, place))), None
    if not arns:
        form = WITHOUT_TYPE.get((prefix, asked.operation))
        arns = [wild(form, params, start(prefix, "", *whose)) if form else "*"]
        if prefix == "ec2" and asked.operation.startswith(_SILENT):
            shown = ""
    for arn in arns:
        yield Permission(action, arn, account_of(arn), keys, shown)
    if prefix == "cloudformation":
        for url in values(params, "TemplateURL"):
            if bucket_and_key := object_of_url(url):
                yield Permission("s3:GetObject", f"arn:aws:s3:::{'/'.join(bucket_and_key)}")


def _arns(
    prefix: str, operation: str, params: Mapping[str, Any], row: Row, place: Place
) -> Iterator[str]:
    """The ARNs of the resources that an action is on."""
    whose = (place.region, place.account)
    if not row.get("needs") and not row.get("may"):
        return
    if operation in _OF_ARN or "Policy" in operation:
        given = [each for name in BY_ARN for each in values(params, name)]
        if given:
            for each in given:
                if not each.startswith(f"arn:aws:{prefix}:"):
                    words = f"'{each[:200]}' is no ARN of a resource of {prefix}."
                    raise Refusal("ValidationException", words)
                yield each
            return
    if prefix == "events" and any(kind.startswith("rule-") for kind in row.get("may", ())):
        yield from _rules(params, start(prefix, "", *whose))
        return
    if prefix == "ec2" and operation in ("CreateTags", "DeleteTags"):
        for each in values(params, "ResourceId"):
            kind = OF_ID.get(each.partition("-")[0], "")
            if not kind:
                # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
                raise Refusal("InvalidID", f"The ID '{each[:200]}' is not valid")
            yield f"{start(prefix, kind, *whose)}{kind}/{each}"
        return
    forms = FORMS[prefix]
    for kind in row.get("needs", ()):
        if kind not in arn_formats()[prefix]:
            continue  # another service's, which is asked for by itself
        form = forms.get(kind, f"{kind}/{{{kind}}}")
        if kind == "task-definition" and operation == "RegisterTaskDefinition":
            form = "task-definition/{family}:*"
        of_kind = start(prefix, kind, *whose)
        yield from _meant(kind, made(form, params, of_kind), place) or [wild(form, params, of_kind)]
    for kind in row.get("may", ()):
        if kind in forms:
            yield from _meant(kind, made(forms[kind], params, start(prefix, kind, *whose)), place)


def _meant(kind: str, arns: list[str], place: Place) -> list[str]:
    """The resources that ARNs with a name, an alias or another id mean."""
    found: list[str] = []
    for arn in arns:
        meant = place.known.meant(kind, arn)
        found += [arn] if meant is None else meant
    return found


def _rules(params: Mapping[str, Any], begins: str) -> list[str]:
    """The ARN of a rule: on the default event bus it has no bus in it."""
    form = "rule/{EventBusName=default}/{Name|Rule=*}"
    found = made(form, params, begins)
    return [each.replace(":rule/default/", ":rule/") for each in found]


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
