"""Uploads over HTTP: POST, PATCH, PUT, GET, DELETE, and mounts from another repository.

Locations are relative, so that they are valid at every address of the sandbox. Source:
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
"""

from __future__ import annotations

import uuid

from labs_helpers.oci import headers as http_headers
from labs_helpers.sandbox.ecr import documents, layers, repositories, uploads
from labs_helpers.sandbox.ecr import errors as ecr
from labs_helpers.sandbox.ecr.layers import Blob
from labs_helpers.sandbox.ecr.part_bytes import Truncated
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.registry.context import Context, check_digest, check_name
from labs_helpers.sandbox.registry.errors import RegistryError
from labs_helpers.sandbox.registry.http import Response
from labs_helpers.sandbox.service.errors import AccessDenied


def start(context: Context) -> Response:
    """Start an upload, mount a blob (`mount`, `from`) or store a whole blob (`digest`)."""
    context.allow("InitiateLayerUpload")
    query = context.request.query
    if "digest" in query:
        return _store_whole(context, check_digest(query["digest"]))
    repository = context.repository_for_push()
    if "mount" in query:
        digest = check_digest(query["mount"])
        blob = _mount(context, repository, digest, query.get("from"))
        if blob is not None:
            return _created(context, blob)
    upload_id = uploads.initiate(context.store, repository)
    return Response(202, _progress(context, upload_id, 0))


def status(context: Context, upload_id: str) -> Response:
    """The number of bytes received so far."""
    context.allow("UploadLayerPart")
    upload = uploads.find(context.store, context.repository(), _valid_id(context, upload_id))
    return Response(204, _progress(context, upload.id, upload.received))


def part(context: Context, upload_id: str) -> Response:
    """Append a part (PATCH): the whole body, which must fit Content-Range if there is one."""
    context.allow("UploadLayerPart")
    repository = context.repository()
    received = _append(context, repository, _valid_id(context, upload_id))
    status = context.rules.part_accepted
    return Response(status, _progress(context, upload_id, received))


def finish(context: Context, upload_id: str) -> Response:
    """Complete an upload (PUT), with or without a last part."""
    context.allow("CompleteLayerUpload")
    digest = check_digest(context.request.query.get("digest"))
    repository = context.repository()
    _valid_id(context, upload_id)
    if context.request.body.length != 0:
        context.allow("UploadLayerPart")
        _append(context, repository, upload_id)
    completed = _complete(context, repository, upload_id, digest)
    return _created(context, completed.blob)


def cancel(context: Context, upload_id: str) -> Response:
    """Cancel an upload."""
    context.allow("UploadLayerPart")
    uploads.cancel(context.store, context.repository(), _valid_id(context, upload_id))
    return Response(204)


def _store_whole(context: Context, digest: str) -> Response:
    context.allow("UploadLayerPart", "CompleteLayerUpload")
    repository = context.repository_for_push()
    upload_id = uploads.initiate(context.store, repository)
    try:
        _append(context, repository, upload_id)
        completed = _complete(context, repository, upload_id, digest)
    except (Truncated, ecr.EmptyUpload):
        uploads.cancel(context.store, repository, upload_id)
        raise
    return _created(context, completed.blob)


def _mount(
    context: Context, target: Repository, digest: str, source_name: str | None
) -> Blob | None:
    """The mounted blob; None if it cannot be mounted, so that the client uploads it.

    If the client names no source, any repository that the caller may read can be the source. The
    account setting BLOB_MOUNTING (PutAccountSetting) turns mounts off. Unlike on AWS, they are on
    by default, so that a push shows how layers are reused.
    """
    setting = documents.get(context.store, context.registry, "account-setting", "BLOB_MOUNTING")
    if setting == {"value": "DISABLED"}:
        return None
    if source_name is None:
        names = layers.holders(context.store, context.registry, digest)
    else:
        names = [source_name]
    for name in names:
        try:
            check_name(name)
            context.allow("GetDownloadUrlForLayer", name=name, tentative=True)
            source = repositories.get(context.store, context.registry, name)
        except (RegistryError, AccessDenied, ecr.RepositoryNotFound):
            continue
        if not context.rules.mounts_unreferenced and not layers.is_referenced(
            context.store, source, digest
        ):
            continue
        blob = layers.mount(context.store, source, target, digest)
        if blob is not None:
            return blob
    return None


def _complete(
    context: Context, repository: Repository, upload_id: str, digest: str
) -> uploads.FinishedUpload:
    return uploads.complete(
        context.store, repository, upload_id, [digest], ecr_parts=context.rules.ecr_parts
    )


def _append(context: Context, repository: Repository, upload_id: str) -> int:
    body = context.request.body
    first: int | None = None
    if content_range := context.request.header("content-range"):
        received = uploads.find(context.store, repository, upload_id).received
        try:
            first, last = http_headers.part_range(content_range)
        except http_headers.Unsatisfiable:
            raise _out_of_range(context, upload_id, received, "invalid content range") from None
        size = last - first + 1
        if body.length is not None and body.length != size:
            message = f"The layer part has {body.length} bytes, but its range has {size}"
            raise RegistryError("SIZE_INVALID", message, 400)
        body.expected = size
    try:
        return uploads.append(
            context.store, repository, upload_id, body, length=body.length, first_byte=first
        )
    except ecr.InvalidLayerPart as error:
        raise _out_of_range(context, upload_id, error.received, error.message) from error


def _out_of_range(context: Context, upload_id: str, received: int, message: str) -> RegistryError:
    headers = _progress(context, upload_id, received)
    return RegistryError("BLOB_UPLOAD_INVALID", message, 416, headers)


def _valid_id(context: Context, upload_id: str) -> str:
    """The upload id, if it is a UUID: nothing else may reach a path or the database."""
    try:
        if str(uuid.UUID(upload_id)) == upload_id:
            return upload_id
    except ValueError:
        pass
    raise ecr.UploadNotFound(
        upload_id=upload_id, repositoryName=context.name, registryId=context.registry.account
    )


def _progress(context: Context, upload_id: str, received: int) -> dict[str, str]:
    return {
        "Location": f"/v2/{context.name}/blobs/uploads/{upload_id}",
        "Range": f"0-{max(received - 1, 0)}",
        "Docker-Upload-UUID": upload_id,
    }


def _created(context: Context, blob: Blob) -> Response:
    headers = {
        "Location": f"/v2/{context.name}/blobs/{blob.digest}",
        "Docker-Content-Digest": blob.digest,
    }
    return Response(201, headers)
