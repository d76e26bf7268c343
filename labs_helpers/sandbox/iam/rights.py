"""The rights of a principal: policies, and what a principal adds to a request's context."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from labs_helpers.sandbox.iam.records import Entity, Role, User
from labs_helpers.sandbox.iam.sessions import Session
from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.policy.document import Document, NotAPolicy
from labs_helpers.sandbox.policy.model import Kind, Policy
from labs_helpers.sandbox.policy.request import Caller

log = logging.getLogger(__name__)

_NOTHING = '{"Version": "2012-10-17", "Statement": []}'


@dataclass(frozen=True)
class Rights:
    """The policies of a principal, and what the principal adds to the context of a request.

    tags: aws:PrincipalTag/...; session_keys: condition keys that come with the principal, by
    their names in lower case ("aws:userid", "aws:tokenissuetime", claims of a web identity).
    """

    caller: Caller
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    session_keys: Mapping[str, str] = field(default_factory=dict)


def policies_on(entity: Entity, where: str) -> Iterator[Policy]:
    """The managed, then the inline policies of a user, group or role."""
    for policy in entity.managed:
        found = parsed(policy.document)
        yield Policy(Kind.IDENTITY, policy.name, found, f"attached to {where}", policy.arn)
    for name, text in entity.inline.items():
        yield Policy(Kind.IDENTITY, name, parsed(text), f"inline in {where}")


def boundary_of(entity: Entity) -> Policy | None:
    """The permissions boundary of a user or role; one whose policy is gone allows nothing."""
    found = entity.boundary if isinstance(entity, User | Role) else None
    if found is None:
        return None
    text = parsed(found.document)
    return Policy(Kind.BOUNDARY, found.name, text, f"boundary of {entity.name}", found.arn)


def parsed(text: str | None) -> Document:
    """A stored document, parsed. A text that is not a policy gives no rights and is logged."""
    try:
        return document.parse(_NOTHING if text is None else text)
    except NotAPolicy as error:
        log.error("a policy of IAM cannot be read, and counts as empty: %s", error)
        return document.parse(_NOTHING)


def nothing(why: str) -> Policy:
    """A session policy that allows nothing; `why` is its name."""
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
