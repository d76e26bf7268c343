"""Pages of a list: an opaque token says after which key the next page begins.

The token holds the last key of a page, and not a position: what is created or deleted between two
pages neither repeats nor skips an item. An HMAC made with the store's secret ties the token to one
list, so that a changed token, or the token of another list, is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from labs_helpers.sandbox.service.validation import Invalid, Problem

T = TypeVar("T")

SIZE = 100
"""Items of a page when the request names no number."""

Keyed = Sequence[tuple[list[str], T]]
"""(key, item) in the order of the keys; no key occurs twice."""

After = Callable[[list[str] | None, int], Keyed[T]]
"""``after(key, limit)``: at most so many items, from the first one after the key (None: of all)."""


def page(
    items: Keyed[T], token: str | None, size: int, scope: Sequence[str], secret: bytes
) -> tuple[list[T], str | None]:
    """One page of the items, and the token of the next page; None after the last page.

    scope: names the list; a token of another scope is refused. Raises Invalid for a token that
    this function did not make for this scope.
    """

    def after(last: list[str] | None, limit: int) -> Keyed[T]:
        rest = items if last is None else [each for each in items if each[0] > last]
        return rest[:limit]

    return page_after(after, token, size, scope, secret)


def page_after(
    after: After[T], token: str | None, size: int, scope: Sequence[str], secret: bytes
) -> tuple[list[T], str | None]:
    """Like page, of a list that is too long to be made for each page."""
    last = None if token is None else _key_of(token, scope, secret)
    found = after(last, size + 1)
    part = found[:size]
    following = _token_for(part[-1][0], scope, secret) if len(found) > size else None
    return [item for _, item in part], following


def _mac(payload: bytes, scope: Sequence[str], secret: bytes) -> bytes:
    context = json.dumps(list(scope)).encode()
    return hmac.digest(secret, context + b"\0" + payload, hashlib.sha256)


def _token_for(key: list[str], scope: Sequence[str], secret: bytes) -> str:
    payload = json.dumps(key).encode()
    return base64.urlsafe_b64encode(_mac(payload, scope, secret) + payload).decode()


def _key_of(token: str, scope: Sequence[str], secret: bytes) -> list[str]:
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    mac, payload = raw[:32], raw[32:]
    if not hmac.compare_digest(mac, _mac(payload, scope, secret)):
        raise Invalid([Problem("nextToken", token, "Invalid nextToken")])
    key: list[str] = json.loads(payload)
    return key
