"""A request of every open operation, as an SDK sends the request, with every parameter given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from botocore.model import Shape
from botocore.serialize import create_serializer

from labs_helpers.sandbox.authorization.exact import kinds_by_arn
from labs_helpers.sandbox.authorization.forms import BY_ARN
from labs_helpers.sandbox.authorization.models import model_of, prefix_of
from labs_helpers.sandbox.authorization.requests import read
from labs_helpers.sandbox.authorization.tables import arn_formats
from labs_helpers.sandbox.authorization.terms import ApiRequest, CanonicalRequest
from labs_helpers.sandbox.moto.table import services
from labs_helpers.sandbox.sigv4 import Request

HOST = "127.0.0.1:4566"
_SPOKEN = ("json", "query", "ec2", "rest-json", "rest-xml")


def open_operations() -> Iterator[tuple[str, str]]:
    """(service by its signing name, operation) of everything that moto answers."""
    for service, row in sorted(services().items()):
        yield from ((service, operation) for operation in sorted(row.moto))


def request_of(
    service: str, operation: str, given: dict[str, Any] | None = None, text: str = "x"
) -> tuple[Request, bytes]:
    """The request as botocore spells it; without `given` with every member, each string `text`.

    A member that takes any ARN of the service has an ARN.
    """
    model = model_of(service)
    assert model is not None
    described = model.operation_model(operation)
    spoken = {*model.metadata.get("protocols", ()), model.metadata.get("protocol")}
    protocol = next(each for each in _SPOKEN if each in spoken)
    shape = described.input_shape
    params = given if given is not None else some(shape, text) if shape else {}
    arn = arn_of(prefix_of(service), operation, text)
    for name in {*BY_ARN} & {*params} if given is None else ():
        params[name] = [arn] if isinstance(params[name], list) else arn
    sent = create_serializer(protocol, False).serialize_to_request(params, described)
    body = sent["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    query = sent.get("query_string") or {}
    path, _, marks = sent["url_path"].partition("?")
    query = "&".join(filter(None, [marks, urlencode(query) if isinstance(query, dict) else query]))
    headers = {key.lower(): value for key, value in sent["headers"].items()}
    content = body if isinstance(body, bytes) else body.encode()
    return Request(sent["method"], path, query, {"host": HOST, **headers}), content


def arn_of(prefix: str, operation: str, text: str) -> str:
    """An ARN of the first type of resource that an operation by ARN takes, each name `text`."""
    formats = arn_formats().get(prefix, {})
    kinds = [kind for kind in kinds_by_arn(prefix, operation) if kind in formats] or [*formats]
    return filled(formats[kinds[0]], text) if kinds else text


def filled(form: str, text: str) -> str:
    """An ARN of AWS's form, each name `text`."""
    place = {"Partition": "aws", "Region": "us-west-2", "Account": "123456789012"}
    return re.sub(r"\$\{(\w+)\}", lambda found: place.get(found[1], text), form)


def asked_of(
    service: str, operation: str, given: dict[str, Any] | None = None, text: str = "x"
) -> tuple[ApiRequest, CanonicalRequest]:
    """What the sandbox understands of that request."""
    request, body = request_of(service, operation, given, text)
    return read(request, body, service)


def some(shape: Shape, text: str = "x", depth: int = 0) -> Any:
    """A value with every member, four levels deep; `text` for each string."""
    if shape.type_name == "structure":
        members = shape.members.items() if depth < 4 else ()
        return {name: some(member, text, depth + 1) for name, member in members}
    if shape.type_name == "list":
        return [some(shape.member, text, depth + 1)]
    if shape.type_name == "map":
        return {text: some(shape.value, text, depth + 1)}
    plain = {"boolean": True, "blob": b"x", "string": text, "float": 1.5, "double": 1.5}
    return plain.get(shape.type_name, 1)
