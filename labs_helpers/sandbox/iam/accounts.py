"""The accounts of a sandbox: made over the control API, each with a first user of its own.

An account that was never made here has nobody in it. The learner's own is there from the start;
making it again gives a learner who locked themself out their rights back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.iam.records import Records

ADMINISTRATOR = "admin"
MOST = 1000
"""Accounts in one request."""

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


class NotAnAccount(ValueError):
    """The account's id or the user's name is malformed; the message says what is valid."""


@dataclass(frozen=True)
class Account:
    """An account with its first user's access key, which may do everything there."""

    account: str
    user: str
    access_key_id: str
    secret_access_key: str

    @property
    def document(self) -> dict[str, str]:
        """The account as an object of JSON."""
        return {
            "account": self.account,
            "user": self.user,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        }


class Accounts:
    """Thread-safe."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def known(self) -> list[dict[str, Any]]:
        """Every account: {"account", "learner", "users"}; users is how many there are."""
        own = self._records.learner.principal.account
        return [
            {
                "account": account,
                "learner": account == own,
                "users": self._records.user_count(account),
            }
            for account in self._records.accounts
        ]

    def make(self, wanted: Iterable[tuple[str, str]]) -> list[Account]:
        """Make (account, user) pairs, or what each lacks of them, and return their keys.

        The user exists with AdministratorAccess and an active key, and nothing that denies or
        limits it: no boundary, inline policy or group. In the learner's account the user is the
        learner, whatever name was given. All are on disk, in one transaction, before this returns.
        Raises NotAnAccount, before anything is made; sqlite3.Error, with nothing made.
        """
        pairs = list(dict(wanted).items())
        for account, user in pairs:
            check(account, user)
        return [
            Account(one.account, one.name, one.key.id, one.key.secret)
            for one in self._records.make_administrators(pairs)
        ]


def check(account: str, user: str) -> None:
    """Raise NotAnAccount for a malformed account id or user name."""
    if not _ACCOUNT.fullmatch(account) or account == "0" * 12:
        raise NotAnAccount(f"{account[:20]!r} is no account id: it has 12 digits")
    if not _USER.fullmatch(user):
        raise NotAnAccount(f"{user[:70]!r} is no name of a user: letters, digits and +=,.@_-")
