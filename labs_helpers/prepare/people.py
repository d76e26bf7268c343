"""Users, groups, roles and policies of IAM.

A user, group or role can be deleted only when nothing hangs on it, so the steps take that away
first; https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from labs_helpers.prepare.step import Place, Step

MANAGED = "arn:aws:iam::aws:policy/"


def no_user(name: str) -> Step:
    """No user of this name, nor any key or policy of its own."""

    def ensure(place: Place) -> None:
        _delete_user(place, name)

    return Step(f"no user {name}", ensure)


def user_with(name: str, policy: str) -> Step:
    """A user without a key, with one managed policy of AWS and nothing else."""

    def ensure(place: Place) -> None:
        _delete_user(place, name)
        iam = place.client("iam")
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=MANAGED + policy)

    def gone(place: Place) -> bool:
        iam = place.client("iam")
        try:
            iam.get_user(UserName=name)
        except iam.exceptions.NoSuchEntityException:
            return True
        return False

    return Step(f"user {name} has the policy {policy}", ensure, gone)


def no_group(name: str) -> Step:
    """No group of this name; its members stay."""

    def ensure(place: Place) -> None:
        iam = place.client("iam")
        with suppress(iam.exceptions.NoSuchEntityException):
            for user in iam.get_group(GroupName=name)["Users"]:
                iam.remove_user_from_group(GroupName=name, UserName=user["UserName"])
            _remove_policies(iam, "group", name)
            iam.delete_group(GroupName=name)
            place.removed.append(f"group {name}")

    return Step(f"no group {name}", ensure)


def no_role(name: str) -> Step:
    """No role of this name."""

    def ensure(place: Place) -> None:
        iam = place.client("iam")
        with suppress(iam.exceptions.NoSuchEntityException):
            for one in iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]:
                iam.remove_role_from_instance_profile(
                    InstanceProfileName=one["InstanceProfileName"], RoleName=name
                )
            _remove_policies(iam, "role", name)
            iam.delete_role(RoleName=name)
            place.removed.append(f"role {name}")

    return Step(f"no role {name}", ensure)


def no_policy(name: str) -> Step:
    """No policy of the account's own with this name, wherever it was attached."""

    def ensure(place: Place) -> None:
        iam = place.client("iam")
        arn = f"arn:aws:iam::{place.account}:policy/{name}"
        with suppress(iam.exceptions.NoSuchEntityException):
            _lift_boundary(place, arn)
            having = iam.list_entities_for_policy(PolicyArn=arn)
            for user in having["PolicyUsers"]:
                iam.detach_user_policy(UserName=user["UserName"], PolicyArn=arn)
            for group in having["PolicyGroups"]:
                iam.detach_group_policy(GroupName=group["GroupName"], PolicyArn=arn)
            for role in having["PolicyRoles"]:
                iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
            for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
            iam.delete_policy(PolicyArn=arn)
            place.removed.append(f"policy {name}")

    return Step(f"no policy {name}", ensure)


def _lift_boundary(place: Place, arn: str) -> None:
    """Take a policy away as the permissions boundary of users and roles, which keeps it from going.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html
    """
    iam = place.client("iam")
    for kind in ("user", "role"):
        name, pages = f"{kind.capitalize()}Name", iam.get_paginator(f"list_{kind}s").paginate()
        for one in (one for page in pages for one in page[f"{kind.capitalize()}s"]):
            # a list leaves the boundary out
            found = getattr(iam, f"get_{kind}")(**{name: one[name]})[kind.capitalize()]
            if found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == arn:
                getattr(iam, f"delete_{kind}_permissions_boundary")(**{name: one[name]})
                place.removed.append(f"the permissions boundary of {kind} {one[name]}")


def _delete_user(place: Place, name: str) -> None:
    iam = place.client("iam")
    with suppress(iam.exceptions.NoSuchEntityException):
        for group in iam.list_groups_for_user(UserName=name)["Groups"]:
            iam.remove_user_from_group(GroupName=group["GroupName"], UserName=name)
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for device in iam.list_mfa_devices(UserName=name)["MFADevices"]:
            iam.deactivate_mfa_device(UserName=name, SerialNumber=device["SerialNumber"])
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_login_profile(UserName=name)
        _remove_policies(iam, "user", name)
        iam.delete_user(UserName=name)
        place.removed.append(f"user {name}")


def _remove_policies(iam: Any, kind: str, name: str) -> None:
    """Detach and delete every policy of a "user", "group" or "role"."""
    whose = {f"{kind.capitalize()}Name": name}
    for one in getattr(iam, f"list_attached_{kind}_policies")(**whose)["AttachedPolicies"]:
        getattr(iam, f"detach_{kind}_policy")(**whose, PolicyArn=one["PolicyArn"])
    for inline in getattr(iam, f"list_{kind}_policies")(**whose)["PolicyNames"]:
        getattr(iam, f"delete_{kind}_policy")(**whose, PolicyName=inline)
