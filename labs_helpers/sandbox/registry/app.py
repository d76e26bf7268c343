"""The registry as a WSGI application: it authenticates, routes, handles and answers requests.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from labs_helpers.files import is_full
from labs_helpers.sandbox.authorization.context import of_request
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.errors import InvalidToken, NoCredentials
from labs_helpers.sandbox.ecr.part_bytes import Truncated
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Authorize, Keys, Principal
from labs_helpers.sandbox.registry import blobs, listing, manifests, uploads
from labs_helpers.sandbox.registry.authentication import authenticate, registry_of
from labs_helpers.sandbox.registry.context import Context, Made, check_name
from labs_helpers.sandbox.registry.errors import RegistryError, not_authorized, render, translate
from labs_helpers.sandbox.registry.http import Environ, Request, Response
from labs_helpers.sandbox.registry.rules import ECR, Rules
from labs_helpers.sandbox.request_log import CALLER, REFUSED, id_of
from labs_helpers.sandbox.service.errors import NoRoom, ServiceError

log = logging.getLogger(__name__)

Handler = Callable[..., Response]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_DRAINED = 64 * 1024 * 1024
"""Bytes of a body that are read although the body is refused as too large; more end the connection.

A client that is still sending would otherwise see a reset instead of the answer.
"""

_API_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


def _base(context: Context) -> Response:
    return Response(200, {"Content-Type": "application/json; charset=utf-8"}, b"{}")


# A repository may have a name such as `a/blobs/uploads`, so `name` is greedy and the first route
# that matches wins.
_ROUTES: list[tuple[re.Pattern[str], dict[str, Handler]]] = [
    (re.compile(r"/v2/?"), {"GET": _base, "HEAD": _base}),
    (re.compile(r"/v2/_catalog"), {"GET": listing.catalog, "HEAD": listing.catalog}),
    (re.compile(r"/v2/(?P<name>.+)/tags/list"), {"GET": listing.tags, "HEAD": listing.tags}),
    (
        re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)"),
        {
            "GET": manifests.get,
            "HEAD": manifests.head,
            "PUT": manifests.put,
            "DELETE": manifests.delete,
        },
    ),
    (
        re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]+)"),
        {"GET": listing.referrers, "HEAD": listing.referrers},
    ),
    (re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?"), {"POST": uploads.start}),
    (
        re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)"),
        {
            "GET": uploads.status,
            "PATCH": uploads.part,
            "PUT": uploads.finish,
            "DELETE": uploads.cancel,
        },
    ),
    (
        re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)"),
        {"GET": blobs.get, "HEAD": blobs.head, "DELETE": blobs.delete},
    ),
]


class RegistryApp:
    """Serves every registry of the store; `account` and `region` are for a host without them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        authorize: Authorize,
        account: str,
        region: str,
        rules: Rules = ECR,
        is_there: Callable[[Principal], bool] = lambda principal: True,
        made: Made | None = None,
    ) -> None:
        """is_there: whether the user or role of a token still exists; made: what makes
        repositories and images without a push of their own."""
        self._made = made or Made()
        self._store = store
        self._clock = clock
        self._authorize = authorize
        self._default = Registry(account, region)
        self._rules = rules
        self._is_there = is_there

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """PEP 3333."""
        request = Request.of(environ)
        response = self._answer(request, environ)
        if response.status != 413 or (request.body.length or 0) <= _DRAINED:
            request.body.drain()
        headers = {**_API_VERSION, **response.headers}
        if isinstance(response.body, bytes) and response.length is None:
            response.length = len(response.body)
        if response.status not in (204, 304):
            headers["Content-Length"] = str(response.length)
        start_response(response.status_line, list(headers.items()))
        if isinstance(response.body, bytes):
            return [response.body] if response.body and request.method != "HEAD" else []
        return response.body

    def _answer(self, request: Request, environ: Environ) -> Response:
        host = request.header("host") or ""
        registry = registry_of(host, self._default)
        try:
            principal = authenticate(self._store, request.header("authorization"), registry)
            environ[CALLER] = principal.arn
            if not self._is_there(principal):
                raise InvalidToken()
            return self._handle(request, principal, registry, of_request(environ, registry.region))
        except RegistryError as error:
            refusal = error
        except NoCredentials:
            environ[REFUSED] = "UNAUTHORIZED"
            return not_authorized(registry.host)
        except ServiceError as error:
            refusal = translate(error, self._rules)
        except Truncated as error:
            refusal = RegistryError("SIZE_INVALID", str(error), 400)
        except (OSError, sqlite3.Error) as error:
            log.exception("the request %s failed", id_of(environ))
            refusal = self._machine_error(error)
        environ[REFUSED] = refusal.code
        return render(refusal)

    def _handle(
        self, request: Request, principal: Principal, registry: Registry, keys: Keys
    ) -> Response:
        for pattern, handlers in _ROUTES:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            arguments = match.groupdict()
            name = arguments.pop("name", "")
            if "name" in pattern.groupindex:
                check_name(name)
            handler = handlers.get(request.method)
            if handler is None:
                raise RegistryError(
                    "UNSUPPORTED",
                    "The operation is unsupported.",
                    405,
                    {"Allow": ", ".join(handlers)},
                )
            context = Context(
                request,
                self._store,
                self._authorize,
                principal,
                registry,
                name,
                self._rules,
                self._made,
                keys,
            )
            return handler(context, *arguments.values())
        raise RegistryError("UNSUPPORTED", "404 page not found", 404)

    def _machine_error(self, error: OSError | sqlite3.Error) -> RegistryError:
        """The answer to a failure of the machine: it names the failure, to be put right."""
        if is_full(error):
            return translate(NoRoom(), self._rules)
        return RegistryError("UNKNOWN", f"The sandbox cannot read or write its files: {error}", 500)
