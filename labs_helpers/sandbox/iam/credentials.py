"""Access keys: the learner's own, minted once per installation, and temporary ones.

Where AWS documents the forms of keys and ids:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labs_helpers.defaults import ACCOUNT, USER
from labs_helpers.files import read_json, write_json
from labs_helpers.sandbox.identity import Principal

_ID_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


@dataclass(frozen=True)
class Credential:
    """A key that may sign requests: secret, owner, and for a temporary key its token and end.

    created: when a long-lived key was made, where that is known.
    """

    principal: Principal
    secret: str
    session_token: str | None = None
    expires: datetime | None = None
    created: datetime | None = None


def unique_id(prefix: str) -> str:
    """A fresh id: 20 characters for a key (AKIA, ASIA), 21 for an entity of IAM (AIDA, AROA)."""
    length = 16 if prefix in ("AKIA", "ASIA") else 17
    return prefix + "".join(secrets.choice(_ID_ALPHABET) for _ in range(length))


def new_secret() -> str:
    """A fresh secret access key: 40 characters."""
    return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(40))


def learner(path: Path, account: str = ACCOUNT) -> Credential:
    """The learner's credential kept in ``path``, minted in ``account`` when there is none.

    An unreadable or incomplete file is replaced by a new key (read_json keeps the old one
    aside); raises WorkspaceError when it cannot be written.
    """
    kept = read_json(path, "you have a new access key, and `labs configure` enters it")
    names = ("account", "user", "access_key_id", "secret_access_key")
    complete = all(isinstance(kept.get(name), str) and kept[name] for name in names)
    if not complete:
        kept = {
            "account": account,
            "user": USER,
            "access_key_id": unique_id("AKIA"),
            "secret_access_key": new_secret(),
        }
    created = _instant(kept.get("created"))
    if not complete or created is None or not isinstance(kept.get("user_id"), str):
        if not isinstance(kept.get("user_id"), str):
            kept["user_id"] = unique_id("AIDA")
        created = created or datetime.now(UTC).replace(microsecond=0)
        write_json(path, kept | {"created": created.isoformat()})
    arn = f"arn:aws:iam::{kept['account']}:user/{kept['user']}"
    principal = Principal(kept["account"], arn, kept["user_id"], kept["access_key_id"])
    return Credential(principal, kept["secret_access_key"], created=created)


def _instant(text: object) -> datetime | None:
    """An aware time in ISO 8601; None for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
