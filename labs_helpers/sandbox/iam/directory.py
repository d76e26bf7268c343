"""Who is who: access keys, and the policies that apply to a principal at this moment.

Kinds of policies and how they meet:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#access_policy-types
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.iam.held import Held as Held
from labs_helpers.sandbox.iam.held import (
    boundary,
    default_document,
    nothing,
    parsed,
    policies_on,
    session_keys,
    tags_in,
    user_keys,
)
from labs_helpers.sandbox.iam.session_limits import refusal
from labs_helpers.sandbox.iam.sessions import Made, Session, Sessions
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.moto.identity import MotoIdentity
from labs_helpers.sandbox.policy.model import Caller, Kind, Policy
from labs_helpers.sandbox.service.refusal import Refusal


class Directory:
    """The users, roles and sessions of every account; thread-safe, nothing of it is cached."""

    def __init__(self, identity: MotoIdentity, sessions: Sessions) -> None:
        self._identity = identity
        self._sessions = sessions

    def find(self, access_key_id: str) -> Credential | None:
        """The credential of a key; None for one that is unknown, deleted or inactive.

        A session's is found after its end too: AWS calls it expired, not unknown.
        """
        learner = self._identity.learner
        mine = access_key_id == learner.principal.access_key_id
        if mine and self._identity.untouched(learner.principal.account):
            return learner
        if session := self._sessions.find(access_key_id):
            return session
        found = self._identity.user_of_key(access_key_id)
        if found is None:
            return None
        user, key = found
        if key.status != "Active":
            return None
        caller = Principal(user.account_id, user.arn, user.id, access_key_id)
        return Credential(caller, key.secret_access_key)

    def policies_of(self, principal: Principal) -> Held:
        """What the principal holds now; a user or role that is gone holds nothing."""
        session = self._sessions.session(principal.access_key_id)
        if session is None:
            return self._of_user(principal.account, principal.arn, principal.user_id)
        if session.facts.made in (Made.ROLE, Made.WEB_IDENTITY):
            return self._of_role_session(session)
        return self._of_user_session(session)

    def of_arn(self, arn: str) -> Held | None:
        """What a user, group or role holds, by its ARN; None where there is none of it."""
        account, kind, name = _parts(arn)
        if account is None:
            return None
        if self._identity.untouched(account):
            learner = self._identity.learner.principal
            return self._of_user(account, arn, learner.user_id) if arn == learner.arn else None
        backend = self._identity.backend(account)
        many = {"user": backend.users, "group": backend.groups, "role": backend.roles}
        found = [one for one in list(many.get(kind, {}).values()) if one.arn == arn]
        if not found:
            return None
        if kind == "user":
            return self._of_user(account, arn, found[0].id)
        return Held(
            Caller(account, arn, arn),
            tuple(policies_on(found[0], f"{kind} {name}")),
            boundary(backend, found[0]) if kind == "role" else None,
            tags=self.tags_of(arn),
        )

    def boundary_of(self, arn: str) -> str | None:
        """The ARN of the permissions boundary of a user or role; None for none."""
        held = self.of_arn(arn)
        return held.boundary.arn if held and held.boundary else None

    def role_of_profile(self, account: str, name: str) -> str | None:
        """The ARN of the role in an instance profile; None where there is none."""
        if self._identity.untouched(account):
            return None
        profiles = list(self._identity.backend(account).instance_profiles.values())
        roles = [role for one in profiles if one.name == name for role in list(one.roles)]
        return str(roles[0].arn) if roles else None

    def role_trust(self, role_arn: str) -> Policy | None:
        """A role's trust policy; None where there is no such role."""
        role = self.role(role_arn)
        if role is None:
            return None
        return Policy(
            Kind.TRUST,
            f"trust policy of role {role.name}",
            parsed(role.assume_role_policy_document),
        )

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """The tags of a user, role or policy; empty for anything else."""
        account, kind, _ = _parts(arn)
        if account is None or self._identity.untouched(account):
            return {}
        backend = self._identity.backend(account)
        if kind == "user":
            return dict(backend.tagger.get_tag_dict_for_resource(arn))
        if kind == "role":
            return tags_in(role.tags for role in list(backend.roles.values()) if role.arn == arn)
        if kind == "policy" and (policy := backend.managed_policies.get(arn)):
            return tags_in([policy.get_tags()])
        return {}

    def entity_arn(self, account: str, kind: str, name: str) -> str | None:
        """The ARN, with its path, of a "user", "role", "group" or "policy" by its name."""
        if self._identity.untouched(account):
            learner = self._identity.learner.principal
            mine = account == learner.account and kind == "user"
            return learner.arn if mine and learner.arn.endswith(f":user/{name}") else None
        backend = self._identity.backend(account)
        many = {
            "user": backend.users,
            "role": backend.roles,
            "group": backend.groups,
            "policy": backend.managed_policies,
        }
        found = (one for one in list(many.get(kind, {}).values()) if one.name == name)
        return next((str(one.arn) for one in found), None)

    def role(self, role_arn: str) -> Any:
        """moto's role of an ARN, its path included; None where there is none."""
        account, kind, _ = _parts(role_arn)
        if account is None or kind != "role" or self._identity.untouched(account):
            return None
        roles = list(self._identity.backend(account).roles.values())
        return next((role for role in roles if role.arn == role_arn), None)

    def oidc_provider(self, account: str, issuer: str) -> Any:
        """moto's provider of web identities of an issuer's URL; None where there is none."""
        if self._identity.untouched(account):
            return None
        providers = list(self._identity.backend(account).open_id_providers.values())
        host = issuer.removeprefix("https://").rstrip("/").lower()
        return next((one for one in providers if one.url.rstrip("/").lower() == host), None)

    def account_of_key(self, access_key_id: str) -> str | None:
        """The account of a key that was ever handed out here and is not deleted."""
        if found := self.find(access_key_id):
            return found.principal.account
        user = self._identity.user_of_key(access_key_id)
        return None if user is None else str(user[0].account_id)

    def mfa_seed(self, principal: Principal, serial: str) -> str | None:
        """The base32 seed of a user's own virtual MFA device; None where it is not theirs."""
        if self._identity.untouched(principal.account):
            return None
        backend = self._identity.backend(principal.account)
        user = next((u for u in list(backend.users.values()) if u.id == principal.user_id), None)
        device = backend.virtual_mfa_devices.get(serial)
        theirs = user is not None and serial in user.mfa_devices
        return str(device.base32_string_seed) if theirs and device is not None else None

    def session(self, principal: Principal) -> Session | None:
        """The session that a principal acts in; None for a long-lived key."""
        return self._sessions.session(principal.access_key_id)

    def refusal(self, principal: Principal, action: str) -> Refusal | None:
        """Why a session may not call this whatever its policies say; None where it may."""
        return refusal(self.session(principal), action)

    def _of_user(self, account: str, arn: str, user_id: str) -> Held:
        caller = Caller(account, arn, arn)
        if self._identity.untouched(account):
            learner = self._identity.learner.principal
            if user_id != learner.user_id:
                return Held(caller)
            name = arn.rpartition("/")[2]
            text = managed.policies()[managed.ADMINISTRATOR].document
            policy = Policy(
                Kind.IDENTITY,
                "AdministratorAccess",
                parsed(text),
                f"attached to user {name}",
                managed.ADMINISTRATOR,
            )
            return Held(caller, (policy,), session_keys=user_keys(user_id, name))
        backend = self._identity.backend(account)
        users = list(backend.users.values())
        user = next((user for user in users if user.id == user_id), None)
        if user is None:
            return Held(caller)
        groups = [group for group in list(backend.groups.values()) if user in list(group.users)]
        identity = [
            *policies_on(user, f"user {user.name}"),
            *(policy for group in groups for policy in policies_on(group, f"group {group.name}")),
        ]
        return Held(
            Caller(account, user.arn, user.arn),
            tuple(identity),
            boundary(backend, user),
            tags=dict(backend.tagger.get_tag_dict_for_resource(user.arn)),
            session_keys=user_keys(user.id, user.name),
        )

    def _of_user_session(self, session: Session) -> Held:
        """Of GetSessionToken the user itself; of GetFederationToken a federated user."""
        facts, principal = session.facts, session.principal
        user = self._of_user(principal.account, facts.source, facts.source_id)
        keys = {**user.session_keys, **session_keys(session, self._sessions.now())}
        if facts.made is Made.USER:
            return Held(
                user.caller, user.identity, user.boundary, None, user.tags, session_keys=keys
            )
        keys |= {"aws:userid": principal.user_id, "aws:principaltype": "FederatedUser"}
        keys.pop("aws:username", None)
        return Held(
            Caller(principal.account, principal.arn, principal.arn, facts.source),
            user.identity,
            user.boundary,
            # without a policy a federated user has no rights of the user's
            self._session_policies(session) or (nothing("no session policy was passed"),),
            {**user.tags, **facts.tags},
            keys,
        )

    def _of_role_session(self, session: Session) -> Held:
        facts, principal = session.facts, session.principal
        caller = Caller(principal.account, principal.arn, facts.source)
        keys = {
            "aws:userid": principal.user_id,
            "aws:principaltype": "AssumedRole",
            **session_keys(session, self._sessions.now()),
            **facts.keys,
        }
        if self._identity.untouched(principal.account):
            return Held(caller, session_keys=keys)
        backend = self._identity.backend(principal.account)
        role = backend.roles.get(facts.source_id)
        if role is None:
            return Held(caller, session_keys=keys)
        return Held(
            caller,
            tuple(policies_on(role, f"role {role.name}")),
            boundary(backend, role),
            self._session_policies(session),
            {**tags_in([role.tags]), **facts.tags},
            keys,
        )

    def _session_policies(self, session: Session) -> tuple[Policy, ...] | None:
        facts, account = session.facts, session.principal.account
        found = []
        if facts.policy is not None:
            text = parsed(facts.policy)
            found.append(Policy(Kind.SESSION, "session policy", text, "passed with the session"))
        for arn in facts.policy_arns:
            policy = self._identity.backend(account).managed_policies.get(arn)
            name = arn.rpartition("/")[2]
            if policy is None:
                found.append(nothing(f"{name}, which is gone"))
            else:
                text = parsed(default_document(policy))
                found.append(Policy(Kind.SESSION, name, text, "passed with the session", arn))
        return tuple(found) or None


def _parts(arn: str) -> tuple[str | None, str, str]:
    """(account, kind, name) of an ARN of IAM; account None for any other text."""
    pieces = arn.split(":", 5)
    if len(pieces) != 6 or pieces[:3] != ["arn", "aws", "iam"] or not pieces[4].isdigit():
        return None, "", ""
    kind, _, name = pieces[5].partition("/")
    return pieces[4], kind, name.rpartition("/")[2]
