"""AWS's delays, for tests that play a real account: LABS_AWS_DELAYS, off by default.

IAM is eventually consistent: a new access key or role can be unknown for seconds
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency),
and every API has a limit of requests
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html). Policies and repositories
are seen at once here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qs

from labs_helpers.files import LabsError
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Protocol, Refusal

VARIABLE = "LABS_AWS_DELAYS"
_MAKES = {
    "CreateAccessKey": re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>"),
    "CreateRole": re.compile(rb"<Arn>([^<]+)</Arn>"),
}
"""Operations of IAM, and what their answers name the new thing by."""


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
    """New keys and roles are unknown for ``seconds``; every ``one_in``-th request is throttled.

    ``one_in`` 0: none is.
    """

    seconds: float
    one_in: int
    now: Callable[[], float] = time.monotonic
    _seen_from: dict[str, float] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def before(self, service: str, access_key_id: str, body: bytes) -> None:
        """Raise Refusal for a call that AWS would refuse for a moment."""
        if self._is_hidden(access_key_id):
            raise aws_errors.unknown_key()
        if self.one_in and next(self._numbers) % self.one_in == 0:
            raise throttled()
        if service != "sts" or _form(body, "Action") != "AssumeRole":
            return
        if self._is_hidden(arn := _form(body, "RoleArn")):
            raise Refusal(
                "AccessDenied",
                f"The caller is not authorized to perform: sts:AssumeRole on resource: {arn}",
                403,
            )

    def after(self, service: str, body: bytes, content: bytes) -> None:
        """Note what a call has made, which is not seen for a while."""
        made = _MAKES.get(_form(body, "Action")) if service == "iam" else None
        if made is not None and (name := made.search(content)):
            self._seen_from[name[1].decode()] = self.now() + self.seconds

    def _is_hidden(self, name: str) -> bool:
        return self._seen_from.get(name, 0) > self.now()


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
            f"{VARIABLE} is {text!r}; it must be like 3 (new keys and roles take 3 seconds to be "
            "seen), or 3,40 (every 40th request is throttled as well), or unset."
        )
    return found
