"""A registry of one repository that breaks where a test says: connections, answers, tokens."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.retry import RetryPolicy
from labs_helpers.oci import media_types

HOST = "registry.example"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A time that only moves when somebody sleeps."""

    moment: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Faulty:
    """What the registry has, and what goes wrong next.

    ``refusals`` are answers given instead of the true ones, first come first served; ``cut`` are
    numbers of bytes after which a blob's answer or an upload's body is cut off. With ``tokens``,
    requests need one of them; a ``forgetful`` registry does not know those it gives.
    """

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.begun = 0
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.cut: list[int] = []
        self.ranges = True
        self.resumes = True
        self.seen: list[str] = []
        self.tokens: set[str] | None = None
        self.issued = 0
        self.forgetful = False
        self.lasts = 300
        self.clock = Clock()
        self.lock = threading.Lock()
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.hosts = HostMap()

    def add(self, content: bytes) -> str:
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest

    def add_image(self, tag: str, *layers: bytes) -> str:
        """An image of plain tars; returns the manifest's digest."""
        described = [
            {"mediaType": media_types.OCI_LAYER, "digest": self.add(one), "size": len(one)}
            for one in layers
        ]
        diff_ids = [one["digest"] for one in described]
        config = json.dumps({"os": "linux", "rootfs": {"diff_ids": diff_ids}}).encode()
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": {
                "mediaType": media_types.OCI_CONFIG,
                "digest": self.add(config),
                "size": len(config),
            },
            "layers": described,
        }
        self.manifests[tag] = json.dumps(document).encode()
        return "sha256:" + hashlib.sha256(self.manifests[tag]).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faulty: Faulty

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _serve(self) -> None:
        it, path = self.faulty, self.path.partition("?")[0]
        short = re.sub(r"sha256:[0-9a-f]+", "DIGEST", path.removeprefix("/v2/demo/"))
        with it.lock:
            it.seen.append(f"{self.command} {short}")
            refusal = it.refusals.pop(0) if it.refusals else None
        it.before(self.command, path)
        length = int(self.headers.get("Content-Length") or 0)
        if self.command == "PATCH":
            if self._took(path.rpartition("/")[2], length):
                self._answer(202, Location=self.path)
            return
        body = self.rfile.read(length)
        if refusal:
            status, headers = refusal
            self._answer(status, b"", **headers)
        elif path == "/token":
            it.issued += 1
            token = f"t{it.issued}"
            assert it.tokens is not None
            if not it.forgetful:
                it.tokens.add(token)
            said = {"token": token, "expires_in": it.lasts}
            self._answer(200, json.dumps(said).encode(), Content_Type="application/json")
        elif it.tokens is not None and self._token() not in it.tokens:
            realm = f'Bearer realm="http://{HOST}/token",service="s"'
            self._answer(401, WWW_Authenticate=realm)
        else:
            self._registry(path, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _serve

    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _registry(self, path: str, body: bytes) -> None:
        it, last = self.faulty, path.rpartition("/")[2]
        if path == "/v2/":
            self._answer(200, b"{}")
        elif "/manifests/" in path and self.command == "PUT":
            it.manifests[last] = body
            self._answer(201)
        elif "/manifests/" in path and last in it.manifests:
            self._answer(200, it.manifests[last], Content_Type=media_types.OCI_MANIFEST)
        elif self.command == "POST":
            with it.lock:
                number, it.begun = it.begun, it.begun + 1
                it.uploads[str(number)] = b""
            self._answer(202, Location=f"/v2/demo/blobs/uploads/{number}")
        elif self.command == "PUT":
            it.blobs[self.path.partition("digest=")[2].replace("%3A", ":")] = it.uploads.pop(last)
            self._answer(201)
        elif last in it.uploads and it.resumes:
            received = len(it.uploads[last])
            self._answer(204, Range=f"0-{received - 1}", Location=path)
        elif last in it.blobs:
            self._blob(it.blobs[last])
        else:
            self._answer(404, b'{"errors": [{"code": "BLOB_UNKNOWN", "message": ""}]}')

    def _blob(self, content: bytes) -> None:
        begin = int(re.sub(r"\D", "", self.headers.get("Range") or "0"))
        headers = {"Content-Length": str(len(content))}
        status = 200
        if begin and self.faulty.ranges:
            status = 206
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            headers["Content-Length"] = str(len(content) - begin)
            content = content[begin:]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.faulty.cut:
            content = content[: self.faulty.cut.pop(0)]
            self.close_connection = True
        self.wfile.write(content)

    def _took(self, upload: str, length: int) -> bool:
        """Take a PATCH; False when it was cut off."""
        cut = self.faulty.cut.pop(0) if self.faulty.cut else None
        self.faulty.uploads[upload] += self.rfile.read(length if cut is None else cut)
        self.close_connection = cut is not None
        return cut is None

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that has gone is what some tests are about."""


@contextmanager
def faulty_registry(folder: Path) -> Iterator[Faulty]:
    """The registry, and in ``hosts`` the way to it."""
    found = Faulty()
    handler = type("Handler", (_Handler,), {"faulty": found})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        path = folder / "registries.json"
        address = f"http://127.0.0.1:{server.server_address[1]}"
        hosts = [{"pattern": HOST, "address": address}]
        path.write_text(json.dumps({"hosts": hosts, "offline": True}))
        found.hosts = HostMap(path, RetryPolicy(pause=found.clock.sleep, now=found.clock.now))
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
