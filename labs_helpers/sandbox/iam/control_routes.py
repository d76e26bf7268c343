"""The routes of the control API for accounts and web identity tokens.

GET  /_labs/accounts     {"accounts": [{"account", "learner", "users"}]}
POST /_labs/accounts     {"account", "user"} -> its first user's key, made or restored;
                         {"accounts": [{"account", "user"}, ...]} -> {"accounts": [...]}
POST /_labs/oidc/token   {"subject", "audience", "claims"} -> {"token"}
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from labs_helpers.files import WorkspaceError
from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.iam import oidc
from labs_helpers.sandbox.iam.accounts import ADMINISTRATOR, MOST, Accounts, NotAnAccount
from labs_helpers.sandbox.iam.people import People

log = logging.getLogger(__name__)

_ACCOUNT_BODY = 'send {"account": "210987654321", "user": "admin"}, or {"accounts": [...]} of such'
_TOKEN_BODY = (
    'send {"subject": "repo:octo-org/octo-repo:ref:refs/heads/main"}, with "audience" (a text) '
    'and "claims" (an object) if you like'
)


def routes(who: People) -> Routes:
    """(method, path) -> the function that answers."""
    accounts = Accounts(who.records)

    def known(sent: dict[str, Any]) -> dict[str, Any]:
        return {"accounts": accounts.known()}

    def make(sent: dict[str, Any]) -> dict[str, Any]:
        listed = sent.get("accounts", [sent])
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST:
            raise ControlRefused(400, _ACCOUNT_BODY)
        try:
            made = accounts.make([_pair(one) for one in listed])
        except NotAnAccount as error:
            raise ControlRefused(400, str(error)) from error
        except sqlite3.Error as error:
            log.exception("the accounts could not be written")
            raise ControlRefused(507, f"the sandbox cannot write its accounts: {error}") from error
        documents = [one.document for one in made]
        return {"accounts": documents} if "accounts" in sent else documents[0]

    def token(sent: dict[str, Any]) -> dict[str, Any]:
        subject, audience = sent.get("subject"), sent.get("audience", oidc.AUDIENCE)
        claims = sent.get("claims", {})
        texts = isinstance(subject, str) and isinstance(audience, str) and subject
        if not texts or not isinstance(claims, dict):
            raise ControlRefused(400, _TOKEN_BODY)
        try:
            return {"token": who.issuer.mint(str(subject), audience, claims)}
        except WorkspaceError as error:
            raise ControlRefused(507, str(error)) from error

    return {
        ("GET", "/_labs/accounts"): known,
        ("POST", "/_labs/accounts"): make,
        ("POST", "/_labs/oidc/token"): token,
    }


def _pair(sent: Any) -> tuple[str, str]:
    if not isinstance(sent, dict) or not isinstance(sent.get("account"), str):
        raise ControlRefused(400, _ACCOUNT_BODY)
    user = sent.get("user", ADMINISTRATOR)
    if not isinstance(user, str):
        raise ControlRefused(400, _ACCOUNT_BODY)
    return sent["account"], user
