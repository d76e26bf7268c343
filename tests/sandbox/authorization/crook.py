"""Signs whatever it likes with a person's key, to try what no SDK would send."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.sandbox.authorization.people_here import Person
from tests.sandbox.sandbox_process import REGION


@dataclass
class Reply:
    status: int
    body: str


@dataclass
class Crook:
    """Signs whatever it likes with the key of a person, truly."""

    person: Person

    def send(
        self,
        service: str,
        method: str = "POST",
        path: str = "/",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        host: str = "",
        region: str = REGION,
        signer: type = SigV4Auth,
        unsigned: dict[str, str] | None = None,
    ) -> Reply:
        """`unsigned`: headers added after the signature was made."""
        port = self.person.sandbox.port
        host = host or f"127.0.0.1:{port}"
        asked = AWSRequest(method, f"http://{host}{path}", {"Host": host, **(headers or {})}, body)
        key = self.person.key
        whose = Credentials(key["aws_access_key_id"], key["aws_secret_access_key"])
        signer(whose, service, region).add_auth(asked)
        parts = urlsplit(asked.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in [*dict(asked.headers).items(), *(unsigned or {}).items()]:
            connection.putheader(name, value)
        if "Content-Length" not in asked.headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        told = Reply(answer.status, answer.read().decode(errors="replace"))
        connection.close()
        return told
