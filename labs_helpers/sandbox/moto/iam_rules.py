"""What must hold before an operation of IAM: an entity exists, or nothing depends on it.

Each rule raises the Refusal that AWS answers with. `backend` is moto's IAMBackend of the account,
`given` the request's parameters by their names in the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.iam import errors, mfa
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.documents import check_documents
from labs_helpers.sandbox.service.refusal import Refusal

Given = Mapping[str, Any]

ATTACHED = 10
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

_MANY = {"User": "users", "Role": "roles", "Group": "groups"}

_CREATES = {"CreateUser": "User", "CreateRole": "Role", "CreateGroup": "Group"}


def check(operation: str, backend: Any, given: Given, directory: Directory) -> None:
    """Raise the Refusal of the first rule that an operation breaks."""
    if not str(given.get("Marker", "0")).isdecimal():
        raise Refusal("ValidationError", "Invalid Marker.")
    created = _CREATES.get(operation)
    for kind in _MANY:
        name = given.get(f"{kind}Name")
        if name is None:
            continue
        found = entity(backend, kind, name)
        if kind == created and found is not None:
            raise errors.exists(kind, name)
        if kind != created and (found is None or found.name != name):
            raise errors.no_such(kind.lower(), name)
    arn = given.get("PolicyArn")
    if arn is not None and arn not in backend.managed_policies:
        attaches = operation.startswith("Attach")
        raise errors.not_attachable(arn) if attaches else errors.no_such_policy(arn)
    boundary = given.get("PermissionsBoundary")
    if boundary is not None and boundary not in backend.managed_policies:
        raise errors.no_such_boundary(boundary)
    check_documents(operation, given, _inline_policies(backend, given), directory)
    if rule := _RULES.get(operation):
        rule(backend, given)


def entity(backend: Any, kind: str, name: str) -> Any:
    """moto's "User", "Role" or "Group" of a name, None where there is none.

    Names are unique whatever their case:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    many = list(getattr(backend, _MANY[kind]).values())
    exact = next((one for one in many if one.name == name), None)
    return exact or next((one for one in many if one.name.lower() == name.lower()), None)


def _inline_policies(backend: Any, given: Given) -> Mapping[str, str]:
    """The inline policies of the user, role or group that a request names."""
    for kind in _MANY:
        found = entity(backend, kind, given[f"{kind}Name"]) if f"{kind}Name" in given else None
        if found is not None:
            return dict(found.policies)
    return {}


def _attach(kind: str) -> Callable[[Any, Given], None]:
    def rule(backend: Any, given: Given) -> None:
        attached = entity(backend, kind, given[f"{kind}Name"]).managed_policies
        if given["PolicyArn"] not in attached and len(attached) >= ATTACHED:
            raise errors.over_quota(f"PoliciesPer{kind}", ATTACHED)

    return rule


def _detach(kind: str) -> Callable[[Any, Given], None]:
    def rule(backend: Any, given: Given) -> None:
        if given["PolicyArn"] not in entity(backend, kind, given[f"{kind}Name"]).managed_policies:
            raise errors.no_such_policy(given["PolicyArn"])

    return rule


def _inline(kind: str) -> Callable[[Any, Given], None]:
    def rule(backend: Any, given: Given) -> None:
        if given["PolicyName"] not in entity(backend, kind, given[f"{kind}Name"]).policies:
            raise errors.no_such(f"{kind.lower()} policy", given["PolicyName"])

    return rule


def _access_key(backend: Any, given: Given) -> None:
    keys = backend.users[given["UserName"]].access_keys
    if given["AccessKeyId"] not in [key.access_key_id for key in keys]:
        raise errors.no_such_entity(
            f"The Access Key with id {given['AccessKeyId']} cannot be found."
        )


def _login_profile(backend: Any, given: Given) -> None:
    if not backend.users[given["UserName"]].password:
        raise errors.no_such_entity(f"Login Profile for User {given['UserName']} cannot be found.")


def _delete_user(backend: Any, given: Given) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html"""
    user = backend.users[given["UserName"]]
    hangs = (
        (user.managed_policies, "detach all policies"),
        (user.policies, "delete policies"),
        (user.access_keys, "delete access keys"),
        (user.password, "delete login profile"),
        ([one for one in backend.groups.values() if user in one.users], "remove users from group"),
        (user.mfa_devices, "deactivate MFA device"),
        (user.signing_certificates, "delete signing certificates"),
        (user.ssh_public_keys, "delete SSH public keys"),
    )
    _nothing_hangs(hangs)


def _delete_group(backend: Any, given: Given) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html"""
    group = backend.groups[given["GroupName"]]
    _nothing_hangs(
        (
            (group.users, "remove users from group"),
            (group.managed_policies, "detach all policies"),
            (group.policies, "delete policies"),
        )
    )


def _nothing_hangs(hangs: tuple[tuple[Any, str], ...]) -> None:
    for found, what in hangs:
        if found:
            raise errors.still_has(what)


def _delete_policy(backend: Any, given: Given) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"""
    arn = given["PolicyArn"]
    policy = backend.managed_policies[arn]
    _own(backend, given)
    limited = [*backend.users.values(), *backend.roles.values()]
    bounds = any(getattr(one, "permissions_boundary_arn", None) == arn for one in limited)
    if policy.attachment_count or bounds:
        raise errors.conflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise errors.conflict(
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy."
        )


def _own(backend: Any, given: Given) -> None:
    """Nobody can change AWS's own policies."""
    if given["PolicyArn"].split(":")[4] != backend.account_id:
        raise Refusal("AccessDenied", "Policy is outside your own account.", 403)


def _version(backend: Any, given: Given) -> None:
    policy = backend.managed_policies[given["PolicyArn"]]
    if given["VersionId"] not in [version.version_id for version in policy.versions]:
        raise errors.no_such_entity(
            f"Policy {given['PolicyArn']} version {given['VersionId']} does not exist or is not "
            "attachable."
        )


def _change_version(backend: Any, given: Given) -> None:
    _own(backend, given)
    _version(backend, given)


def _enable_device(backend: Any, given: Given) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html"""
    serial = given["SerialNumber"]
    device = backend.virtual_mfa_devices.get(serial)
    if device is None:
        raise errors.no_such_entity(f"VirtualMFADevice with serial number {serial} doesn't exist.")
    codes = given["AuthenticationCode1"], given["AuthenticationCode2"]
    if not mfa.are_in_turn(device.base32_string_seed, *codes, datetime.now(UTC)):
        raise Refusal(
            "InvalidAuthenticationCode",
            "Enter two codes that the device shows one after the other.",
            403,
        )


def _delete_device(backend: Any, given: Given) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteVirtualMFADevice.html"""
    device = backend.virtual_mfa_devices.get(given["SerialNumber"])
    if device is not None and device.enable_date:
        raise errors.conflict("MFA VirtualDevice in use. Must deactivate first.")


def _create_provider(backend: Any, given: Given) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html"""
    host = given["Url"].removeprefix("https://").rstrip("/")
    if any(one.url.rstrip("/") == host for one in backend.open_id_providers.values()):
        raise Refusal(
            "EntityAlreadyExists", f"Provider with url {given['Url']} already exists.", 409
        )


_RULES: dict[str, Callable[[Any, Given], None]] = {
    **{f"Attach{kind}Policy": _attach(kind) for kind in _MANY},
    **{f"Detach{kind}Policy": _detach(kind) for kind in _MANY},
    **{f"Get{kind}Policy": _inline(kind) for kind in _MANY},
    **{f"Delete{kind}Policy": _inline(kind) for kind in _MANY},
    "CreateOpenIDConnectProvider": _create_provider,
    "CreatePolicyVersion": _own,
    "DeleteAccessKey": _access_key,
    "DeleteGroup": _delete_group,
    "DeleteLoginProfile": _login_profile,
    "DeletePolicy": _delete_policy,
    "DeletePolicyVersion": _change_version,
    "DeleteUser": _delete_user,
    "DeleteVirtualMFADevice": _delete_device,
    "EnableMFADevice": _enable_device,
    "GetLoginProfile": _login_profile,
    "GetPolicyVersion": _version,
    "SetDefaultPolicyVersion": _change_version,
    "TagPolicy": _own,
    "UntagPolicy": _own,
    "UpdateAccessKey": _access_key,
    "UpdateLoginProfile": _login_profile,
}
