"""The images in the local engine, and the files in their layers."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from typing import Any

import docker
import docker.errors

from labs_helpers.checks import layers


def find(name: str) -> Any | None:
    """The local image of this name, an ``Image`` of the Docker SDK; None when there is none."""
    try:
        return docker.from_env().images.get(name)
    except docker.errors.ImageNotFound:
        return None


def diff_ids(image: Any) -> list[str]:
    """The digests of an image's layers, the lowest first, as its configuration has them."""
    return list(image.attrs["RootFS"].get("Layers") or ())


def of_repository(name: str) -> list[Any]:
    """The local images of a repository such as "nginx", whatever their tags."""
    return list(docker.from_env().images.list(name))


def files(image: Any) -> list[layers.Layer]:
    """The files of each layer of an image, the lowest first.

    A file that a later layer deletes counts too. The source is ``docker save``: an archive with
    ``manifest.json``, whose ``Layers`` name tar files, gzipped or not.
    https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md
    """
    with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as spool:
        for chunk in image.save():
            spool.write(chunk)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as archive:
            (described,) = json.load(_member(archive, "manifest.json"))
            return [layers.read(_member(archive, layer)) for layer in described["Layers"]]


def instructions(image: Any) -> list[str]:
    """The instructions that made an image, the oldest first, without Docker's own prefix.

    https://docs.docker.com/reference/cli/docker/image/history/
    """
    made = [str(one.get("CreatedBy", "")) for one in reversed(image.history())]
    return [one.partition("#(nop)")[2].strip() or one.strip() for one in made]


def _member(archive: tarfile.TarFile, name: str) -> io.BufferedReader | Any:
    """A file of the archive, or the file that it links to: old Dockers link equal layers."""
    file = archive.extractfile(name)
    if file is None:
        raise docker.errors.DockerException(f"the image's archive has no file {name}")
    return file
