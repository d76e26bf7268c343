"""The URLs of GetDownloadUrlForLayer: how they are made, and the application that serves them.

On AWS they are presigned URLs of Amazon S3. Here they are
``<endpoint>/_labs/layers/<account>/<region>/<repository>/<digest>?Expires=...&Signature=...``;
the signature covers everything else. A URL serves one layer of one repository until the URL expires
by the sandbox clock; a client needs no other credential.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import parse_qs

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import layers, repositories
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service.errors import ServiceError

PREFIX = "/_labs/layers/"
LIFETIME = timedelta(hours=1)
_CHUNK = 1024 * 1024

StartResponse = Callable[..., Any]


def url_of(endpoint: str, repository: Repository, digest: str, now: datetime, key: bytes) -> str:
    """The URL under which LayerDownloads serves the layer, for LIFETIME from now."""
    registry = repository.registry
    path = f"{PREFIX}{registry.account}/{registry.region}/{repository.name}/{digest}"
    expires = str(int((now + LIFETIME).timestamp()))
    return f"{endpoint}{path}?Expires={expires}&Signature={_signature(path, expires, key)}"


class LayerDownloads:
    """WSGI: serves a layer's bytes for a URL of ``url_of`` that has not expired."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer GET and HEAD: 403 for a wrong or expired signature, 404 for a lost layer."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _refusal(start_response, "405 Method Not Allowed", "only GET and HEAD")
        path = environ.get("PATH_INFO", "")
        query = parse_qs(environ.get("QUERY_STRING", ""))
        expires = query.get("Expires", [""])[0]
        signature = query.get("Signature", [""])[0]
        if not hmac.compare_digest(
            signature.encode(), _signature(path, expires, self._store.secret()).encode()
        ):
            return _refusal(start_response, "403 Forbidden", "the signature does not match")
        if self._clock.now().timestamp() > int(expires):
            return _refusal(start_response, "403 Forbidden", "Request has expired")
        try:
            blob, file = self._open(path)
        except ServiceError as error:
            return _refusal(start_response, "404 Not Found", error.message)
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Length", str(blob.size)),
            ("ETag", f'"{blob.digest}"'),
        ]
        start_response("200 OK", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            file.close()
            return []
        return _chunks(file)

    def _open(self, path: str) -> tuple[layers.Blob, BinaryIO]:
        account, region, rest = path.removeprefix(PREFIX).split("/", 2)
        name, _, digest = rest.rpartition("/")
        repository = repositories.get(self._store, Registry(account, region), name)
        return layers.open_blob(self._store, repository, digest)


def _signature(path: str, expires: str, key: bytes) -> str:
    return hmac.new(key, f"layer\0{path}\0{expires}".encode(), hashlib.sha256).hexdigest()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _refusal(start_response: StartResponse, status: str, text: str) -> list[bytes]:
    body = f"{text}\n".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
