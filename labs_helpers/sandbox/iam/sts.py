"""The Security Token Service: who calls, and temporary credentials for roles, users, federation.

Each operation takes the verified caller and the request's parameters, and returns its output as a
dict by the names of the API. Whether the caller may call it at all, the trust policy of AssumeRole
included, was decided before; https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from labs_helpers.sandbox.iam import mfa
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.records import Role
from labs_helpers.sandbox.iam.session_policies import SessionPolicies, session_policies
from labs_helpers.sandbox.iam.sessions import Origin, Session, SessionFacts, Sessions
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Refusal

Params = Mapping[str, Any]

CHAINED = timedelta(hours=1)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining"""

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")


class SecurityTokens:
    """Thread-safe."""

    def __init__(self, directory: Directory, sessions: Sessions) -> None:
        self._directory = directory
        self._sessions = sessions

    def get_caller_identity(self, caller: Principal, params: Params) -> dict[str, Any]:
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}

    def get_access_key_info(self, caller: Principal, params: Params) -> dict[str, Any]:
        """The account of a key that this sandbox knows, inactive ones included."""
        account = self._directory.account_of_key(params["AccessKeyId"])
        if account is None:
            raise aws_errors.unknown_key()
        return {"Account": account}

    def assume_role(self, caller: Principal, params: Params) -> dict[str, Any]:
        """Raises Refusal: AccessDenied, ValidationError, MalformedPolicyDocument, ...

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        arn, name = params["RoleArn"], params["RoleSessionName"]
        check_role_arn(arn)
        if caller.arn.endswith(":root"):
            raise _denied("Roles may not be assumed by root accounts.")
        role = self._directory.role(arn)
        if role is None:
            raise _denied(
                f"User: {caller.arn} is not authorized to perform: sts:AssumeRole "
                f"on resource: {arn}"
            )
        before = self._directory.session(caller)
        chained = before is not None and before.facts.origin in (Origin.ROLE, Origin.WEB_IDENTITY)
        policies = session_policies(params)
        tags, transitive = _tags(params, before)
        facts = SessionFacts(
            origin=Origin.ROLE,
            source=role.arn,
            source_id=role.id,
            name=name,
            policy=policies.policy,
            policy_arns=policies.arns,
            tags=tags,
            transitive=transitive,
            source_identity=_source_identity(params, before),
            mfa=self._checked_mfa(caller, params) or (before is not None and before.facts.mfa),
            chained=chained,
        )
        made = self.role_session(role, facts, lifetime(params, role, chained))
        return assumed(made, policies)

    def get_session_token(self, caller: Principal, params: Params) -> dict[str, Any]:
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""
        self._long_lived(caller, "GetSessionToken")
        lasts = timedelta(seconds=params.get("DurationSeconds", 43_200))
        facts = SessionFacts(
            Origin.USER, caller.arn, caller.user_id, mfa=self._checked_mfa(caller, params)
        )
        made = self._sessions.issue(caller.account, caller.arn, caller.user_id, facts, lasts)
        return {"Credentials": credentials(made)}

    def get_federation_token(self, caller: Principal, params: Params) -> dict[str, Any]:
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"""
        self._long_lived(caller, "GetFederationToken")
        name, account = params["Name"], caller.account
        policies = session_policies(params)
        tags, transitive = _tags(params, None)
        facts = SessionFacts(
            origin=Origin.FEDERATION,
            source=caller.arn,
            source_id=caller.user_id,
            name=name,
            policy=policies.policy,
            policy_arns=policies.arns,
            tags=tags,
            transitive=transitive,
        )
        arn, user_id = f"arn:aws:sts::{account}:federated-user/{name}", f"{account}:{name}"
        lasts = timedelta(seconds=params.get("DurationSeconds", 43_200))
        made = self._sessions.issue(account, arn, user_id, facts, lasts)
        return {
            "Credentials": credentials(made),
            "FederatedUser": {"FederatedUserId": user_id, "Arn": arn},
            **policies.size,
        }

    def role_session(self, role: Role, facts: SessionFacts, lasts: timedelta) -> Session:
        """A session of a role."""
        account = role.account
        arn = f"arn:aws:sts::{account}:assumed-role/{role.name}/{facts.name}"
        return self._sessions.issue(account, arn, f"{role.id}:{facts.name}", facts, lasts)

    def _long_lived(self, caller: Principal, operation: str) -> None:
        if refused := self._directory.refusal(caller, f"sts:{operation}"):
            raise refused

    def _checked_mfa(self, caller: Principal, params: Params) -> bool:
        """Whether a device's code was given; raises Refusal for a wrong one."""
        serial, code = params.get("SerialNumber"), params.get("TokenCode")
        if not serial and not code:
            return False
        seed = self._directory.mfa_seed(caller, str(serial))
        if seed is None or not mfa.is_code(seed, str(code), self._sessions.now()):
            raise _denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
        return True


def check_role_arn(arn: str) -> None:
    """Raise a ValidationError for a text that is not the ARN of a role."""
    if not _ROLE_ARN.fullmatch(arn):
        raise _invalid(f"{arn} is invalid")


def lifetime(params: Params, role: Role, chained: bool = False) -> timedelta:
    """How long a session of a role lasts; raises Refusal for longer than it may."""
    asked = int(params.get("DurationSeconds", 3600))
    if asked > role.longest_session:
        raise _invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if chained and asked > CHAINED.total_seconds():
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
            "by role chaining."
        )
    return timedelta(seconds=asked)


def credentials(made: Session) -> dict[str, Any]:
    """The Credentials structure of an answer."""
    return {
        "AccessKeyId": made.principal.access_key_id,
        "SecretAccessKey": made.secret,
        "SessionToken": made.token,
        "Expiration": made.ends_at,
    }


def assumed(made: Session, policies: SessionPolicies) -> dict[str, Any]:
    """The output of AssumeRole, and most of AssumeRoleWithWebIdentity's."""
    answer = {
        "Credentials": credentials(made),
        "AssumedRoleUser": {
            "AssumedRoleId": made.principal.user_id,
            "Arn": made.principal.arn,
        },
        **policies.size,
    }
    if made.facts.source_identity:
        answer["SourceIdentity"] = made.facts.source_identity
    return answer


def _tags(params: Params, before: Session | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Session tags, the inherited ones included, and the keys that later sessions inherit.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
    """
    inherited = {}
    if before is not None:
        inherited = {key: before.facts.tags[key] for key in before.facts.transitive}
    passed = {tag["Key"]: tag.get("Value", "") for tag in params.get("Tags", [])}
    known = {key.lower() for key in inherited}
    if clash := [key for key in passed if key.lower() in known]:
        raise Refusal(
            "InvalidParameterValue",
            f"One of the specified transitive tag keys can't be set because it conflicts with a "
            f"transitive tag key from the calling session. Conflicting key: {clash[0]}",
        )
    further = tuple(key for key in params.get("TransitiveTagKeys", []) if key in passed)
    return {**inherited, **passed}, (*inherited, *further)


def _source_identity(params: Params, before: Session | None) -> str:
    """The source identity, which stays the same in the whole chain of sessions.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    kept = before.facts.source_identity if before is not None else ""
    asked = str(params.get("SourceIdentity", ""))
    if kept and asked and asked != kept:
        raise _denied("Source identity cannot be changed once it is set for the session.")
    return kept or asked


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationError", message)


def _denied(message: str) -> Refusal:
    return Refusal("AccessDenied", message, 403)
