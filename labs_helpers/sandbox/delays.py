"""AWS's delays, for tests that play a real account: LABS_AWS_DELAYS, off by default.

IAM is eventually consistent: what was made or changed can be unknown for seconds
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency),
and every API has a limit of requests
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html). No document of Amazon ECR
says when a new repository is seen; the labs have to work where that takes seconds as well.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.files import LabsError
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.records import Records
from labs_helpers.sandbox.iam.rights import Rights
from labs_helpers.sandbox.iam.sessions import Sessions
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.policy.model import Policy
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Protocol, Refusal

VARIABLE = "LABS_AWS_DELAYS"
_MAKES = {
    "CreateAccessKey": re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>"),
    "CreateRole": re.compile(rb"<Arn>([^<]+)</Arn>"),
}
"""Operations of IAM, and what their answers name the new thing by."""
_READS = ("Get", "List", "Simulate", "Generate")
"""How the operations of IAM begin that change nothing."""


def throttled() -> Refusal:
    """The caller sends too many requests. Clients try again by themselves."""
    return Refusal(
        "ThrottlingException",
        "Rate exceeded",
        400,
        codes={
            Protocol.QUERY: "Throttling",
            Protocol.EC2: "RequestLimitExceeded",
            Protocol.S3: "SlowDown",
        },
        statuses={Protocol.S3: 503, Protocol.EC2: 503},
    )


@dataclass
class Delays:
    """What is new is unknown for ``seconds``; every ``one_in``-th request is throttled.

    New are access keys, roles, the policies of a principal after any change in IAM, and
    repositories. ``one_in`` 0: no request is throttled.
    """

    seconds: float
    one_in: int
    now: Callable[[], float] = time.monotonic
    _seen_from: dict[str, float] = field(default_factory=dict)
    _settled_from: float = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def settled(self) -> bool:
        """Whether every change in IAM is seen by now."""
        return self.now() >= self._settled_from

    def before(self, service: str, operation: str, access_key_id: str, body: bytes) -> None:
        """Raise Refusal for a call that AWS would refuse for a moment.

        ``operation`` as X-Amz-Target names it; a service that has none is asked by a form.
        """
        if self.is_hidden(access_key_id):
            raise aws_errors.unknown_key()
        if self.one_in and next(self._numbers) % self.one_in == 0:
            raise throttled()
        if service == "ecr" and operation != "CreateRepository":
            for name in filter(self.is_hidden, _repositories(body)):
                raise Refusal(
                    "RepositoryNotFoundException",
                    f"The repository with name '{name.removeprefix('repository ')}' does not "
                    "exist in the registry yet",
                )
        if service != "sts" or _form(body, "Action") != "AssumeRole":
            return
        if self.is_hidden(arn := _form(body, "RoleArn")):
            raise Refusal(
                "AccessDenied",
                f"The caller is not authorized to perform: sts:AssumeRole on resource: {arn}",
                403,
            )

    def after(self, service: str, operation: str, body: bytes, content: bytes) -> None:
        """Note what a call has made or changed, which is not seen for a while."""
        if service == "ecr" and operation == "CreateRepository" and b'"repositoryArn"' in content:
            self._hide(*_repositories(body))
        if service != "iam" or b"<ErrorResponse" in content:
            return
        action = _form(body, "Action")
        if not action.startswith(_READS):
            self._settled_from = self.now() + self.seconds
        if action in _MAKES and (name := _MAKES[action].search(content)):
            self._hide(name[1].decode())

    def is_hidden(self, name: str) -> bool:
        """Whether a key's id, a role's ARN, or "repository NAME" is not seen yet."""
        return self._seen_from.get(name, 0) > self.now()

    def _hide(self, *names: str) -> None:
        self._seen_from |= {name: self.now() + self.seconds for name in names}

    def registry(self, registry: WSGIApplication) -> WSGIApplication:
        """The registry, in which new repositories are not there yet."""

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            name = re.match(r"/v2/(.+?)/(?:blobs|manifests|tags)/", environ["PATH_INFO"])
            if name is None or not self.is_hidden(f"repository {name[1]}"):
                return registry(environ, start_response)
            message = f"The repository with name '{name[1]}' does not exist in the registry yet"
            said = {"errors": [{"code": "NAME_UNKNOWN", "message": message}]}
            body = json.dumps(said).encode()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            # what the client sends is not read
            start_response("404 Not Found", [*headers, ("Connection", "close")])
            return [body]

        return application

    def directory(self, records: Records, sessions: Sessions) -> Directory:
        """The directory, in which changed policies are not seen yet."""
        return _Delayed(records, sessions, self)


class _Delayed(Directory):
    """A principal has the policies of before for a while, and a new one has none."""

    def __init__(self, records: Records, sessions: Sessions, delays: Delays) -> None:
        super().__init__(records, sessions)
        self._delays = delays
        self._seen: dict[str, Rights] = {}

    def rights_of(self, principal: Principal) -> Rights:
        found = super().rights_of(principal)
        if self._delays.settled:
            self._seen[found.caller.principal_arn] = found
            return found
        seen = self._seen.get(found.caller.principal_arn, Rights(found.caller))
        return replace(found, identity=seen.identity, boundary=seen.boundary)

    def role_trust(self, role_arn: str) -> Policy | None:
        return None if self._delays.is_hidden(role_arn) else super().role_trust(role_arn)


def _repositories(body: bytes) -> list[str]:
    """ "repository NAME" of each repository that a call of ECR names."""
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return []
    names = [asked.get("repositoryName"), *(asked.get("repositoryNames") or ())]
    return [f"repository {name}" for name in names if isinstance(name, str)]


def _form(body: bytes, name: str) -> str:
    return parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0]


def wanted(environ: Mapping[str, str]) -> Delays | None:
    """The delays that LABS_AWS_DELAYS asks for: "SECONDS" or "SECONDS,ONE_IN"; None when unset.

    Raises LabsError for anything else.
    """
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    seconds, _, one_in = text.partition(",")
    try:
        found = Delays(float(seconds), int(one_in or 0))
    except ValueError:
        found = Delays(-1, 0)
    if found.seconds < 0 or found.one_in < 0:
        raise LabsError(
            f"{VARIABLE} is {text!r}; it must be like 3 (what is new takes 3 seconds to be seen), "
            "or 3,40 (every 40th request is throttled as well), or unset."
        )
    return found
