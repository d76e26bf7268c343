"""Push and pull in Podman's own API, as `podman --remote` asks for them, for sandbox registries.

Images move as in Docker's API. Parameters, reports and errors have Podman's form, and a registry's
refusal has the same words. Sources:
https://docs.podman.io/en/latest/_static/api.html (ImagePushLibpod, ImagePullLibpod),
https://github.com/containers/podman/tree/v5.4.2/pkg/api/handlers/libpod (images_push.go,
images_pull.go), https://github.com/containers/podman/tree/v4.3.1/pkg/bindings/images (the reports
that an older client accepts).

A pull takes a short name (``nginx``) from Docker Hub, as Docker does. It does not ask the daemon's
registries.conf and aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import wraps
from urllib.parse import quote, unquote, urlencode

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..api.app import Operation, Route
from ..api.http import Request, Response, error_text, json_response
from ..api.transfer import STREAM_ERRORS
from ..errors import BadRequest, EngineError, NotFound, NotSupported
from ..platform import DEFAULT, Platform
from ..store import BlobError, NoSuchImage
from .daemon import DaemonError, FrontDaemonClient, full_id
from .libpod_credentials import credentials_for
from .libpod_reports import Report, final_report, pull_reports, push_reports, report_stream
from .pulling import pull
from .pushing import push
from .resources import Resources

API = (4, 0)
"""The version of Podman's API that we use with its daemon; Podman 4 and 5 have it."""

ACCEPTS_DIGEST = (4, 6)
"""The first clients that accept the pushed digest as a report; older ones take it for an error."""

_VERSION = re.compile(r"/v(\d{1,3})\.(\d{1,3})")
_POLICIES = {"always", "missing", "newer", "never"}
_POLICY_ALIASES = {"": "missing", "ifnotpresent": "missing", "ifnewer": "newer"}
_FORMS = {
    "format": (("", "v2s2", "docker"), "the labs push with Docker's manifest, v2s2", "--format"),
    "compressionFormat": (("", "gzip"), "the labs push layers as gzip", "--compression-format"),
    "compressionLevel": (("",), "the labs choose the level themselves", "--compression-level"),
}
"""Parameters of a push: the values that we accept, what the labs do, the option to leave out."""

_NO_LISTS = (
    "{} is a manifest list: the labs push the images that it lists, one by one by their names, and"
    " no lists"
)


def libpod_routes(resources: Resources) -> list[Route]:
    """Return the routes of Podman's API: method, pattern of the path, operation."""
    podman = Podman(resources)
    name = r"(?P<name>.+)"
    table: list[tuple[str, Operation]] = [
        (rf"/libpod/images/{name}/push", podman.push),
        (r"/libpod/images/pull", podman.pull),
        (rf"/libpod/manifests/{name}/(?:push|registry/.+)", _refuse_list),
    ]
    return [("POST", path, _in_podmans_form(operation)) for path, operation in table]


def _in_podmans_form(operation: Operation) -> Operation:
    """Return an operation whose errors are ``{"cause", "message", "response"}``.

    https://github.com/containers/podman/blob/v5.4.2/pkg/errorhandling/errorhandling.go
    """

    @wraps(operation)
    def answer(request: Request, _: Resources, **path: str) -> Response:
        try:
            # Podman's clients write parameter names in either case
            query = {key.lower(): values for key, values in request.query.items()}
            return operation(replace(request, query=query), **path)
        except EngineError as error:
            return _error(error, error.status)
        except (InvalidReference, BlobError) as error:
            return _error(error, 400)
        except NoSuchImage as error:
            return _error(error, 404)

    return answer


def _error(error: Exception, status: int) -> Response:
    message = error_text(error)
    return json_response({"cause": message, "message": message, "response": status}, status)


class Podman:
    """The operations of Podman's API that the front answers."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._podman = LibpodClient(resources.daemon.address, API, resources.daemon.kind)

    def push(self, request: Request, name: str) -> Response:
        """``POST /libpod/images/{name}/push?destination=``: push one image, by any name or ID.

        The front does not read these parameters: ``tlsVerify``, as the sandbox is reached without
        TLS; ``all``, as there is one image; ``removeSignatures``, as signatures are never sent;
        ``retry`` and ``retryDelay``, as the engine has its own.

        Raises:
            NotSupported: ``format``, ``compressionFormat`` or ``compressionLevel`` ask for a form
                that the labs do not push, or the name is a manifest list's.
            DaemonError: there is no such image.
            EngineError: as for Docker's push, before the first report.
        """
        _refuse_other_forms(request)
        source = unquote(name)
        destination = request.text("destination") or source
        reference = references.parse(destination.removeprefix("docker://"))
        if self._podman.is_list(source):
            raise NotSupported(_NO_LISTS.format(source))
        image = self._image_of_digest(source) or self._podman.id(source)
        credentials = credentials_for(reference, request.headers)
        messages = push(reference, credentials, self._resources, image)
        if request.flag("quiet", default=True):
            for _ in messages:
                pass
            return Response(200, [b"\n"], "text/plain; charset=us-ascii")
        return report_stream(push_reports(messages, _client_version(request) >= ACCEPTS_DIGEST))

    def pull(self, request: Request) -> Response:
        """``POST /libpod/images/pull?reference=``: pull a tag, a digest, or ``allTags``.

        Raises:
            BadRequest: there is no ``reference``, or no such ``policy``.
            EngineError: as for Docker's pull, before the first report.
        """
        name = request.text("reference")
        if not name:
            raise BadRequest("reference parameter cannot be empty")
        policy = request.text("policy", "always").lower()
        policy = _POLICY_ALIASES.get(policy, policy)
        if policy not in _POLICIES:
            raise BadRequest(f'unsupported pull policy "{request.text("policy")}"')
        platform = {key: request.text(key) for key in ("arch", "os", "variant")}
        if policy == "missing" and any(platform.values()):
            # the daemon's image of that name may be for another platform
            policy = "newer"
        if policy in ("missing", "never") and (local := self._local_images(name, platform)):
            return json_response(final_report(local))
        if policy == "never":
            raise DaemonError(f"{name}: image not known", 404)
        reports = self._pull_reports(name, request, platform)
        try:
            if request.flag("quiet"):
                *_, last = reports
                return json_response(last)
            return report_stream(reports)
        except STREAM_ERRORS:
            if policy == "newer" and (local := self._local_images(name, platform)):
                return json_response(final_report(local))
            raise

    def _pull_reports(
        self, name: str, request: Request, platform: dict[str, str]
    ) -> Iterator[Report]:
        all_tags = request.flag("alltags")
        wanted = references.parse(name.removeprefix("docker://"), default_tag=not all_tags)
        if wanted.digest:
            # a tag beside a digest does not count
            wanted = replace(wanted, tag=None)
        credentials = credentials_for(wanted, request.headers)
        messages = pull(wanted, credentials, _platform(platform), self._resources)
        tags: list[str] = []
        yield from pull_reports(wanted, messages, tags)
        images = [image for tag in tags if (image := self._pulled_image(wanted, tag))]
        if not images:
            raise NotFound(f"{wanted.familiar}: there is nothing to pull")
        yield final_report(images)

    def _pulled_image(self, name: Reference, tag: str) -> str | None:
        if ":" in tag:
            return self._resources.records.image_of_digest(f"{name.name}@{tag}")
        return self._resources.daemon.image_id(replace(name, tag=tag).familiar)

    def _local_images(self, name: str, platform: dict[str, str]) -> list[str]:
        """Return the IDs of the daemon's images with a name, or with a digest in our records."""
        if found := self._podman.local_images(name, platform):
            return found
        image = self._image_of_digest(name)
        return [image] if image else []

    def _image_of_digest(self, name: str) -> str | None:
        """Return the image of a registry's digest, which the daemon itself may not know."""
        image = self._resources.records.image_of_digest(name.removeprefix("docker://"))
        # the image may have been removed since
        return image if image and self._resources.daemon.image_id(image) else None


class LibpodClient(FrontDaemonClient):
    """A client of Podman's own API, where a name means the same as in Podman's commands."""

    def id(self, name: str) -> str:
        """Return the ID of an image. Raises DaemonError, also without such an image."""
        return full_id(self._json("GET", f"/libpod/images/{quote(name, safe='/:@')}/json"))

    def is_list(self, name: str) -> bool:
        """Whether a name is a manifest list's."""
        try:
            self._json("GET", f"/libpod/manifests/{quote(name, safe=':@')}/exists")
        except DaemonError:
            return False
        return True

    def local_images(self, name: str, platform: dict[str, str]) -> list[str]:
        """Return the IDs of the images that a name means, if they are for this platform."""
        given = {key: value for key, value in platform.items() if value}
        query = urlencode({"reference": name, "policy": "never", "quiet": "true"} | given)
        try:
            found = self._json("POST", f"/libpod/images/pull?{query}")
        except DaemonError:
            return []
        return list(found.get("images") or [])


def _refuse_list(request: Request, name: str) -> Response:
    raise NotSupported(_NO_LISTS.format(unquote(name)))


def _refuse_other_forms(request: Request) -> None:
    for key, (accepted, reason, option) in _FORMS.items():
        value = request.text(key.lower())
        if value not in accepted:
            raise NotSupported(f"{key}={value}: {reason}. Leave {option} out")


def _platform(parts: dict[str, str]) -> Platform | None:
    if not any(parts.values()):
        return None
    wanted = (parts["os"] or DEFAULT.os, parts["arch"] or DEFAULT.architecture, parts["variant"])
    return Platform.parse("/".join(wanted).rstrip("/"))


def _client_version(request: Request) -> tuple[int, int]:
    found = _VERSION.match(request.path)
    return (int(found[1]), int(found[2])) if found else (0, 0)
