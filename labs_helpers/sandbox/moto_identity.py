"""Where the sandbox reaches into moto: its users, keys and roles, and who a session is.

The only module that touches the insides of moto's services; tests/sandbox/test_moto_contract.py
holds each thing used here true for the pinned version. Nothing of moto is imported until it is
needed: while no service of it was called, there are no keys in moto to look for.
"""

from __future__ import annotations

import sys
import threading
from datetime import UTC, timedelta
from typing import Any

from labs_helpers.names import REGION
from labs_helpers.sandbox.credentials import Credential, Sessions
from labs_helpers.sandbox.identity import Principal

PARTITION = "aws"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class MotoIdentity:
    """The learner as a user of moto's IAM, and moto's access keys as credentials of ours."""

    def __init__(self, learner: Credential) -> None:
        self.learner = learner
        self.sessions = Sessions()
        self._lock = threading.Lock()
        self._seeded = False
        self._answering = False

    def find(self, access_key_id: str) -> Credential | None:
        """The credential of a key: the learner's, a session's, or one made in moto."""
        if access_key_id == self.learner.principal.access_key_id:
            return self.learner
        if session := self.sessions.find(access_key_id):
            return session
        return _role_session(access_key_id) or _user_key(access_key_id)

    def prepare(self, service: str) -> None:
        """Before a call: the learner as a user of IAM, and true answers of STS, each once.

        moto asks its IAM who calls for every service, so the user is there from the first call.
        """
        with self._lock:
            if not self._seeded:
                self._seed()
                self._seeded = True
            if service == "sts" and not self._answering:
                _answer_with_true_sessions(self)
                self._answering = True

    def _seed(self) -> None:
        import moto.iam.models

        iam: Any = moto.iam.models
        principal = self.learner.principal
        backend = iam.iam_backends[principal.account][PARTITION]
        name = principal.arn.rpartition("/")[2]
        user = backend.create_user(REGION, name)
        user.id = principal.user_id
        key = iam.AccessKey(user_name=name, prefix="AKIA", account_id=principal.account)
        key.access_key_id = principal.access_key_id
        key.secret_access_key = self.learner.secret
        user.access_keys.append(key)
        backend.access_keys[key.access_key_id] = key
        backend.attach_user_policy(ADMINISTRATOR, name)


def _role_session(access_key_id: str) -> Credential | None:
    sts = sys.modules.get("moto.sts.models")
    if sts is None:
        return None
    for account in list(sts.sts_backends.values()):
        for backend in list(account.values()):
            role = backend.get_assumed_role_from_access_key(access_key_id)
            if role is not None:
                ends = role.expiration
                return Credential(
                    Principal(role.account_id, role.arn, role.user_id, access_key_id),
                    role.secret_access_key,
                    role.session_token,
                    ends if ends.tzinfo else ends.replace(tzinfo=UTC),
                )
    return None


def _user_key(access_key_id: str) -> Credential | None:
    iam = sys.modules.get("moto.iam.models")
    if iam is None:
        return None
    for account in list(iam.iam_backends.values()):
        for backend in list(account.values()):
            for user in list(backend.users.values()):
                for key in list(user.access_keys):
                    # to AWS an inactive key is as unknown as a deleted one
                    if key.access_key_id == access_key_id and key.status == "Active":
                        caller = Principal(user.account_id, user.arn, user.id, access_key_id)
                        return Credential(caller, key.secret_access_key)
    return None


def _answer_with_true_sessions(identity: MotoIdentity) -> None:
    """Two STS operations, ours: moto hands out one constant session that nobody could use."""
    from moto.core.responses import ActionResult
    from moto.sts.responses import TokenResponse

    def caller(response: Any) -> Principal:
        found = identity.find(response.get_access_key())
        if found is None:
            raise LookupError("moto was called with a key that the gateway does not know")
        return found.principal

    def get_session_token(response: Any) -> Any:
        lifetime = timedelta(seconds=response._get_int_param("DurationSeconds", 43200))
        made = identity.sessions.issue(caller(response), lifetime)
        return ActionResult(
            {
                "Credentials": {
                    "AccessKeyId": made.principal.access_key_id,
                    "SecretAccessKey": made.secret,
                    "SessionToken": made.session_token,
                    "Expiration": made.expires,
                }
            }
        )

    def get_caller_identity(response: Any) -> Any:
        who = caller(response)
        return ActionResult({"UserId": who.user_id, "Account": who.account, "Arn": who.arn})

    answers: Any = TokenResponse
    answers.get_session_token = get_session_token
    answers.get_caller_identity = get_caller_identity
