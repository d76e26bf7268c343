"""Client of one repository of a registry: manifests, tags, blobs.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator
from typing import BinaryIO
from urllib.parse import urljoin

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import InvalidManifest, Manifest
from labs_helpers.oci.manifest import parse as parse_manifest

from .credentials import Credentials
from .download import download
from .hosts import HostMap
from .registry_errors import RegistryError, status_line
from .transport import RegistryResponse, Transport
from .upload import Blob, upload

ACCEPTED = ", ".join(
    (
        media_types.DOCKER_MANIFEST,
        media_types.DOCKER_LIST,
        media_types.OCI_INDEX,
        media_types.OCI_MANIFEST,
    )
)


class Repository:
    """One repository of a registry, with the credentials of one client. Not thread-safe."""

    def __init__(
        self, host: str, path: str, hosts: HostMap, credentials: Credentials, actions: str = "pull"
    ) -> None:
        self.path = path
        self._transport = Transport(host, hosts, credentials)
        self._scope = f"repository:{path}:{actions}"

    def clone(self) -> Repository:
        """The same repository for another thread, with the login already negotiated."""
        clone = copy.copy(self)
        clone._transport = self._transport.clone()
        return clone

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def manifest(self, reference: str) -> Manifest:
        """The manifest of a tag or digest; the content is verified against a digest.

        Raises:
            RegistryError: the registry refused.
            RequestFailed: the registry could not be reached.
        """
        # dockerd sends HEAD first, and its error messages name that request
        path = f"/v2/{self.path}/manifests/{reference}"
        head = self._ask("HEAD", path, {"Accept": ACCEPTED})
        head.body()
        answer = self._ask("GET", path, {"Accept": ACCEPTED}).raise_for_status()
        body = answer.body()
        if ":" in reference and digests.of_bytes(body) != reference:
            raise RegistryError(f"manifest verification failed for digest {reference}")
        try:
            return parse_manifest(body, answer.headers.get("Content-Type"))
        except InvalidManifest as error:
            raise RegistryError(f"unsupported manifest format: {error}") from error

    def put_manifest(self, reference: str, media_type: str, body: bytes) -> None:
        """Upload a manifest under a tag or digest. Raises RegistryError, RequestFailed."""
        path = f"/v2/{self.path}/manifests/{reference}"
        self._ask("PUT", path, {"Content-Type": media_type}, body).raise_for_status().body()

    def tags(self) -> list[str]:
        """Every tag, following the pages of the list."""
        tags: list[str] = []
        url = f"/v2/{self.path}/tags/list"
        for _ in range(1000):
            answer = self._ask("GET", url).raise_for_status()
            try:
                tags += [str(tag) for tag in json.loads(answer.body()).get("tags") or []]
            except (ValueError, AttributeError, TypeError) as error:
                raise RegistryError(f"the list of tags cannot be read: {error}") from error
            link = answer.headers.get("Link") or ""
            if 'rel="next"' not in link or "<" not in link:
                break
            url = urljoin(answer.url, link[link.index("<") + 1 : link.index(">")])
        return tags

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has a blob. An error counts as no; the upload reports it."""
        answer = self._ask("HEAD", f"/v2/{self.path}/blobs/{digest}")
        answer.body()
        return answer.status == 200

    def blob(self, digest: str) -> BinaryIO:
        """The bytes of a blob, not verified. After a lost connection, the rest is fetched.

        Raises RegistryError and RequestFailed, also while the stream is read.
        """
        return download(self._transport, f"/v2/{self.path}/blobs/{digest}", self._scope)

    def upload(
        self, make_blob: Callable[[], Blob], mount: tuple[str, str] | None = None
    ) -> Generator[int, None, bool]:
        """Upload a blob, or have the registry mount it; see ``upload.upload``.

        Raises:
            RegistryError, RequestFailed: as for every request; the registry then has no part.
        """
        return upload(self._transport, self.path, self._scope, make_blob, mount)

    def _ask(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> RegistryResponse:
        return self._transport.request(method, url, self._scope, headers, body)


def check_login(host: str, hosts: HostMap, credentials: Credentials) -> None:
    """Send ``GET /v2/`` with credentials, as ``docker login`` does.

    Raises:
        RegistryError: ``login attempt to https://.../v2/ failed with status: 401 Unauthorized``.
        RequestFailed: the registry or its token server could not be reached, or refused.
    """
    transport = Transport(host, hosts, credentials)
    try:
        answer = transport.request("GET", "/v2/")
        answer.body()
    finally:
        transport.close()
    if answer.status != 200:
        raise RegistryError(
            f"login attempt to {transport.url('/v2/')} failed with status:"
            f" {status_line(answer.status)}"
        )
