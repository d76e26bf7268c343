"""A client of Docker's or Podman's daemon: look up, export, load, tag and remove images.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/. Podman's compatible API has the
same requests: https://docs.podman.io/en/latest/_static/api.html
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference
from labs_helpers.runtime.unix_http import UnixConnection, error_message, exchange

from ..errors import EngineError
from .address import Address

OLDEST_API = (1, 24)
NEWEST_API = (1, 47)
"""The newest API version that these requests use, also with a newer daemon."""

TIMEOUT = 600.0
_DOCUMENT_LIMIT = 64 * 1024 * 1024


class DaemonError(EngineError):
    """The daemon cannot be reached, or it refused a request; the message is its own."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class About:
    """The answer to ``GET /version``; ``kind`` is "docker", "podman" or "labs" (our engine)."""

    kind: str
    version: str
    api: tuple[int, int]
    oldest_api: tuple[int, int]

    @property
    def request_api(self) -> tuple[int, int]:
        """The API version of our requests."""
        return max(min(self.api, NEWEST_API), self.oldest_api)


class DaemonClient:
    """A client of the daemon at an address; it opens a connection for each request.

    Every method raises DaemonError when the daemon does not answer, or refuses.
    """

    def __init__(self, address: Address, api: tuple[int, int] | None = None) -> None:
        self.address = address
        self._prefix = f"/v{api[0]}.{api[1]}" if api else ""

    def unreachable(self, why: str) -> DaemonError:
        """Return the error for an address where nobody answers."""
        return DaemonError(f"{self.address}: {why}")

    def about(self, seconds: float) -> About:
        """Ask for the daemon's kind and versions, and wait ``seconds`` at most."""
        document = self._json("GET", "/version", seconds=seconds)
        if not isinstance(document, dict):
            raise DaemonError("the daemon's version is not a JSON object")
        platform, parts = document.get("Platform") or {}, document.get("Components") or []
        kind = "docker"
        if isinstance(platform, dict) and str(platform.get("Name")).startswith("Labs engine"):
            kind = "labs"
        elif any(isinstance(p, dict) and "Podman" in str(p.get("Name")) for p in parts):
            kind = "podman"
        api = _pair(document.get("ApiVersion"))
        oldest = _pair(document.get("MinAPIVersion") or document.get("ApiVersion"))
        return About(kind, str(document.get("Version") or "?"), api, oldest)

    def inspect(self, name: str) -> dict[str, Any] | None:
        """Describe an image by name or ID (``GET /images/{name}/json``); None without one."""
        try:
            found = self._json("GET", f"/images/{quote(name, safe='/:@')}/json")
        except DaemonError as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(found, dict) or not isinstance(found.get("Id"), str):
            raise DaemonError(f"the daemon's description of the image {name} has no Id")
        return found

    def image_id(self, name: str) -> str | None:
        """Return the image ID of a name, with ``sha256:``; None without such an image."""
        found = self.inspect(name)
        return None if found is None else full_id(found)

    def names(self) -> dict[str, str]:
        """Return every canonical name with a tag, and the ID of its image."""
        found = {}
        for image in self._json("GET", "/images/json") or []:
            for name in image.get("RepoTags") or []:
                if parsed := _tagged(name):
                    found[str(parsed)] = full_id(image)
        return found

    @contextmanager
    def export(self, name: str) -> Iterator[BinaryIO]:
        """Open the archive of one image (``GET /images/get?names=``)."""
        with self._asked("GET", f"/images/get?{urlencode({'names': name})}") as answer:
            yield answer

    def load(self, archive: Iterable[bytes]) -> None:
        """Load the image of an archive (``POST /images/load``)."""
        headers = {"Content-Type": "application/x-tar"}
        with self._asked("POST", "/images/load?quiet=1", archive, headers) as answer:
            _check_stream(answer.read(_DOCUMENT_LIMIT))

    def tag(self, image: str, reference: Reference) -> None:
        """Give another name to the image with this ID."""
        query = urlencode({"repo": reference.familiar_name, "tag": reference.tag or "latest"})
        self._json("POST", f"/images/{image}/tag?{query}")

    def untag(self, reference: Reference) -> None:
        """Remove a name, and the image if that was its last name and no container uses it."""
        name = quote(reference.familiar, safe="/:@")
        self._json("DELETE", f"/images/{name}?{urlencode({'noprune': '0'})}")

    def remove(self, image: str) -> None:
        """Remove the image with this ID, which has no name."""
        self._json("DELETE", f"/images/{image}")

    def pull(self, reference: Reference, platform: str) -> None:
        """Have the daemon pull from a registry that the sandbox does not serve."""
        wanted = {"fromImage": reference.familiar_name}
        wanted["tag"] = reference.digest or reference.tag or "latest"
        wanted |= {"platform": platform} if platform else {}
        with self._asked("POST", f"/images/create?{urlencode(wanted)}") as answer:
            _check_stream(answer.read(_DOCUMENT_LIMIT))

    def create_container(self, query: str, settings: bytes) -> Any:
        """Create a container (``POST /containers/create``); the daemon's answer."""
        headers = {"Content-Type": "application/json"}
        path = f"/containers/create?{query}"
        with self._asked("POST", path, [settings], headers) as answer:
            return json.loads(answer.read(_DOCUMENT_LIMIT))

    def remove_container(self, name: str) -> None:
        """Remove a container, whatever it does, with its anonymous volumes."""
        self._json("DELETE", f"/containers/{quote(name, safe='')}?force=1&v=1")

    def container_id(self, name: str) -> str:
        """The ID of the container with a name, an ID or the start of an ID."""
        return str(self._json("GET", f"/containers/{quote(name, safe='')}/json")["Id"])

    def _json(self, method: str, path: str, seconds: float = TIMEOUT) -> Any:
        with self._asked(method, path, seconds=seconds) as answer:
            body = answer.read(_DOCUMENT_LIMIT)
        try:
            return json.loads(body) if body.strip() else None
        except ValueError as error:
            raise DaemonError(f"the daemon answered {body[:200]!r} to {path}") from error

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        body: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = TIMEOUT,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _connection(self.address, seconds)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise self.unreachable(_reason(error)) from error
        try:
            answer = exchange(connection, method, self._prefix + path, headers, body)
            if answer.status >= 400:
                reason = error_message(answer.read(_DOCUMENT_LIMIT))
                raise DaemonError(reason or "the daemon gave no reason", answer.status)
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise DaemonError(f"{self.address}: {_reason(error)}") from error
        finally:
            connection.close()


class FrontDaemonClient(DaemonClient):
    """The client of a front: its errors tell a learner what to do.

    ``kind`` is the daemon's kind, as in ``About``. The front learns it once, at its start.
    """

    def __init__(self, address: Address, api: tuple[int, int], kind: str) -> None:
        super().__init__(address, api)
        self.kind = kind

    def unreachable(self, why: str) -> DaemonError:
        message = (
            f"the labs' front does not reach the daemon at {self.address}: {why}."
            " Start it again, or take the labs' own engine, which needs none:"
            " LABS_ENGINE=embedded labs start"
        )
        return DaemonError(message, 503)

    def keeps_layers_compressed(self) -> bool:
        """Whether the daemon keeps an image as the registry has it.

        Docker's older store keeps unpacked layers only. Docker says in ``GET /info`` which store
        it uses. That can change when Docker restarts, so we ask each time:
        https://docs.docker.com/engine/storage/containerd/#enable-containerd-image-store-on-docker-engine
        """
        if self.kind != "docker":
            return True
        status = (self._json("GET", "/info") or {}).get("DriverStatus") or []
        return ["driver-type", "io.containerd.snapshotter.v1"] in status


def _connection(address: Address, seconds: float) -> http.client.HTTPConnection:
    if address.path is not None:
        return UnixConnection(address.path, seconds)
    return http.client.HTTPConnection(address.host, address.port, timeout=seconds)


def full_id(image: Mapping[str, Any]) -> str:
    """Return the ID in an image's description, with ``sha256:``, which Podman leaves out."""
    return f"sha256:{str(image['Id']).removeprefix('sha256:')}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _pair(version: Any) -> tuple[int, int]:
    major, _, minor = str(version).partition(".")
    if not major.isdecimal() or not minor.isdecimal():
        raise DaemonError(f"its API version is {version!r}")
    return int(major), int(minor)


def _tagged(name: Any) -> Reference | None:
    try:
        parsed = references.parse(str(name))
    except InvalidReference:
        # an image without a name is listed as <none>:<none>
        return None
    return parsed if parsed.tag else None


def _check_stream(lines: bytes) -> None:
    """Raise DaemonError when a stream of progress messages tells an error."""
    for line in lines.splitlines():
        try:
            message = json.loads(line)
        except ValueError as error:
            raise DaemonError(f"the daemon answered {line[:200]!r}") from error
        if isinstance(message, dict) and message.get("error"):
            raise DaemonError(str(message["error"]))
