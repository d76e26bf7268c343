"""Removal of an image: its names, the image, the unnamed images below it, and conflicts.

The rules and messages are dockerd's: daemon/images/image_delete.go of
https://github.com/moby/moby. Layers are reported by chain ID:
https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid
"""

from __future__ import annotations

import hashlib

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import Reference

from .store import Conflict, Image, ImageStore

Record = dict[str, str]


def remove(name: str, store: ImageStore, force: bool, prune: bool) -> list[Record]:
    """Remove a name or an image; return Docker's records of untagged names and deleted layers.

    Args:
        name: a reference removes that name, and the image with its last name. An ID removes the
            image, unless it has names in several repositories and ``force`` is not set.
        prune: also remove the unnamed images that the image was built from.

    Raises:
        NoSuchImage, InvalidReference, Conflict.
    """
    image = store.find(name)
    records: list[Record] = []
    is_id = image.id.startswith(name) or image.id.removeprefix("sha256:").startswith(name)
    if not is_id:
        reference = references.parse(name)
        _untag(reference, image, store, records)
        image = store.find(image.id)
        if image.names or image.digests:
            return records
        _delete(image, store, records, force, prune, quiet=True)
        return records
    if _in_one_repository(image):
        if store.children(image.id):
            raise _conflict(image, "cannot be forced", "image has dependent child images")
        for known in (*image.names, *image.digests):
            _untag_name(known, store, records)
        image = store.find(image.id)
    _delete(image, store, records, force, prune, quiet=False)
    return records


def _untag(reference: Reference, image: Image, store: ImageStore, records: list[Record]) -> None:
    name = (
        f"{reference.name}@{reference.digest}"
        if reference.digest
        else f"{reference.name}:{reference.tag}"
    )
    _untag_name(name, store, records)
    if reference.digest or any(
        _name(known) == reference.name for known in image.names if known != name
    ):
        return
    for known in image.digests:
        if _name(known) == reference.name:
            _untag_name(known, store, records)


def _untag_name(name: str, store: ImageStore, records: list[Record]) -> None:
    store.untag(name)
    records.append({"Untagged": references.parse(name, default_tag=False).familiar})


def _delete(
    image: Image, store: ImageStore, records: list[Record], force: bool, prune: bool, quiet: bool
) -> None:
    conflict = None
    if store.children(image.id):
        conflict = _conflict(image, "cannot be forced", "image has dependent child images")
    elif not force and (image.names or image.digests):
        conflict = _conflict(
            image, "must be forced", "image is referenced in multiple repositories"
        )
    if conflict:
        if quiet:
            return
        raise conflict
    for name in (*image.names, *image.digests):
        _untag_name(name, store, records)
    used = {chain for other in store.list() if other.id != image.id for chain in chain_ids(other)}
    store.remove(image.id)
    records.append({"Deleted": image.id})
    records += [{"Deleted": chain} for chain in reversed(chain_ids(image)) if chain not in used]
    if prune and image.parent and any(other.id == image.parent for other in store.list()):
        _delete(store.find(image.parent), store, records, force=False, prune=True, quiet=True)


def _in_one_repository(image: Image) -> bool:
    names = [_name(name) for name in image.names]
    digests = {_name(name) for name in image.digests}
    if len(names) + len(image.digests) <= 1:
        return len(names) + len(image.digests) == 1
    if len(names) > 1:
        return False
    only = names[0] if names else _name(image.digests[0])
    return digests == {only}


def _name(reference: str) -> str:
    return references.parse(reference, default_tag=False).name


def _conflict(image: Image, how: str, why: str) -> Conflict:
    return Conflict(f"conflict: unable to delete {image.short_id} ({how}) - {why}")


def chain_ids(image: Image) -> list[str]:
    """The chain ID of every layer, lowest first; dockerd names deleted layers by these."""
    chain: list[str] = []
    for layer in image.layers:
        if chain:
            text = f"{chain[-1]} {layer.diff_id}".encode()
            chain.append(f"sha256:{hashlib.sha256(text).hexdigest()}")
        else:
            chain.append(layer.diff_id)
    return chain
