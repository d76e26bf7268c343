"""The errors of a registry, in dockerd's words.

Source: registry/client/errors.go and registry/api/errcode of
https://github.com/distribution/distribution/tree/release/2.8
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .credentials import challenges
from .errors import EngineError

_CODES = {
    "UNKNOWN": "unknown error",
    "UNSUPPORTED": "The operation is unsupported.",
    "UNAUTHORIZED": "authentication required",
    "DENIED": "requested access to the resource is denied",
    "UNAVAILABLE": "service unavailable",
    "TOOMANYREQUESTS": "too many requests",
    "DIGEST_INVALID": "provided digest did not match uploaded content",
    "SIZE_INVALID": "provided length did not match content length",
    "NAME_INVALID": "invalid repository name",
    "TAG_INVALID": "manifest tag did not match URI",
    "NAME_UNKNOWN": "repository name not known to registry",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "MANIFEST_INVALID": "manifest invalid",
    "MANIFEST_UNVERIFIED": "manifest failed signature verification",
    "MANIFEST_BLOB_UNKNOWN": "blob unknown to registry",
    "BLOB_UNKNOWN": "blob unknown to registry",
    "BLOB_UPLOAD_UNKNOWN": "blob upload unknown to registry",
    "BLOB_UPLOAD_INVALID": "blob upload invalid",
}


@dataclass(frozen=True)
class Fault:
    """One error in a registry's response.

    ``images`` are the images that the labs' stand-in for Docker Hub lists in the details.
    """

    code: str
    message: str
    detailed: bool = False
    images: tuple[str, ...] = ()

    @property
    def bare(self) -> bool:
        """Whether the error has only a code; dockerd then prints the code alone."""
        return not self.detailed and self.message in ("", _CODES[self.code])

    def __str__(self) -> str:
        code = self.code.lower().replace("_", " ")
        return code if self.bare else f"{code}: {self.message}"


class RegistryError(EngineError):
    """The registry refused; ``faults`` is empty when its response has no JSON errors."""

    def __init__(self, message: str, faults: list[Fault] | None = None) -> None:
        super().__init__(message)
        self.faults = faults or []

    @property
    def code(self) -> str:
        """The code of the first error, or ""."""
        return self.faults[0].code if self.faults else ""


class NoCredentials(EngineError):
    """The registry requires a name and a password, and the client sent none."""

    status = 401

    def __init__(self) -> None:
        super().__init__("no basic auth credentials")


class RequestFailed(EngineError):
    """A request failed without a response; as in dockerd, the message begins with the request."""

    def __init__(self, method: str, url: str, cause: Exception) -> None:
        super().__init__(f'{method.capitalize()} "{url}": {cause}')
        self.cause = cause


def from_response(
    status: int, content_type: str | None, authenticate: list[str], body: bytes
) -> RegistryError:
    """The error that dockerd reports for a registry's response of status 400 or more."""
    if not 400 <= status < 500:
        return RegistryError(f"received unexpected HTTP status: {status_line(status)}")
    faults, parse_error = _faults(status, content_type, body)
    for challenge in challenges(authenticate):
        code = {"invalid_token": "UNAUTHORIZED", "insufficient_scope": "DENIED"}.get(
            challenge.parameters.get("error", "") if challenge.scheme == "bearer" else ""
        )
        if code:
            text = challenge.parameters.get("error_description") or _CODES[code]
            first = Fault(code, text, detailed=True)
            shown = [str(fault) for fault in (first, *faults)]
            message = (
                shown[0] if len(shown) == 1 else "errors:\n" + "".join(f"{s}\n" for s in shown)
            )
            return RegistryError(message, [first, *faults])
    if parse_error:
        if status == HTTPStatus.UNAUTHORIZED:
            return RegistryError(
                "unauthorized: authentication required", [Fault("UNAUTHORIZED", "")]
            )
        return RegistryError(parse_error)
    if len(faults) == 1:
        return RegistryError(str(faults[0]), faults)
    return RegistryError("errors:\n" + "".join(f"{fault}\n" for fault in faults), faults)


def status_line(status: int) -> str:
    """``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _faults(status: int, content_type: str | None, body: bytes) -> tuple[list[Fault], str | None]:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/vnd.api+json"):
        code = {401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS"}.get(status, "UNKNOWN")
        return [Fault(code, body.decode(errors="replace").strip(), detailed=True)], None
    try:
        document = json.loads(body)
        entries = document.get("errors") or []
        faults = [
            Fault(
                entry["code"] if entry.get("code") in _CODES else "UNKNOWN",
                str(entry.get("message") or ""),
                entry.get("detail") is not None,
                _images(entry.get("detail")),
            )
            for entry in entries
        ]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return [], _parse_error(status, "invalid JSON", body)
    if not faults:
        return [], _parse_error(status, "no error details found in HTTP response body", body)
    return faults, None


def _images(detail: Any) -> tuple[str, ...]:
    for part in detail if isinstance(detail, list) else [detail]:
        if isinstance(part, dict) and "labs" in part and isinstance(part.get("images"), list):
            return tuple(map(str, part["images"]))
    return ()


def _parse_error(status: int, why: str, body: bytes) -> str:
    shown = json.dumps(body[:500].decode(errors="replace"), ensure_ascii=False)
    return f"error parsing HTTP {status} response body: {why}: {shown}"
