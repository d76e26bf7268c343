"""What a request needs: the question that is put to IAM, once for each action and resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ApiRequest:
    """A request to a service of AWS, understood.

    service: as botocore names it; prefix: of its actions; operation: of the service's model;
    params: as the service's protocol spells them on the wire, lists and structures as Python's.
    """

    service: str
    prefix: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Permission:
    """One permission that a request needs.

    account: who owns the resource; empty for the caller's own.
    keys: condition keys of the service and of the request, in lower case.
    shown: the resource as AWS's message has it, where it is not the bare ARN; empty for a message
    that names none.
    """

    action: str
    resource: str = "*"
    account: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shown: str | None = None


@dataclass(frozen=True)
class CanonicalRequest:
    """The request reduced to what was understood of it.

    drop: names of headers that were not understood. headers: those to hand on as they are here.
    account: of the resources that the request is on; empty for the caller's.
    """

    method: str
    path: str
    query: str
    body: bytes
    host: str
    content_type: str
    drop: frozenset[str] = field(default_factory=frozenset)
    headers: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
