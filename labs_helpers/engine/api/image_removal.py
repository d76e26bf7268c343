"""Operations that remove images: delete and prune.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageDelete
"""

from __future__ import annotations

from urllib.parse import unquote

from labs_helpers.oci import reference as references

from ..containers.record import Container
from ..image import Conflict, canonical_name
from ..removal import remove
from ..store import Image, ImageStore, NoSuchImage
from . import Backend, filters, image_events
from .http import Request, Response, json_response
from .images import named_image


def delete(request: Request, backend: Backend, name: str) -> Response:
    """``DELETE /images/{name}?force=&noprune=``."""
    force, prune = request.flag("force"), not request.flag("noprune")
    image = named_image(name, backend.store)
    if _keep_for_containers(unquote(name), image, backend, force):
        untagged = backend.store.untag(canonical_name(unquote(name)))
        familiar = references.parse(unquote(name)).familiar
        records = [{"Untagged": familiar}] if untagged else []
        image_events.note_deleted(backend, image, records, set())
        return json_response(records)
    return json_response(_remove(unquote(name), image, backend, force, prune))


def _remove(
    name: str, image: Image, backend: Backend, force: bool, prune: bool
) -> list[dict[str, str]]:
    """Remove a name of an image, or the image, and note the events."""
    known = {each.id for each in backend.store.list()}
    records = remove(name, backend.store, force=force, prune=prune)
    image_events.note_deleted(backend, image, records, known)
    return records


def _keep_for_containers(name: str, image: Image, backend: Backend, force: bool) -> bool:
    """Whether a removal takes only the name, because a running container uses the image.

    Raises Conflict where dockerd does:
    https://github.com/moby/moby/blob/v28.2.2/daemon/images/image_delete.go
    """
    users = [each for each in _containers(backend) if each.image == image.id]
    if not users:
        return False
    user = next((each for each in users if each.is_up), users[0])
    is_id = image.id.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))
    if is_id:
        start = f"conflict: unable to delete {image.short_id}"
        if user.is_up:
            raise Conflict(
                f"{start} (cannot be forced) - image is being used by running container"
                f" {user.short_id}"
            )
        if not force:
            raise Conflict(
                f"{start} (must be forced) - image is being used by stopped container"
                f" {user.short_id}"
            )
        return False
    if len(image.names) > 1:
        return False
    if not force:
        raise Conflict(
            f'conflict: unable to remove repository reference "{name}" (must force) - container'
            f" {user.short_id} is using its referenced image {image.short_id}"
        )
    return user.is_up


def prune(request: Request, backend: Backend) -> Response:
    """``POST /images/prune``: dangling images, or all unused ones with ``dangling=false``."""
    wanted = filters.check(request.filters(), filters.PRUNE_FILTERS)
    dangling_only = filters.boolean(wanted.get("dangling", ["true"]), "dangling")
    before = _unpacked_size(backend.store)
    deleted: list[dict[str, str]] = []
    used = {each.image for each in _containers(backend)}
    for image in backend.store.list():
        if image.id in used:
            continue
        unnamed = not image.names and not image.digests
        if (dangling_only and not unnamed) or backend.store.children(image.id):
            continue
        if not filters.is_pruned(image, wanted):
            continue
        try:
            names = image.names or image.digests or (image.id,)
            for name in names:
                deleted += _remove(name, image, backend, force=False, prune=True)
        except NoSuchImage:
            continue
    reclaimed = before - _unpacked_size(backend.store)
    image_events.note_pruned(backend, reclaimed)
    return json_response({"ImagesDeleted": deleted or None, "SpaceReclaimed": reclaimed})


def _containers(backend: Backend) -> list[Container]:
    """The containers whose images are in this backend's store."""
    return [each for each in backend.containers.records if each.owner == backend.owner]


def _unpacked_size(store: ImageStore) -> int:
    layers = {layer.digest: layer for image in store.list() for layer in image.layers}
    return sum(layer.unpacked for layer in layers.values())
