"""A registry on a loopback port, served as the sandbox's, and a client that shows every byte."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labs_helpers.oci import digest, media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.door.http import Server as HttpServer
from labs_helpers.sandbox.door.http import serves
from labs_helpers.sandbox.ecr import repositories, tokens
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import NO_KEYS, Keys, Principal
from labs_helpers.sandbox.registry.app import RegistryApp
from labs_helpers.sandbox.registry.context import Made
from labs_helpers.sandbox.registry.rules import ECR, Rules

ACCOUNT = "123456789012"
REGION = "us-west-2"
HOME = Registry(ACCOUNT, REGION)
LEARNER = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/learner", "AIDAEXAMPLE", "AKIAEXAMPLE")
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Reply:
    """A response: headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[str, str]:
        """Code and message of the first error."""
        first = self.json()["errors"][0]
        return first["code"], first["message"]


class Server:
    """The sandbox's HTTP server; the application behind it changes from test to test."""

    def __init__(self) -> None:
        self.app: Callable[..., Iterable[bytes]] | None = None
        self._server = HttpServer(0, self._dispatch)
        self._server.prepare()
        self.port = serves(self._server)
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def _dispatch(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self.app is not None
        return self.app(environ, start_response)

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()


@dataclass
class RegistryUnderTest:
    """A store, the application over it, and a token of the learner."""

    root: Path
    server: Server
    rules: Rules = ECR
    clock: Clock = field(default_factory=lambda: Clock(frozen_at=START))
    asked: list[tuple[str, str]] = field(default_factory=list)
    refuse: Callable[[str, str], None] = lambda action, arn: None
    made: Callable[[Store], Made] = lambda store: Made()

    def __post_init__(self) -> None:
        self.open()
        self.token = tokens.mint(self.store, LEARNER, REGION).password

    def open(self) -> None:
        """Open the store again, as a restarted server does."""
        self.store = Store(self.root, self.clock)
        here = (ACCOUNT, REGION, self.rules)
        made = self.made(self.store)
        self.server.app = RegistryApp(self.store, self.clock, self._authorize, *here, made=made)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def _authorize(
        self,
        principal: Principal,
        action: str,
        arn: str,
        keys: Keys = NO_KEYS,
        tentative: bool = False,
    ) -> None:
        self.asked.append((action, arn))
        self.refuse(action, arn)

    def create(self, name: str = "demo", **settings: Any) -> Repository:
        return repositories.create(self.store, HOME, name, **settings)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = "learner",
        host: str = HOME.host,
    ) -> Reply:
        """One request; `token` None sends no credentials, an iterable body is sent in chunks."""
        given = {"Host": host, **(headers or {})}
        if token is not None and "Authorization" not in given:
            secret = self.token if token == "learner" else token
            given["Authorization"] = "Basic " + base64.b64encode(f"AWS:{secret}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, path, body=body, headers=given, encode_chunked=chunked)
            response = connection.getresponse()
            fields = {key.lower(): value for key, value in response.getheaders()}
            return Reply(response.status, fields, response.read())
        finally:
            connection.close()

    def push_blob(self, data: bytes, name: str = "demo") -> str:
        """A blob in one request; returns its digest."""
        name_of = digest.of_bytes(data)
        reply = self.send("POST", f"/v2/{name}/blobs/uploads/?digest={name_of}", data)
        assert reply.status == 201, reply
        return name_of

    def push_image(self, reference: str = "v1", name: str = "demo", **changes: Any) -> str:
        """A small image; returns its digest. `content` makes it another image."""
        body = self.image(name=name, **changes)
        reply = self.put_manifest(reference, body, name=name)
        assert reply.status == 201, reply
        return reply.headers["docker-content-digest"]

    def image(self, content: bytes = b"layer", name: str = "demo", **changes: Any) -> bytes:
        """The manifest of an image whose blobs are pushed."""
        config, layer = b'{"config": 1}', content
        self.push_blob(config, name)
        self.push_blob(layer, name)
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": describe(media_types.OCI_CONFIG, config),
            "layers": [describe(media_types.OCI_LAYER_GZIP, layer)],
            **changes,
        }
        return json.dumps(document).encode()

    def put_manifest(
        self,
        reference: str,
        body: bytes,
        media_type: str = media_types.OCI_MANIFEST,
        name: str = "demo",
    ) -> Reply:
        path = f"/v2/{name}/manifests/{reference}"
        return self.send("PUT", path, body, {"Content-Type": media_type})

    @property
    def files(self) -> list[str]:
        """Every file of an upload or blob on disk."""
        found = [*self.root.glob("uploads/*"), *self.root.glob("blobs/*/*/*")]
        return sorted(path.name for path in found)


def describe(media_type: str, data: bytes) -> dict[str, Any]:
    """The descriptor of some bytes."""
    return {"mediaType": media_type, "digest": digest.of_bytes(data), "size": len(data)}
