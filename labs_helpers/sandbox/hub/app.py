"""One WSGI application that stands in for Docker Hub and for the Docker images of ECR Public.

It is read-only. A pull takes the same steps as on Docker Hub (401, token, pull), and a push is
denied in the same way. Sources: https://distribution.github.io/distribution/spec/api/,
https://docs.docker.com/docker-hub/usage/pulls/ and, for `public.ecr.aws`,
https://docs.aws.amazon.com/AmazonECR/latest/public/docker-pull-ecr-image.html

Differences from Docker Hub: the application sends blobs itself instead of redirecting to a content
network, and there is one account (`labs`, password `labs`). Like Docker Hub today
(https://github.com/sergi0g/cup/issues/132), it sends an index whatever Accept says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from labs_helpers.files import NO_ROOM, is_full
from labs_helpers.oci import headers as http_headers
from labs_helpers.oci import media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.hub.answers import Answer, HubError, StartResponse, json_answer
from labs_helpers.sandbox.hub.catalogue import Catalogue
from labs_helpers.sandbox.hub.limits import PullLimits, exceeded
from labs_helpers.sandbox.hub.registries import ECR_PUBLIC, Registry, registry_of
from labs_helpers.sandbox.hub.tokens import LIFETIME, Access, TokenService, scope_repositories

PREVIEW = "ratelimitpreview/test"
"""The repository that Docker documents for reading your rate limit; here it is alpine:latest."""

ACCOUNT = ("labs", "labs")

_NAME = r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_MANIFEST = re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[\w.:+-]{{1,256}})", re.ASCII)
_BLOB = re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>[\w:+.=-]{{1,256}})", re.ASCII)
_TAGS = re.compile(rf"/v2/{_NAME}/tags/list", re.ASCII)
_ANY = re.compile(rf"/v2/{_NAME}/(?:manifests|blobs|tags|referrers)/.*", re.ASCII | re.DOTALL)


class HubApp:
    """Answers for every host name of Docker Hub and for public.ecr.aws. It is thread-safe.

    `root` is the folder of the built images; `limits` counts pulls by the time of `clock`.
    """

    def __init__(self, root: Path, clock: Clock, limits: PullLimits | None = None) -> None:
        self._clock = clock
        self._catalogue = Catalogue(root)
        self._tokens = TokenService()
        self._limits = limits or PullLimits()

    def __call__(
        self, environ: Mapping[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        method = str(environ["REQUEST_METHOD"])
        try:
            answer = self._answer(method, environ)
        except HubError as refusal:
            answer = refusal.answer()
        except OSError as fault:
            message = f"the stand-in images cannot be read or written: {fault}"
            status = 500
            if is_full(fault):
                status, message = 507, NO_ROOM
            answer = HubError(status, "UNKNOWN", message).answer()
        return answer.send(method, start_response)

    def _answer(self, method: str, environ: Mapping[str, Any]) -> Answer:
        path = str(environ.get("PATH_INFO", ""))
        registry = registry_of(str(environ.get("HTTP_HOST", "")))
        if path.rstrip("/") == "/token":
            return self._token(method, environ, registry)
        if path in ("/v2", "/v2/"):
            self._access(environ, registry, "")
            return json_answer(200, {})
        match = _ANY.fullmatch(path)
        if not match:
            raise HubError(404, "UNSUPPORTED", f"there is nothing at this path: {_shortened(path)}")
        name = match["name"]
        access = self._pull_access(environ, registry, name, write=method not in ("GET", "HEAD"))
        repository = self._repository(registry, name)
        if not self._exists(repository):
            raise self._name_unknown(registry, name)
        if manifest := _MANIFEST.fullmatch(path):
            return self._manifest(method, environ, registry, access, name, manifest["reference"])
        if blob := _BLOB.fullmatch(path):
            return self._blob(environ, repository, blob["digest"])
        if _TAGS.fullmatch(path):
            return json_answer(200, {"name": name, "tags": self._catalogue.tags(repository)})
        raise HubError(404, "UNSUPPORTED", f"there is nothing at this path: {_shortened(path)}")

    def _token(self, method: str, environ: Mapping[str, Any], registry: Registry) -> Answer:
        if method != "GET":
            raise HubError(405, "UNSUPPORTED", "request a token with GET", headers={"Allow": "GET"})
        query = parse_qs(str(environ.get("QUERY_STRING", "")), errors="replace")
        user = ""
        if authorization := str(environ.get("HTTP_AUTHORIZATION", "")):
            user = _account(authorization)
        requested = scope_repositories(query.get("scope", []))
        allowed = {name for name in requested if self._exists(self._repository(registry, name))}
        now = self._clock.now()
        token = self._tokens.issue(user, allowed, registry.service, now)
        return json_answer(
            200,
            {
                "token": token,
                "access_token": token,
                "expires_in": int(LIFETIME.total_seconds()),
                "issued_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )

    def _access(self, environ: Mapping[str, Any], registry: Registry, scope: str) -> Access:
        """What the request's token allows; raises 401 with the challenge that names the service."""
        authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
        scheme, _, token = authorization.partition(" ")
        access = None
        if scheme.lower() == "bearer":
            access = self._tokens.read(token.strip(), self._clock.now())
        if access is None:
            error = "invalid_token" if authorization else ""
            challenge = registry.challenge(scope, error)
            raise HubError(401, "UNAUTHORIZED", "authentication required", None, challenge)
        return access

    def _pull_access(
        self, environ: Mapping[str, Any], registry: Registry, name: str, *, write: bool
    ) -> Access:
        actions = ["pull", "push"] if write else ["pull"]
        scope = f"repository:{name}:{','.join(actions)}"
        access = self._access(environ, registry, scope)
        if not write and (registry is ECR_PUBLIC or name in access.repositories):
            return access
        detail: list[dict[str, Any]] = [
            {"Type": "repository", "Class": "", "Name": name, "Action": action}
            for action in actions
        ]
        detail.append({"Type": "stand-in", **self._help(registry)})
        raise HubError(
            401,
            "UNAUTHORIZED",
            "authentication required",
            detail,
            registry.challenge(scope, "insufficient_scope") | self._help_header(registry),
        )

    def _manifest(
        self,
        method: str,
        environ: Mapping[str, Any],
        registry: Registry,
        access: Access,
        name: str,
        reference: str,
    ) -> Answer:
        repository = self._repository(registry, name)
        found = self._catalogue.resolve(repository, reference)
        if found is None:
            detail = {"unknown": reference, **self._help(registry, repository)}
            help_header = self._help_header(registry)
            raise HubError(404, "MANIFEST_UNKNOWN", "manifest unknown", detail, help_header)
        digest, media_type = found
        body = self._catalogue.read(digest)
        headers = {
            "Content-Type": media_type,
            "Docker-Content-Digest": digest,
            "ETag": f'"{digest}"',
        }
        if registry is not ECR_PUBLIC:
            headers |= self._count(method, environ, access, name, digest, media_type)
        if _is_unmodified(environ, digest):
            return Answer(304, headers=headers)
        return Answer(200, body, headers)

    def _count(
        self,
        method: str,
        environ: Mapping[str, Any],
        access: Access,
        name: str,
        digest: str,
        media_type: str,
    ) -> dict[str, str]:
        """The rate limit headers; raises 429 for a pull beyond the limit."""
        now, address = self._clock.now(), str(environ.get("REMOTE_ADDR") or "127.0.0.1")
        preview = name == PREVIEW
        if method == "HEAD" or (media_type in media_types.INDEXES and not preview):
            return self._limits.look(access.user, address, now).headers()
        allowance = self._limits.count(access.user, address, now, digest, always=preview)
        if allowance.exceeded:
            words = exceeded(access.user)
            raise HubError(429, "TOOMANYREQUESTS", words, headers=allowance.headers())
        return allowance.headers()

    def _blob(self, environ: Mapping[str, Any], repository: str, digest: str) -> Answer:
        if not self._catalogue.holds(repository, digest):
            detail = {"digest": digest}
            raise HubError(404, "BLOB_UNKNOWN", "blob unknown to registry", detail)
        body = self._catalogue.read(digest)
        headers = {
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
            "ETag": f'"{digest}"',
            "Accept-Ranges": "bytes",
        }
        if _is_unmodified(environ, digest):
            return Answer(304, headers=headers)
        try:
            part = http_headers.requested_range(environ.get("HTTP_RANGE"), len(body))
        except http_headers.Unsatisfiable:
            size = {"Content-Range": f"bytes */{len(body)}"}
            message = "the range lies outside the blob"
            raise HubError(416, "RANGE_INVALID", message, headers=size) from None
        if part is None:
            return Answer(200, body, headers)
        first, last = part
        headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        return Answer(206, body[first : last + 1], headers)

    def _repository(self, registry: Registry, name: str) -> str:
        if registry is not ECR_PUBLIC:
            return "library/alpine" if name == PREVIEW else name
        return name.removeprefix("docker/") if name.startswith("docker/library/") else ""

    def _name_unknown(self, registry: Registry, name: str) -> HubError:
        """ECR Public's refusal. A request to Docker Hub is refused earlier, for want of access."""
        alias, _, rest = name.partition("/")
        message = (
            f"The repository with name '{rest}' does not exist in the registry with id '{alias}'"
        )
        return HubError(404, "NAME_UNKNOWN", message, self._help(registry))

    def _exists(self, repository: str) -> bool:
        return repository in self._catalogue.repositories()

    def _help(self, registry: Registry, repository: str = "") -> dict[str, Any]:
        """The images that exist, for the error's details, which Docker's clients do not print."""
        references = self._catalogue.references()
        if repository:
            short = repository.removeprefix("library/") + ":"
            references = [each for each in references if each.startswith(short)]
        return {
            "labs": "The labs work offline with stand-ins for a few images. These exist:",
            "images": [registry.prefix + reference for reference in references],
        }

    def _help_header(self, registry: Registry) -> dict[str, str]:
        names = (name.removeprefix("library/") for name in self._catalogue.repositories())
        return {"Labs-Stand-Ins": ", ".join(registry.prefix + name for name in names)}


def _account(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "basic" and http_headers.user_and_password(credentials.strip()) == ACCOUNT:
        return ACCOUNT[0]
    detail = "The stand-in for Docker Hub has one account: user labs, password labs."
    raise HubError(401, "UNAUTHORIZED", "incorrect username or password", detail)


def _is_unmodified(environ: Mapping[str, Any], digest: str) -> bool:
    return http_headers.is_unmodified(environ.get("HTTP_IF_NONE_MATCH"), digest)


def _shortened(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:77]}..."
