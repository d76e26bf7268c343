"""Requests to the services without an application of their own: read, decide, look up, answer.

The table (table.py) says for each operation who answers: an operation of ours, moto, or nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from wsgiref.types import WSGIEnvironment

from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.call import Answer, SignedCall
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.moto.services import MotoServices
from labs_helpers.sandbox.request_log import CALLER, OPERATION
from labs_helpers.sandbox.service.store import Store as KitStore
from labs_helpers.sandbox.sigv4 import Request

UNSIGNED = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
"""Operations of STS that need no signature; the table refuses the second.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

Operation = Callable[[Principal, Mapping[str, object], str], dict[str, object]]
Operations = Mapping[tuple[str, str], Operation]
"""(service, operation) -> an operation of ours, in the AWS Query protocol."""


class OtherServices:
    """`call.Application`; thread-safe."""

    def __init__(
        self,
        authorizer: Authorizer,
        moto: MotoServices,
        ours: Callable[[], Operations],
        store: Store,
        events: KitStore,
    ) -> None:
        """ours: called when the first operation of ours is asked for; store: ECR's state; events:
        EventBridge's."""
        self._store = store
        self._events = events
        self._authorizer = authorizer
        self._moto = moto
        moto.when_ready = self._ready
        self._ours = cache(ours)

    def __call__(self, call: SignedCall) -> Answer:
        # not at the start, which nobody should wait for
        from labs_helpers.sandbox.authorization.query import FORM
        from labs_helpers.sandbox.authorization.requests import decide
        from labs_helpers.sandbox.moto import arguments, inputs, table

        asked, plain = decide(self._authorizer, call)
        if table.answerer(asked.service, asked.operation) is table.Answerer.OURS:
            return self._answer(
                asked.service, asked.operation, call.principal, asked.params, call.source_ip
            )
        inputs.check(asked, plain.content_type.startswith(FORM))
        arguments.check(asked)
        return self._moto.call(call, asked, plain)

    def _ready(self, service: str) -> None:
        from labs_helpers.sandbox.moto import (
            attributes,
            by_arn,
            corrections,
            deliveries,
            memory,
            service_states,
            tagging,
        )

        service_states.install(service)
        attributes.install(service)
        corrections.install(service)
        if service == "sns":
            memory.forget_messages()
        deliveries.install(service)
        by_arn.install(service)
        if service == "tagging":
            tagging.install(self._store, self._events)

    def unsigned(self, environ: WSGIEnvironment, request: Request, body: bytes) -> Answer | None:
        """The answer to a call that needs no signature; None for any other call."""
        if {f"Action={name}".encode() for name in UNSIGNED}.isdisjoint(body.split(b"&")):
            return None
        from labs_helpers.sandbox.authorization import requests
        from labs_helpers.sandbox.moto import table

        asked, _ = requests.read(request, body, "sts")
        if asked.operation not in UNSIGNED:
            return None
        environ[CALLER] = "a web identity"
        environ[OPERATION] = f"sts:{asked.operation}"
        table.answerer("sts", asked.operation)
        nobody = Principal("", "", "", "")
        source_ip = str(environ.get("REMOTE_ADDR", ""))
        return self._answer("sts", asked.operation, nobody, asked.params, source_ip)

    def _answer(
        self,
        service: str,
        operation: str,
        caller: Principal,
        params: Mapping[str, object],
        source_ip: str,
    ) -> Answer:
        from labs_helpers.sandbox.authorization import query

        function = self._ours()[(service, operation)]
        document = query.answer(service, operation, function, caller, params, source_ip)
        headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(document)))]
        return "200 OK", headers, document
