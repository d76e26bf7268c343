"""Push a small image of a version, by the calls of ECR that `docker push` leads to (lab 07).

python release.py REPOSITORY [TAG ...]    the first tag is the version; without tags, the next one
"""

import hashlib
import io
import json
import random
import sys
import tarfile

import boto3

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
SIZE = 250_000


def release(repository: str, *tags: str) -> str:
    """Push an image under the tags and return its version; an image that is there is left alone."""
    ecr = boto3.client("ecr")
    tags = tags or (_next(ecr, repository),)
    version = tags[0]
    layer = _layer(version)
    unpacked = {"type": "layers", "diff_ids": [_digest(layer)]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": unpacked}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _sent(ecr, repository, CONFIG, config),
        "layers": [_sent(ecr, repository, LAYER, layer)],
        "annotations": {"org.opencontainers.image.version": version},
    }
    text = json.dumps(manifest)
    for tag in tags:
        try:
            ecr.put_image(
                repositoryName=repository,
                imageManifest=text,
                imageManifestMediaType=MANIFEST,
                imageTag=tag,
            )
        except ecr.exceptions.ImageAlreadyExistsException:
            print(f"{repository}:{tag} is there already")
        except ecr.exceptions.ImageTagAlreadyExistsException:
            # an immutable tag is refused for the same image, too
            if not _has(ecr, repository, tag, _digest(text.encode())):
                raise
            print(f"{repository}:{tag} is there already")
    return version


def _has(ecr, repository: str, tag: str, digest: str) -> bool:
    """Whether the tag is on this very image."""
    found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    return found["imageDetails"][0]["imageDigest"] == digest


def _next(ecr, repository: str) -> str:
    """The version after the newest: 1.13 after 1.12."""
    pages = ecr.get_paginator("list_images").paginate(repositoryName=repository)
    tags = [one.get("imageTag", "") for page in pages for one in page["imageIds"]]
    numbers = [int(tag[2:]) for tag in tags if tag.startswith("1.") and tag[2:].isdigit()]
    return f"1.{max(numbers, default=0) + 1}"


def _layer(version: str) -> bytes:
    """An archive with one file of random bytes, the same for the same version."""
    content = random.Random(version).randbytes(SIZE)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        file = tarfile.TarInfo(f"app-{version}.bin")
        file.size = len(content)
        tar.addfile(file, io.BytesIO(content))
    return archive.getvalue()


def _sent(ecr, repository: str, media_type: str, content: bytes) -> dict[str, object]:
    """Send a blob unless the repository has it, and describe it as a manifest does."""
    digest = _digest(content)
    asked = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
    if not any(one.get("layerAvailability") == "AVAILABLE" for one in asked["layers"]):
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(content) - 1,
            layerPartBlob=content,
        )
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python release.py REPOSITORY [TAG ...]")
    print(release(*sys.argv[1:]))
