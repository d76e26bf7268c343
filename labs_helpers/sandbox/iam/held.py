"""What a principal holds, read off moto's users, groups and roles."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labs_helpers.sandbox.iam.sessions import Session
from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.policy.document import Document, NotAPolicy
from labs_helpers.sandbox.policy.model import Caller, Kind, Policy

log = logging.getLogger(__name__)

_NOTHING = '{"Version": "2012-10-17", "Statement": []}'


@dataclass(frozen=True)
class Held:
    """What a principal holds: its policies, and what it brings to the request's context.

    tags: aws:PrincipalTag/...; session_keys: condition keys that come with the principal, by
    their names in lower case ("aws:userid", "aws:tokenissuetime", claims of a web identity).
    """

    caller: Caller
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    session_keys: Mapping[str, str] = field(default_factory=dict)


def policies_on(entity: Any, where: str) -> Iterator[Policy]:
    """The managed, then the inline policies of a user, group or role of moto."""
    for policy in list(entity.managed_policies.values()):
        found = parsed(default_document(policy))
        yield Policy(Kind.IDENTITY, policy.name, found, f"attached to {where}", policy.arn)
    for name, text in list(entity.policies.items()):
        yield Policy(Kind.IDENTITY, name, parsed(text), f"inline in {where}")


def boundary(backend: Any, entity: Any) -> Policy | None:
    """The permissions boundary of a user or role; one whose policy is gone lets nothing through."""
    arn = getattr(entity, "permissions_boundary_arn", None)
    if not arn:
        return None
    policy = backend.managed_policies.get(arn)
    text = _NOTHING if policy is None else default_document(policy)
    name = arn.rpartition("/")[2]
    return Policy(Kind.BOUNDARY, name, parsed(text), f"boundary of {entity.name}", arn)


def default_document(policy: Any) -> str:
    """The document of a managed policy's default version."""
    wanted = policy.default_version_id
    versions = list(policy.versions)
    return next((one.document for one in versions if one.version_id == wanted), _NOTHING)


def parsed(text: str) -> Document:
    """A stored document; one that is no policy gives no rights, and the log says so."""
    try:
        return document.parse(text)
    except NotAPolicy as error:
        log.error("a policy of IAM cannot be read, and counts as empty: %s", error)
        return document.parse(_NOTHING)


def nothing(why: str) -> Policy:
    """A session policy that lets nothing through; `why` is its name."""
    return Policy(Kind.SESSION, why, parsed(_NOTHING), "passed with the session")


def user_keys(user_id: str, name: str) -> dict[str, str]:
    """The condition keys that come with a user."""
    return {"aws:userid": user_id, "aws:username": name, "aws:principaltype": "User"}


def session_keys(session: Session, now: datetime) -> dict[str, str]:
    """The condition keys that come with temporary credentials.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    keys = {
        "aws:tokenissuetime": session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:multifactorauthpresent": "true" if session.facts.mfa else "false",
    }
    if session.facts.mfa:
        age = now - session.issued_at
        keys["aws:multifactorauthage"] = str(max(0, int(age.total_seconds())))
    if session.facts.source_identity:
        keys["aws:sourceidentity"] = session.facts.source_identity
    return keys


def tags_in(lists: Iterable[Any]) -> dict[str, str]:
    """moto's lists of {"Key", "Value"} as one mapping."""
    return {tag["Key"]: tag["Value"] for tags in lists for tag in tags or []}
