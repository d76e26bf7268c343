"""Pull in front of a daemon: our registry client fetches the image, and the daemon loads it."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from labs_helpers.oci.manifest import Manifest
from labs_helpers.oci.reference import Reference

from ..client import Repository
from ..credentials import Credentials
from ..hosts import HostMap, api_host
from ..parallel import Message
from ..platform import DEFAULT, Platform
from ..pull import fetch_image, for_platform, pull_errors, status
from ..store import ImageStore
from .archives import archive
from .daemon import RealDaemon
from .memory import Memory


def pull(
    reference: Reference,
    daemon: RealDaemon,
    memory: Memory,
    hosts: HostMap,
    credentials: Credentials,
    platform: Platform | None,
    scratch: Path,
) -> Iterator[Message]:
    """Pull a tag or digest, or every tag of a name without; yield Docker's progress messages.

    The daemon has nothing of the image before all of it is here and verified.

    Raises:
        EngineError: with dockerd's message and status; DaemonError when the daemon refuses it.
    """
    newer = False
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, hosts, credentials) as repository,
    ):
        wanted = reference.digest or reference.tag
        for tag in [wanted] if wanted else repository.tags():
            top = repository.manifest(tag)
            manifest = for_platform(top, platform or DEFAULT, repository)
            yield {"status": f"Pulling from {reference.path}", "id": tag}
            named = None if ":" in tag else Reference(reference.domain, reference.path, tag)
            before = daemon.image_id(named.familiar) if named else None
            there = daemon.image_id(manifest.config.digest) if manifest.config else None
            if there:
                yield from _already(manifest)
                image = there
            else:
                image = yield from _loaded(manifest, named, daemon, memory, repository, scratch)
            if named and there and before != there:
                daemon.tag(there, named)
            yield {"status": f"Digest: {top.digest}"}
            newer |= image != before if named else not there
            for digest in {top.digest, manifest.digest}:
                memory.remember_digest(f"{reference.name}@{digest}", image)
            if named:
                memory.remember_name(str(named), image, before)
            for layer in manifest.layers:
                memory.remember_location(layer.digest, reference.name)
    yield status(reference, newer)


def _already(manifest: Manifest) -> Iterator[Message]:
    for layer in manifest.layers:
        short = layer.digest.partition(":")[2][:12]
        yield {"status": "Already exists", "progressDetail": {}, "id": short}


def _loaded(
    manifest: Manifest,
    named: Reference | None,
    daemon: RealDaemon,
    memory: Memory,
    repository: Repository,
    scratch: Path,
) -> Generator[Message, None, str]:
    """Fetch the image, and give it to the daemon under its name; returns the daemon's ID."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        store = ImageStore(Path(folder), durable=False)
        try:
            image = yield from fetch_image(manifest, store, repository)
            for kept in image.layers:
                memory.remember_layer(kept)
            daemon.load(archive(image, manifest, named, store))
        finally:
            store.close()
    # its ID is that of the configuration, or with containerd's store that of the manifest
    candidates = [named.familiar] if named else [image.id, manifest.digest]
    found = next((there for one in candidates if (there := daemon.image_id(one))), image.id)
    memory.remember_config(found, image.config_bytes)
    return found
