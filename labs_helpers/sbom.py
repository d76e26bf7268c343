"""The software bill of materials (SBOM) of an image, in CycloneDX, and its upload as a referrer.

Sources: https://cyclonedx.org/specification/overview/ (through cyclonedx-python-lib),
https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md (``subject``, and "Guidelines
for artifact usage"), https://docs.aws.amazon.com/AmazonECR/latest/userguide/images.html.
The module reads and writes through ECR's API over boto3, so it works on AWS unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from labs_helpers.files import LabsError
from labs_helpers.gate.image import ImageName
from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.scanner.inventory import Inventory, take
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.tree import Layer

ARTIFACT = "application/vnd.cyclonedx+json"
_PART = 10 * 1024**2


class SbomError(LabsError):
    """The SBOM cannot be made or cannot be attached to the image."""


@dataclass(frozen=True)
class PulledImage:
    """An image of one platform: its layers, and digest, type and size (bytes) of its manifest."""

    digest: str
    media_type: str
    size: int
    layers: tuple[Layer, ...]


def inventory(ecr: Any, image: ImageName) -> tuple[PulledImage, Inventory]:
    """The packages in an image's layers, read from ECR; raises SbomError and botocore's errors."""
    with TemporaryDirectory() as folder:
        pulled = pull(ecr, image, Path(folder))
        try:
            return pulled, take(pulled.layers)
        except Unscannable as error:
            raise SbomError(f"{image} cannot be read: {error}") from error


def pull(ecr: Any, image: ImageName, folder: Path) -> PulledImage:
    """Download manifest and layers into a folder, and check each layer against its digest."""
    answer = ecr.batch_get_image(**image.request, imageIds=[image.image_id])
    if not answer["images"]:
        reason = answer["failures"][0]["failureReason"] if answer["failures"] else "not found"
        raise SbomError(f"{image}: {reason}")
    found = answer["images"][0]
    body = found["imageManifest"].encode()
    manifest = manifests.parse(body, found.get("imageManifestMediaType"))
    if manifest.is_index:
        platforms = ", ".join(
            f"{member.platform.get('os')}/{member.platform.get('architecture')} {member.digest}"
            for member in manifest.manifests
            if member.platform
        )
        raise SbomError(
            f"{image} has several platforms. Name one of them by its digest:\n{platforms}"
        )
    layers = []
    for layer in manifest.layers:
        path = folder / digests.parse(layer.digest).hex
        with path.open("wb") as file:
            for part in _download(ecr, image, layer.digest):
                file.write(part)
        layers.append(Layer(layer.digest, path))
    digest = found["imageId"]["imageDigest"]
    return PulledImage(digest, manifest.media_type, len(body), tuple(layers))


def document(image: ImageName, pulled: PulledImage, found: Inventory, now: datetime) -> bytes:
    """An inventory as CycloneDX JSON. The same image and time give the same bytes."""
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    algorithm, _, value = pulled.digest.partition(":")
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=value)] if algorithm == "sha256" else []
    bom = Bom(
        serial_number=_serial(pulled.digest),
        metadata=BomMetaData(
            timestamp=now,
            component=Component(
                type=ComponentType.CONTAINER,
                name=image.repository,
                version=pulled.digest,
                bom_ref=pulled.digest,
                hashes=hashes,
            ),
        ),
    )
    if found.distribution:
        bom.components.add(
            Component(
                type=ComponentType.OPERATING_SYSTEM,
                name=found.distribution.id,
                version=found.distribution.version,
                bom_ref="operating-system",
            )
        )
    for package in found.packages:
        purl = package.url(found.distribution)
        properties = {
            "labs:layer": package.layer,
            "labs:path": package.path,
            "labs:source": package.source,
        }
        bom.components.add(
            Component(
                type=ComponentType.LIBRARY,
                name=package.name,
                version=package.version,
                purl=purl,
                bom_ref=f"{purl}#{package.path}",
                properties=[
                    Property(name=name, value=text) for name, text in properties.items() if text
                ],
            )
        )
    if bom.metadata.component is not None:
        bom.register_dependency(bom.metadata.component, list(bom.components))
    return JsonV1Dot6(bom).output_as_string(indent=2).encode()


def attach(ecr: Any, image: ImageName, pulled: PulledImage, bom: bytes) -> str:
    """Push an SBOM as a referrer of the image and return the artifact's digest.

    A second push of the same SBOM changes nothing.
    """
    config = _upload(ecr, image, b"{}")
    content = _upload(ecr, image, bom)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "artifactType": ARTIFACT,
            "config": {"mediaType": media_types.OCI_EMPTY, "digest": config, "size": 2},
            "layers": [{"mediaType": ARTIFACT, "digest": content, "size": len(bom)}],
            "subject": {
                "mediaType": pulled.media_type,
                "digest": pulled.digest,
                "size": pulled.size,
            },
        }
    )
    digest = digests.of_bytes(manifest.encode())
    with suppress(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(
            **image.request,
            imageManifest=manifest,
            imageManifestMediaType=media_types.OCI_MANIFEST,
            imageDigest=digest,
        )
    return digest


def _upload(ecr: Any, image: ImageName, content: bytes) -> str:
    digest = digests.of_bytes(content)
    known = ecr.batch_check_layer_availability(**image.request, layerDigests=[digest])["layers"]
    if known and known[0]["layerAvailability"] == "AVAILABLE":
        return digest
    upload = ecr.initiate_layer_upload(**image.request)["uploadId"]
    for start in range(0, len(content), _PART):
        part = content[start : start + _PART]
        ecr.upload_layer_part(
            **image.request,
            uploadId=upload,
            partFirstByte=start,
            partLastByte=start + len(part) - 1,
            layerPartBlob=part,
        )
    ecr.complete_layer_upload(**image.request, uploadId=upload, layerDigests=[digest])
    return digest


def _download(ecr: Any, image: ImageName, digest: str) -> Iterator[bytes]:
    url = ecr.get_download_url_for_layer(**image.request, layerDigest=digest)["downloadUrl"]
    whole = hashlib.new(digests.parse(digest).algorithm)
    with _open(url) as response:
        for part in response.raw.stream(256 * 1024):
            whole.update(part)
            yield part
    if whole.hexdigest() != digests.parse(digest).hex:
        raise SbomError(f"The layer {digest} was damaged in the download. Try again.")


@contextmanager
def _open(url: str) -> Iterator[Any]:
    # a company's proxy and its authority, as clients of AWS take them
    session = URLLib3Session(
        verify=os.environ.get("AWS_CA_BUNDLE") or True, proxies=get_environ_proxies(url)
    )
    response = session.send(AWSRequest("GET", url, stream_output=True).prepare())
    if response.status_code != 200:
        raise SbomError(f"A layer could not be downloaded: HTTP status {response.status_code}.")
    try:
        yield response
    finally:
        response.raw.close()


def _serial(digest: str) -> Any:
    from uuid import NAMESPACE_URL, uuid5

    return uuid5(NAMESPACE_URL, digest)
