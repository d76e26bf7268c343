"""A list of 1,000 images, whole and in pages, beside moto_server, alternating in one run.

The time is what the server takes from the request's first byte to the answer's last: botocore's
work, which is the same in front of both, is not in it. The same request to both is what compares
servers: a page, and everything in one answer. moto reads no maxResults of ListImages
(https://github.com/getmoto/moto/blob/master/moto/ecr/models.py), so a walk through ten pages is ten
requests here, each with its signature, its decision and its record, beside one of moto's.
"""

import base64
import hashlib
import http.client
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.bench.servers import moto_server, sandbox

pytestmark = pytest.mark.bench

IMAGES = 1000
ROUNDS = 9
PAGE = 100
TARGET = "AmazonEC2ContainerRegistry_V20150921"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Server:
    """ECR on a port, asked with signed requests over one connection."""

    def __init__(self, port: int, key: Credentials) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.url, self.key = f"http://127.0.0.1:{port}/", key

    def signed(self, operation: str, **params: Any) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(params).encode()
        headers = {
            "X-Amz-Target": f"{TARGET}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        request = AWSRequest("POST", self.url, data=body, headers=headers)
        SigV4Auth(self.key, "ecr", "us-west-2").add_auth(request)
        return body, dict(request.headers)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        body, headers = self.signed(operation, **params)
        return self.asked(body, headers)[0]

    def asked(self, body: bytes, headers: dict[str, str]) -> tuple[dict[str, Any], float]:
        begun = time.perf_counter()
        self.connection.request("POST", "/", body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - begun
        assert answer.status == 200, content
        return json.loads(content), seconds

    def timed(self, operation: str, **params: Any) -> tuple[dict[str, Any], float]:
        return self.asked(*self.signed(operation, **params))


def fill(server: Server, layer: dict[str, Any], config: dict[str, Any]) -> None:
    for number in range(IMAGES):
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer],
            "annotations": {"number": str(number)},
        }
        server(
            "PutImage",
            repositoryName="bench/image",
            imageManifest=json.dumps(manifest),
            imageTag=f"v{number}",
        )


def upload(server: Server, content: bytes) -> str:
    began = server("InitiateLayerUpload", repositoryName="bench/image")
    server(
        "UploadLayerPart",
        repositoryName="bench/image",
        uploadId=began["uploadId"],
        partFirstByte=0,
        partLastByte=len(content) - 1,
        layerPartBlob=base64.b64encode(content).decode(),
    )
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    server(
        "CompleteLayerUpload",
        repositoryName="bench/image",
        uploadId=began["uploadId"],
        layerDigests=[digest],
    )
    return digest


def described(server: Server) -> float:
    answer, seconds = server.timed(
        "DescribeImages", repositoryName="bench/image", maxResults=IMAGES
    )
    assert len(answer["imageDetails"]) == IMAGES
    return seconds


def listed(server: Server) -> float:
    """Every page of the list. moto has no pages: its answer to the first request is the list."""
    seconds, names, asked = 0.0, 0, {"repositoryName": "bench/image", "maxResults": PAGE}
    while True:
        answer, taken = server.timed("ListImages", **asked)
        seconds, names = seconds + taken, names + len(answer["imageIds"])
        if not answer.get("nextToken"):
            assert names == IMAGES
            return seconds
        asked["nextToken"] = answer["nextToken"]


def at_once(server: Server) -> float:
    """One answer with all names, as moto answers whatever the page's size."""
    answer, seconds = server.timed("ListImages", repositoryName="bench/image", maxResults=IMAGES)
    assert len(answer["imageIds"]) == IMAGES
    return seconds


def a_page(server: Server) -> float:
    return server.timed("ListImages", repositoryName="bench/image", maxResults=PAGE)[1]


MEASURED: dict[str, Callable[[Server], float]] = {
    f"describe-images of {IMAGES} images": described,
    f"list-images of {IMAGES} images in pages of {PAGE}, {IMAGES // PAGE} requests to one": listed,
    f"list-images of {IMAGES} images in one answer": at_once,
    f"list-images, one page of {PAGE}": a_page,
}


def test_lists_of_images_beside_moto_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with sandbox(home) as (_, port, _), moto_server() as theirs:
        learner = json.loads((home / "sandbox" / "learner.json").read_text())
        key = Credentials(learner["access_key_id"], learner["secret_access_key"])
        servers = [Server(port, key), Server(theirs, key)]
        servers[1]("CreateRepository", repositoryName="bench/image")
        content = b"a layer, and a configuration"
        digest = upload(servers[0], content)
        part = {"digest": digest, "size": len(content)}
        layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", **part}
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", **part}
        for server in servers:
            fill(server, layer, config)
        for what, measure in MEASURED.items():
            taken = [[measure(server) for server in servers] for _ in range(ROUNDS)]
            one, other = map(statistics.median, zip(*taken, strict=True))
            print(
                f"\n{what}: sandbox {one * 1e3:.1f} ms, moto_server {other * 1e3:.1f} ms "
                f"({one / other:.2f}x)"
            )
