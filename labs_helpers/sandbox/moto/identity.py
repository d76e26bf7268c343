"""Where the sandbox reaches into moto's IAM: users, roles and policies, restored and written.

With operations.py the only module that touches the insides of moto's services;
tests/sandbox/moto/test_contract.py holds each thing used here true for the pinned version. Nothing
of moto is imported until it is needed: while IAM was never changed, there is only the learner.
"""

from __future__ import annotations

import copy
import logging
import sqlite3
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from labs_helpers.defaults import REGION
from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.credentials import Credential, unique_id
from labs_helpers.sandbox.iam.state import State
from labs_helpers.sandbox.moto import snapshot

log = logging.getLogger(__name__)

PARTITION = "aws"

_IDS = {"User": "AIDA", "Group": "AGPA", "ManagedPolicy": "ANPA", "InstanceProfile": "AIPA"}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes"""

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

    def user_of_key(self, access_key_id: str) -> tuple[Any, Any] | None:
        """(user, access key) of moto, whatever the key's status."""
        if self.holds_only_the_learner:
            return None
        backends = self.ready()
        for account in self.accounts:
            for user in list(backends[account][PARTITION].users.values()):
                for key in list(user.access_keys):
                    if key.access_key_id == access_key_id:
                        return user, key
        return None

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


@cache
def _models() -> Any:
    """moto.iam.models with the subset of AWS managed policies, and without its own validators."""
    # 1582 policies that nobody attaches take 0.6 s and 16 MB for each account
    data = types.ModuleType("moto.iam.aws_managed_policies")
    data.aws_managed_policies_data = "{}"  # type: ignore[attr-defined]
    sys.modules.setdefault(data.__name__, data)
    import moto.iam.models

    models: Any = moto.iam.models
    templates = [_template(models, policy) for policy in managed.policies().values()]

    def aws_policies(backend: Any) -> list[Any]:
        return [_of_account(template, backend) for template in templates]

    models.IAMBackend._init_aws_policies = aws_policies
    for name, prefix in _IDS.items():
        _give_ids(getattr(models, name), prefix)
    models.IAMPolicyDocumentValidator = models.IAMTrustPolicyDocumentValidator = _Checked
    return models


def _give_ids(model: Any, prefix: str) -> None:
    """Unique ids of AWS's form for what is made from now on; what is restored keeps its own."""
    original = model.__init__

    def made(entity: Any, *arguments: Any, **named: Any) -> None:
        original(entity, *arguments, **named)
        entity.id = unique_id(prefix)

    model.__init__ = made


class _Checked:
    """In the place of moto's validators of documents: documents.py has checked before."""

    def __init__(self, policy_document: str) -> None:
        self._document = policy_document

    def validate(self) -> None:
        """Nothing is left to find."""


def _template(models: Any, policy: managed.Managed) -> Any:
    made = models.AWSManagedPolicy(
        policy.name,
        account_id="aws",
        region=PARTITION,
        default_version_id=policy.version,
        path=policy.path,
        document=policy.document,
        create_date=policy.created,
        update_date=policy.updated,
    )
    made.id = policy.id
    return made


def _of_account(template: Any, backend: Any) -> Any:
    """A policy as one account sees it: its own count of attachments, the same document."""
    seen = copy.copy(template)
    seen.account_id, seen.partition = backend.account_id, backend.partition
    seen.attachment_count = 0
    return seen
