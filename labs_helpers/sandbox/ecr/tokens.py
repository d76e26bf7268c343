"""Authorization tokens: random passwords for registries, valid for twelve hours, of one principal.

The text has the shape of AWS's (base64 of a JSON object with payload, datakey, version, type and
expiration), so that a learner who opens one sees what they would see there. Only its hash is
stored. Source:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html#registry-auth-token

A token is its principal's, with the rights of each moment, for twelve hours: no page says that the
end of a role's session, or an access key that is switched off, ends a token. A token whose user or
role is deleted is invalid; no page says so either, and this is the safe way to read them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from labs_helpers import defaults
from labs_helpers.sandbox.ecr import errors
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal

LIFETIME = timedelta(hours=12)
USER = "AWS"

_PAYLOAD_BYTES = 768
_DATAKEY_BYTES = 184


@dataclass(frozen=True)
class Token:
    """A new token: `password` for docker login, `expires_at` by the sandbox clock."""

    password: str
    expires_at: datetime

    @property
    def authorization_token(self) -> str:
        """What GetAuthorizationToken answers: base64 of `AWS:<password>`."""
        return base64.b64encode(f"{USER}:{self.password}".encode()).decode()


def mint(store: Store, principal: Principal, region: str) -> Token:
    """A new token of this principal, valid for the registries of one region."""
    now = store.clock.now()
    expires_at = (now + LIFETIME).replace(microsecond=0)
    password = _password(expires_at)
    with store.write() as db:
        # expired tokens stay a while, so that they are called expired and not unknown
        db.execute("delete from tokens where expires_at < ?", ((now - 60 * LIFETIME).timestamp(),))
        db.execute(
            "insert into tokens (hash, account, region, arn, user_id, access_key_id, expires_at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (
                _hash(password),
                principal.account,
                region,
                principal.arn,
                principal.user_id,
                principal.access_key_id,
                expires_at.timestamp(),
            ),
        )
    return Token(password, expires_at)


def of_service(store: Store, service: str, source: str, host: str) -> str:
    """A password by which a service of AWS pulls as itself; "" for a host that is no registry.

    service: "codebuild.amazonaws.com", which a repository's policy may name; source: the ARN of
    the resource for which the service acts, in a policy aws:SourceArn:
    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-ecr.html
    """
    registry = defaults.registry_of(host)
    if registry is None:
        return ""
    account = source.split(":")[4]
    return mint(store, Principal(account, service, source, ""), registry[1]).password


def verify(store: Store, password: str, registry: Registry) -> Principal:
    """The principal of a token; raises InvalidToken or TokenExpired.

    A token works for every account's registry in its region: policies decide what the principal may
    do there. Source:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
    """
    with store.read() as db:
        row = db.execute("select * from tokens where hash = ?", (_hash(password),)).fetchone()
    if row is None:
        raise errors.InvalidToken()
    if row["region"] != registry.region:
        raise errors.TokenOfAnotherRegion()
    if store.clock.now() >= datetime.fromtimestamp(row["expires_at"], UTC):
        raise errors.TokenExpired()
    return Principal(
        account=row["account"],
        arn=row["arn"],
        user_id=row["user_id"],
        access_key_id=row["access_key_id"],
    )


def _password(expires_at: datetime) -> str:
    document = {
        "payload": base64.b64encode(secrets.token_bytes(_PAYLOAD_BYTES)).decode(),
        "datakey": base64.b64encode(secrets.token_bytes(_DATAKEY_BYTES)).decode(),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": int(expires_at.timestamp()),
    }
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode("utf-8", "surrogateescape")).hexdigest()
