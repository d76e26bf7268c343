"""The ECR API without HTTP: one call, its answer held against botocore's model."""

import base64
import hashlib
import json
from typing import Any, cast

from botocore.model import Shape

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.service import EcrService
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import NO_KEYS, Authorize, Keys, Principal
from labs_helpers.sandbox.service import protocol

ACCOUNT, OTHER_ACCOUNT, REGION = "123456789012", "210987654321", "us-west-2"
TARGET = "AmazonEC2ContainerRegistry_V20150921"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def principal(account: str = ACCOUNT) -> Principal:
    return Principal(account, f"arn:aws:iam::{account}:user/learner", "AIDALEARNER", "AKIALEARNER")


def allow_all(
    principal: Principal,
    action: str,
    resource: str,
    keys: Keys = NO_KEYS,
    tentative: bool = False,
) -> None:
    """Nobody is refused: for a server whose callers are all trusted, such as a test's."""


STATELESS = EcrService(cast(Any, None), Clock(), allow_all)
"""The service without a store, for what it knows before any call."""
OPERATIONS = sorted(STATELESS.operations)


class Refused(Exception):
    """An error answer: its code, its message and everything else it says."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(f"{body['__type']}: {body['message']}")
        self.code, self.message, self.body = body["__type"], body["message"], body


class Ecr:
    """``ecr("CreateRepository", repositoryName="demo")`` is the operation's answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.authorize: Authorize = allow_all
        self.elsewhere = Elsewhere()
        self.service = EcrService(
            store,
            clock,
            lambda *needs, **keys: self.authorize(*needs, **keys),
            Elsewhere(
                lambda arn: self.elsewhere.principal_exists(arn),
                lambda *key: self.elsewhere.kms_key(*key),
                secret=lambda *secret: self.elsewhere.secret(*secret),
                upstream_failure=lambda *rule: self.elsewhere.upstream_failure(*rule),
            ),
        )
        self.caller, self.region = principal(), REGION

    def raw(self, target: str, body: bytes) -> protocol.Answer:
        return self.service.handle(target, body, self.caller, self.region, "http://127.0.0.1:4999/")

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer = self.raw(f"{TARGET}.{operation}", json.dumps(params).encode())
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
        body: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200:
            assert answer.status == 400
            raise Refused(body)
        shape = self.service.model.operation_model(operation).output_shape
        assert shape is not None
        assert_of_shape(body, shape, operation)
        return body

    def error(self, operation: str, **params: Any) -> tuple[str, str]:
        """Code and message of the refusal, which there must be."""
        try:
            answer = self(operation, **params)
        except Refused as refused:
            return refused.code, refused.message
        raise AssertionError(f"{operation} answered {answer}")

    def upload(self, repository: str, layer: bytes) -> str:
        """A layer, in one part; its digest."""
        digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
        upload = self("InitiateLayerUpload", repositoryName=repository)["uploadId"]
        self(
            "UploadLayerPart",
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(layer) - 1,
            layerPartBlob=base64.b64encode(layer).decode(),
        )
        known = self(
            "BatchCheckLayerAvailability", repositoryName=repository, layerDigests=[digest]
        )["layers"][0]
        if known["layerAvailability"] == "UNAVAILABLE":
            self(
                "CompleteLayerUpload",
                repositoryName=repository,
                uploadId=upload,
                layerDigests=[digest],
            )
        return digest

    def push(self, repository: str, tag: str | None = None, content: str = "one") -> str:
        """An image with one layer of that content; the digest of its manifest."""
        text = self.manifest(repository, content)
        named = {"imageTag": tag} if tag else {}
        self("PutImage", repositoryName=repository, imageManifest=text, **named)
        return digest_of(text)

    def manifest(self, repository: str, content: str = "one") -> str:
        """A manifest whose configuration and layer the repository holds."""
        for blob in blobs_of(content):
            self.upload(repository, blob)
        return manifest_of(content)

    def push_index(self, repository: str, digests: list[str], tag: str | None = None) -> str:
        """A manifest list of images of the repository; its digest."""
        text = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": LIST,
                "manifests": [
                    {
                        "mediaType": MANIFEST,
                        "size": 1,
                        "digest": digest,
                        "platform": {"architecture": "amd64", "os": "linux"},
                    }
                    for digest in digests
                ],
            }
        )
        named = {"imageTag": tag} if tag else {}
        self("PutImage", repositoryName=repository, imageManifest=text, **named)
        return digest_of(text)


def blobs_of(content: str) -> tuple[bytes, bytes]:
    """The configuration and the layer of the image with that content."""
    config = {"architecture": "amd64", "os": "linux", "of": content}
    return json.dumps(config).encode(), f"layer {content}".encode()


def manifest_of(content: str) -> str:
    config, layer = (
        {
            "mediaType": kind,
            "size": len(blob),
            "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}",
        }
        for kind, blob in zip((CONFIG, LAYER), blobs_of(content), strict=True)
    )
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    return json.dumps(document)


def digest_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def assert_of_shape(value: Any, shape: Shape, path: str) -> None:
    """Only members that the model has, all it requires, each of its type and enum."""
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict), path
        assert set(value) <= set(shape.members), path
        assert set(shape.required_members) <= set(value), path
        for name, item in value.items():
            assert_of_shape(item, shape.members[name], f"{path}.{name}")
    elif kind == "list":
        assert isinstance(value, list), path
        for item in value:
            assert_of_shape(item, shape.member, f"{path}[]")
    elif kind == "map":
        for item in value.values():
            assert_of_shape(item, shape.value, f"{path}{{}}")
    else:
        types = {
            "string": str,
            "boolean": bool,
            "integer": int,
            "long": int,
            "double": float,
            "timestamp": float,
        }
        assert isinstance(value, types[kind]), f"{path}: {value!r}"
        assert "enum" not in shape.metadata or value in shape.metadata["enum"], path
