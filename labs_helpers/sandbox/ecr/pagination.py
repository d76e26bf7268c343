"""Pages of a list: an opaque token says after which key the next page begins.

The token carries an operation's name, the registry and the repository, and a mark made with the
store's secret, so that one that was changed, or belongs to another list, is refused. It names the
last key given and not a position, so that what is created or deleted between two pages neither
repeats nor skips the rest.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import TypeVar

from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.ecr.validation import invalid

T = TypeVar("T")

#: What ECR gives when maxResults is not said.
DEFAULT_PAGE = 100


def page(
    keyed: Sequence[tuple[list[str], T]],
    token: str | None,
    size: int | None,
    scope: Sequence[str],
    secret: bytes,
) -> tuple[list[T], str | None]:
    """One page of ``keyed`` and the token of the next, None when this is the last.

    keyed: (key, item) in the order of their keys, no key twice.
    scope: what the list is a list of; a token of another scope is refused.
    Raises InvalidParameter for a token that this function did not make for this scope.
    """
    rest = list(keyed)
    if token is not None:
        after = _opened(token, scope, secret)
        rest = [(key, item) for key, item in rest if key > after]
    shown = rest[: size or DEFAULT_PAGE]
    more = len(rest) > len(shown)
    items = [item for _, item in shown]
    return items, _sealed(shown[-1][0], scope, secret) if more else None


def _mark(payload: bytes, scope: Sequence[str], secret: bytes) -> bytes:
    context = json.dumps(list(scope)).encode()
    return hmac.digest(secret, context + b"\0" + payload, hashlib.sha256)


def _sealed(key: list[str], scope: Sequence[str], secret: bytes) -> str:
    payload = json.dumps(key).encode()
    return base64.urlsafe_b64encode(_mark(payload, scope, secret) + payload).decode()


def _opened(token: str, scope: Sequence[str], secret: bytes) -> list[str]:
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    mark, payload = raw[:32], raw[32:]
    if not hmac.compare_digest(mark, _mark(payload, scope, secret)):
        raise _invalid()
    key: list[str] = json.loads(payload)
    return key


def _invalid() -> InvalidParameter:
    return invalid("nextToken", "Invalid nextToken")
