"""Access: credentials, the registry that a host names, and the permissions that a caller needs."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from labs_helpers.sandbox.ecr import repositories, tokens
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.service.errors import AccessDenied
from tests.sandbox.registry.registry_server import ACCOUNT, LEARNER, RegistryUnderTest

EUROPE = Registry(ACCOUNT, "eu-west-1")
OTHER = Registry("210987654321", "us-west-2")


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_without_credentials_the_way_in_is_named(registry: RegistryUnderTest) -> None:
    reply = registry.send("GET", "/v2/", token=None)
    assert (reply.status, reply.body) == (401, b"Not Authorized\n")
    assert reply.headers["www-authenticate"] == (
        'Basic realm="https://123456789012.dkr.ecr.us-west-2.amazonaws.com/",'
        'service="ecr.amazonaws.com"'
    )
    assert reply.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_token_opens_the_door_as_basic_and_as_bearer(registry: RegistryUnderTest) -> None:
    whole = base64.b64encode(f"AWS:{registry.token}".encode()).decode()
    for header in (f"Basic {whole}", f"Bearer {registry.token}", f"Bearer {whole}"):
        reply = registry.send("GET", "/v2/", headers={"Authorization": header})
        assert (reply.status, reply.body) == (200, b"{}"), header


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic QVdT", "Digest a", "Basic /////w==", "Bearer "],
)
def test_what_has_no_password_does_not(registry: RegistryUnderTest, header: str) -> None:
    assert registry.send("GET", "/v2/", headers={"Authorization": header}).status == 401


def test_a_password_that_ecr_did_not_make_is_an_invalid_token(registry: RegistryUnderTest) -> None:
    """Reported as F3."""
    made = registry.token
    passwords = ["", "password", made[:-1], made[1:], "\ufeff" + made, made + "\n", made * 2]
    headers = [basic(f"AWS:{password}") for password in passwords]
    headers += [{"Authorization": "Bearer x"}, {"Authorization": f"Bearer {made[:-1]}"}]
    for header in headers:
        reply = registry.send("GET", "/v2/", headers=header)
        assert (reply.status, reply.error) == (
            400,
            ("DENIED", "Your Authorization Token is invalid."),
        ), header
        assert "www-authenticate" not in reply.headers


def test_the_user_is_called_aws(registry: RegistryUnderTest) -> None:
    assert registry.send("GET", "/v2/", headers=basic(f"me:{registry.token}")).status == 401


def test_a_token_lasts_twelve_hours_by_the_sandbox_clock(registry: RegistryUnderTest) -> None:
    registry.clock.advance(timedelta(hours=12, seconds=-1))
    assert registry.send("GET", "/v2/").status == 200
    registry.clock.advance(timedelta(seconds=1))
    reply = registry.send("GET", "/v2/")
    assert (reply.status, reply.error) == (
        403,
        ("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
    )


def test_a_token_is_good_in_its_region_only(registry: RegistryUnderTest) -> None:
    reply = registry.send("GET", "/v2/", host=EUROPE.host)
    assert (reply.status, reply.error[0]) == (403, "DENIED")
    here = tokens.mint(registry.store, LEARNER, EUROPE.region).password
    assert registry.send("GET", "/v2/", host=EUROPE.host, token=here).status == 200


def test_the_host_names_the_registry(registry: RegistryUnderTest) -> None:
    repositories.create(registry.store, OTHER, "theirs")
    assert registry.send("GET", "/v2/theirs/tags/list", host=OTHER.host).status == 200
    reply = registry.send("GET", "/v2/theirs/tags/list")
    assert reply.error == (
        "NAME_UNKNOWN",
        "The repository with name 'theirs' does not exist in the registry with id '123456789012'",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:4566", "localhost:1", "", "[::1]:80"])
def test_a_bare_host_is_the_learners_own_registry(registry: RegistryUnderTest, host: str) -> None:
    registry.create("demo")
    assert registry.send("GET", "/v2/demo/tags/list", host=host).status == 200


def test_each_request_asks_for_ecrs_own_action(registry: RegistryUnderTest) -> None:
    registry.create("demo")
    pushed = registry.push_image("v1")
    registry.asked.clear()
    registry.send("HEAD", f"/v2/demo/blobs/{pushed}")
    registry.send("GET", f"/v2/demo/blobs/{pushed}")
    location = registry.send("POST", "/v2/demo/blobs/uploads/").headers["location"]
    registry.send("PATCH", location, b"a")
    registry.send("PUT", f"{location}?digest={pushed}")
    registry.send("GET", "/v2/demo/manifests/v1")
    registry.put_manifest("v1", b"{}")
    registry.send("GET", "/v2/demo/tags/list")
    registry.send("DELETE", "/v2/demo/manifests/v1")
    assert [action for action, _ in registry.asked] == [
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:BatchGetImage",
        "ecr:PutImage",
        "ecr:ListImages",
        "ecr:BatchDeleteImage",
    ]
    assert {arn for _, arn in registry.asked} == {
        "arn:aws:ecr:us-west-2:123456789012:repository/demo"
    }


def test_a_refusal_is_told_in_iams_words(registry: RegistryUnderTest) -> None:
    sentence = (
        f"User: {LEARNER.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: "
        "arn:aws:ecr:us-west-2:123456789012:repository/secret because no identity-based policy "
        "allows the ecr:InitiateLayerUpload action"
    )

    def refuse(action: str, arn: str) -> None:
        raise AccessDenied(sentence)

    registry.refuse = refuse
    reply = registry.send("POST", "/v2/secret/blobs/uploads/")
    assert (reply.status, reply.error) == (403, ("DENIED", sentence))


def test_a_mount_needs_the_source_too(registry: RegistryUnderTest) -> None:
    registry.create("demo")
    registry.create("secret")
    pushed = registry.push_blob(b"data", "secret")

    def refuse(action: str, arn: str) -> None:
        if arn.endswith("/secret"):
            raise AccessDenied("no")

    registry.refuse = refuse
    reply = registry.send("POST", f"/v2/demo/blobs/uploads/?mount={pushed}&from=secret")
    assert reply.status == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/", 405),
        ("PATCH", "/v2/demo/manifests/v1", 405),
        ("GET", "/v2/demo/blobs/uploads/", 405),
        ("GET", "/v2/demo", 404),
        ("GET", "/v2/demo/nothing/here", 404),
        ("GET", "/v2/Demo/tags/list", 400),
        ("GET", "/v2/a/tags/list", 400),
        ("GET", "/v2//tags/list", 404),
    ],
)
def test_what_is_no_endpoint(
    registry: RegistryUnderTest, method: str, path: str, status: int
) -> None:
    registry.create("demo")
    reply = registry.send(method, path)
    assert reply.status == status
    assert reply.error[0] in {"UNSUPPORTED", "NAME_INVALID"}
