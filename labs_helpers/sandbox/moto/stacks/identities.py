"""Types of IAM. A stack that has one needs a capability:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html#using-iam-capabilities
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import (
    Create,
    Delete,
    Kind,
    Made,
    Properties,
    given,
    kind,
    tags_of,
    text_of,
    undone_on_failure,
)

IAM = "CAPABILITY_IAM"


def _role(properties: Properties) -> dict[str, Any]:
    return {
        "AssumeRolePolicyDocument": text_of(properties.get("AssumeRolePolicyDocument")),
        "Description": properties.get("Description"),
        "MaxSessionDuration": properties.get("MaxSessionDuration"),
        "PermissionsBoundary": properties.get("PermissionsBoundary"),
    }


def _maker(entity: str) -> Create:
    """Creates a User, Role or Group with its policies."""

    def create(calls: Calls, name: str, properties: Properties) -> Made:
        name = str(properties.get(f"{entity}Name", name))
        more: dict[str, Any] = _role(properties) if entity == "Role" else {}
        if entity != "Group":
            more["Tags"] = tags_of(calls, properties) or None
        path = properties.get("Path")
        answer = calls("iam", f"Create{entity}", **{f"{entity}Name": name}, Path=path, **more)
        found = answer[entity]
        attributes = {"Arn": found["Arn"], f"{entity}Id": found[f"{entity}Id"]}
        made = Made(name, attributes)
        with undone_on_failure(calls, made, _taker(entity)):
            _set_policies(calls, entity, made, properties)
            for group in properties.get("Groups", ()) if entity == "User" else ():
                calls("iam", "AddUserToGroup", UserName=name, GroupName=group)
        return made

    return create


def _set_policies(calls: Calls, entity: str, made: Made, properties: Properties) -> None:
    named = {f"{entity}Name": made.physical_id}
    was = made.properties
    for arn in _without(was.get("ManagedPolicyArns", ()), properties.get("ManagedPolicyArns", ())):
        calls("iam", f"Detach{entity}Policy", **named, PolicyArn=arn)
    for arn in _without(properties.get("ManagedPolicyArns", ()), was.get("ManagedPolicyArns", ())):
        calls("iam", f"Attach{entity}Policy", **named, PolicyArn=arn)
    new = {each["PolicyName"]: each["PolicyDocument"] for each in properties.get("Policies", ())}
    for old in was.get("Policies", ()):
        if old["PolicyName"] not in new:
            calls("iam", f"Delete{entity}Policy", **named, PolicyName=old["PolicyName"])
    for name, document in new.items():
        calls(
            "iam", f"Put{entity}Policy", **named, PolicyName=name, PolicyDocument=text_of(document)
        )


def _update_role(calls: Calls, made: Made, properties: Properties) -> None:
    named = {"RoleName": made.physical_id}
    trust = properties.get("AssumeRolePolicyDocument")
    if trust != made.properties.get("AssumeRolePolicyDocument"):
        calls("iam", "UpdateAssumeRolePolicy", **named, PolicyDocument=text_of(trust))
    _set_policies(calls, "Role", made, properties)


def _taker(entity: str) -> Delete:
    """Deletes a User, Role or Group, with the policies that it has and the groups that it is in."""

    def delete(calls: Calls, made: Made) -> None:
        named = {f"{entity}Name": made.physical_id}
        for each in calls("iam", f"ListAttached{entity}Policies", **named)["AttachedPolicies"]:
            calls("iam", f"Detach{entity}Policy", **named, PolicyArn=each["PolicyArn"])
        for name in calls("iam", f"List{entity}Policies", **named)["PolicyNames"]:
            calls("iam", f"Delete{entity}Policy", **named, PolicyName=name)
        if entity == "User":
            for group in calls("iam", "ListGroupsForUser", **named)["Groups"]:
                calls("iam", "RemoveUserFromGroup", **named, GroupName=group["GroupName"])
        calls("iam", f"Delete{entity}", **named)

    return delete


_HOLDERS = {"Users": "User", "Roles": "Role", "Groups": "Group"}


def _create_managed(calls: Calls, name: str, properties: Properties) -> Made:
    arn = calls(
        "iam",
        "CreatePolicy",
        PolicyName=properties.get("ManagedPolicyName", name),
        PolicyDocument=text_of(properties.get("PolicyDocument")),
        Description=properties.get("Description"),
        Path=properties.get("Path"),
    )["Policy"]["Arn"]
    made = Made(arn, {"PolicyArn": arn})
    with undone_on_failure(calls, made, _delete_managed):
        for _, entity, holder in _holders(properties):
            calls("iam", f"Attach{entity}Policy", **holder, PolicyArn=arn)
    return made


def _delete_managed(calls: Calls, made: Made) -> None:
    arn = made.physical_id
    held = calls("iam", "ListEntitiesForPolicy", PolicyArn=arn)
    for entity in _HOLDERS.values():
        for each in held.get(f"Policy{entity}s", ()):
            name = f"{entity}Name"
            calls("iam", f"Detach{entity}Policy", **{name: each[name]}, PolicyArn=arn)
    calls("iam", "DeletePolicy", PolicyArn=arn)


def _create_inline(calls: Calls, name: str, properties: Properties) -> Made:
    """AWS::IAM::Policy: an inline policy of each user, role and group that is named."""
    named = given(properties, "PolicyName")
    done: dict[str, list[Any]] = {many: [] for many in _HOLDERS}
    made = Made(name, {"Id": name}, {**named, **done})
    document = text_of(properties.get("PolicyDocument"))
    with undone_on_failure(calls, made, _delete_inline):
        for many, entity, holder in _holders(properties):
            calls("iam", f"Put{entity}Policy", **holder, **named, PolicyDocument=document)
            done[many].append(holder[f"{entity}Name"])
    return made


def _update_inline(calls: Calls, made: Made, properties: Properties) -> None:
    named = given(properties, "PolicyName")
    document = text_of(properties.get("PolicyDocument"))
    for _, entity, holder in _holders(properties):
        calls("iam", f"Put{entity}Policy", **holder, **named, PolicyDocument=document)


def _delete_inline(calls: Calls, made: Made) -> None:
    for _, entity, holder in _holders(made.properties):
        calls("iam", f"Delete{entity}Policy", **holder, **given(made.properties, "PolicyName"))


def _holders(properties: Properties) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """("Users", "User", {"UserName": ...}) of each user, role and group that is named."""
    for many, entity in _HOLDERS.items():
        for name in properties.get(many, ()):
            yield many, entity, {f"{entity}Name": name}


def _without(these: Any, those: Any) -> list[Any]:
    return [each for each in these if each not in those]


KINDS: dict[str, Kind] = {
    "AWS::IAM::Role": kind(
        "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path "
        "PermissionsBoundary Policies RoleName Tags",
        _maker("Role"),
        _taker("Role"),
        attributes="Arn RoleId",
        update=_update_role,
        changes="AssumeRolePolicyDocument ManagedPolicyArns Policies",
        needs=IAM,
    ),
    "AWS::IAM::User": kind(
        "Groups ManagedPolicyArns Path Policies Tags UserName",
        _maker("User"),
        _taker("User"),
        attributes="Arn",
        needs=IAM,
    ),
    "AWS::IAM::Group": kind(
        "GroupName ManagedPolicyArns Path Policies",
        _maker("Group"),
        _taker("Group"),
        attributes="Arn",
        needs=IAM,
    ),
    "AWS::IAM::ManagedPolicy": kind(
        "Description Groups ManagedPolicyName Path PolicyDocument Roles Users",
        _create_managed,
        _delete_managed,
        attributes="PolicyArn",
        needs=IAM,
    ),
    "AWS::IAM::Policy": kind(
        "Groups PolicyDocument PolicyName Roles Users",
        _create_inline,
        _delete_inline,
        attributes="Id",
        update=_update_inline,
        changes="PolicyDocument",
        needs=IAM,
    ),
}
