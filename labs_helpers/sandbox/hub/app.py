"""The stand-in for Docker Hub and for the Docker images of ECR Public, as one WSGI application.

Read-only: pulls follow the true order (401, token, pull), pushes are denied as Docker Hub denies
them. Sources: https://distribution.github.io/distribution/spec/api/,
https://docs.docker.com/docker-hub/usage/pulls/ and, for `public.ecr.aws`,
https://docs.aws.amazon.com/AmazonECR/latest/public/docker-pull-ecr-image.html

Different from Docker Hub: blobs are answered here instead of by a redirect to a content network;
there is one account (`labs`, password `labs`); an index is sent whatever Accept says (so does
Docker Hub today, https://github.com/sergi0g/cup/issues/132).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from labs_helpers.oci import media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.hub import ranges
from labs_helpers.sandbox.hub.answers import Answer, HubError, StartResponse, document
from labs_helpers.sandbox.hub.catalogue import Catalogue
from labs_helpers.sandbox.hub.limits import EXCEEDED, PullLimits
from labs_helpers.sandbox.hub.registries import ECR_PUBLIC, Registry, registry_of
from labs_helpers.sandbox.hub.tokens import (
    LIFETIME,
    Grant,
    TokenService,
    basic_credentials,
    scope_repositories,
)

PREVIEW = "ratelimitpreview/test"
"""Docker's documented repository for looking at one's limit; here it is alpine:latest."""

ACCOUNT = ("labs", "labs")

_NAME = r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_MANIFEST = re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[\w.:+-]{{1,256}})", re.ASCII)
_BLOB = re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>[\w:+.=-]{{1,256}})", re.ASCII)
_TAGS = re.compile(rf"/v2/{_NAME}/tags/list", re.ASCII)
_ANY = re.compile(rf"/v2/{_NAME}/(?:manifests|blobs|tags|referrers)/.*", re.ASCII | re.DOTALL)


class HubApp:
    """Answers for every host name of Docker Hub and for public.ecr.aws; thread-safe.

    `root` keeps the built images. Pulls are counted by `limits` on `clock`.
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
            message = f"the stand-in images cannot be kept: {fault}"
            answer = HubError(500, "UNKNOWN", message).answer()
        return answer.send(method, start_response)

    def _answer(self, method: str, environ: Mapping[str, Any]) -> Answer:
        path = str(environ.get("PATH_INFO", ""))
        registry = registry_of(str(environ.get("HTTP_HOST", "")))
        if path.rstrip("/") == "/token":
            return self._token(method, environ, registry)
        if path in ("/v2", "/v2/"):
            self._grant(environ, registry, "")
            return document(200, {})
        found = _ANY.fullmatch(path)
        if not found:
            raise HubError(404, "UNSUPPORTED", f"there is nothing at this path: {_shown(path)}")
        name = found["name"]
        grant = self._pull_grant(environ, registry, name, write=method not in ("GET", "HEAD"))
        repository = self._repository(registry, name)
        if not self._known(repository):
            raise self._name_unknown(registry, name)
        if manifest := _MANIFEST.fullmatch(path):
            return self._manifest(method, environ, registry, grant, name, manifest["reference"])
        if blob := _BLOB.fullmatch(path):
            return self._blob(environ, repository, blob["digest"])
        if _TAGS.fullmatch(path):
            return document(200, {"name": name, "tags": self._catalogue.tags(repository)})
        raise HubError(404, "UNSUPPORTED", f"there is nothing at this path: {_shown(path)}")

    def _token(self, method: str, environ: Mapping[str, Any], registry: Registry) -> Answer:
        if method != "GET":
            raise HubError(405, "UNSUPPORTED", "ask for a token with GET", headers={"Allow": "GET"})
        query = parse_qs(str(environ.get("QUERY_STRING", "")), errors="replace")
        user = ""
        if authorization := str(environ.get("HTTP_AUTHORIZATION", "")):
            user = _account(authorization)
        asked = scope_repositories(query.get("scope", []))
        allowed = {name for name in asked if self._known(self._repository(registry, name))}
        now = self._clock.now()
        token = self._tokens.issue(user, allowed, registry.service, now)
        return document(
            200,
            {
                "token": token,
                "access_token": token,
                "expires_in": int(LIFETIME.total_seconds()),
                "issued_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )

    def _grant(self, environ: Mapping[str, Any], registry: Registry, scope: str) -> Grant:
        """Who calls; raises 401 with the challenge that tells where tokens are had."""
        authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
        scheme, _, token = authorization.partition(" ")
        grant = None
        if scheme.lower() == "bearer":
            grant = self._tokens.read(token.strip(), self._clock.now())
        if grant is None:
            error = "invalid_token" if authorization else ""
            challenge = registry.challenge(scope, error)
            raise HubError(401, "UNAUTHORIZED", "authentication required", None, challenge)
        return grant

    def _pull_grant(
        self, environ: Mapping[str, Any], registry: Registry, name: str, *, write: bool
    ) -> Grant:
        actions = ["pull", "push"] if write else ["pull"]
        scope = f"repository:{name}:{','.join(actions)}"
        grant = self._grant(environ, registry, scope)
        if not write and (registry is ECR_PUBLIC or name in grant.repositories):
            return grant
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
        grant: Grant,
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
            headers |= self._count(method, environ, grant, name, digest, media_type)
        if _unchanged(environ, digest):
            return Answer(304, headers=headers)
        return Answer(200, body, headers)

    def _count(
        self,
        method: str,
        environ: Mapping[str, Any],
        grant: Grant,
        name: str,
        digest: str,
        media_type: str,
    ) -> dict[str, str]:
        """The rate limit headers; raises 429 for a pull beyond the limit."""
        now, address = self._clock.now(), str(environ.get("REMOTE_ADDR") or "127.0.0.1")
        preview = name == PREVIEW
        if method == "HEAD" or (media_type in media_types.INDEXES and not preview):
            return self._limits.look(grant.user, address, now).headers()
        allowance = self._limits.count(grant.user, address, now, digest, always=preview)
        if allowance.exceeded:
            raise HubError(429, "TOOMANYREQUESTS", EXCEEDED, headers=allowance.headers())
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
        if _unchanged(environ, digest):
            return Answer(304, headers=headers)
        try:
            part = ranges.parse(str(environ.get("HTTP_RANGE", "")), len(body))
        except ranges.Unsatisfiable:
            size = {"Content-Range": f"bytes */{len(body)}"}
            message = "the blob is shorter than the range asked for"
            raise HubError(416, "RANGE_INVALID", message, headers=size) from None
        if part is None:
            return Answer(200, body, headers)
        start, end = part
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
        return Answer(206, body[start:end], headers)

    def _repository(self, registry: Registry, name: str) -> str:
        if registry is not ECR_PUBLIC:
            return "library/alpine" if name == PREVIEW else name
        return name.removeprefix("docker/") if name.startswith("docker/library/") else ""

    def _name_unknown(self, registry: Registry, name: str) -> HubError:
        """As ECR Public words it; Docker Hub never comes here, it refuses before."""
        alias, _, rest = name.partition("/")
        message = (
            f"The repository with name '{rest}' does not exist in the registry with id '{alias}'"
        )
        return HubError(404, "NAME_UNKNOWN", message, self._help(registry))

    def _known(self, repository: str) -> bool:
        return repository in self._catalogue.repositories()

    def _help(self, registry: Registry, repository: str = "") -> dict[str, Any]:
        """What is here instead: said in the details, which Docker's clients do not print."""
        references = self._catalogue.references()
        if repository:
            short = repository.removeprefix("library/") + ":"
            references = [one for one in references if one.startswith(short)]
        return {
            "labs": "The labs work offline with stand-ins for a few images; these are there.",
            "images": [registry.typed(reference) for reference in references],
        }

    def _help_header(self, registry: Registry) -> dict[str, str]:
        names = (name.removeprefix("library/") for name in self._catalogue.repositories())
        return {"Labs-Stand-Ins": ", ".join(registry.typed(name) for name in names)}


def _account(authorization: str) -> str:
    credentials = basic_credentials(authorization)
    if credentials == ACCOUNT:
        return ACCOUNT[0]
    detail = "The stand-in for Docker Hub knows one account: user labs, password labs."
    raise HubError(401, "UNAUTHORIZED", "incorrect username or password", detail)


def _unchanged(environ: Mapping[str, Any], digest: str) -> bool:
    known = str(environ.get("HTTP_IF_NONE_MATCH", ""))
    return any(tag.strip() in ("*", f'"{digest}"', f'W/"{digest}"') for tag in known.split(","))


def _shown(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:77]}..."
