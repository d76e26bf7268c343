"""What a registry is asked of one repository: manifests, tags, blobs.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
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
from .transport import Answer, Transport
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
    """One repository of a registry, as one client may use it. Not shared between threads."""

    def __init__(
        self, host: str, path: str, hosts: HostMap, credentials: Credentials, actions: str = "pull"
    ) -> None:
        self.path = path
        self._transport = Transport(host, hosts, credentials)
        self._actions = actions
        self._scope = f"repository:{path}:{actions}"

    def another(self) -> Repository:
        """The same repository for another thread, which need not ask again how to log in."""
        twin = copy.copy(self)
        twin._transport = self._transport.another()
        return twin

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def manifest(self, reference: str) -> Manifest:
        """The manifest of a tag or digest, verified when it is a digest.

        Raises:
            RegistryError: the registry's refusal.
            RequestFailed: it could not be asked.
        """
        # the HEAD is what dockerd sends first, and what its error messages name
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
                raise RegistryError(f"the list of tags is not one: {error}") from error
            link = answer.headers.get("Link") or ""
            if 'rel="next"' not in link or "<" not in link:
                break
            url = urljoin(answer.url, link[link.index("<") + 1 : link.index(">")])
        return tags

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has a blob. An error counts as no: the upload will say it."""
        answer = self._ask("HEAD", f"/v2/{self.path}/blobs/{digest}")
        answer.body()
        return answer.status == 200

    def blob(self, digest: str) -> BinaryIO:
        """The bytes of a blob, not verified, fetched on where a connection was lost.

        Raises RegistryError and RequestFailed, also while it is read.
        """
        return download(self._transport, f"/v2/{self.path}/blobs/{digest}", self._scope)

    def upload(
        self,
        digest: str,
        size: int,
        opened: Callable[[], BinaryIO],
        mount_from: str | None = None,
    ) -> Iterator[int | str]:
        """Upload a blob; yield the bytes sent so far.

        With ``mount_from``, a repository of the same registry, the registry is first asked to
        take the blob from there: then the only item is that repository's path.

        Raises:
            RegistryError, RequestFailed: as for every request; nothing is left half done there.
        """
        mount = (digest, mount_from) if mount_from else None
        return self.send(lambda: Blob(digest, size, opened), mount)

    def send(
        self, prepared: Callable[[], Blob], mount: tuple[str, str] | None = None
    ) -> Iterator[int | str]:
        """As ``upload``, of a blob that is made only when the registry really wants its bytes.

        ``mount`` is the digest to take from another repository, and that repository's path.
        """
        return upload(self._transport, self.path, self._scope, prepared, mount)

    def _ask(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        return self._transport.request(method, url, self._scope, headers, body)


def check_login(host: str, hosts: HostMap, credentials: Credentials) -> None:
    """Ask ``GET /v2/`` with credentials, as ``docker login`` does.

    Raises:
        RegistryError: ``login attempt to https://.../v2/ failed with status: 401 Unauthorized``.
        RequestFailed: the registry, or its token server, could not be asked or refused.
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
