"""Answers of the AWS Query protocol: a result as XML, by the names of the API.

Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#response-serialization
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Entries(dict[str, str]):
    """A map, which is written as entries with a key and a value."""


def xml(operation: str, result: Mapping[str, Any], namespace: str, request_id: str) -> bytes:
    """The whole document of an answer; members that are None are left out."""
    return (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{_inner(result)}'
        f"</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId>"
        f"</ResponseMetadata></{operation}Response>"
    ).encode()


def _inner(value: Any) -> str:
    if isinstance(value, Entries):
        return "".join(
            f"<entry><key>{escape(key)}</key><value>{escape(item)}</value></entry>"
            for key, item in value.items()
        )
    if isinstance(value, Mapping):
        return "".join(
            f"<{name}>{_inner(item)}</{name}>" for name, item in value.items() if item is not None
        )
    if isinstance(value, list):
        return "".join(f"<member>{_inner(item)}</member>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
