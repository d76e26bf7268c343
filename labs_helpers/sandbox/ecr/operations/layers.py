"""Operations that move layers one by one: what a push and a pull are made of."""

import io
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr import layers, uploads
from labs_helpers.sandbox.ecr.errors import (
    InvalidLayerPart,
    LayerAlreadyExists,
)
from labs_helpers.sandbox.ecr.layer_downloads import url_of
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.validation import invalid
from labs_helpers.sandbox.service.service import Members

#: Bytes of a part, as ECR tells clients to send them.
PART_SIZE = 10 * 1024 * 1024


def batch_check_layer_availability(call: Call, params: Members) -> Members:
    """Says which layers the repository holds; a malformed digest is a failure."""
    repository = call.repository(params["repositoryName"])
    found: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for digest in dict.fromkeys(params["layerDigests"]):
        fault = _fault(digest)
        if fault:
            failures.append({"layerDigest": digest, **fault})
            continue
        blob = layers.find_for_push(call.store, repository, digest)
        if blob is None:
            found.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
        else:
            found.append(
                {
                    "layerDigest": digest,
                    "layerAvailability": "AVAILABLE",
                    "layerSize": blob.size,
                    "mediaType": media_types.DOCKER_LAYER_GZIP,
                }
            )
    return {"layers": found, "failures": failures}


def initiate_layer_upload(call: Call, params: Members) -> Members:
    """Begins an upload."""
    repository = call.repository(params["repositoryName"])
    call.elsewhere.require_key(repository)
    return {"uploadId": uploads.initiate(call.store, repository), "partSize": PART_SIZE}


def upload_layer_part(call: Call, params: Members) -> Members:
    """Adds one part, which must begin where the last one ended."""
    repository = call.repository(params["repositoryName"])
    upload, part = params["uploadId"].lower(), params["layerPartBlob"]
    first, last = params["partFirstByte"], params["partLastByte"]
    about = {**repository.names, "uploadId": upload}
    received = uploads.find(call.store, repository, upload).received
    try:
        if last - first + 1 != len(part):
            raise InvalidLayerPart.of_size(len(part), first, last, received)
        received = uploads.append(
            call.store, repository, upload, io.BytesIO(part), length=len(part), first_byte=first
        )
    except InvalidLayerPart as error:
        error.members = {**about, "lastValidByteReceived": error.received - 1}
        raise
    return {**about, "lastByteReceived": received - 1}


def complete_layer_upload(call: Call, params: Members) -> Members:
    """Ends an upload: its bytes become a layer, under their digest."""
    repository = call.repository(params["repositoryName"])
    upload = params["uploadId"].lower()
    done = uploads.complete(call.store, repository, upload, params["layerDigests"])
    if done.existed:
        raise LayerAlreadyExists(digest=done.blob.digest, **repository.names)
    return {**repository.names, "uploadId": upload, "layerDigest": done.blob.digest}


def get_download_url_for_layer(call: Call, params: Members) -> Members:
    """A URL of the sandbox under which anybody can read the layer for an hour."""
    repository = call.repository(params["repositoryName"])
    call.elsewhere.require_key(repository)
    digest = params["layerDigest"]
    if _fault(digest):
        raise invalid("layerDigest", "Invalid layer digest")
    layers.open_blob(call.store, repository, digest)[1].close()
    url = url_of(call.endpoint, repository, digest, call.clock.now(), call.store.secret())
    return {"downloadUrl": url, "layerDigest": digest}


def _fault(digest: str) -> dict[str, str] | None:
    if not digest:
        return {
            "failureCode": "MissingLayerDigest",
            "failureReason": "Invalid request parameters: layer digest cannot be null",
        }
    try:
        digests.parse(digest)
    except digests.DigestError:
        return {
            "failureCode": "InvalidLayerDigest",
            "failureReason": "Invalid request parameters: layer digest should satisfy the regex "
            "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        }
    return None
