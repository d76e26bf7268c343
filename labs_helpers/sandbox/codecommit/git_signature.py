"""The user name and password that `aws codecommit credential-helper` gives to git, verified.

The name is the access key's id, with "%" and the session token behind it; the password is a time
and a signature of Version 4 over method GIT, path and host. Both versions of the AWS CLI sign so:
https://github.com/aws/aws-cli/blob/develop/awscli/customizations/codecommit.py
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime

from labs_helpers.sandbox import sigv4
from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.identity import Principal

Find = Callable[[str], Credential | None]
"""The credential of an access key id; None for an unknown key."""

_PASSWORD = re.compile(r"([0-9]{8}T[0-9]{6})Z([0-9a-f]{64})", re.ASCII)


class NotSigned(Exception):
    """No caller can be told from the request; the message says why."""


def caller(header: str, path: str, host: str, region: str, find: Find, now: datetime) -> Principal:
    """Who signed; raises NotSigned.

    header: of Authorization; path: of the repository, without what git asks below it; host: without
    a port; now: real time, aware.
    """
    name, password = _basic(header)
    key, _, token = name.partition("%")
    form = _PASSWORD.fullmatch(password)
    if form is None:
        raise NotSigned(
            "the password is none of `aws codecommit credential-helper`: "
            "git config credential.helper '!aws codecommit credential-helper $@'"
        )
    stamp, signature = form[1], form[2]
    credential = find(key)
    if credential is None:
        raise NotSigned("the access key is not known")
    wanted = _signature(stamp, path, host, region, credential.secret)
    if not hmac.compare_digest(wanted, signature):
        raise NotSigned("the signature does not match")
    if not hmac.compare_digest(token.encode(), (credential.session_token or "").encode()):
        raise NotSigned("the session token is not that of the access key")
    if credential.expires and credential.expires < now:
        raise NotSigned("the session has expired")
    if abs(_instant(stamp) - now) > sigv4.WINDOW:
        raise NotSigned("the signature is more than 15 minutes old, or of a time to come")
    return credential.principal


def _basic(header: str) -> tuple[str, str]:
    scheme, _, rest = header.strip().partition(" ")
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    name, colon, password = text.rpartition(":")
    if scheme.lower() != "basic" or not colon:
        raise NotSigned("git sent no name and password")
    return name, password


def _instant(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise NotSigned(f"{stamp} is no time") from error


def _signature(stamp: str, path: str, host: str, region: str, secret: str) -> str:
    """The request that is signed has no query, no payload, and the header host only."""
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    scope = f"{stamp[:8]}/{region}/codecommit/aws4_request"
    return sigv4.signed(canonical.encode(), stamp, scope, secret)
