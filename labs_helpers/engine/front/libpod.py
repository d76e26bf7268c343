"""Podman's own push and pull, as `podman --remote` asks for them, for the sandbox's registries.

The image moves as it does for Docker's API; parameters, reports and errors have Podman's form,
and a registry's refusal has the same words. Sources:
https://docs.podman.io/en/latest/_static/api.html (ImagePushLibpod, ImagePullLibpod),
https://github.com/containers/podman/tree/v5.4.2/pkg/api/handlers/libpod (images_push.go,
images_pull.go), https://github.com/containers/podman/tree/v4.3.1/pkg/bindings/images (what an older
client takes for a report).

A short name (``nginx``) that has to be pulled is Docker Hub's, as in Docker; the daemon's
registries.conf and aliases are not asked.
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
from .daemon import DaemonError, FrontDaemon
from .libpod_credentials import credentials_for
from .libpod_reports import Report, pull_reports, pulled, push_reports, reported
from .pulling import pull
from .pushing import push
from .world import FrontWorld

API = (4, 0)
"""The version of Podman's API in which its daemon is asked here; v4 and v5 have it."""

TELLS_DIGEST = (4, 6)
"""The first clients that take the digest of what was pushed for a report, and not for an error."""

_VERSION = re.compile(r"/v(\d{1,3})\.(\d{1,3})")
_POLICIES = {
    "always": "always",
    "missing": "missing",
    "ifnotpresent": "missing",
    "": "missing",
    "newer": "newer",
    "ifnewer": "newer",
    "never": "never",
}
_FORMATS = ("", "v2s2", "docker")


def libpod_routes(world: FrontWorld) -> list[Route]:
    """Method, pattern of the path, operation."""
    podman = Podman(world)
    name = r"(?P<name>.+)"
    return [
        ("POST", rf"/libpod/images/{name}/push", _in_podmans_form(podman.push)),
        ("POST", r"/libpod/images/pull", _in_podmans_form(podman.pull)),
        ("POST", rf"/libpod/manifests/{name}/(?:push|registry/.+)", _in_podmans_form(_manifest)),
    ]


def _in_podmans_form(operation: Operation) -> Operation:
    """An operation whose errors are ``{"cause", "message", "response"}``.

    https://github.com/containers/podman/blob/v5.4.2/pkg/errorhandling/errorhandling.go
    """

    @wraps(operation)
    def answered(request: Request, _: FrontWorld, **path: str) -> Response:
        try:
            # Podman reads parameters so; its clients write them in either case
            query = {key.lower(): values for key, values in request.query.items()}
            return operation(replace(request, query=query), **path)
        except EngineError as error:
            return _error(error, error.status)
        except (InvalidReference, BlobError) as error:
            return _error(error, 400)
        except NoSuchImage as error:
            return _error(error, 404)

    return answered


def _error(error: Exception, status: int) -> Response:
    message = error_text(error)
    return json_response({"cause": message, "message": message, "response": status}, status)


class Podman:
    """What is answered here of the API of a Podman that ``world`` is in front of."""

    def __init__(self, world: FrontWorld) -> None:
        self._world = world
        self._images = _Images(world.daemon.address, API)

    def push(self, request: Request, name: str) -> Response:
        """``POST /libpod/images/{name}/push?destination=``: one image, by whatever name or ID.

        ``tlsVerify`` means nothing on the way to the sandbox, ``all`` nothing for one image, and
        signatures, which ``removeSignatures`` is about, are never sent; ``retry`` and
        ``retryDelay`` are the engine's own.

        Raises:
            NotSupported: ``format``, ``compressionFormat`` or ``compressionLevel`` ask for what is
                not pushed here, or the name is a manifest list's.
            DaemonError: there is no such image.
            EngineError: as for Docker's push, when nothing has been reported yet.
        """
        _refuse_other_forms(request)
        source = unquote(name)
        to = request.text("destination") or source
        destination = references.parse(to.removeprefix("docker://"))
        if self._images.is_list(source):
            raise NotSupported(_NO_LISTS.format(source))
        image = self._by_digest(source) or self._images.id(source)
        world = self._world
        messages = push(
            destination,
            world.daemon,
            world.memory,
            world.hosts,
            credentials_for(destination, request.headers),
            world.scratch,
            image,
        )
        if request.flag("quiet", default=True):
            for _ in messages:
                pass
            return Response(200, [b"\n"], "text/plain; charset=us-ascii")
        return reported(push_reports(messages, _version(request) >= TELLS_DIGEST))

    def pull(self, request: Request) -> Response:
        """``POST /libpod/images/pull?reference=``: by ``policy``, a tag, a digest or ``allTags``.

        Raises:
            BadRequest: there is no ``reference``, or no such ``policy``.
            EngineError: as for Docker's pull, when nothing has been reported yet.
        """
        given = request.text("reference")
        if not given:
            raise BadRequest("reference parameter cannot be empty")
        policy = _POLICIES.get(request.text("policy", "always").lower())
        if policy is None:
            raise BadRequest(f'unsupported pull policy "{request.text("policy")}"')
        parts = {key: request.text(key) for key in ("arch", "os", "variant")}
        if policy == "missing" and any(parts.values()):
            # an image of that name may be there for another platform
            policy = "newer"
        if policy in ("missing", "never") and (here := self._here(given, parts)):
            return json_response(pulled(here))
        if policy == "never":
            raise DaemonError(f"{given}: image not known", 404)
        reports = self._pulling(given, request, parts)
        try:
            if request.flag("quiet"):
                *_, last = reports
                return json_response(last)
            return reported(reports)
        except STREAM_ERRORS:
            if policy == "newer" and (here := self._here(given, parts)):
                return json_response(pulled(here))
            raise

    def _pulling(self, given: str, request: Request, parts: dict[str, str]) -> Iterator[Report]:
        every = request.flag("alltags")
        wanted = references.parse(given.removeprefix("docker://"), default_tag=not every)
        if wanted.digest:
            # what the tag beside it says does not count
            wanted = replace(wanted, tag=None)
        world = self._world
        messages = pull(
            wanted,
            world.daemon,
            world.memory,
            world.hosts,
            credentials_for(wanted, request.headers),
            _platform(parts),
            world.scratch,
        )
        tags: list[str] = []
        yield from pull_reports(wanted, messages, tags)
        images = [found for tag in tags if (found := self._image(wanted, tag))]
        if not images:
            raise NotFound(f"{wanted.familiar}: there is nothing to pull")
        yield pulled(images)

    def _image(self, name: Reference, tag: str) -> str | None:
        if ":" in tag:
            return self._world.memory.digest(f"{name.name}@{tag}")
        return self._world.daemon.image_id(replace(name, tag=tag).familiar)

    def _here(self, given: str, parts: dict[str, str]) -> list[str]:
        """The images of the daemon that a name means, by the daemon's own rules, and by ours."""
        if found := self._images.local(given, parts):
            return found
        known = self._by_digest(given)
        return [known] if known else []

    def _by_digest(self, name: str) -> str | None:
        """The daemon's image of a digest of the registry, which the daemon may not know itself."""
        try:
            parsed = references.parse(name.removeprefix("docker://"))
        except InvalidReference:
            return None
        known = self._world.memory.digest(f"{parsed.name}@{parsed.digest}")
        # it may have been removed since
        return known if known and self._world.daemon.image_id(known) else None


class _Images(FrontDaemon):
    """Podman's own API, of which a name means what it means in Podman's commands."""

    def id(self, name: str) -> str:
        """The ID of an image. Raises DaemonError, also when there is no such image."""
        found = self._json("GET", f"/libpod/images/{quote(name, safe='/:@')}/json")
        return f"sha256:{str(found['Id']).removeprefix('sha256:')}"

    def is_list(self, name: str) -> bool:
        """Whether a name is a manifest list's."""
        try:
            self._json("GET", f"/libpod/manifests/{quote(name, safe=':@')}/exists")
        except DaemonError:
            return False
        return True

    def local(self, name: str, parts: dict[str, str]) -> list[str]:
        """The IDs of a name's images; none when there is none, or its platform is another."""
        given = {key: value for key, value in parts.items() if value}
        query = urlencode({"reference": name, "policy": "never", "quiet": "true"} | given)
        try:
            found = self._json("POST", f"/libpod/images/pull?{query}")
        except DaemonError:
            return []
        return list(found.get("images") or [])


_NO_LISTS = (
    "{} is a manifest list: the labs push the images that it lists, one by one by their names, and"
    " no lists"
)


def _manifest(request: Request, name: str) -> Response:
    raise NotSupported(_NO_LISTS.format(unquote(name)))


def _refuse_other_forms(request: Request) -> None:
    if request.text("format") not in _FORMATS:
        raise NotSupported(
            f"format={request.text('format')}: the labs push with Docker's manifest, v2s2."
            " Leave --format out"
        )
    if request.text("compressionformat") not in ("", "gzip"):
        raise NotSupported(
            f"compressionFormat={request.text('compressionformat')}: the labs push layers as gzip."
            " Leave --compression-format out"
        )
    if request.text("compressionlevel"):
        raise NotSupported(
            f"compressionLevel={request.text('compressionlevel')}: the labs choose the level"
            " themselves. Leave --compression-level out"
        )


def _platform(parts: dict[str, str]) -> Platform | None:
    if not any(parts.values()):
        return None
    wanted = (parts["os"] or DEFAULT.os, parts["arch"] or DEFAULT.architecture, parts["variant"])
    return Platform.parse("/".join(wanted).rstrip("/"))


def _version(request: Request) -> tuple[int, int]:
    found = _VERSION.match(request.path)
    return (int(found[1]), int(found[2])) if found else (0, 0)
