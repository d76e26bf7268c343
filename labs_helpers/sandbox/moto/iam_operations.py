"""Corrections to moto's IAM, put onto moto's own class: what AWS does and moto does not.

Before each operation of moto, botocore's model and the rules of iam_rules.py are checked; a few
operations are ours altogether. patches.py lists each change to moto with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labs_helpers.sandbox.iam.constraints import check
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.errors import exists, no_user_name
from labs_helpers.sandbox.moto import iam_models, iam_rules, patches

_CLASS = "moto.iam.responses:IamResponse"


def install(directory: Directory) -> None:
    """Put our operations onto moto's IamResponse; a second call replaces those of the first."""
    from moto.core.utils import camelcase_to_underscores, get_service_model

    model = get_service_model("iam")

    def call_action(response: Any) -> Any:
        name = response._get_action()
        if name in model.operation_names:
            _check(response, name, model.operation_model(name).input_shape, directory)
        return original(response)

    iam_models.load()
    original = patches.put(f"{_CLASS}.call_action", call_action)
    for name, own in _OURS.items():
        patches.put(f"{_CLASS}.{camelcase_to_underscores(name)}", own)
    create_user = patches.put(f"{_CLASS}.create_user", None)
    patches.put(f"{_CLASS}.create_user", _with_boundary(create_user))
    patches.put("moto.iam.models:User.permissions_boundary", property(_boundary))
    _show_boundaries()


def _check(response: Any, name: str, shape: Any, directory: Directory) -> None:
    """Raise the Refusal of AWS for a request that breaks the model or a rule of IAM."""
    if shape is None:
        return
    if _of_the_caller(name, shape) and not response._get_param("UserName"):
        response.params["UserName"] = _caller_name(response, directory)
    found = {member: response._get_param(member) for member in shape.members}
    given = {member: value for member, value in found.items() if value is not None}
    check(given, shape)
    iam_rules.check(name, response.backend, given, directory)


def _of_the_caller(name: str, shape: Any) -> bool:
    """Whether the user is the caller when UserName is left out."""
    optional = "UserName" in shape.members and "UserName" not in shape.required_members
    return optional or name == "ChangePassword"


def _caller_name(response: Any, directory: Directory) -> str:
    credential = directory.find(response.get_access_key())
    arn = "" if credential is None else credential.principal.arn
    if ":user/" not in arn:
        raise no_user_name()
    return arn.rpartition("/")[2]


def _boundary(user: Any) -> dict[str, str] | None:
    arn = getattr(user, "permissions_boundary_arn", None)
    if not arn:
        return None
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def _show_boundaries() -> None:
    from moto.core.serialize import never_return, return_if_not_empty

    target = f"{_CLASS}.RESPONSE_KEY_PATH_TO_TRANSFORMER"
    owner, name = patches.owner_of(target)
    shown = {
        "CreateUserResponse.User.PermissionsBoundary": return_if_not_empty,
        "GetUserResponse.User.PermissionsBoundary": return_if_not_empty,
        "ListUsersResponse.Users.User.PermissionsBoundary": never_return,
    }
    patches.put(target, getattr(owner, name) | shown)


def _with_boundary(create_user: Any) -> Callable[[Any], Any]:
    """CreateUser, whose PermissionsBoundary moto forgets."""

    def method(response: Any) -> Any:
        result = create_user(response)
        user = response.backend.users[response._get_param("UserName")]
        user.permissions_boundary_arn = response._get_param("PermissionsBoundary")
        return result

    return method


def _put_user_permissions_boundary(response: Any) -> Any:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html"""
    user = response.backend.users[response._get_param("UserName")]
    user.permissions_boundary_arn = response._get_param("PermissionsBoundary")
    return _empty()


def _delete_user_permissions_boundary(response: Any) -> Any:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html"""
    user = response.backend.users[response._get_param("UserName")]
    if getattr(user, "permissions_boundary_arn", None):
        user.permissions_boundary_arn = None
    return _empty()


def _attach(kind: str) -> Callable[[Any], Any]:
    """Attaching an attached policy again changes nothing; moto would count it twice."""

    def method(response: Any) -> Any:
        entity = iam_rules.entity(response.backend, kind, response._get_param(f"{kind}Name"))
        policy = response.backend.managed_policies[response._get_param("PolicyArn")]
        if policy.arn not in entity.managed_policies:
            policy.attach_to(entity)
        return _empty()

    return method


def _update_user(response: Any) -> Any:
    """A new name or path, with which keys and tags go on; moto loses both.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
    """
    backend = response.backend
    old, new = response._get_param("UserName"), response._get_param("NewUserName")
    user = backend.users[old]
    if new and new != old and iam_rules.entity(backend, "User", new) is not None:
        raise exists("User", new)
    arn = user.arn
    user.path = response._get_param("NewPath") or user.path
    if new:
        user.name = new
        backend.users[new] = backend.users.pop(old)
        for key in user.access_keys:
            key.user_name = new
    if arn in backend.tagger.tags:
        backend.tagger.tags[user.arn] = backend.tagger.tags.pop(arn)
    return _empty()


def _update_group(response: Any) -> Any:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html"""
    backend = response.backend
    old, new = response._get_param("GroupName"), response._get_param("NewGroupName")
    group = backend.groups[old]
    if new and new != old and iam_rules.entity(backend, "Group", new) is not None:
        raise exists("Group", new)
    group.path = response._get_param("NewPath") or group.path
    if new:
        group.name = new
        backend.groups[new] = backend.groups.pop(old)
    return _empty()


def _add_client_id(response: Any) -> Any:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html"""
    backend = response.backend
    provider = backend.get_open_id_connect_provider(response._get_param("OpenIDConnectProviderArn"))
    if response._get_param("ClientID") not in provider.client_id_list:
        provider.client_id_list.append(response._get_param("ClientID"))
    return _empty()


def _remove_client_id(response: Any) -> Any:
    """API_RemoveClientIDFromOpenIDConnectProvider: one that is not there is no error."""
    backend = response.backend
    provider = backend.get_open_id_connect_provider(response._get_param("OpenIDConnectProviderArn"))
    if response._get_param("ClientID") in provider.client_id_list:
        provider.client_id_list.remove(response._get_param("ClientID"))
    return _empty()


def _empty() -> Any:
    from moto.core.responses import EmptyResult

    return EmptyResult()


_OURS: dict[str, Callable[[Any], Any]] = {
    "AddClientIDToOpenIDConnectProvider": _add_client_id,
    "RemoveClientIDFromOpenIDConnectProvider": _remove_client_id,
    "AttachGroupPolicy": _attach("Group"),
    "AttachRolePolicy": _attach("Role"),
    "AttachUserPolicy": _attach("User"),
    "DeleteUserPermissionsBoundary": _delete_user_permissions_boundary,
    "PutUserPermissionsBoundary": _put_user_permissions_boundary,
    "UpdateGroup": _update_group,
    "UpdateUser": _update_user,
}
