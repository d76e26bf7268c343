"""A client of a registry's HTTP API.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from labs_helpers.defaults import CHECK_AGENT

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
        """What is wrong, in the registry's words: the first error, or else the HTTP status."""
        try:
            error = self.json()["errors"][0]
            code = str(error["code"]).lower().replace("_", " ")
            return f"{code}: {error.get('message', '')}"
        except (ValueError, KeyError, IndexError, TypeError):
            return f"HTTP {self.status}"


class Registry:
    """The registry ``host``.

    ``address`` is where the registry is reached, "http://127.0.0.1:4566"; None means by its own
    name over TLS, and by the proxy that HTTPS_PROXY names. The Host header holds the name in both
    cases. ``login`` is a user and a password, ``bearer`` a token of a registry that gives tokens.
    """

    def __init__(
        self,
        host: str,
        address: str | None,
        login: tuple[str, str] | None,
        bearer: str = "",
    ) -> None:
        self.host = host
        self._address = urlsplit(address) if address else None
        self._headers = {"Host": host, "User-Agent": CHECK_AGENT}
        if login:
            basic = base64.b64encode(":".join(login).encode()).decode()
            self._headers["Authorization"] = f"Basic {basic}"
        elif bearer:
            self._headers["Authorization"] = f"Bearer {bearer}"

    def ask(self, method: str, path: str, accept: str = "*/*") -> Answer:
        """Send one request. Raises OSError when nothing answers within ten seconds."""
        connection = (
            http.client.HTTPConnection(self._address.netloc, timeout=10)
            if self._address
            else _over_tls(self.host)
        )
        try:
            connection.request(method, path, headers={**self._headers, "Accept": accept})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()

    def accepts_login(self) -> Answer:
        """The answer to ``GET /v2/``: status 200 when the registry accepts the login."""
        return self.ask("GET", "/v2/")

    def tags(self, repository: str) -> Answer:
        return self.ask("GET", f"/v2/{repository}/tags/list")

    def blob(self, repository: str, digest: str) -> Answer:
        """A blob. A registry may redirect to where the bytes are, as ECR does to S3.

        The login stays here: the redirection's own signature opens the other place.
        """
        answer = self.ask("GET", f"/v2/{repository}/blobs/{digest}")
        if answer.status not in (302, 303, 307):
            return answer
        target = urlsplit(answer.headers["location"])
        elsewhere = Registry(
            target.netloc, None if target.scheme == "https" else target.geturl(), None
        )
        return elsewhere.ask("GET", f"{target.path}?{target.query}")

    def manifest(self, repository: str, reference: str) -> Answer:
        """The manifest of a tag or digest, in any media type."""
        return self.ask("GET", f"/v2/{repository}/manifests/{reference}", MANIFESTS)


def _over_tls(host: str) -> http.client.HTTPSConnection:
    """A connection to a host over TLS, by the proxy of the environment where there is one."""
    proxy = None if proxy_bypass(host) else getproxies().get("https")
    if not proxy:
        return http.client.HTTPSConnection(host, timeout=10)
    at = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(at.hostname or "", at.port or 80, timeout=10)
    login = f"{unquote(at.username or '')}:{unquote(at.password or '')}"
    basic = base64.b64encode(login.encode()).decode()
    connection.set_tunnel(
        host, headers={"Proxy-Authorization": f"Basic {basic}"} if at.username else {}
    )
    return connection
