"""Pulls from the stand-in, as clients pull from Docker Hub and ECR Public."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.sandbox.clock import Clock
from tests.sandbox.hub.hub_client import Hub

NGINX = "/v2/library/nginx/manifests/alpine"
ECR = "public.ecr.aws"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def first_layer(hub: Hub) -> manifests.Descriptor:
    index = manifests.parse(hub.pull(NGINX).body, None)
    member = hub.pull(f"/v2/library/nginx/manifests/{index.manifests[0].digest}")
    return manifests.parse(member.body, None).layers[0]


def test_a_pull_without_a_token_is_sent_to_the_token_service(hub: Hub) -> None:
    answer = hub.get(NGINX)
    assert answer.status == 401
    assert answer.code == "UNAUTHORIZED"
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
        'scope="repository:library/nginx:pull"'
    )


def test_the_base_asks_for_a_token_without_a_scope(hub: Hub) -> None:
    answer = hub.get("/v2/")
    assert answer.status == 401
    assert "scope" not in answer.headers["www-authenticate"]
    assert hub.pull("/v2/", token=hub.token()).status == 200


def test_a_token_lasts_five_minutes(hub: Hub, clock: Clock) -> None:
    token = hub.token()
    clock.advance(timedelta(seconds=299))
    assert hub.pull(NGINX, token=token).status == 200
    clock.advance(timedelta(seconds=2))
    late = hub.pull(NGINX, token=token)
    assert late.status == 401
    assert 'error="invalid_token"' in late.headers["www-authenticate"]


def test_a_token_for_one_repository_does_not_open_another(hub: Hub) -> None:
    answer = hub.pull("/v2/library/alpine/manifests/3.15", token=hub.token("library/nginx"))
    assert answer.status == 401
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_an_altered_token_is_refused(hub: Hub) -> None:
    head, claims, signature = hub.token().split(".")
    forged = base64.urlsafe_b64encode(b'{"exp":9999999999}').decode().rstrip("=")
    assert hub.pull(NGINX, token=f"{head}.{forged}.{signature}").status == 401
    assert hub.pull(NGINX, token=f"{head}.{claims}.").status == 401


def test_a_tag_gives_the_index_and_its_digest(hub: Hub) -> None:
    answer = hub.pull(NGINX)
    assert answer.status == 200
    assert answer.headers["docker-content-digest"] == digests.of_bytes(answer.body)
    index = manifests.parse(answer.body, answer.headers["content-type"])
    assert index.is_index
    by_digest = hub.pull(f"/v2/library/nginx/manifests/{index.digest}")
    assert by_digest.body == answer.body


def test_old_images_are_in_dockers_format_and_new_ones_in_ocis(hub: Hub) -> None:
    old = hub.pull("/v2/library/nginx/manifests/1.21-alpine").headers["content-type"]
    new = hub.pull(NGINX).headers["content-type"]
    assert "docker.distribution.manifest.list" in old
    assert "oci.image.index" in new


def test_head_says_the_same_as_get_without_a_body(hub: Hub) -> None:
    head, get = hub.pull(NGINX, "HEAD"), hub.pull(NGINX)
    assert head.body == b""
    assert head.headers == get.headers


def test_a_known_digest_is_not_sent_again(hub: Hub) -> None:
    etag = hub.pull(NGINX).headers["etag"]
    again = hub.pull(NGINX, if_none_match=etag)
    assert (again.status, again.body) == (304, b"")


def test_a_blob_is_whole_and_in_parts(hub: Hub) -> None:
    layer = first_layer(hub)
    path = f"/v2/library/nginx/blobs/{layer.digest}"
    whole = hub.pull(path)
    assert digests.of_bytes(whole.body) == layer.digest
    part = hub.pull(path, range="bytes=10-19")
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{layer.size}"
    beyond = hub.pull(path, range=f"bytes={layer.size}-")
    assert beyond.status == 416
    assert beyond.headers["content-range"] == f"bytes */{layer.size}"


def test_a_blob_belongs_to_its_repository(hub: Hub) -> None:
    layer = first_layer(hub)
    answer = hub.pull(f"/v2/library/debian/blobs/{layer.digest}")
    assert (answer.status, answer.code) == (404, "BLOB_UNKNOWN")


def test_tags_are_listed(hub: Hub) -> None:
    listed = hub.pull("/v2/library/nginx/tags/list").json
    assert listed["name"] == "library/nginx"
    assert {"alpine", "1.21-alpine"} <= set(listed["tags"])


def test_an_unknown_image_is_denied_and_the_known_ones_are_named(hub: Hub) -> None:
    answer = hub.pull("/v2/library/redis/manifests/latest")
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert answer.json["errors"][0]["message"] == "authentication required"
    assert "nginx:alpine" in answer.json["errors"][0]["detail"][-1]["images"]
    assert "nginx" in answer.headers["labs-stand-ins"]


def test_an_unknown_tag_is_not_found_and_the_known_ones_are_named(hub: Hub) -> None:
    answer = hub.pull("/v2/library/nginx/manifests/9.9")
    assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
    assert answer.json["errors"][0]["message"] == "manifest unknown"
    images = answer.json["errors"][0]["detail"]["images"]
    assert "nginx:alpine" in images
    assert not [name for name in images if not name.startswith("nginx:")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/library/nginx/blobs/uploads/"),
        ("PUT", "/v2/library/nginx/manifests/mine"),
        ("DELETE", "/v2/library/nginx/manifests/alpine"),
        ("POST", "/v2/someone/app/blobs/uploads/"),
    ],
)
def test_a_push_is_denied(hub: Hub, method: str, path: str) -> None:
    answer = hub.send(method, path, authorization=f"Bearer {hub.token()}")
    assert answer.status == 401
    challenge = answer.headers["www-authenticate"]
    assert ':pull,push"' in challenge
    assert 'error="insufficient_scope"' in challenge


def test_the_one_account_logs_in_and_no_other(hub: Hub) -> None:
    assert hub.token(authorization=basic("labs", "labs"))
    wrong = hub.get("/token?service=registry.docker.io", authorization=basic("labs", "wrong"))
    assert (wrong.status, wrong.code) == (401, "UNAUTHORIZED")
    assert wrong.json["errors"][0]["message"] == "incorrect username or password"


def test_on_a_loopback_host_the_token_service_is_on_that_host(hub: Hub) -> None:
    challenge = hub.get(NGINX, "127.0.0.1:4566").headers["www-authenticate"]
    assert 'realm="http://127.0.0.1:4566/token"' in challenge


def test_ecr_public_has_the_same_images_under_docker_library(hub: Hub) -> None:
    path = "/v2/docker/library/nginx/manifests/alpine"
    refused = hub.get(path, ECR)
    assert refused.headers["www-authenticate"] == (
        'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"'
    )
    token = hub.get("/token/?scope=aws&service=public.ecr.aws", ECR).json["token"]
    answer = hub.get(path, ECR, authorization=f"Bearer {token}")
    assert answer.body == hub.pull(NGINX).body
    assert "ratelimit-limit" not in answer.headers


@pytest.mark.parametrize("kind", ["manifests/latest", "tags/list"])
def test_ecr_public_says_which_repository_does_not_exist(hub: Hub, kind: str) -> None:
    token = hub.get("/token/?scope=aws", ECR).json["token"]
    answer = hub.get(f"/v2/a1b2c3/app/{kind}", ECR, authorization=f"Bearer {token}")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")
    assert answer.json["errors"][0]["message"] == (
        "The repository with name 'app' does not exist in the registry with id 'a1b2c3'"
    )


TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    path=st.one_of(
        TEXT.map(lambda text: f"/v2/{text}"),
        TEXT.map(lambda text: f"/v2/library/nginx/manifests/{text}"),
        TEXT.map(lambda text: f"/v2/library/nginx/blobs/{text}"),
        TEXT.map(lambda text: f"/token?scope={text}"),
    ),
    authorization=TEXT,
    host=TEXT,
)
def test_no_request_makes_it_fail(hub: Hub, path: str, authorization: str, host: str) -> None:
    token = hub.token()
    for credential in (authorization, f"Basic {authorization}", f"Bearer {token}"):
        answer = hub.get(path, host, authorization=credential)
        assert answer.status < 500
        assert all("\n" not in value and "\r" not in value for value in answer.headers.values())
