"""The six digits that a virtual MFA device shows: TOTP, RFC 6238, with AWS's 30 seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

_STEP = 30
_DRIFT = (-1, 0, 1)


def is_code(seed: str, code: str, now: datetime) -> bool:
    """Whether a device with this base32 seed shows the code; its clock may be 30 s off."""
    step = int(now.timestamp()) // _STEP
    return any(hmac.compare_digest(_code(seed, step + drift), code) for drift in _DRIFT)


def are_in_turn(seed: str, first: str, second: str, now: datetime) -> bool:
    """Whether the device shows the two codes in turn, the second one about now."""
    step = int(now.timestamp()) // _STEP
    steps = [step + drift for drift in _DRIFT]
    return any((_code(seed, each - 1), _code(seed, each)) == (first, second) for each in steps)


def code(seed: str, now: datetime) -> str:
    """The code that a device with this base32 seed shows now."""
    return _code(seed, int(now.timestamp()) // _STEP)


def _code(seed: str, step: int) -> str:
    digest = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
