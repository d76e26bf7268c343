"""The accounts of a sandbox: made over the control API, each with a first user of its own.

An account that was never made here has nobody in it. The learner's own is there from the start;
making it again gives a learner who locked themself out their rights back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labs_helpers.defaults import REGION
from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.credentials import new_secret, unique_id
from labs_helpers.sandbox.moto.identity import MotoIdentity, add_key

ADMINISTRATOR = "admin"
MOST = 1000
"""Accounts in one request."""

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


class NotAnAccount(ValueError):
    """The account's id or the user's name is none; the message says how they look."""


@dataclass(frozen=True)
class Account:
    """An account with its first user's access key, which may do everything there."""

    account: str
    user: str
    access_key_id: str
    secret_access_key: str

    @property
    def document(self) -> dict[str, str]:
        """As JSON has it."""
        return {
            "account": self.account,
            "user": self.user,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        }


class Accounts:
    """Thread-safe."""

    def __init__(self, identity: MotoIdentity) -> None:
        self._identity = identity

    def known(self) -> list[dict[str, Any]]:
        """Every account: {"account", "learner", "users"}; users as a number."""
        own = self._identity.learner.principal.account
        return [
            {"account": account, "learner": account == own, "users": self._users(account)}
            for account in self._identity.accounts
        ]

    def make(self, asked: Iterable[tuple[str, str]]) -> list[Account]:
        """Make (account, user) pairs, or what each lacks of them, and return their keys.

        The user exists with AdministratorAccess and an active key, and nothing that denies or
        limits it: no boundary, inline policy or group. In the learner's account the user is the
        learner, whatever name was given. All are on disk, in one transaction, before this returns.
        Raises NotAnAccount, before anything is made; sqlite3.Error, with nothing made.
        """
        wanted = list(dict(asked).items())
        for account, user in wanted:
            check(account, user)
        with self._identity.turns:
            changed = [account for account, _ in wanted if not self._is_as_made(account)]
            made = [self._make(account, user) for account, user in wanted]
            if changed:
                self._identity.keep(changed)
        return made

    def _make(self, account: str, user: str) -> Account:
        learner = self._identity.learner
        mine = account == learner.principal.account
        name = learner.principal.arn.rpartition("/")[2] if mine else user
        if self._is_as_made(account):
            return Account(account, name, learner.principal.access_key_id, learner.secret)
        backend = self._identity.backend(account)
        if mine and all(one.id != learner.principal.user_id for one in backend.users.values()):
            # another user took the name of the learner who is gone
            if (other := backend.users.pop(name, None)) is not None:
                _without_limits(backend, other)
            self._identity.seed(backend)
        elif mine:
            name = _renamed_back(backend, learner.principal.user_id, name)
        elif name not in backend.users:
            backend.create_user(REGION, name)
        found = backend.users[name]
        _without_limits(backend, found)
        if mine:
            key = _key(backend, found, learner.principal.access_key_id, learner.secret)
        else:
            key = next((key for key in found.access_keys if key.status == "Active"), None)
            key = key or _key(backend, found, unique_id("AKIA"), new_secret())
        return Account(account, name, key.access_key_id, key.secret_access_key)

    def _is_as_made(self, account: str) -> bool:
        """Whether it is the learner's, with nothing to restore: then moto need not be there."""
        mine = account == self._identity.learner.principal.account
        return mine and self._identity.untouched(account)

    def _users(self, account: str) -> int:
        if self._identity.untouched(account):
            return 1
        return len(self._identity.backend(account).users)


def check(account: str, user: str) -> None:
    """Raise NotAnAccount for what can be no account or user."""
    if not _ACCOUNT.fullmatch(account) or account == "0" * 12:
        raise NotAnAccount(f"{account[:20]!r} is no account id: it has 12 digits")
    if not _USER.fullmatch(user):
        raise NotAnAccount(f"{user[:70]!r} is no name of a user: letters, digits and +=,.@_-")


def _renamed_back(backend: Any, user_id: str, name: str) -> str:
    """The learner may have been renamed: they get their name back where it is free."""
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


def _key(backend: Any, user: Any, key_id: str, secret: str) -> Any:
    """The user's key of this id, active; made when it is gone."""
    key = next((key for key in user.access_keys if key.access_key_id == key_id), None)
    key = key or add_key(backend, user, key_id, secret)
    key.status = "Active"
    return key
