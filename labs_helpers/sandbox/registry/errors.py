"""The registry's errors: a table from ECR's errors to OCI's codes, and their OCI JSON.

Codes and statuses: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
The messages are ECR's. Where ECR's code differs from the specification's, we use ECR's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from labs_helpers.sandbox.ecr import errors as ecr
from labs_helpers.sandbox.ecr.elsewhere import KmsError
from labs_helpers.sandbox.registry.http import Response
from labs_helpers.sandbox.registry.rules import Rules
from labs_helpers.sandbox.service.errors import AccessDenied, ServiceError

JSON = "application/json; charset=utf-8"


class RegistryError(Exception):
    """A refusal: OCI code, message, HTTP status and further headers."""

    def __init__(
        self, code: str, message: str, status: int, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})


_TABLE: dict[type[ServiceError], tuple[str, int]] = {
    AccessDenied: ("DENIED", 403),
    KmsError: ("DENIED", 403),  # AWS publishes no code for the key of a repository
    ecr.TokenExpired: ("DENIED", 403),
    ecr.InvalidToken: ("DENIED", 400),
    ecr.TokenOfAnotherRegion: ("DENIED", 403),
    ecr.RepositoryNotFound: ("NAME_UNKNOWN", 404),
    ecr.ImageNotFound: ("MANIFEST_UNKNOWN", 404),
    ecr.ImageTagAlreadyExists: ("TAG_INVALID", 400),
    ecr.ImageDigestDoesNotMatch: ("MANIFEST_INVALID", 400),
    ecr.LayersNotFound: ("BLOB_UNKNOWN", 404),
    ecr.ReferencedImagesNotFound: ("MANIFEST_BLOB_UNKNOWN", 404),
    ecr.ImageReferenced: ("UNSUPPORTED", 405),
    ecr.UploadNotFound: ("BLOB_UPLOAD_UNKNOWN", 404),
    ecr.InvalidLayerPart: ("BLOB_UPLOAD_INVALID", 416),
    ecr.InvalidLayer: ("BLOB_UPLOAD_INVALID", 400),
    ecr.EmptyUpload: ("BLOB_UPLOAD_INVALID", 400),
    ecr.LayerPartTooSmall: ("BLOB_UPLOAD_INVALID", 400),
}


def translate(error: ServiceError, rules: Rules) -> RegistryError:
    """The OCI form of an ECR error."""
    kinds = (_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE)
    code, status = next(kinds, ("UNKNOWN", error.http_status))
    if isinstance(error, ecr.InvalidParameter):
        code, status = rules.refusal_of_parameters
    message = error.message
    if isinstance(error, ecr.ImageNotFound):
        # ECR's message here; in the answers of its API, the message names the image
        message = "Requested image not found"
    return RegistryError(code, message, status)


def render(error: RegistryError) -> Response:
    """The error as a response with the JSON body of the specification."""
    body = json.dumps({"errors": [{"code": error.code, "message": error.message}]}).encode()
    return Response(error.status, {"Content-Type": JSON, **error.headers}, body)


def not_authorized(host: str) -> Response:
    """ECR's answer 401: a Basic challenge and a line of text."""
    challenge = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    headers = {"WWW-Authenticate": challenge, "Content-Type": "text/plain; charset=utf-8"}
    return Response(401, headers, b"Not Authorized\n")
