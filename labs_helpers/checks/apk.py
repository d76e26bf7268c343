"""The packages of an Alpine image in ECR, and the order of their versions.

The file ``lib/apk/db/installed``: https://wiki.alpinelinux.org/wiki/Apk_spec
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

DATABASE = "lib/apk/db/installed"
RELEASE = "etc/os-release"

_VERSION = re.compile(r"((?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*[a-z]?)-r(\d+)")

Version = tuple[tuple[tuple[int, int | str], ...], int]


@dataclass(frozen=True)
class Contents:
    """``versions`` is origin -> versions; ``branch`` is "3.15"; ``paths`` are of all layers."""

    branch: str
    versions: dict[str, set[str]]
    paths: frozenset[str]
    labels: dict[str, str]


def contents(ecr: Any, repository: str, image: dict[str, str]) -> Contents | None:
    """What is in an image, or None for an image that is not Alpine's.

    ``image`` is ECR's imageId. Of a file that several layers have, the last counts. Raises
    LookupError when there is no such image.
    """
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[image])["images"]
    if not answer:
        raise LookupError(f"no image {image} in {repository}")
    manifest = json.loads(answer[0]["imageManifest"])
    if "manifests" in manifest:
        return contents(ecr, repository, {"imageDigest": manifest["manifests"][0]["digest"]})
    files: dict[str, str] = {}
    paths: set[str] = set()
    for layer in manifest["layers"]:
        content = io.BytesIO(_blob(ecr, repository, layer["digest"]))
        with tarfile.open(fileobj=content) as archive:
            for member in archive:
                name = member.name.removeprefix("./").strip("/")
                paths.add(name)
                file = archive.extractfile(member) if member.isfile() else None
                # an Alpine whose /lib is /usr/lib keeps its database there
                wanted = name.removeprefix("usr/")
                if file is not None and wanted in (DATABASE, RELEASE):
                    files[wanted] = file.read().decode()
    release = re.search(r'^VERSION_ID="?(\d+\.\d+)', files.get(RELEASE, ""), re.MULTILINE)
    if release is None or DATABASE not in files:
        return None
    config = json.loads(_blob(ecr, repository, manifest["config"]["digest"]))
    labels = config.get("config", {}).get("Labels") or {}
    return Contents(release[1], _versions(files[DATABASE]), frozenset(paths), labels)


def order(version: str) -> Version:
    """A key by which apk versions of the plain form 1.1.1n-r0 are in apk's order.

    Raises ValueError for every other form: what cannot be compared must not pass for newer.
    """
    shape = _VERSION.fullmatch(version)
    if shape is None:
        raise ValueError(f"cannot compare the version {version}")
    pieces = re.findall(r"\d+|[a-z]", shape[1])
    return tuple((0, int(one)) if one.isdigit() else (1, one) for one in pieces), int(shape[2])


def _versions(database: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in database.strip().split("\n\n"):
        field = dict(line.split(":", 1) for line in entry.splitlines() if ":" in line)
        found.setdefault(field.get("o", field["P"]), set()).add(field["V"])
    return found


def _blob(ecr: Any, repository: str, digest: str) -> bytes:
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)
    response = URLLib3Session().send(AWSRequest("GET", url["downloadUrl"]).prepare())
    content: bytes = response.content
    return content
