"""moto's IAM of every account: restored from disk, written to disk, seeded with the learner.

IAM's records stay moto's. botocore's model of IAM has 180 operations over twenty kinds of records,
and moto 5.2.5 answers 125 of them in 4,700 lines; a service of our own would be thousands of lines
to decide nothing better, since the decisions are ours already. What moto lets pass, iam_rules.py
refuses; what moto leaves out, iam_operations.py does.

Nothing of moto is imported until a call needs moto: while IAM was never changed, the learner is
the only user.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from labs_helpers.defaults import REGION
from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.moto import iam_models, snapshot
from labs_helpers.sandbox.moto.state import State

PARTITION = "aws"

KEPT = (
    "users",
    "groups",
    "roles",
    "instance_profiles",
    "access_keys",
    "managed_policies",
    "inline_policies",
    "account_aliases",
    "account_password_policy",
    "open_id_providers",
    "saml_providers",
    "virtual_mfa_devices",
    "certificates",
    "credential_report",
    "tagger",
)
"""The attributes of moto's IAMBackend that are an account's state; the others are made anew."""


class MotoIdentity:
    """moto's IAM of every account, in memory and on disk; thread-safe.

    Who changes anything holds `turns`.
    """

    def __init__(self, learner: Credential, state: State) -> None:
        self.learner = learner
        self.state = state
        self._lock = threading.RLock()
        self.turns = threading.RLock()
        self._ready = False

    @property
    def accounts(self) -> list[str]:
        """The learner's own account, and those in which something was ever made."""
        return sorted(self.state.accounts | {self.learner.principal.account})

    def untouched(self, account: str) -> bool:
        """Whether there is nothing of an account to look for in moto.

        Of the learner's own account that means: it is as it was first made.
        """
        if self._ready:
            return account not in self.accounts
        return account not in self.state.accounts

    @property
    def holds_only_the_learner(self) -> bool:
        """Whether there is nobody to look for in moto."""
        return not self._ready and not self.state.accounts

    def backend(self, account: str) -> Any:
        """moto's IAMBackend of an account, with all that was stored."""
        return self.ready()[account][PARTITION]

    def ready(self) -> Any:
        """moto's IAM backends by account: loaded, restored, the learner among them."""
        with self._lock:
            backends = _models().iam_backends
            if not self._ready:
                for stored in self.state.read():
                    self._restore(stored.account, stored.content, stored.moto)
                if self.learner.principal.account not in self.state.accounts:
                    self._begin(self.learner.principal.account)
                self._ready = True
            return backends

    @contextmanager
    def changing(self, account: str) -> Iterator[Callable[[bool], None]]:
        """Around a change of an account, told whether it was made; changes take turns.

        Saying so writes the account to disk; raises sqlite3.Error, the change undone, when the
        disk does not take it.
        """

        def kept(changed: bool) -> None:
            if changed:
                self.keep([account])

        with self.turns:
            yield kept

    def keep(self, accounts: list[str]) -> None:
        """Write accounts to disk now, or make them again as they were there."""
        contents = {account: captured(self.backend(account)) for account in accounts}
        try:
            self.state.write(contents)
        except sqlite3.Error:
            for account in accounts:
                self._undo(account)
            raise

    def seed(self, backend: Any) -> None:
        """The learner as a user: its id and key, AdministratorAccess, no more."""
        principal = self.learner.principal
        name = principal.arn.rpartition("/")[2]
        user = backend.create_user(REGION, name)
        user.id = principal.user_id
        key = add_key(backend, user, principal.access_key_id, self.learner.secret)
        if self.learner.created is not None:
            user.create_date = key.create_date = self.learner.created.replace(tzinfo=None)
        backend.attach_user_policy(managed.ADMINISTRATOR, name)

    def _restore(self, account: str, content: bytes, version: str) -> None:
        backend = _models().IAMBackend(PARTITION, account_id=account)
        try:
            _fill(backend, snapshot.load(content, backend.managed_policies.__getitem__))
        except (snapshot.Unreadable, AttributeError, TypeError, KeyError) as error:
            self.state.set_aside(account, f"written with moto {version}: {error}")
            return
        _place(account, backend)

    def _begin(self, account: str) -> None:
        """An account as it was before anything was changed."""
        backend = _models().IAMBackend(PARTITION, account_id=account)
        if account == self.learner.principal.account:
            self.seed(backend)
        _place(account, backend)

    def _undo(self, account: str) -> None:
        stored = next((one for one in self.state.read() if one.account == account), None)
        if stored is None:
            self._begin(account)
        else:
            self._restore(account, stored.content, stored.moto)


def _place(account: str, backend: Any) -> None:
    # past AccountSpecificBackend.__getitem__, which would make another
    dict.__setitem__(_models().iam_backends[account], PARTITION, backend)


def add_key(backend: Any, user: Any, key_id: str, secret: str) -> Any:
    """Give a user of moto this access key."""
    key = _models().AccessKey(user_name=user.name, prefix="AKIA", account_id=user.account_id)
    key.access_key_id, key.secret_access_key = key_id, secret
    user.access_keys.append(key)
    backend.access_keys[key_id] = key
    return key


def captured(backend: Any) -> bytes:
    """An account's state as bytes; AWS managed policies are kept by their ARN only."""
    aws = _models().AWSManagedPolicy
    kept = {name: getattr(backend, name) for name in KEPT}
    kept["managed_policies"] = {
        arn: policy for arn, policy in backend.managed_policies.items() if not _is(policy, aws)
    }
    return snapshot.dump(kept, lambda found: found.arn if _is(found, aws) else None)


def _is(found: Any, kind: type) -> bool:
    return type(found) is kind


def _fill(backend: Any, found: dict[str, Any]) -> None:
    """Put a stored state into a new backend, and count attachments again."""
    own = found.pop("managed_policies")
    for name, value in found.items():
        new = getattr(backend, name)
        if name not in KEPT or not (new is None or value is None or type(value) is type(new)):
            raise TypeError(f"{name} is a {type(value).__name__}")
        setattr(backend, name, value)
    backend.managed_policies.update(own)
    for policy in backend.managed_policies.values():
        policy.attachment_count = 0
    for entity in (*backend.users.values(), *backend.groups.values(), *backend.roles.values()):
        for policy in entity.managed_policies.values():
            policy.attachment_count += 1


def _models() -> Any:
    return iam_models.load()
