"""Who answers a request, and which base images a build needs."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from labs_helpers.engine.front.bases import bases, dockerfile_in
from labs_helpers.engine.front.http_messages import read_request
from labs_helpers.engine.front.routes import Route, is_sandbox_login, route

ECR = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


def serves(host: str) -> bool:
    return host.endswith(".amazonaws.com") or host == "registry-1.docker.io"


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        (f"POST /v1.47/images/{ECR}/a/b/push?tag=x", Route.FRONT),
        (f"POST /images/{ECR}%2Fa/push", Route.FRONT),
        ("POST /images/nginx/push?tag=x", Route.FRONT),
        ("POST /images/quay.io/a/push", Route.DAEMON),
        ("POST /images/NOT+A+NAME/push", Route.DAEMON),
        (f"GET /images/{ECR}/a/push", Route.DAEMON),
        (f"POST /v1.47/images/create?fromImage={ECR}%2Fa&tag=x", Route.FRONT),
        ("POST /images/create?fromImage=nginx:alpine", Route.FRONT),
        ("POST /images/create?fromSrc=-&repo=a", Route.DAEMON),
        ("POST /images/create?fromImage=quay.io/a", Route.DAEMON),
        (f"GET /v1.30/distribution/{ECR}/a:x/json", Route.FRONT),
        ("GET /distribution/quay.io/a/json", Route.DAEMON),
        ("POST /auth", Route.LOGIN),
        ("POST /build?t=a", Route.BUILD),
        ("POST /build?version=2", Route.DAEMON),
        ("POST /build?remote=https://example.com/x.git", Route.DAEMON),
        ("POST /v1.47/containers/create?name=a", Route.CREATE_CONTAINER),
        (f"POST /v4.3.1/libpod/images/{ECR}/a/push", Route.FRONT),
        (f"POST /v4.3.1/libpod/images/x/push?destination={ECR}/a", Route.FRONT),
        (f"POST /v4.3.1/libpod/images/pull?reference=docker://{ECR}/a", Route.FRONT),
        ("POST /v4.3.1/libpod/images/pull?reference=quay.io/a", Route.DAEMON),
        ("POST /v5.4.2/libpod/images/pull?reference=nginx", Route.FRONT),
        ("POST /v5.4.2/libpod/images/pull?reference=localhost/a", Route.DAEMON),
        (f"GET /v5.4.2/libpod/images/{ECR}%2Fa/json", Route.DAEMON),
        (f"POST /v4.3.1/libpod/images/{ECR}/a/push?destination=quay.io/a", Route.DAEMON),
        (f"POST /v4.3.1/libpod/manifests/x/registry/docker:%2F%2F{ECR}%2Fa", Route.FRONT),
        (f"POST /v3.0.0/libpod/manifests/x/push?destination={ECR}/a", Route.FRONT),
        ("POST /v4.3.1/libpod/manifests/x/registry/quay.io%2Fa", Route.DAEMON),
        ("POST /v4.3.1/libpod/manifests/x/add", Route.DAEMON),
        ("POST /v4.3.1/libpod/build?t=a", Route.BUILD),
        ("POST /v4.3.1/libpod/build?remote=https://example.com/x.git", Route.DAEMON),
        ("POST /v4.3.1/libpod/containers/create", Route.CREATE_CONTAINER),
        ("GET /v4.3.1/libpod/_ping", Route.DAEMON),
        ("POST /session", Route.DAEMON),
        ("POST /grpc", Route.DAEMON),
        ("GET /images/json", Route.DAEMON),
        (f"DELETE /images/{ECR}/a", Route.DAEMON),
    ],
)
def test_where_a_request_goes(request_: str, where: Route) -> None:
    head = read_request(f"{request_} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    assert route(head, serves) is where


@pytest.mark.parametrize("path", ["_ping", "images/json", "images/pull?reference=quay.io/a"])
def test_podmans_own_api_is_answered_here_where_the_daemon_is_dockers(path: str) -> None:
    head = read_request(f"GET /v4.3.1/libpod/{path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    assert route(head, serves, podman=False) is Route.FRONT


@pytest.mark.parametrize(
    ("body", "ours"),
    [
        ({"serveraddress": ECR}, True),
        ({"serveraddress": f"https://{ECR}/v2/"}, True),
        ({"serveraddress": "https://index.docker.io/v1/"}, True),
        ({}, True),  # Docker Hub is what is meant without a word
        ({"serveraddress": "quay.io"}, False),
        ([], False),
        ({"serveraddress": 7}, False),
    ],
)
def test_whose_login_it_is(body: object, ours: bool) -> None:
    assert is_sandbox_login(json.dumps(body).encode(), serves) is ours


class TestBases:
    def names(self, text: str, target: str = "", **arguments: str) -> list[str]:
        return [one.familiar for one in bases(text, arguments, target)]

    def test_stages_arguments_and_copies(self) -> None:
        text = (
            "ARG BASE=one\nARG TAG\nFROM $BASE:${TAG:-latest} AS first\n"
            "FROM scratch AS second\nCOPY --from=first /a /\nCOPY --from=two:2 /b /\n"
            "FROM first\nCOPY --from=1 /c /\nFROM three\nFROM three\n"
        )
        assert self.names(text) == ["one:latest", "two:2", "three:latest"]
        assert self.names(text, BASE="uno", TAG="1") == ["uno:1", "two:2", "three:latest"]
        assert self.names(text, target="second") == ["one:latest", "two:2"]

    def test_another_image_may_stand_for_the_first(self) -> None:
        found = bases("ARG A\nFROM $A AS one\nFROM two\nCOPY --from=one /a /\n", {}, "", "other:1")
        assert [one.familiar for one in found] == ["other:1", "two:latest"]

    @pytest.mark.parametrize(
        "text", ["", "RUN x", "FROM", "FROM a b", "FROM ${", "FROM UPPER/Case", "FROM a\nFOO"]
    )
    def test_what_is_not_understood_is_left_to_the_daemon(self, text: str) -> None:
        assert self.names(text) == []

    def test_a_target_that_is_not_there_is_left_to_the_daemon(self) -> None:
        assert self.names("FROM a", target="nope") == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_the_dockerfile_is_found_in_the_context(mode: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name in ("a", "./sub/Dockerfile.dev"):
            entry = tarfile.TarInfo(name)
            entry.size = 6
            tar.addfile(entry, io.BytesIO(b"FROM a"))
    for asked, found in (("sub/Dockerfile.dev", "FROM a"), ("Dockerfile", None)):
        buffer.seek(0)
        assert dockerfile_in(buffer, asked) == found


@pytest.mark.parametrize("data", [b"", b"x" * 1000, b"\x1f\x8b\x08 broken"])
def test_a_context_that_is_no_tar_has_no_dockerfile(data: bytes) -> None:
    assert dockerfile_in(io.BytesIO(data), "Dockerfile") is None
