"""A service of ours that acts with a role which it was given: CodeBuild, CodePipeline, ECS.

The service takes the role as on AWS: the role's trust policy has to let the service's principal in.
What the service then does, it does by signed calls to the sandbox's own port, so that every policy
decides and a refusal is AWS's. Whether the user may hand the role to the service (iam:PassRole) was
decided before, on the user's own call (authorization/passed.py).
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from labs_helpers.runtime.throttled import asks_again
from labs_helpers.sandbox import identity
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.records import Role
from labs_helpers.sandbox.iam.sessions import Origin, Session, SessionFacts, Sessions
from labs_helpers.sandbox.identity import NO_KEYS, Keys
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Policies
from labs_helpers.sandbox.policy.request import Caller, Request

WHILE_IT_WORKS = timedelta(days=3650)
"""How long a session lasts that a service renews: until the service ends the session."""
_HOUR = timedelta(hours=1)
_SPARE = timedelta(minutes=5)
_HERE = "127.0.0.1"
_NOT_IN_A_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
"""What a role session's name does not have.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""


class RoleRefused(Exception):
    """The service may not take the role, or there is no such role; AWS says no more than that."""

    def __init__(self, service: str, role: str) -> None:
        """service: as AWS's message names it ("CodeBuild")."""
        super().__init__(f"{service} is not authorized to perform: sts:AssumeRole on {role}")


@dataclass(frozen=True)
class Principal:
    """A service's principal. name: "codebuild.amazonaws.com"; title: as messages have it."""

    name: str
    title: str


def is_away(error: BaseException) -> bool:
    """Whether the sandbox's own port is not open yet, or not any longer.

    Another address that does not answer, as that of an access point of S3, never will.
    """
    from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

    if not isinstance(error, (EndpointConnectionError, ConnectionClosedError)):
        return False
    return urlsplit(str(error.kwargs.get("endpoint_url", ""))).hostname == _HERE


class ServiceRoles:
    """Thread-safe."""

    def __init__(self, directory: Directory, sessions: Sessions, port: int) -> None:
        """port: the sandbox's own."""
        self._directory = directory
        self._sessions = sessions
        self._clients = _Clients(port)

    def check(self, role: str, service: Principal, keys: Keys = NO_KEYS) -> Role:
        """The role of an ARN that the service may take; raises RoleRefused.

        keys: aws:SourceArn and aws:SourceAccount, of the resource for which the service acts:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
        """
        found, trust = self._directory.role(role), self._directory.role_trust(role)
        if found is None or trust is None:
            raise RoleRefused(service.title, role)
        asked = Request(
            Caller("", service.name, ""),
            "sts:AssumeRole",
            role,
            found.account,
            _keys(service, keys),
        )
        if not evaluate(asked, Policies(resource=(trust,))).allowed:
            raise RoleRefused(service.title, role)
        return found

    def assume(
        self,
        role: str,
        service: Principal,
        name: str,
        region: str,
        keys: Keys = NO_KEYS,
        lasts: timedelta = _HOUR,
    ) -> Assumed:
        """A session of the role; raises RoleRefused. name: of the session, cut to its characters.

        A service gets a new session before the old one ends, so that the role's MaxSessionDuration
        does not end the work of a service: lasts may be longer. Who works on by a session asks
        `lasts` and takes the role again, or has WHILE_IT_WORKS and calls `end`.
        """
        found = self.check(role, service, keys)
        name = _NOT_IN_A_NAME.sub("-", name)[:64]
        facts = SessionFacts(Origin.ROLE, found.arn, found.id, name)
        arn = f"arn:aws:sts::{found.account}:assumed-role/{found.name}/{name}"
        made = self._sessions.issue(found.account, arn, f"{found.id}:{name}", facts, lasts)
        return Assumed(made, region, self._clients)

    def lasts(self, taken: Assumed) -> bool:
        """Whether a session is good for some minutes more; a moved clock may have ended it."""
        return taken.session.ends_at - self._sessions.now() > _SPARE

    def end(self, access_key_id: str, after: timedelta) -> None:
        """Have a session end after some time from now, unless it ends before."""
        self._sessions.end(access_key_id, after)


@dataclass(frozen=True)
class Assumed:
    """A service with a role's rights, in one region."""

    session: Session
    region: str
    _clients: _Clients

    def client(self, service: str) -> Any:
        """A botocore client that signs with the session and asks the sandbox, once."""
        return self._clients.of(self.session, service, self.region)

    def then(self, role: str, name: str) -> Assumed:
        """A session of another role, which this session takes by a call of its own.

        The role's trust policy and this session's rights decide; raises botocore's ClientError.
        """
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName=name)
        given, user = answer["Credentials"], answer["AssumedRoleUser"]
        account = str(user["Arn"]).split(":")[4]
        principal = identity.Principal(
            account, user["Arn"], user["AssumedRoleId"], given["AccessKeyId"]
        )
        unique = str(user["AssumedRoleId"]).partition(":")[0]
        made = Session(
            principal,
            given["SecretAccessKey"],
            given["SessionToken"],
            datetime.now(UTC),
            given["Expiration"],
            SessionFacts(Origin.ROLE, role, unique, name, chained=True),
        )
        return Assumed(made, self.region, self._clients)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a program has the session."""
        return {
            "AWS_ACCESS_KEY_ID": self.session.principal.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.session.secret,
            "AWS_SESSION_TOKEN": self.session.token,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }


class _Clients:
    """Makes clients of the sandbox's own port; botocore is imported with the first of them."""

    def __init__(self, port: int) -> None:
        self._endpoint = f"http://{_HERE}:{port}"
        self._lock = threading.Lock()

    @cached_property
    def _botocore(self) -> Any:
        from botocore.session import Session as Botocore

        return Botocore()

    def of(self, session: Session, service: str, region: str) -> Any:
        from botocore.config import Config

        # a proxy of the environment could not reach the sandbox, and a refusal is an answer
        settings = Config(
            proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        )
        with self._lock:  # making a client is not thread-safe, using one is
            made = self._botocore.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                aws_access_key_id=session.principal.access_key_id,
                aws_secret_access_key=session.secret,
                aws_session_token=session.token,
                config=settings,
            )
        return asks_again(made)


def _keys(service: Principal, keys: Keys) -> Keys:
    """The condition keys of a request that a service makes."""
    return {
        **keys,
        "aws:principalservicename": (service.name,),
        "aws:principalisawsservice": ("true",),
        "aws:securetransport": ("true",),
    }
