"""IAM policies as the tests write them: a statement, and the text of a document."""

from __future__ import annotations

import json
from typing import Any


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement; more: its other elements, such as Principal, Condition or Sid."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement; more: as for `allow`."""
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


def policy(*statements: dict[str, Any]) -> str:
    """A document as the text that an API takes."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
