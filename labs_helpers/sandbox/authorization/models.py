"""botocore's models of the services, and the operation that a REST request means.

A model says which operations a service has and how a request spells them; a request is read with
the model so that what is decided is what will be done. Each model is loaded when it is first asked
for. Routes: https://smithy.io/2.0/spec/http-bindings.html. Of the operations whose path fits, the
route with most of its own marks present (a literal in the query, a required parameter or header)
stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

from labs_helpers.sandbox.service.protocol import service_model

LISTED = (
    "iam",
    "sts",
    "s3",
    "ecs",
    "eks",
    "codebuild",
    "codecommit",
    "codepipeline",
    "codedeploy",
    "ec2",
    "logs",
    "events",
    "cloudformation",
    "cloudtrail",
    "dynamodb",
    "elasticloadbalancing",
    "kms",
    "monitoring",
    "organizations",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "tagging",
)
"""The services, by their signing names, whose resources and condition keys are known."""

_BOTOCORE = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
    "tagging": "resourcegroupstaggingapi",
}
_PREFIX = {
    "email": "ses",
    "monitoring": "cloudwatch",
    "s3control": "s3",
    "sesv2": "ses",
    "tagging": "tag",
}


@cache
def model_of(service: str) -> ServiceModel | None:
    """The model of a service by its signing name; None for one that botocore does not have."""
    name = _BOTOCORE.get(service, service)
    if not name.replace("-", "").isalnum() or not name.isascii():
        return None
    try:
        return service_model(name)
    except UnknownServiceError:
        return None


def prefix_of(service: str) -> str:
    """What the service's actions begin with; the signing name, but for a few."""
    return _PREFIX.get(service, service)


_LABEL = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Route:
    """One operation's place: method, path pattern, and the marks that it alone has."""

    operation: str
    method: str
    path: re.Pattern[str]
    literals: Mapping[str, str | None]
    queries: frozenset[str]
    headers: frozenset[str]
    deprecated: bool

    @property
    def weight(self) -> int:
        marks = len(self.literals) + len(self.queries) + len(self.headers)
        return 10 * marks - (5 if self.deprecated else 0)

    def accepts(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        return (
            all(
                name in query and (value is None or query[name] == value)
                for name, value in self.literals.items()
            )
            and all(name in query for name in self.queries)
            and all(name in headers for name in self.headers)
        )


def match(
    service: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[str, dict[str, str]] | None:
    """(operation, labels of the path decoded); None for no operation of the service.

    path: percent-encoded; headers: by lower-case name.
    """
    for route in routes(service):
        if route.method != method:
            continue
        found = route.path.fullmatch(path)
        if found is not None and route.accepts(query, headers):
            names = {name: unquote(value) for name, value in found.groupdict().items() if value}
            return route.operation, {_named(name): value for name, value in names.items()}
    return None


@cache
def routes(service: str) -> tuple[Route, ...]:
    """Every route of a service, the most particular first."""
    model = model_of(service)
    if model is None:
        return ()
    found = [_route(model.operation_model(name)) for name in model.operation_names]
    return tuple(sorted(found, key=lambda route: (-route.weight, -len(route.path.pattern))))


@cache
def literals(service: str) -> frozenset[str]:
    """Every word that the query of some operation must have, to be told from another."""
    return frozenset(name for route in routes(service) for name in route.literals)


@cache
def marks(service: str, operation: str) -> frozenset[str]:
    """The words of the query that an operation must have."""
    return frozenset(
        name
        for route in routes(service)
        if route.operation == operation
        for name in (*route.literals, *route.queries)
    )


def _route(operation: OperationModel) -> Route:
    http = operation.http
    path, _, query = http.get("requestUri", "/").partition("?")
    literal: dict[str, str | None] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        literal[name] = value if equals else None
    shape = operation.input_shape
    queries, headers = set(), set()
    for name in shape.required_members if shape else ():
        place = shape.members[name].serialization
        if place.get("location") == "querystring":
            queries.add(place.get("name", name))
        if place.get("location") == "header":
            headers.add(place.get("name", name).lower())
    return Route(
        operation.name,
        http.get("method", "POST"),
        re.compile(_pattern(path)),
        literal,
        frozenset(queries - set(literal)),
        frozenset(headers),
        operation.deprecated,
    )


def _pattern(path: str) -> str:
    """A label takes one segment as sent, a greedy one (`{Key+}`) all that is left."""
    whole, end = "", 0
    for found in _LABEL.finditer(path):
        name = found[1]
        takes = ".+" if name.endswith("+") else "[^/]+"
        whole += f"{re.escape(path[end : found.start()])}(?P<{_grouped(name.rstrip('+'))}>{takes})"
        end = found.end()
    return whole + re.escape(path[end:]).removesuffix("/") + "/?"


def _grouped(name: str) -> str:
    return "L_" + name.replace("-", "_HYPHEN_").replace(".", "_DOT_")


def _named(group: str) -> str:
    return group.removeprefix("L_").replace("_HYPHEN_", "-").replace("_DOT_", ".")
