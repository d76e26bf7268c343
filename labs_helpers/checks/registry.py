"""A registry asked over HTTP, as any client would.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def says(self) -> str:
        """The registry's own words for what is wrong: its first error, or the status."""
        try:
            error = self.json()["errors"][0]
            code = str(error["code"]).lower().replace("_", " ")
            return f"{code}: {error.get('message', '')}"
        except (ValueError, KeyError, IndexError, TypeError):
            return f"HTTP {self.status}"


class Registry:
    """The registry ``host``.

    ``address`` is where it is reached, "http://127.0.0.1:4566"; None means by its own name over
    TLS. The name asked for travels in the Host header either way. Proxies are not used.
    """

    def __init__(self, host: str, address: str | None, login: tuple[str, str] | None) -> None:
        self.host = host
        self._address = urlsplit(address) if address else None
        self._headers = {"Host": host}
        if login:
            basic = base64.b64encode(":".join(login).encode()).decode()
            self._headers["Authorization"] = f"Basic {basic}"

    def ask(self, method: str, path: str, accept: str = "*/*") -> Answer:
        """One request; raises OSError when nothing answers within ten seconds."""
        if self._address:
            connection = http.client.HTTPConnection(self._address.netloc, timeout=10)
        else:
            connection = http.client.HTTPSConnection(self.host, timeout=10)
        try:
            connection.request(method, path, headers={**self._headers, "Accept": accept})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()

    def accepts_login(self) -> Answer:
        """What ``GET /v2/`` says: 200 when the login is good."""
        return self.ask("GET", "/v2/")

    def tags(self, repository: str) -> Answer:
        return self.ask("GET", f"/v2/{repository}/tags/list")

    def manifest(self, repository: str, reference: str) -> Answer:
        """The manifest of a tag or digest, of whichever media type it is."""
        return self.ask("GET", f"/v2/{repository}/manifests/{reference}", MANIFESTS)
