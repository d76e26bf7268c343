"""Who is who: access keys, and the policies that apply to a principal at this moment.

Kinds of policies and how they meet:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#access_policy-types
"""

from __future__ import annotations

from collections.abc import Mapping

from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.iam.records import (
    Entity,
    Group,
    ManagedPolicy,
    Provider,
    Records,
    Role,
    User,
)
from labs_helpers.sandbox.iam.rights import (
    Rights,
    boundary_of,
    nothing,
    parsed,
    policies_on,
    session_keys,
    user_keys,
)
from labs_helpers.sandbox.iam.session_limits import refusal
from labs_helpers.sandbox.iam.sessions import Origin, Session, Sessions
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.policy.model import Kind, Policy
from labs_helpers.sandbox.policy.request import Caller
from labs_helpers.sandbox.policy.unique_ids import shown
from labs_helpers.sandbox.service.refusal import Refusal


class Directory:
    """The users, roles and sessions of every account; thread-safe, and caches nothing."""

    def __init__(self, records: Records, sessions: Sessions) -> None:
        self._records = records
        self._sessions = sessions

    def find(self, access_key_id: str) -> Credential | None:
        """The credential of a key; None for a key that is unknown, deleted or inactive.

        The key of a session is found after the session's end too: AWS calls such a key expired,
        not unknown.
        """
        if session := self._sessions.find(access_key_id):
            return session
        found = self._records.user_of_key(access_key_id)
        if found is None or not found[1].active:
            return None
        user, key = found
        return Credential(Principal(user.account, user.arn, user.id, key.id), key.secret)

    def account_of_key(self, access_key_id: str) -> str | None:
        """The account of a key that was ever handed out here and is not deleted."""
        if session := self._sessions.find(access_key_id):
            return session.principal.account
        found = self._records.user_of_key(access_key_id)
        return None if found is None else found[0].account

    def rights_of(self, principal: Principal) -> Rights:
        """The rights of a principal now; a user or role that is gone has none."""
        if principal.is_service:
            return of_service(principal)
        session = self._sessions.session(principal.access_key_id)
        if session is None:
            return self._of_user(principal.account, principal.arn, principal.user_id)
        if session.facts.origin in (Origin.ROLE, Origin.WEB_IDENTITY):
            return self._of_role_session(session)
        return self._of_user_session(session)

    def is_there(self, principal: Principal) -> bool:
        """Whether the user or role that a principal is, or acts as, still exists.

        One of the same name that was made later is another.
        """
        if principal.is_service:
            return True
        session = self._sessions.session(principal.access_key_id)
        if session is None:
            return self._records.user(principal.account, principal.user_id) is not None
        source = session.facts.source_id
        if session.facts.origin in (Origin.ROLE, Origin.WEB_IDENTITY):
            return self._records.role(principal.account, source) is not None
        return self._records.user(principal.account, source) is not None

    def of_arn(self, arn: str) -> Rights | None:
        """The rights of a user, group or role, by its ARN; None where there is none."""
        account, kind, name = _parts(arn)
        found = self._found(arn)
        if isinstance(found, User):
            return _of(found)
        if not isinstance(found, Group | Role):
            return None
        tags = found.tags if isinstance(found, Role) else {}
        policies = tuple(policies_on(found, f"{kind} {name}"))
        return Rights(Caller(account, arn, arn), policies, boundary_of(found), tags=tags)

    def boundary_of(self, arn: str) -> str | None:
        """The ARN of the permissions boundary of a user or role; None for none."""
        rights = self.of_arn(arn)
        return rights.boundary.arn if rights and rights.boundary else None

    def role_of_profile(self, account: str, name: str) -> str | None:
        """The ARN of the role in an instance profile; None where there is none."""
        role = self._records.role_of_profile(account, name)
        return None if role is None else role.arn

    def id_of(self, arn: str) -> str | None:
        """`identity.Principals`: the unique id of a user or role by its ARN."""
        found = self._found(arn)
        return found.id if isinstance(found, User | Role) and found.arn == arn else None

    def arn_of(self, unique_id: str) -> str | None:
        """`identity.Principals`: the ARN of a user or role by its unique id."""
        look = self._records.role if unique_id.startswith("AROA") else self._records.user
        for account in self._records.accounts:
            if found := look(account, unique_id):
                return found.arn
        return None

    def role_trust(self, role_arn: str) -> Policy | None:
        """A role's trust policy; None where there is no such role."""
        role = self.role(role_arn)
        if role is None:
            return None
        text = shown(role.trust, self.arn_of)
        return Policy(Kind.TRUST, f"trust policy of role {role.name}", parsed(text))

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """The tags of a user, role or policy; empty for anything else."""
        found = self._found(arn)
        return found.tags if isinstance(found, User | Role | ManagedPolicy) else {}

    def entity_arn(self, account: str, kind: str, name: str) -> str | None:
        """The ARN, with its path, of a "user", "role", "group" or "policy" by its name."""
        found = self._records.named(account, kind, name)
        return None if found is None else found.arn

    def role(self, role_arn: str) -> Role | None:
        """The role of an ARN, with its path; None where there is none."""
        found = self._found(role_arn)
        return found if isinstance(found, Role) else None

    def oidc_provider(self, account: str, issuer: str) -> Provider | None:
        """The provider of web identities of an issuer's URL; None where there is none."""
        host = issuer.removeprefix("https://").rstrip("/").lower()
        return self._records.provider(account, host)

    def mfa_seed(self, principal: Principal, serial: str) -> str | None:
        """The base32 seed of a user's virtual MFA device; None for a device of somebody else."""
        return self._records.mfa_seed(principal.account, principal.user_id, serial)

    def session(self, principal: Principal) -> Session | None:
        """The session that a principal acts in; None for a long-lived key."""
        return self._sessions.session(principal.access_key_id)

    def refusal(self, principal: Principal, action: str) -> Refusal | None:
        """Why a session may not call an action; None where the policies decide."""
        return refusal(self.session(principal), action)

    def _found(self, arn: str) -> Entity | ManagedPolicy | None:
        account, kind, _ = _parts(arn)
        return self._records.find(account, kind, arn) if account else None

    def _of_user(self, account: str, arn: str, user_id: str) -> Rights:
        user = self._records.user(account, user_id)
        return Rights(Caller(account, arn, arn)) if user is None else _of(user)

    def _of_user_session(self, session: Session) -> Rights:
        """The principal of a session of GetSessionToken (the user) or GetFederationToken."""
        facts, principal = session.facts, session.principal
        user = self._of_user(principal.account, facts.source, facts.source_id)
        keys = {**user.session_keys, **session_keys(session, self._sessions.now())}
        if facts.origin is Origin.USER:
            return Rights(
                user.caller, user.identity, user.boundary, None, user.tags, session_keys=keys
            )
        keys |= {"aws:userid": principal.user_id, "aws:principaltype": "FederatedUser"}
        keys.pop("aws:username", None)
        return Rights(
            Caller(principal.account, principal.arn, principal.arn, facts.source),
            user.identity,
            user.boundary,
            # without a policy a federated user has no rights of the user's
            self._session_policies(session) or (nothing("no session policy was passed"),),
            {**user.tags, **facts.tags},
            keys,
        )

    def _of_role_session(self, session: Session) -> Rights:
        facts, principal = session.facts, session.principal
        caller = Caller(principal.account, principal.arn, facts.source)
        keys = {
            "aws:userid": principal.user_id,
            "aws:principaltype": "AssumedRole",
            **session_keys(session, self._sessions.now()),
            **facts.keys,
        }
        role = self._records.role(principal.account, facts.source_id)
        if role is None:
            return Rights(caller, session_keys=keys)
        return Rights(
            caller,
            tuple(policies_on(role, f"role {role.name}")),
            boundary_of(role),
            self._session_policies(session),
            {**role.tags, **facts.tags},
            keys,
        )

    def _session_policies(self, session: Session) -> tuple[Policy, ...] | None:
        facts, account = session.facts, session.principal.account
        found = []
        if facts.policy is not None:
            text = parsed(facts.policy)
            found.append(Policy(Kind.SESSION, "session policy", text, "passed with the session"))
        for arn in facts.policy_arns:
            policy = self._records.find(account, "policy", arn)
            name = arn.rpartition("/")[2]
            if not isinstance(policy, ManagedPolicy):
                found.append(nothing(f"{name}, which is gone"))
            else:
                text = parsed(policy.document)
                found.append(Policy(Kind.SESSION, name, text, "passed with the session", arn))
        return tuple(found) or None


def of_service(principal: Principal) -> Rights:
    """A service of AWS that acts as itself, for a resource whose ARN is the principal's user_id.

    Only policies of resources let a service in, by these keys:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    keys = {
        "aws:principalservicename": principal.arn,
        "aws:principalisawsservice": "true",
        "aws:sourcearn": principal.user_id,
        "aws:sourceaccount": principal.account,
    }
    return Rights(Caller("", principal.arn, ""), session_keys=keys)


def _of(user: User) -> Rights:
    identity = [*policies_on(user, f"user {user.name}")]
    for group in user.groups:
        identity += policies_on(group, f"group {group.name}")
    return Rights(
        Caller(user.account, user.arn, user.arn),
        tuple(identity),
        boundary_of(user),
        tags=user.tags,
        session_keys=user_keys(user.id, user.name),
    )


def _parts(arn: str) -> tuple[str, str, str]:
    """(account, kind, name) of an ARN of IAM; empty for any other text."""
    pieces = arn.split(":", 5)
    if len(pieces) != 6 or pieces[:3] != ["arn", "aws", "iam"]:
        return "", "", ""
    kind, _, name = pieces[5].partition("/")
    return (pieces[4], kind, name.rpartition("/")[2]) if pieces[4].isdigit() else ("", "", "")
