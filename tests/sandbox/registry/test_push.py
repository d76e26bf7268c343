"""Pushes of blobs: whole, in parts, mounted; a refused blob leaves nothing behind.

In the strict OCI mode, where parts may be small; what ECR wants besides is in test_ecr_rules.py.
"""

from __future__ import annotations

import socket

import pytest

from labs_helpers.oci import digest
from labs_helpers.sandbox.ecr import documents
from tests.sandbox.ecr.operations.ecr_api import Ecr
from tests.sandbox.registry.registry_server import HOME, RegistryUnderTest

DATA = b"0123456789" * 100
DIGEST = digest.of_bytes(DATA)
UPLOADS = "/v2/demo/blobs/uploads/"


@pytest.fixture
def registry(strict_registry: RegistryUnderTest) -> RegistryUnderTest:
    return strict_registry


@pytest.fixture(autouse=True)
def demo(registry: RegistryUnderTest) -> None:
    registry.create("demo")


def begin(registry: RegistryUnderTest) -> str:
    reply = registry.send("POST", UPLOADS)
    assert reply.status == 202
    return reply.headers["location"]


def stored(registry: RegistryUnderTest) -> bytes:
    return registry.send("GET", f"/v2/demo/blobs/{DIGEST}").body


def test_a_blob_comes_in_one_request(registry: RegistryUnderTest) -> None:
    reply = registry.send("POST", f"{UPLOADS}?digest={DIGEST}", DATA)
    assert reply.status == 201
    assert reply.headers["location"] == f"/v2/demo/blobs/{DIGEST}"
    assert reply.headers["docker-content-digest"] == DIGEST
    assert stored(registry) == DATA


def test_a_blob_comes_by_post_and_put(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    reply = registry.send("PUT", f"{location}?digest={DIGEST}", DATA)
    assert (reply.status, reply.headers["docker-content-digest"]) == (201, DIGEST)
    assert stored(registry) == DATA


def test_a_blob_comes_in_parts(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    reply = registry.send("PATCH", location, DATA[:400], {"Content-Range": "0-399"})
    assert (reply.status, reply.headers["range"]) == (202, "0-399")
    location = reply.headers["location"]
    reply = registry.send("PATCH", location, DATA[400:700], {"Content-Range": "400-699"})
    assert (reply.status, reply.headers["range"]) == (202, "0-699")
    last = {"Content-Range": "700-999"}
    reply = registry.send("PUT", f"{location}?digest={DIGEST}", DATA[700:], last)
    assert reply.status == 201
    assert stored(registry) == DATA


def test_a_blob_streams_in_with_chunked_encoding(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    reply = registry.send("PATCH", location, iter([DATA[:300], DATA[300:]]))
    assert (reply.status, reply.headers["range"]) == (202, "0-999")
    assert registry.send("PUT", f"{location}?digest={DIGEST}").status == 201
    assert stored(registry) == DATA


def test_the_last_part_may_be_chunked_too(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    assert registry.send("PUT", f"{location}?digest={DIGEST}", iter([DATA])).status == 201
    assert stored(registry) == DATA


def test_the_empty_blob_is_a_blob(registry: RegistryUnderTest) -> None:
    empty = digest.of_bytes(b"")
    assert registry.send("POST", f"{UPLOADS}?digest={empty}", b"").status == 201
    reply = registry.send("GET", f"/v2/demo/blobs/{empty}")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")


def test_an_upload_says_how_far_it_is(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    assert registry.send("GET", location).headers["range"] == "0-0"
    registry.send("PATCH", location, DATA[:400])
    reply = registry.send("GET", location)
    assert (reply.status, reply.headers["range"]) == (204, "0-399")
    assert reply.headers["location"] == location


@pytest.mark.parametrize("content_range", ["500-999", "0-999", "399-998", "x", "9-1", "-1-5", "5"])
def test_a_part_that_belongs_elsewhere_is_refused(
    registry: RegistryUnderTest, content_range: str
) -> None:
    location = begin(registry)
    registry.send("PATCH", location, DATA[:400])
    headers = {"Content-Range": content_range}
    length = 1000 if content_range == "0-999" else 500
    if content_range == "399-998":
        length = 600
    reply = registry.send("PATCH", location, DATA[:length], headers)
    assert reply.status == 416
    assert reply.headers["range"] == "0-399"
    assert reply.headers["location"] == location
    assert reply.error[0] == "BLOB_UPLOAD_INVALID"


def test_ecr_says_where_the_part_should_begin(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    registry.send("PATCH", location, DATA[:400])
    reply = registry.send("PATCH", location, DATA[:400], {"Content-Range": "0-399"})
    assert reply.error == (
        "BLOB_UPLOAD_INVALID",
        "First byte of the layer part is 0 instead of 400",
    )


def test_a_part_must_have_the_size_of_its_range(registry: RegistryUnderTest) -> None:
    """Reported as M1."""
    location = begin(registry)
    headers = {"Content-Range": "0-499"}
    assert registry.send("PATCH", location, DATA[:400], headers).status == 400
    assert registry.send("PATCH", location, iter([DATA[:400]]), headers).status == 400
    assert registry.send("PATCH", location, iter([DATA[:600]]), headers).status == 400
    assert registry.send("GET", location).headers["range"] == "0-0"


def test_bytes_that_do_not_match_leave_nothing_behind(registry: RegistryUnderTest) -> None:
    wrong = digest.of_bytes(b"something else")
    location = begin(registry)
    for reply in (
        registry.send("PUT", f"{location}?digest={wrong}", DATA),
        registry.send("POST", f"{UPLOADS}?digest={wrong}", DATA),
    ):
        assert reply.status == 400
        assert reply.error == (
            "BLOB_UPLOAD_INVALID",
            "None of the provided layer digests match the calculated layer digest",
        )
    assert registry.send("GET", location).status == 404
    assert registry.files == []


@pytest.mark.parametrize("text", ["", "sha256:abc", "md5:0", "sha512:" + "a" * 64])
def test_an_upload_cannot_end_without_a_digest(registry: RegistryUnderTest, text: str) -> None:
    location = begin(registry)
    reply = registry.send("PUT", f"{location}?digest={text}", DATA)
    assert (reply.status, reply.error[0]) == (400, "DIGEST_INVALID")
    assert registry.send("GET", location).status == 204


def test_an_upload_can_be_dropped(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    registry.send("PATCH", location, DATA)
    assert registry.send("DELETE", location).status == 204
    assert registry.send("DELETE", location).status == 404
    assert registry.files == []


def test_an_upload_belongs_to_its_repository(registry: RegistryUnderTest) -> None:
    registry.create("other")
    location = begin(registry).replace("/demo/", "/other/")
    reply = registry.send("PATCH", location, DATA)
    assert (reply.status, reply.error[0]) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_client_that_hangs_up_is_resumed_from_what_it_was_told(
    registry: RegistryUnderTest,
) -> None:
    location = begin(registry)
    registry.send("PATCH", location, DATA[:400])
    head = (
        f"PATCH {location} HTTP/1.1\r\nHost: {HOME.host}\r\n"
        f"Authorization: Bearer {registry.token}\r\nContent-Length: 600\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", registry.server.port)) as connection:
        connection.sendall(head.encode() + DATA[400:500])
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.makefile("rb").readline()
    assert registry.send("GET", location).headers["range"] == "0-399"
    assert registry.send("PUT", f"{location}?digest={DIGEST}", DATA[400:]).status == 201


def test_an_upload_goes_on_after_a_restart(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    registry.send("PATCH", location, DATA[:400])
    registry.restart()
    assert registry.send("GET", location).headers["range"] == "0-399"
    assert registry.send("PUT", f"{location}?digest={DIGEST}", DATA[400:]).status == 201
    assert stored(registry) == DATA


def test_the_same_blob_is_stored_once(registry: RegistryUnderTest) -> None:
    registry.create("other")
    registry.push_blob(DATA)
    registry.push_blob(DATA)
    registry.push_blob(DATA, "other")
    assert registry.files == [DIGEST.removeprefix("sha256:")]


def test_a_blob_is_mounted_from_another_repository(registry: RegistryUnderTest) -> None:
    registry.create("team/base")
    registry.push_blob(DATA, "team/base")
    reply = registry.send("POST", f"{UPLOADS}?mount={DIGEST}&from=team/base")
    assert reply.status == 201
    assert reply.headers["location"] == f"/v2/demo/blobs/{DIGEST}"
    assert stored(registry) == DATA


def test_the_account_setting_turns_mounts_off(registry: RegistryUnderTest) -> None:
    ecr = Ecr(registry.store, registry.clock)
    assert ecr("GetAccountSetting", name="BLOB_MOUNTING")["value"] == "ENABLED"
    registry.create("base")
    registry.push_blob(DATA, "base")
    path = f"{UPLOADS}?mount={DIGEST}&from=base"
    assert registry.send("POST", path).status == 201
    for value, status in (("DISABLED", 202), ("ENABLED", 201)):
        documents.put(registry.store, HOME, "account-setting", {"value": value}, "BLOB_MOUNTING")
        assert registry.send("POST", path).status == status


@pytest.mark.parametrize("source", ["&from=demo2", "&from=nowhere", "&from=BAD", "", "&from="])
def test_what_cannot_be_mounted_is_uploaded(registry: RegistryUnderTest, source: str) -> None:
    registry.create("demo2", encryption={"encryptionType": "KMS"})
    registry.push_blob(DATA, "demo2")
    reply = registry.send("POST", f"{UPLOADS}?mount={DIGEST}{source}")
    assert reply.status == 202
    assert registry.send("HEAD", f"/v2/demo/blobs/{DIGEST}").status == 404
    assert registry.send("PUT", f"{reply.headers['location']}?digest={DIGEST}", DATA).status == 201


def test_a_blob_of_another_repository_is_not_there(registry: RegistryUnderTest) -> None:
    registry.create("other")
    registry.push_blob(DATA, "other")
    reply = registry.send("GET", f"/v2/demo/blobs/{DIGEST}")
    assert (reply.status, reply.error[0]) == (404, "BLOB_UNKNOWN")


def test_the_repository_must_exist(registry: RegistryUnderTest) -> None:
    reply = registry.send("POST", "/v2/nowhere/blobs/uploads/")
    assert (reply.status, reply.error) == (
        404,
        (
            "NAME_UNKNOWN",
            "The repository with name 'nowhere' does not exist in the registry with id "
            "'123456789012'",
        ),
    )
    assert registry.files == []
