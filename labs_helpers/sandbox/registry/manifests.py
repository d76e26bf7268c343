"""Manifests over HTTP: HEAD, GET, PUT and DELETE by tag or digest.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
"""

from __future__ import annotations

from functools import partial

from labs_helpers.oci import headers as http_headers
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import reference as references
from labs_helpers.sandbox.ecr import errors as ecr
from labs_helpers.sandbox.ecr import images
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.storage import INACCESSIBLE
from labs_helpers.sandbox.registry.context import Context, check_digest, check_tag
from labs_helpers.sandbox.registry.errors import RegistryError
from labs_helpers.sandbox.registry.http import Response


def head(context: Context, reference: str) -> Response:
    """The manifest's headers. A HEAD request does not count as a pull."""
    image = _find(context, reference)
    return _answer(context, _in_a_format_accepted(context, reference, image), with_body=False)


def get(context: Context, reference: str) -> Response:
    """The manifest as it was pushed. The time of the pull is recorded."""
    image = _find(context, reference)
    response = _answer(context, _in_a_format_accepted(context, reference, image), with_body=True)
    if response.status == 200:
        images.record_pull(context.store, context.registry, image, context.principal.arn)
    return response


def put(context: Context, reference: str) -> Response:
    """Store a manifest, whose blobs must exist already, and point the tag to it."""
    context.allow("PutImage")
    by_digest = ":" in reference
    digest = check_digest(reference) if by_digest else None
    if not by_digest:
        check_tag(reference)
    repository = context.repository_for_push()
    body = None
    if (context.request.body.length or 0) <= manifests.MAX_SIZE:
        body = context.request.body.read_all(manifests.MAX_SIZE)
    if body is None:
        message = f"The manifest has more than {manifests.MAX_SIZE} bytes"
        raise RegistryError("SIZE_INVALID", message, 413)
    try:
        image = images.put(
            context.store,
            repository,
            body,
            media_type=context.request.header("content-type") or None,
            tag=None if by_digest else reference,
            digest=digest,
            layerless=context.rules.layerless,
        ).image
    except ecr.LayersNotFound as error:
        raise RegistryError(context.rules.missing_blobs, error.message, 404) from error
    headers = {
        "Location": f"/v2/{context.name}/manifests/{image.digest}",
        "Docker-Content-Digest": image.digest,
    }
    if image.subject:
        headers["OCI-Subject"] = image.subject
    return Response(201, headers)


def delete(context: Context, reference: str) -> Response:
    """Delete an image by digest, with all its tags, or by tag, as BatchDeleteImage does."""
    context.allow("BatchDeleteImage")
    repository = context.repository()
    digest, tag = _digest_or_tag(context, reference)
    images.delete(context.store, repository, digest=digest, tag=tag)
    return Response(202)


def _find(context: Context, reference: str) -> Image:
    context.allow("BatchGetImage")
    context.fetch(reference)
    repository = context.readable()
    digest, tag = _digest_or_tag(context, reference)
    image = images.get(context.store, repository, digest=digest, tag=tag)
    if not images.is_pullable(context.store, image):
        raise RegistryError("MANIFEST_UNKNOWN", INACCESSIBLE, 404)
    return image


def _in_a_format_accepted(context: Context, reference: str, image: Image) -> Image:
    """The image, converted when a client that pulls by tag accepts the other format only.

    What cannot be converted is answered as it is stored: clients read the Content-Type.
    """
    if ":" in reference or not context.rules.converts:
        return image
    accept = context.request.header("accept")
    return images.accepted(image, partial(http_headers.accepts, accept)) or image


def _digest_or_tag(context: Context, reference: str) -> tuple[str | None, str | None]:
    """The digest or the tag; raises ImageNotFound or TAG_INVALID if the reference is neither."""
    if ":" in reference:
        return reference, None
    if context.rules.checks_tags_of_pulls:
        check_tag(reference)
    if not references.is_tag(reference):
        raise ecr.ImageNotFound(
            digest=None,
            tag=reference,
            repositoryName=context.name,
            registryId=context.registry.account,
        )
    return None, reference


def _answer(context: Context, image: Image, *, with_body: bool) -> Response:
    headers = {
        "Content-Type": image.media_type,
        "Docker-Content-Digest": image.digest,
        "ETag": f'"{image.digest}"',
    }
    if http_headers.is_unmodified(context.request.header("if-none-match"), image.digest):
        return Response(304, headers)
    return Response(200, headers, image.body if with_body else b"", length=len(image.body))
