"""The requests of `podman --remote`, and the answers that it accepts."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from labs_helpers.engine.api.refusals import no_libpod
from labs_helpers.engine.errors import BadRequest
from labs_helpers.engine.front.build_parameters import ALL_PLATFORMS, build_parameters
from labs_helpers.engine.front.digest_names import settings_with_id
from labs_helpers.engine.front.http_messages import read_request
from labs_helpers.engine.front.libpod_credentials import credentials_for
from labs_helpers.engine.front.libpod_reports import push_reports
from labs_helpers.oci.reference import parse

from .fake_daemon import VERSION, Fake, document, fake_daemon, read_head

ECR = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
DEMO = parse(f"{ECR}/team/demo:v1")
NGINX = parse("nginx")


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def login(name: str) -> dict[str, str]:
    return {"username": name, "password": "p?>~ÿ"}


class TestCredentials:
    @pytest.mark.parametrize("value", [None, "", "null", encoded({}), encoded(None)])
    def test_there_may_be_none(self, value: str | None) -> None:
        headers = {} if value is None else {"x-registry-auth": value}
        assert credentials_for(DEMO, headers).basic is None

    @pytest.mark.parametrize("header", ["x-registry-auth", "x-registry-config"])
    def test_of_several_the_narrowest_counts(self, header: str) -> None:
        known = {key: login(key) for key in (ECR, f"{ECR}/team", f"{ECR}/team/other", "quay.io")}
        known["https://index.docker.io/v1/"] = login("hub")
        headers = {header: encoded(known)}
        assert credentials_for(DEMO, headers).username == f"{ECR}/team"
        assert credentials_for(DEMO, headers).password == "p?>~ÿ"
        assert credentials_for(parse(f"{ECR}/demo"), headers).username == ECR
        assert credentials_for(NGINX, headers).username == "hub"
        assert credentials_for(parse("ghcr.io/a"), headers).username == ""

    @pytest.mark.parametrize("key", ["docker.io", "docker.io/library", "docker.io/library/nginx"])
    def test_docker_hub_by_its_names(self, key: str) -> None:
        headers = {"x-registry-auth": encoded({key: login("hub")})}
        assert credentials_for(NGINX, headers).username == "hub"

    def test_one_that_comes_with_the_command_is_for_any_registry(self) -> None:
        assert credentials_for(DEMO, {"x-registry-auth": encoded(login("a"))}).username == "a"
        assert credentials_for(DEMO, {"x-registry-config": encoded({"": login("b")})}).username == (
            "b"
        )

    @pytest.mark.parametrize("value", ["?", "bnVsbA==x", encoded([1]), encoded({ECR: {"auth": 1}})])
    def test_a_header_that_is_none_of_these(self, value: str) -> None:
        with pytest.raises(BadRequest, match="invalid X-Registry-Auth header"):
            credentials_for(DEMO, {"x-registry-auth": value})


class TestBuild:
    def asked(self, **parameters: str | list[str]) -> Any:
        target = f"/v4.3.1/libpod/build?{urlencode(parameters, doseq=True)}"
        return build_parameters(read_request(f"POST {target} HTTP/1.1\r\nHost: d\r\n\r\n".encode()))

    def test_the_file_has_one_of_two_names_unless_it_is_named(self) -> None:
        assert self.asked().files == (("Containerfile", "Dockerfile"),)
        assert self.asked(dockerfile='["a","b/c"]').files == (("a",), ("b/c",))
        assert self.asked(dockerfile="a").files == (("a",),)

    @pytest.mark.parametrize(
        ("policy", "refresh"),
        [("", False), ("missing", False), ("always", True), ("ifnewer", True)],
    )
    def test_the_policy_says_whether_bases_are_refreshed(self, policy: str, refresh: bool) -> None:
        asked = self.asked(pullpolicy=policy)
        assert (asked.refresh, asked.after_refresh) == (refresh, {"pullpolicy": "missing"})

    def test_never_brings_nothing(self) -> None:
        assert self.asked(pullpolicy="never").files == ()

    def test_platforms(self) -> None:
        assert self.asked(platform="/").platforms == ()  # what a client sends for its own
        assert self.asked(platform="linux/").platforms == ("linux/amd64",)
        asked = self.asked(platform=["linux/arm64", "linux/arm/v7"])
        assert asked.platforms == ("linux/arm64", "linux/arm/v7")
        # for a named platform, Podman asks the registry again unless the policy is "never"
        assert (asked.refresh, asked.after_refresh) == (True, {"pullpolicy": "never"})
        assert self.asked(allplatforms="1").platforms == ALL_PLATFORMS


@pytest.mark.parametrize("body", [b"1", b"[]", b"{", b'{"image": 7}', b'{"image": "a"}'])
def test_settings_without_a_digest_stay_as_they_are(body: bytes) -> None:
    assert settings_with_id(body, None) is None  # type: ignore[arg-type]


def test_a_push_is_reported_layer_by_layer_and_the_digest_to_who_takes_it() -> None:
    digest = f"sha256:{'a' * 64}"
    statuses = [
        ("The push refers to repository [x]", None),
        ("Preparing", "one"),
        ("Waiting", "one"),
        *[("Pushing", "one")] * 3,
        ("Pushed", "one"),
        ("Layer already exists", "two"),
        ("Mounted from demo", "three"),
        (f"v1: digest: {digest} size: 7", None),
    ]
    messages = [{"status": status, "id": layer} for status, layer in statuses]
    text = [
        "Getting image source signatures",
        "Copying blob one",
        "Copying blob two skipped: already exists",
        "Copying blob three skipped: mounted from demo",
        "Writing manifest to image destination",
    ]
    told = [{"stream": f"{line}\n"} for line in text]
    assert list(push_reports(iter(messages), with_digest=False)) == told
    assert list(push_reports(iter(messages), with_digest=True)) == [
        *told,
        {"manifestdigest": digest},
    ]


class TestRequests:
    """A front of a fake Podman; nobody can reach the registry."""

    @pytest.fixture
    def fake(self) -> Iterator[Fake]:
        podman = {**VERSION, "Components": [{"Name": "Podman Engine"}]}
        hosts = [{"pattern": ECR, "address": "http://127.0.0.1:9"}]
        with fake_daemon(hosts, podman) as found:
            yield found

    def ask(self, fake: Fake, target: str) -> tuple[int, Any]:
        with fake.client() as client:
            client.sendall(f"POST /v4.3.1/libpod/{target} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
            head = read_head(client)
            body = b""
            while not body.endswith(b"\n"):
                part = client.recv(65536)
                assert part
                body += part
        return int(head.split()[1]), json.loads(body)

    def has(self, fake: Fake, *answers: tuple[bytes, int, object]) -> list[bytes]:
        """Answer requests by their first bytes, else with 404; return the list of requests."""
        seen: list[bytes] = []

        def script(connection: socket.socket) -> None:
            while head := read_head(connection):
                line = head.split(b" HTTP/1.1")[0]
                seen.append(line)
                for start, status, body in answers:
                    if line.startswith(start):
                        connection.sendall(document(status, body))
                        break
                else:
                    connection.sendall(document(404, {"message": "image not known"}))

        fake.script = script
        return seen

    LOCALLY = b"POST /v4.0/libpod/images/pull?"

    @pytest.mark.parametrize("policy", ["missing", "never", "", "IfNotPresent"])
    def test_an_image_that_is_there_needs_no_registry(self, fake: Fake, policy: str) -> None:
        seen = self.has(fake, (self.LOCALLY, 200, {"images": ["abc"], "id": "abc"}))
        answer = self.ask(fake, f"images/pull?reference={ECR}/demo&policy={policy}")
        assert answer == (200, {"images": ["abc"], "id": "abc"})
        assert b"policy=never" in seen[0]

    @pytest.mark.parametrize("quiet", ["", "&quiet=true"])
    def test_newer_takes_the_one_that_is_there_when_the_registry_is_silent(
        self, fake: Fake, quiet: str
    ) -> None:
        self.has(fake, (self.LOCALLY, 200, {"images": ["abc"]}))
        answer = self.ask(fake, f"images/pull?reference={ECR}/demo&policy=newer{quiet}")
        assert answer == (200, {"images": ["abc"], "id": "abc"})

    def test_a_platform_is_asked_for_anew(self, fake: Fake) -> None:
        self.has(fake)
        status, body = self.ask(fake, f"images/pull?reference={ECR}/demo&policy=missing&Arch=arm64")
        assert (status, body["response"]) == (500, 500)
        assert "connection refused" in body["message"].lower()
        assert body["cause"] == body["message"]

    @pytest.mark.parametrize(
        ("target", "status", "message"),
        [
            ("images/pull?reference={}/x&policy=perhaps", 400, 'unsupported pull policy "perhaps"'),
            ("images/pull?reference={}/x&policy=never", 404, "{}/x: image not known"),
            ("images/a/push?destination={}/x&format=oci", 501, "format=oci: the labs push"),
            (
                "images/a/push?destination={}/x&compressionFormat=zstd:chunked",
                501,
                "compressionFormat=zstd:chunked: the labs push layers as gzip",
            ),
            (
                "images/a/push?destination={}/x&compressionlevel=9",
                501,
                "compressionLevel=9: the labs choose",
            ),
            ("images/a/push?destination={}/x", 404, "image not known"),
            ("manifests/a/registry/{}%2Fx", 501, "a is a manifest list: the labs push the images"),
        ],
    )
    def test_a_refusal_has_podmans_form(
        self, fake: Fake, target: str, status: int, message: str
    ) -> None:
        self.has(fake)
        got, body = self.ask(fake, target.format(ECR))
        assert (got, body["response"]) == (status, status)
        assert body["message"].startswith(message.format(ECR))

    def test_a_manifest_list_is_not_taken_for_an_image(self, fake: Fake) -> None:
        self.has(fake, (b"GET /v4.0/libpod/manifests/a/exists", 200, None))
        status, body = self.ask(fake, f"images/a/push?destination={ECR}/x")
        assert (status, body["message"].partition(":")[0]) == (501, "a is a manifest list")


class TestWithoutPodman:
    def test_the_ping_is_answered_and_claims_no_version(self) -> None:
        answer = no_libpod("GET", "/v4.3.1/libpod/_ping")
        assert answer is not None
        assert (answer.status, list(answer.body)) == (200, [b"OK"])
        assert "Libpod-API-Version" not in answer.headers

    @pytest.mark.parametrize("path", ["/v4.3.1/libpod/images/json", "/libpod/info"])
    def test_the_rest_says_what_to_use(self, path: str) -> None:
        answer = no_libpod("GET", path)
        assert answer is not None
        assert answer.status == 501
        assert "use the docker command" in json.loads(b"".join(answer.body))["message"]

    @pytest.mark.parametrize("path", ["/images/json", "/v1.47/images/libpod/json", "/libpod"])
    def test_dockers_paths_are_not_meant(self, path: str) -> None:
        assert no_libpod("GET", path) is None
