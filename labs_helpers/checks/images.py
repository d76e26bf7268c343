"""The images in the local engine, and the files in their layers."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from typing import Any

import docker
import docker.errors


def find(name: str) -> Any | None:
    """The local image of this name, an ``Image`` of the Docker SDK; None when there is none."""
    try:
        return docker.from_env().images.get(name)
    except docker.errors.ImageNotFound:
        return None


def paths(image: Any) -> set[str]:
    """Every path in every layer of an image, without a leading slash.

    A file that a later layer deletes counts too. The source is ``docker save``: an archive with
    ``manifest.json``, whose ``Layers`` name tar files, gzipped or not.
    https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md
    """
    found: set[str] = set()
    with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as spool:
        for chunk in image.save():
            spool.write(chunk)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as archive:
            (described,) = json.load(_member(archive, "manifest.json"))
            for layer in described["Layers"]:
                with tarfile.open(fileobj=_member(archive, layer)) as files:
                    found |= {name.removeprefix("./").strip("/") for name in files.getnames()}
    return found


def _member(archive: tarfile.TarFile, name: str) -> io.BufferedReader | Any:
    """A file of the archive, or the file that it links to: old Dockers link equal layers."""
    file = archive.extractfile(name)
    if file is None:
        raise docker.errors.DockerException(f"the image's archive has no file {name}")
    return file
