"""Layers by the API: parts in order, digests checked, bytes given back by a URL that ends."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from labs_helpers.sandbox.ecr.layer_downloads import LayerDownloads
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, Ecr, Refused

LAYER = b"the bytes of a layer"
DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
NO_UPLOAD = "00000000-0000-4000-8000-000000000000"


def part(demo: Ecr, upload: str, first: int, data: bytes, last: int | None = None) -> Any:
    return demo(
        "UploadLayerPart",
        repositoryName="demo",
        uploadId=upload,
        partFirstByte=first,
        partLastByte=first + len(data) - 1 if last is None else last,
        layerPartBlob=base64.b64encode(data).decode(),
    )


def started(demo: Ecr) -> str:
    upload: str = demo("InitiateLayerUpload", repositoryName="demo")["uploadId"]
    return upload


def test_a_layer_arrives_in_parts(demo: Ecr) -> None:
    upload, first = started(demo), bytes(5 * 1024 * 1024)
    digest = f"sha256:{hashlib.sha256(first + LAYER).hexdigest()}"
    size = len(first) + len(LAYER)
    assert part(demo, upload, 0, first)["lastByteReceived"] == len(first) - 1
    assert part(demo, upload, len(first), LAYER)["lastByteReceived"] == size - 1
    done = demo(
        "CompleteLayerUpload", repositoryName="demo", uploadId=upload, layerDigests=[digest]
    )
    assert done["layerDigest"] == digest
    known = demo("BatchCheckLayerAvailability", repositoryName="demo", layerDigests=[digest])
    assert known["layers"][0]["layerAvailability"] == "AVAILABLE"
    assert known["layers"][0]["layerSize"] == size


def test_only_the_last_part_may_be_small(demo: Ecr) -> None:
    upload = started(demo)
    part(demo, upload, 0, LAYER[:7])
    part(demo, upload, 7, LAYER[7:])
    ask = {"repositoryName": "demo", "uploadId": upload, "layerDigests": [DIGEST]}
    assert demo.error("CompleteLayerUpload", **ask)[0] == "LayerPartTooSmallException"


@pytest.mark.parametrize(("first", "last"), [(8, None), (6, None), (7, 99), (7, 0)])
def test_a_part_that_does_not_fit_says_what_arrived(
    demo: Ecr, first: int, last: int | None
) -> None:
    upload = started(demo)
    part(demo, upload, 0, LAYER[:7])
    with pytest.raises(Refused) as refused:
        part(demo, upload, first, LAYER[7:], last)
    assert refused.value.code == "InvalidLayerPartException"
    assert refused.value.body["lastValidByteReceived"] == 6
    assert refused.value.body["uploadId"] == upload


def test_bytes_under_another_digest_are_refused_and_forgotten(demo: Ecr) -> None:
    upload = started(demo)
    part(demo, upload, 0, b"other bytes")
    ask = {"repositoryName": "demo", "uploadId": upload, "layerDigests": [DIGEST]}
    assert demo.error("CompleteLayerUpload", **ask) == (
        "InvalidLayerException",
        "None of the provided layer digests match the calculated layer digest",
    )
    assert demo.error("CompleteLayerUpload", **ask)[0] == "UploadNotFoundException"


def test_an_upload_without_parts_cannot_be_completed(demo: Ecr) -> None:
    upload = started(demo)
    ask = {"repositoryName": "demo", "uploadId": upload, "layerDigests": [DIGEST]}
    assert demo.error("CompleteLayerUpload", **ask) == (
        "EmptyUploadException",
        f"The upload with id '{upload}' in the repository with name 'demo' in registry with id "
        f"'{ACCOUNT}' cannot be completed because it does not have any parts",
    )


def test_an_upload_belongs_to_its_repository(demo: Ecr) -> None:
    demo("CreateRepository", repositoryName="other")
    for upload, repository in ((started(demo), "other"), (NO_UPLOAD, "demo")):
        assert demo.error(
            "CompleteLayerUpload",
            repositoryName=repository,
            uploadId=upload,
            layerDigests=[DIGEST],
        ) == (
            "UploadNotFoundException",
            f"Upload with id '{upload}' could not be found for the repository with name "
            f"'{repository}' in the registry with id '{ACCOUNT}'",
        )


def test_a_layer_that_is_there_already_is_said_so(demo: Ecr) -> None:
    demo.upload("demo", LAYER)
    upload = started(demo)
    part(demo, upload, 0, LAYER)
    ask = {"repositoryName": "demo", "uploadId": upload, "layerDigests": [DIGEST]}
    assert demo.error("CompleteLayerUpload", **ask)[0] == "LayerAlreadyExistsException"


def test_availability_tells_absent_malformed_and_empty_apart(demo: Ecr) -> None:
    answer = demo(
        "BatchCheckLayerAvailability", repositoryName="demo", layerDigests=[DIGEST, "bad", ""]
    )
    assert answer["layers"] == [{"layerDigest": DIGEST, "layerAvailability": "UNAVAILABLE"}]
    assert [each["failureCode"] for each in answer["failures"]] == [
        "InvalidLayerDigest",
        "MissingLayerDigest",
    ]


@pytest.fixture
def fetch(demo: Ecr) -> Callable[..., tuple[str, bytes]]:
    """Status and body of a URL, from the WSGI application that the server mounts."""
    app = LayerDownloads(demo.store, demo.clock)

    def get(url: str, method: str = "GET") -> tuple[str, bytes]:
        parts = urlsplit(url)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
        }
        statuses: list[str] = []
        body = b"".join(app(environ, lambda status, headers: statuses.append(status)))
        return statuses[0], body

    return get


def url_of_layer(demo: Ecr) -> str:
    demo.upload("demo", LAYER)
    answer = demo("GetDownloadUrlForLayer", repositoryName="demo", layerDigest=DIGEST)
    url: str = answer["downloadUrl"]
    return url


def test_a_download_url_gives_the_layer(demo: Ecr, fetch: Callable[..., Any]) -> None:
    url = url_of_layer(demo)
    assert url.startswith("http://127.0.0.1:4999/_labs/layers/")
    assert fetch(url) == ("200 OK", LAYER)
    assert fetch(url, "HEAD") == ("200 OK", b"")


def test_a_download_url_ends_after_an_hour(demo: Ecr, fetch: Callable[..., Any]) -> None:
    url = url_of_layer(demo)
    demo.clock.advance(timedelta(hours=1, seconds=1))
    assert fetch(url)[0] == "403 Forbidden"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/demo/", "/other/"),
        ("Expires=1", "Expires=9"),
        ("Signature=", "Signature=0"),
        ("?", "?x="),
    ],
)
def test_a_download_url_cannot_be_changed(
    demo: Ecr, fetch: Callable[..., Any], old: str, new: str
) -> None:
    url = url_of_layer(demo)
    assert old in url
    assert fetch(url.replace(old, new, 1))[0] == "403 Forbidden"


def test_a_download_url_is_for_reading(demo: Ecr, fetch: Callable[..., Any]) -> None:
    assert fetch(url_of_layer(demo), "PUT")[0] == "405 Method Not Allowed"


def test_a_layer_of_a_deleted_repository_is_gone(demo: Ecr, fetch: Callable[..., Any]) -> None:
    url = url_of_layer(demo)
    demo("DeleteRepository", repositoryName="demo")
    assert fetch(url)[0] == "404 Not Found"


def test_a_url_is_given_for_layers_that_are_there(demo: Ecr) -> None:
    code, _ = demo.error("GetDownloadUrlForLayer", repositoryName="demo", layerDigest=DIGEST)
    assert code == "LayersNotFoundException"
