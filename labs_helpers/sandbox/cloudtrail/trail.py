"""What records calls: a wrapper of every service's application, and the thread that writes.

A call is remembered when it has been answered, and written within a second, many in one
transaction: nobody waits for the disk, and `kill -9` loses the records of the last second at most
(never what the calls did). LookupEvents writes what waits before it reads.

Event history holds management events. What AWS counts as data events is not recorded:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html

EventBridge gets an event of each recorded call that may change something; sandbox/events/router.py
says which rules get it:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.authorization.decisions import Asked
from labs_helpers.sandbox.call import Answer, Application, SignedCall
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.cloudtrail import operations, store
from labs_helpers.sandbox.cloudtrail.call import TrailCall
from labs_helpers.sandbox.cloudtrail.record import Call
from labs_helpers.sandbox.cloudtrail.waiting import Waiting, bounded, whole
from labs_helpers.sandbox.request_log import OPERATION, REFUSED, id_of
from labs_helpers.sandbox.service.events import API_CALL, Emit, Event, event, nobody
from labs_helpers.sandbox.service.refusal import Refusal, protocol_of
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

TOPIC = "calls"

WAITING = 2_000
"""Calls that wait to be written; the oldest go first."""

BATCH_SECONDS = 0.5

_DATA_EVENTS = {
    "dynamodb": (
        "BatchGet",
        "BatchWrite",
        "GetItem",
        "PutItem",
        "DeleteItem",
        "UpdateItem",
        "Query",
        "Scan",
        "Transact",
        "Execute",
    ),
    "events": ("PutEvents",),
    "logs": ("PutLogEvents", "GetLogEvents", "FilterLogEvents", "StartQuery", "GetQueryResults"),
    "monitoring": ("PutMetricData",),
    "sns": ("Publish",),
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
    "s3": (
        "GetObject",
        "PutObject",
        "DeleteObject",
        "HeadObject",
        "CopyObject",
        "ListObject",
        "ListParts",
        "UploadPart",
        "CreateMultipart",
        "CompleteMultipart",
        "AbortMultipart",
        "SelectObject",
        "RestoreObject",
    ),
}
"""What the names of data events begin with, by service."""


class Trail(Worker[Store]):
    """Records calls and writes them; thread-safe."""

    name = "cloudtrail"
    topic = TOPIC
    failure = "calls could not be written into the event history"

    def __init__(
        self, root: Path, clock: Clock, authorizer: Authorizer, emit: Emit = nobody
    ) -> None:
        """Open or create the history under `root`; raises what `Store` raises."""
        super().__init__(Store(root, "CloudTrail", store.SCHEMA))
        self.clock = clock
        self._decisions = authorizer.decisions
        self._role_arn: Callable[[str, str], str | None] = lambda account, name: (
            authorizer.directory.entity_arn(account, "role", name)
        )
        self._emit = emit
        self._waiting: deque[Waiting] = deque(maxlen=WAITING)
        self._untold: deque[tuple[Call, str]] = deque(maxlen=WAITING)
        self._writing = threading.Lock()

    def recorded(self, application: Application) -> Application:
        """The application, whose calls are recorded with what was decided and answered."""

        def answer(call: SignedCall) -> Answer:
            with self._decisions.watched() as asked:
                try:
                    answer = application(call)
                except Refusal as refusal:
                    protocol = protocol_of(call.request, call.service)
                    code = refusal.codes.get(protocol, refusal.code)
                    self._note(call, asked, code, refusal.message)
                    raise
            code, message = _refusal_of(answer)
            self._note(call, asked, code, message, answer)
            return answer

        return answer

    def recorded_pushes(self, registry: WSGIApplication) -> WSGIApplication:
        """The registry, whose requests are recorded by the actions of ECR that they need.

        A push shows InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload and PutImage, a pull
        BatchGetImage and GetDownloadUrlForLayer:
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html. Of the
        parameters the record has those that the path names; AWS's has all of the API's.
        """

        def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            environ.pop(REFUSED, None)
            with self._decisions.watched() as asked:
                content = registry(environ, start)
            for each in asked:
                if each.action.startswith("ecr:") and not each.tentative:
                    self._note_push(environ, each)
            return content

        return answer

    def work(self) -> None:
        """Write what waits, after a moment in which more may come."""
        self._closing.wait(BATCH_SECONDS)
        self.flush()
        while self._untold:
            call, text = self._untold.popleft()
            with self.apart(f"the event of {call.operation}"):
                self._emit(_event_of(call, text))

    def has_work(self) -> bool:
        """Whether calls wait."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Write what waits, now."""
        with self._writing:
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if waiting:
                calls = [whole(each) for each in waiting]
                with self.store.write() as db:
                    added = store.add(db, calls, self._role_arn)
                told = zip(calls, added, strict=True)
                self._untold += (each for each in told if not each[0].read_only)

    def close(self) -> None:
        """End the thread, and write what waits."""
        super().close()
        self.flush()

    def _note(
        self,
        call: SignedCall,
        asked: Sequence[Asked],
        code: str,
        message: str,
        answer: Answer | None = None,
    ) -> None:
        named = call.environ.get(OPERATION) or call.request.headers.get("x-amz-target", "")
        operation = re.split("[:.]", str(named))[-1]
        if operation in ("", "-") or operation.startswith(_DATA_EVENTS.get(call.service, ())):
            return
        made = Call(
            principal=call.principal,
            service=call.service,
            operation=operation,
            region=call.region,
            at=self.clock.now(),
            request_id=id_of(call.environ),
            source_ip=call.source_ip,
            user_agent=call.request.headers.get("user-agent", ""),
            resources=[each.resource for each in asked],
            code=code,
            message=message,
        )
        self._add(bounded(Waiting(made, call, answer)))

    def _note_push(self, environ: WSGIEnvironment, asked: Asked) -> None:
        arn = asked.resource.split(":", 5)
        if len(arn) != 6:
            return
        code, message = str(environ.get(REFUSED) or ""), ""
        if asked.refusal:
            code, message = "AccessDenied", asked.refusal
        made = Call(
            principal=asked.principal,
            service="ecr",
            operation=asked.action.partition(":")[2],
            region=arn[3],
            at=self.clock.now(),
            request_id=id_of(environ),
            source_ip=str(environ.get("REMOTE_ADDR", "")),
            user_agent=str(environ.get("HTTP_USER_AGENT", "")),
            resources=[asked.resource],
            params=_of_path(str(environ.get("PATH_INFO", "")), arn),
            code=code,
            message=message,
        )
        self._add(Waiting(made))

    def _add(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)
        self.wake()


class CloudTrailService(DecidedService[TrailCall]):
    """CloudTrail's reads, over a trail's history."""

    def __init__(self, trail: Trail, authorizer: Authorizer) -> None:
        def call(**members: Any) -> TrailCall:
            return TrailCall(**members, flush=trail.flush)

        authorize = authorizer.authorize
        super().__init__("cloudtrail", operations, call, trail.store, trail.clock, authorize)


def _event_of(call: Call, text: str) -> Event:
    """The event of a call for EventBridge; its detail is the record, which text is as JSON.

    https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ecr.html and its neighbours
    """
    return event(
        f"aws.{call.service}",
        API_CALL,
        call.principal.account,
        call.region,
        call.at,
        json.loads(text),
    )


def _refusal_of(answer: Answer) -> tuple[str, str]:
    """Code and message of an error's answer in JSON or XML; both empty for a success."""
    status, headers, content = answer
    if status < "4":
        return "", ""
    found = {name.lower(): value for name, value in headers}
    try:
        document = json.loads(content)
    except ValueError:
        document = {}
    if isinstance(document, dict) and document:
        code = str(document.get("__type") or found.get("x-amzn-errortype", ""))
        return code.rpartition("#")[2], str(document.get("message") or document.get("Message", ""))
    text = content.decode(errors="replace")
    return _between(text, "Code") or f"Http{status[:3]}", _between(text, "Message")


def _between(text: str, tag: str) -> str:
    """What the first element of that name holds; empty without the element."""
    from xml.sax.saxutils import unescape

    return unescape(text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0])


def _of_path(path: str, arn: Sequence[str]) -> dict[str, Any]:
    """The parameters that a path below /v2/ names."""
    params = {"registryId": arn[4], "repositoryName": arn[5].partition("/")[2]}
    reference = path.rpartition("/")[2]
    if "/manifests/" in path:
        params["imageDigest" if ":" in reference else "imageTag"] = reference
    elif "/blobs/" in path and ":" in reference:
        params["layerDigest"] = reference
    return params
