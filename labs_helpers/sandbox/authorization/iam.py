"""IAM and STS: the resources and condition keys of their actions, names turned into ARNs.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from labs_helpers.sandbox.authorization.arns import account_of, values
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.identity import Principal


class Names(Protocol):
    """What is looked up of a name: directory.Directory does."""

    def entity_arn(self, account: str, kind: str, name: str) -> str | None:
        """The ARN, with its path, of a "user", "role" or "group"; None where there is none."""

    def boundary_of(self, arn: str) -> str | None:
        """The ARN of a user's or role's permissions boundary."""

    def role_of_profile(self, account: str, name: str) -> str | None:
        """The ARN of the role in an instance profile."""


_LISTS = {
    "ListUsers": "user",
    "ListRoles": "role",
    "ListGroups": "group",
    "ListInstanceProfiles": "instance-profile",
    "ListVirtualMFADevices": "mfa",
    "ListServerCertificates": "server-certificate",
}
"""Lists, which IAM refuses by the path asked for: `on resource: arn:...:user/`."""

_NAMED = {
    "user": ("UserName",),
    "role": ("RoleName",),
    "group": ("GroupName",),
    "instance-profile": ("InstanceProfileName",),
    "server-certificate": ("ServerCertificateName",),
    "mfa": ("SerialNumber", "VirtualMFADeviceName"),
    "sms-mfa": ("SerialNumber",),
    "policy": ("PolicyArn", "PolicyName"),
    "oidc-provider": ("OpenIDConnectProviderArn", "Url"),
    "saml-provider": ("SAMLProviderArn", "Name"),
}
_BOUNDARY = "iam:permissionsboundary"
_BY_ARN = ("Arn", "PolicySourceArn")
_UNNEEDED = {"GetCallerIdentity", "GetSessionToken"}
"""No policy gives or takes these away: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
and https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""

SELF = frozenset(
    {
        "ChangePassword",
        "CreateAccessKey",
        "CreateLoginProfile",
        "DeactivateMFADevice",
        "DeleteAccessKey",
        "DeleteLoginProfile",
        "DeleteServiceSpecificCredential",
        "DeleteSigningCertificate",
        "GetLoginProfile",
        "GetMFADevice",
        "GetUser",
        "ListAccessKeys",
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "ListSigningCertificates",
        "ResetServiceSpecificCredential",
        "UpdateAccessKey",
        "UpdateServiceSpecificCredential",
        "UpdateSigningCertificate",
        "UploadSigningCertificate",
    }
)
"""Operations that are on the caller where they name no user."""


def of_iam(
    asked: ApiRequest, row: Mapping[str, list[str]], caller: Principal, names: Names
) -> Iterator[Permission]:
    """What an operation of IAM needs; `row` is its row of the table."""
    account, action = caller.account, f"iam:{asked.operation}"
    keys = dict(_keys(asked, row))
    if asked.operation == "ListPolicies":
        path = asked.params.get("PathPrefix", "/")
        yield Permission(action, "*", keys=keys, shown=f"policy path {path}")
    elif kind := _LISTS.get(asked.operation):
        path = asked.params.get("PathPrefix", "/")
        yield Permission(action, f"arn:aws:iam::{account}:{kind}{path}", keys=keys)
    elif asked.operation == "CreateServiceLinkedRole":
        service = asked.params.get("AWSServiceName", "*")
        arn = f"arn:aws:iam::{account}:role/aws-service-role/{service}/*"
        yield Permission(action, arn, keys=keys | {"iam:awsservicename": (service,)})
    else:
        limited = "iam:PermissionsBoundary" in row.get("keys", ())
        for arn in list(_arns(asked, row, caller, names)) or ["*"]:
            # of a user or role that has one, its boundary, where the request sets none
            boundary = names.boundary_of(arn) if limited and _BOUNDARY not in keys else None
            further = {_BOUNDARY: (boundary,)} if boundary else {}
            owner = account_of(arn) if _mine(arn) else account
            yield Permission(action, arn, owner, {**keys, **further})
    if asked.operation == "AddRoleToInstanceProfile":
        role = asked.params.get("RoleName", "*")
        yield Permission("iam:PassRole", _arn("role", role, "/", account, names))


def of_sts(asked: ApiRequest, caller: Principal) -> Iterator[Permission]:
    """What an operation of STS needs: nothing, for those that everybody may call."""
    params, action = asked.params, f"sts:{asked.operation}"
    if asked.operation in _UNNEEDED:
        return
    if asked.operation == "AssumeRole":
        yield from _assumed(params)
    elif asked.operation == "GetFederationToken":
        name = params.get("Name", "*")
        arn = f"arn:aws:sts::{caller.account}:federated-user/{name}"
        yield Permission(action, arn, caller.account, _tag_keys(params))
        if params.get("Tags"):
            yield Permission("sts:TagSession", arn, caller.account, _tag_keys(params))
    elif asked.operation == "AssumeRoot":
        account = params.get("TargetPrincipal", "")
        yield Permission(action, f"arn:aws:iam::{account}:root", account)
    else:
        yield Permission(action, keys=_tag_keys(params))


_NOT_OF_TAGS = ("sts:externalid", "sts:rolesessionname", "sts:sourceidentity")


def _assumed(params: Mapping[str, Any]) -> Iterator[Permission]:
    role = str(params.get("RoleArn", "*"))
    keys: dict[str, tuple[str, ...]] = {
        key: (str(params[name]),)
        for key, name in (
            ("sts:externalid", "ExternalId"),
            ("sts:rolesessionname", "RoleSessionName"),
            ("sts:sourceidentity", "SourceIdentity"),
        )
        if params.get(name)
    }
    keys |= _tag_keys(params)
    if transitive := values(params, "TransitiveTagKeys"):
        keys["sts:transitivetagkeys"] = tuple(transitive)
    account = account_of(role)
    yield Permission("sts:AssumeRole", role, account, keys)
    if params.get("Tags"):
        tagged = {key: value for key, value in keys.items() if key not in _NOT_OF_TAGS}
        yield Permission("sts:TagSession", role, account, tagged)
    if params.get("SourceIdentity"):
        source = {"sts:sourceidentity": (str(params["SourceIdentity"]),)}
        yield Permission("sts:SetSourceIdentity", role, account, source)


def _arns(
    asked: ApiRequest, row: Mapping[str, list[str]], caller: Principal, names: Names
) -> Iterator[str]:
    params, account = asked.params, caller.account
    path = str(params.get("Path", "/"))
    for name in _BY_ARN:
        if given := params.get(name):
            yield str(given)
            return
    for kind in (*row.get("needs", ()), *row.get("may", ())):
        given = next((params[name] for name in _NAMED.get(kind, ()) if params.get(name)), None)
        if kind == "user" and given is None and asked.operation in SELF:
            # as the caller itself, whoever it is
            yield caller.arn
        elif kind == "user" and given is None and asked.operation == "GetAccessKeyLastUsed":
            yield f"arn:aws:iam::{account}:user/*"
        elif given is not None:
            yield _arn(kind, str(given), path, account, names)
        elif kind in row.get("needs", ()):
            yield f"arn:aws:iam::{account}:{kind}/*"


def _arn(kind: str, given: str, path: str, account: str, names: Names) -> str:
    if given.startswith("arn:"):
        return given
    if kind in ("user", "role", "group") and (found := names.entity_arn(account, kind, given)):
        return found
    if kind == "oidc-provider":
        given = given.removeprefix("https://")
    return f"arn:aws:iam::{account}:{kind}{path if path.startswith('/') else '/'}{given}"


def _mine(arn: str) -> bool:
    """Whether the ARN's account owns it: AWS's own policies belong to whoever uses them."""
    return arn.startswith("arn:") and account_of(arn) != ""


def _keys(asked: ApiRequest, row: Mapping[str, list[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    params = asked.params
    if "iam:PolicyARN" in row.get("keys", ()) and params.get("PolicyArn"):
        yield "iam:policyarn", (str(params["PolicyArn"]),)
    if params.get("PermissionsBoundary"):
        yield _BOUNDARY, (str(params["PermissionsBoundary"]),)
    yield from _tag_keys(params).items()


def _tag_keys(params: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    tags = params.get("Tags")
    if isinstance(tags, list):
        found = {
            str(tag.get("Key")): str(tag.get("Value", "")) for tag in tags if isinstance(tag, dict)
        }
        return tag_keys(found)
    removed = values(params, "TagKeys")
    return {"aws:tagkeys": tuple(removed)} if removed else {}


def tag_keys(tags: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """aws:RequestTag/... and aws:TagKeys of the tags that a request carries."""
    if not tags:
        return {}
    found = {f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()}
    return found | {"aws:tagkeys": tuple(tags)}
