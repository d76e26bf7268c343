"""moto's IAM as the plain data that room iam reads: `iam.records.Records`, over moto's objects.

tests/sandbox/moto/test_contract.py holds each attribute used here for the pinned version. While an
account was never changed the answers come without moto: only the learner is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from labs_helpers.defaults import REGION
from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.credentials import Credential, new_secret, unique_id
from labs_helpers.sandbox.iam.records import (
    AccessKey,
    Administrator,
    Entity,
    Group,
    ManagedPolicy,
    Provider,
    Role,
    User,
)
from labs_helpers.sandbox.moto.identity import MotoIdentity, add_key
from labs_helpers.sandbox.moto.state import State

_MANY = {"user": "users", "group": "groups", "role": "roles", "policy": "managed_policies"}


def open_records(folder: Path, learner: Credential) -> MotoRecords:
    """The records kept in a folder that need not exist; raises OSError or sqlite3.Error."""
    return MotoRecords(MotoIdentity(learner, State(folder)))


class MotoRecords:
    """`iam.records.Records`; thread-safe."""

    def __init__(self, identity: MotoIdentity) -> None:
        self.identity = identity
        self.learner = identity.learner

    @property
    def accounts(self) -> list[str]:
        return self.identity.accounts

    @property
    def notices(self) -> list[str]:
        return self.identity.state.database.notices

    def close(self) -> None:
        self.identity.state.database.close()

    def user_count(self, account: str) -> int:
        if self.identity.untouched(account):
            return 1
        return len(self.identity.backend(account).users)

    def user_of_key(self, access_key_id: str) -> tuple[User, AccessKey] | None:
        own = self.learner.principal
        if access_key_id == own.access_key_id and self.identity.untouched(own.account):
            return self._learner(), AccessKey(access_key_id, self.learner.secret, active=True)
        if self.identity.holds_only_the_learner:
            return None
        for account in self.accounts:
            backend = self.identity.backend(account)
            for user in list(backend.users.values()):
                for key in list(user.access_keys):
                    if key.access_key_id == access_key_id:
                        return _user(backend, user), _key(key)
        return None

    def user(self, account: str, user_id: str) -> User | None:
        return next(self._users(account, "id", user_id), None)

    def role(self, account: str, role_id: str) -> Role | None:
        if self.identity.untouched(account):
            return None
        backend = self.identity.backend(account)
        found = backend.roles.get(role_id)
        return None if found is None else _role(backend, found)

    def named(self, account: str, kind: str, name: str) -> Entity | ManagedPolicy | None:
        return self._first(account, kind, "name", name)

    def find(self, account: str, kind: str, arn: str) -> Entity | ManagedPolicy | None:
        return self._first(account, kind, "arn", arn)

    def role_of_profile(self, account: str, name: str) -> Role | None:
        if self.identity.untouched(account):
            return None
        backend = self.identity.backend(account)
        profiles = list(backend.instance_profiles.values())
        roles = [role for one in profiles if one.name == name for role in list(one.roles)]
        return _role(backend, roles[0]) if roles else None

    def provider(self, account: str, host: str) -> Provider | None:
        if self.identity.untouched(account):
            return None
        for one in list(self.identity.backend(account).open_id_providers.values()):
            if one.url.rstrip("/").lower() == host:
                return Provider(str(one.arn), host, tuple(one.client_id_list))
        return None

    def mfa_seed(self, account: str, user_id: str, serial: str) -> str | None:
        if self.identity.untouched(account):
            return None
        backend = self.identity.backend(account)
        user = next((one for one in list(backend.users.values()) if one.id == user_id), None)
        device = backend.virtual_mfa_devices.get(serial)
        theirs = user is not None and serial in user.mfa_devices
        return str(device.base32_string_seed) if theirs and device is not None else None

    def make_administrators(self, wanted: Iterable[tuple[str, str]]) -> list[Administrator]:
        pairs = list(wanted)
        with self.identity.turns:
            changed = [account for account, _ in pairs if not self._is_as_seeded(account)]
            made = [self._make_administrator(account, user) for account, user in pairs]
            if changed:
                self.identity.keep(changed)
        return made

    def _learner(self) -> User:
        """The learner as a user, as IAM has the learner before anything was changed."""
        own = self.learner.principal
        policy = managed.policies()[managed.ADMINISTRATOR]
        attached = ManagedPolicy(policy.arn, policy.name, policy.document)
        name = own.arn.rpartition("/")[2]
        return User(own.account, own.arn, own.user_id, name, (attached,))

    def _users(self, account: str, attribute: str, value: str) -> Iterator[User]:
        if self.identity.untouched(account):
            learner = self._learner()
            if account == learner.account and getattr(learner, attribute) == value:
                yield learner
            return
        backend = self.identity.backend(account)
        for one in list(backend.users.values()):
            if getattr(one, attribute) == value:
                yield _user(backend, one)

    def _first(
        self, account: str, kind: str, attribute: str, value: str
    ) -> Entity | ManagedPolicy | None:
        if kind not in _MANY:
            return None
        if self.identity.untouched(account):
            return next(self._users(account, attribute, value), None) if kind == "user" else None
        backend = self.identity.backend(account)
        for one in list(getattr(backend, _MANY[kind]).values()):
            if getattr(one, attribute) == value:
                plain: Entity | ManagedPolicy = _PLAIN[kind](backend, one)
                return plain
        return None

    def _is_as_seeded(self, account: str) -> bool:
        """Whether the account is the learner's and was never changed: then moto is not needed."""
        mine = account == self.learner.principal.account
        return mine and self.identity.untouched(account)

    def _make_administrator(self, account: str, user: str) -> Administrator:
        own = self.learner.principal
        mine = account == own.account
        name = own.arn.rpartition("/")[2] if mine else user
        if self._is_as_seeded(account):
            key = AccessKey(own.access_key_id, self.learner.secret, active=True)
            return Administrator(account, name, key)
        backend = self.identity.backend(account)
        if mine and all(one.id != own.user_id for one in backend.users.values()):
            # another user took the name of the learner who is gone
            if (other := backend.users.pop(name, None)) is not None:
                _without_limits(backend, other)
            self.identity.seed(backend)
        elif mine:
            name = _renamed_back(backend, own.user_id, name)
        elif name not in backend.users:
            backend.create_user(REGION, name)
        found = backend.users[name]
        _without_limits(backend, found)
        if mine:
            active = _active_key(backend, found, own.access_key_id, self.learner.secret)
        else:
            active = next((key for key in found.access_keys if key.status == "Active"), None)
            active = active or _active_key(backend, found, unique_id("AKIA"), new_secret())
        return Administrator(account, name, _key(active))


def _policy(policy: Any) -> ManagedPolicy:
    wanted = policy.default_version_id
    versions = list(policy.versions)
    text = next((one.document for one in versions if one.version_id == wanted), None)
    return ManagedPolicy(str(policy.arn), str(policy.name), text, _tags(policy.get_tags()))


def _shared(entity: Any) -> dict[str, Any]:
    return {
        "account": str(entity.account_id),
        "arn": str(entity.arn),
        "id": str(entity.id),
        "name": str(entity.name),
        "managed": tuple(_policy(one) for one in list(entity.managed_policies.values())),
        "inline": dict(list(entity.policies.items())),
    }


def _boundary(backend: Any, entity: Any) -> ManagedPolicy | None:
    arn = getattr(entity, "permissions_boundary_arn", None)
    if not arn:
        return None
    found = backend.managed_policies.get(arn)
    return ManagedPolicy(arn, arn.rpartition("/")[2], None) if found is None else _policy(found)


def _user(backend: Any, user: Any) -> User:
    groups = [group for group in list(backend.groups.values()) if user in list(group.users)]
    return User(
        **_shared(user),
        boundary=_boundary(backend, user),
        tags=dict(backend.tagger.get_tag_dict_for_resource(user.arn)),
        groups=tuple(Group(**_shared(group)) for group in groups),
    )


def _role(backend: Any, role: Any) -> Role:
    return Role(
        **_shared(role),
        boundary=_boundary(backend, role),
        tags=_tags(role.tags),
        # as it was saved: moto/principals.py shows the attribute with the ARNs of today
        trust=str(vars(role)["assume_role_policy_document"]),
        longest_session=int(role.max_session_duration or 3600),
    )


_PLAIN: dict[str, Any] = {
    "user": _user,
    "group": lambda backend, group: Group(**_shared(group)),
    "role": _role,
    "policy": lambda backend, policy: _policy(policy),
}


def _tags(listed: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed or []}


def _key(key: Any) -> AccessKey:
    return AccessKey(str(key.access_key_id), str(key.secret_access_key), key.status == "Active")


def _renamed_back(backend: Any, user_id: str, name: str) -> str:
    """Give a learner who was renamed the old name back, where the name is free."""
    user = next(one for one in backend.users.values() if one.id == user_id)
    if user.name != name and name not in backend.users:
        backend.users[name] = backend.users.pop(user.name)
        user.name = name
        for key in user.access_keys:
            key.user_name = name
    user.path = "/"
    return str(user.name)


def _without_limits(backend: Any, user: Any) -> None:
    user.permissions_boundary_arn = None
    user.policies.clear()
    for group in backend.groups.values():
        if user in group.users:
            group.users.remove(user)
    for arn in list(user.managed_policies):
        if arn != managed.ADMINISTRATOR:
            user.managed_policies[arn].detach_from(user)
    if managed.ADMINISTRATOR not in user.managed_policies:
        backend.managed_policies[managed.ADMINISTRATOR].attach_to(user)


def _active_key(backend: Any, user: Any, key_id: str, secret: str) -> Any:
    """The user's key of this id, active; made if the key is gone."""
    key = next((key for key in user.access_keys if key.access_key_id == key_id), None)
    key = key or add_key(backend, user, key_id, secret)
    key.status = "Active"
    return key
