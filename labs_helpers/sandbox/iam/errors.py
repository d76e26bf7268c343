"""What IAM refuses, by AWS's codes, statuses and words.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html, each operation's
errors; the sentences are those that the AWS CLI prints.
"""

from __future__ import annotations

from labs_helpers.sandbox.service.refusal import Refusal


def no_such(kind: str, name: str) -> Refusal:
    """A "user", "role", "group", "user policy" ... of this name does not exist."""
    return no_such_entity(f"The {kind} with name {name} cannot be found.")


def no_such_entity(message: str) -> Refusal:
    return Refusal("NoSuchEntity", message, 404)


def no_such_policy(arn: str) -> Refusal:
    return no_such_entity(f"Policy {arn} was not found.")


def not_attachable(arn: str) -> Refusal:
    return no_such_entity(f"Policy {arn} does not exist or is not attachable.")


def no_such_boundary(arn: str) -> Refusal:
    return no_such_entity(f"Scope ARN: {arn} does not exist or is not attachable.")


def exists(kind: str, name: str) -> Refusal:
    """A "User", "Role" or "Group" of this name exists already."""
    return Refusal("EntityAlreadyExists", f"{kind} with name {name} already exists.", 409)


def conflict(message: str) -> Refusal:
    return Refusal("DeleteConflict", message, 409)


def still_has(what: str) -> Refusal:
    """The entity cannot be deleted before something else is done: "detach all policies"."""
    return conflict(f"Cannot delete entity, must {what} first.")


def over_quota(name: str, quota: int) -> Refusal:
    return Refusal("LimitExceeded", f"Cannot exceed quota for {name}: {quota}", 409)


def no_user_name() -> Refusal:
    """A request of a session that only a user may leave the user name out of."""
    return Refusal(
        "ValidationError", "Must specify userName when calling with non-User credentials", 400
    )
