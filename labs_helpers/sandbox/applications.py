"""How each room of the sandbox becomes an application: decided, answered, and made when needed.

`assembly.build` puts these together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.sandbox.authorization import context
from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.balancing import operations as balancing_operations
from labs_helpers.sandbox.balancing.balancing import Balancing
from labs_helpers.sandbox.call import Answer, Application, SignedCall
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codecommit.service import CodeCommitService
from labs_helpers.sandbox.hosts import region_of_git
from labs_helpers.sandbox.iam.people import People
from labs_helpers.sandbox.moto.application import Operations
from labs_helpers.sandbox.request_log import id_of
from labs_helpers.sandbox.service import protocol
from labs_helpers.sandbox.service.service import DecidedService, Service


class Surroundings:
    """What CodeDeploy asks of other services when a deployment group is made."""

    def __init__(
        self, controller: Callable[[tuple[str, str], str, str], str], balancing: Balancing
    ) -> None:
        self.controller = controller
        self.group = balancing.group_named
        self.listener = balancing.listener


def noticed(others: Application, written: Callable[[str], None], call: SignedCall) -> Answer:
    """A service of moto's which tells when something may have been written."""
    answer = others(call)
    if call.request.method in ("PUT", "POST") and answer[0].startswith("2"):
        written(f"{call.request.headers.get('host', '')}{call.request.path}")
    return answer


def decided(authorizer: Authorizer, service: DecidedService[Any], call: SignedCall) -> Answer:
    """`call.Application` of a service on the kit, after IAM's decision by AWS's tables."""
    # not at the start, which nobody should wait for
    from labs_helpers.sandbox.authorization.requests import decide

    decide(authorizer, call)
    return on_the_kit(service, call)


def decided_rest(authorizer: Authorizer, service: DecidedService[Any], call: SignedCall) -> Answer:
    """`decided` of a service of REST JSON, whose requests the decision has read."""
    from labs_helpers.sandbox.authorization.requests import decide

    asked, _ = decide(authorizer, call)
    return _told(call, partial(service.handle_rest, asked.operation, dict(asked.params)))


def on_the_kit(service: Service[Any], call: SignedCall) -> Answer:
    """`call.Application` of a service that stands on the kit."""
    target = call.environ.get("HTTP_X_AMZ_TARGET", "")
    return _told(call, partial(service.handle, target, call.body))


def _told(call: SignedCall, handle: Callable[..., protocol.Answer]) -> Answer:
    environ = call.environ
    endpoint = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
    keys = context.of_request(environ, call.region)
    answer = handle(call.principal, call.region, endpoint, keys)
    headers = {
        **answer.headers,
        "x-amzn-RequestId": id_of(environ),
        "Content-Length": str(len(answer.body)),
    }
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    return status, list(headers.items()), answer.body


def operations_of_ours(who: People, balancing: Balancing) -> Operations:
    """The operations of ours in services that are moto's otherwise, and those of STS."""
    # not at the start, which nobody should wait for
    from labs_helpers.sandbox.authorization import simulate
    from labs_helpers.sandbox.iam import web_identity

    sts = web_identity.operations(who.directory, who.sessions, who.issuer)
    iam = simulate.operations(who.directory)
    targets = balancing_operations.operations(balancing)
    return {
        **{("sts", name): operation for name, operation in sts.items()},
        **{("iam", name): operation for name, operation in iam.items()},
        **{("elasticloadbalancing", name): operation for name, operation in targets.items()},
    }


def hub(root: Path, clock: Clock) -> WSGIApplication:
    """The stand-in Docker Hub."""
    from labs_helpers.sandbox.hub.app import HubApp

    return HubApp(root, clock)


def git(who: People, codecommit: CodeCommitService, authorizer: Authorizer) -> WSGIApplication:
    """git's way to the repositories of CodeCommit."""
    from labs_helpers.sandbox.codecommit.git_http import GitApp

    return GitApp(
        who.directory.find,
        codecommit.repositories,
        authorizer.authorize,
        context.of_request,
        region_of_git,
    )


class Later:
    """An application that is made at the first request, so that the start does not wait."""

    def __init__(self, make: Callable[[], WSGIApplication]) -> None:
        self._make = make
        self._lock = Lock()
        self._application: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            if self._application is None:
                self._application = self._make()
        return self._application(environ, start_response)
