"""Lists over HTTP: tags, referrers and the catalog.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#content-discovery
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr import images, repositories
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.validation import invalid
from labs_helpers.sandbox.registry.context import Context, check_digest
from labs_helpers.sandbox.registry.errors import JSON, RegistryError
from labs_helpers.sandbox.registry.http import Response

_DIGITS = 9


def tags(context: Context) -> Response:
    """The repository's tags, sorted and paged by `n` and `last`."""
    context.allow("ListImages")
    found = images.tags(context.store, context.repository())
    page, link = _page(context, found, f"/v2/{context.name}/tags/list")
    return _json({"name": context.name, "tags": page}, link)


def catalog(context: Context) -> Response:
    """The registry's repositories, sorted and paged by `n` and `last`."""
    context.allow("DescribeRepositories", name="*")
    names = [each.name for each in repositories.list_all(context.store, context.registry)]
    page, link = _page(context, names, "/v2/_catalog")
    return _json({"repositories": page}, link)


def referrers(context: Context, digest_text: str) -> Response:
    """An index of the images whose subject has this digest; the subject itself may be missing.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html
    """
    context.allow("BatchGetImage")
    digest = check_digest(digest_text)
    found = images.referrers(context.store, context.repository(), digest)
    headers: dict[str, str] = {}
    wanted = context.request.query.get("artifactType")
    if wanted:
        found = [image for image in found if image.artifact_type == wanted]
        headers["OCI-Filters-Applied"] = "artifactType"
    index = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_INDEX,
        "manifests": [_descriptor(image) for image in found],
    }
    headers["Content-Type"] = media_types.OCI_INDEX
    return Response(200, headers, json.dumps(index).encode())


def _descriptor(image: Image) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": len(image.body),
    }
    if image.artifact_type:
        descriptor["artifactType"] = image.artifact_type
    if image.annotations:
        descriptor["annotations"] = dict(image.annotations)
    return descriptor


def _page(context: Context, items: Sequence[str], path: str) -> tuple[list[str], dict[str, str]]:
    """The requested page and, unless it is the last, the Link header to the next."""
    last = context.request.query.get("last", "")
    rest = [item for item in items if item > last]
    number = _number(context)
    page = rest[:number]
    if not page or len(page) == len(rest):
        return page, {}
    following = urlencode({"last": page[-1], "n": number})
    return page, {"Link": f'<{path}?{following}>; rel="next"'}


def _number(context: Context) -> int | None:
    """How many items a page has at most, None for no limit; raises UNSUPPORTED as ECR does."""
    text = context.request.query.get("n", "")
    largest = context.rules.largest_page
    if not text:
        return context.rules.page
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise RegistryError("PAGINATION_NUMBER_INVALID", "invalid number of results requested", 400)
    number = int(text)
    if largest is not None and number > largest:
        raise invalid("maxResults", f"Member must have value less than or equal to {largest}")
    if largest is not None and number < 1:
        raise invalid("maxResults", "Member must have value greater than or equal to 1")
    return number


def _json(body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(200, {"Content-Type": JSON, **headers}, json.dumps(body).encode())
