"""Blobs over HTTP: HEAD, GET with ranges and conditions, DELETE."""

from __future__ import annotations

from labs_helpers.oci import headers as http_headers
from labs_helpers.oci.media_types import OCTET_STREAM
from labs_helpers.sandbox.ecr import errors as ecr
from labs_helpers.sandbox.ecr import layers
from labs_helpers.sandbox.registry.context import Context, check_digest
from labs_helpers.sandbox.registry.errors import RegistryError
from labs_helpers.sandbox.registry.http import FileBody, Request, Response

_DAY = 24 * 60 * 60


def head(context: Context, digest_text: str) -> Response:
    """Whether the repository holds the blob, and its size."""
    context.allow("BatchCheckLayerAvailability")
    digest = check_digest(digest_text)
    repository = context.repository()
    blob = layers.find_for_push(context.store, repository, digest)
    if blob is None:
        raise ecr.LayersNotFound(digest=digest, **repository.names)
    if _is_unmodified(context.request, digest):
        return Response(304, _headers(digest))
    return Response(200, _headers(digest), length=blob.size)


def get(context: Context, digest_text: str) -> Response:
    """The blob, or the requested range of it."""
    context.allow("GetDownloadUrlForLayer")
    digest = check_digest(digest_text)
    blob, file = layers.open_blob(context.store, context.readable(), digest)
    try:
        if _is_unmodified(context.request, digest):
            file.close()
            return Response(304, _headers(digest))
        wanted = http_headers.requested_range(_range(context.request, digest), blob.size)
        first, last = wanted or (0, blob.size - 1)
        headers = _headers(digest)
        if wanted:
            headers["Content-Range"] = f"bytes {first}-{last}/{blob.size}"
        length = last - first + 1
        return Response(206 if wanted else 200, headers, FileBody(file, first, length), length)
    except http_headers.Unsatisfiable:
        file.close()
        raise RegistryError(
            "RANGE_INVALID",
            "invalid content range",
            416,
            {"Content-Range": f"bytes */{blob.size}"},
        ) from None
    except BaseException:
        file.close()
        raise


def delete(context: Context, digest_text: str) -> Response:
    """Remove from the repository a blob that none of its images needs."""
    context.allow("BatchDeleteImage")
    digest = check_digest(digest_text)
    try:
        layers.delete(context.store, context.repository(), digest)
    except ecr.InvalidParameter as error:
        raise RegistryError("UNSUPPORTED", error.message, 405) from error
    return Response(202)


def _is_unmodified(request: Request, digest: str) -> bool:
    return http_headers.is_unmodified(request.header("if-none-match"), digest)


def _range(request: Request, digest: str) -> str | None:
    """The Range header, unless If-Range names other content."""
    condition = request.header("if-range")
    if condition is not None and condition.strip().strip('"') != digest:
        return None
    return request.header("range")


def _headers(digest: str) -> dict[str, str]:
    return {
        "Content-Type": OCTET_STREAM,
        "Docker-Content-Digest": digest,
        "ETag": f'"{digest}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": f"max-age={365 * _DAY}",
    }
