"""Docker Hub's pull rate limit, on the sandbox clock."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

from labs_helpers.oci import manifest as manifests
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.hub.app import PREVIEW, HubApp
from labs_helpers.sandbox.hub.limits import WINDOW, PullLimits, exceeded
from tests.sandbox.hub.hub_client import Hub, Response

PREVIEW_PATH = f"/v2/{PREVIEW}/manifests/latest"


def remaining(answer: Response) -> int:
    return int(answer.headers["ratelimit-remaining"].partition(";")[0])


def image_path(hub: Hub, tag: str = "alpine") -> str:
    index = manifests.parse(hub.pull(f"/v2/library/nginx/manifests/{tag}").body, None)
    return f"/v2/library/nginx/manifests/{index.manifests[0].digest}"


def test_the_headers_are_the_documented_ones(hub: Hub) -> None:
    headers = hub.pull(PREVIEW_PATH, "HEAD").headers
    assert headers["ratelimit-limit"] == "100;w=21600"
    assert headers["ratelimit-remaining"] == "100;w=21600"
    assert headers["docker-ratelimit-source"] == "127.0.0.1"


def test_a_pull_counts_once_and_its_version_checks_and_blobs_do_not(hub: Hub) -> None:
    path = image_path(hub)
    assert remaining(hub.pull(path, "HEAD")) == 100
    assert remaining(hub.pull(path)) == 99
    assert remaining(hub.pull(path)) == 99
    config = manifests.parse(hub.pull(path).body, None).config
    assert config is not None
    hub.pull(f"/v2/library/nginx/blobs/{config.digest}")
    assert remaining(hub.pull(path, "HEAD")) == 99


def test_each_get_of_the_preview_repository_counts(hub: Hub) -> None:
    assert [remaining(hub.pull(PREVIEW_PATH)) for _ in range(3)] == [99, 98, 97]


def test_one_pull_too_many_is_refused_until_six_hours_have_passed(
    tmp_path: Path, clock: Clock
) -> None:
    hub = Hub(HubApp(tmp_path, clock, PullLimits(anonymous=2)))
    path = image_path(hub)
    assert [hub.pull(PREVIEW_PATH).status for _ in range(3)] == [200, 200, 429]
    refused = hub.pull(path)
    assert (refused.status, refused.code) == (429, "TOOMANYREQUESTS")
    assert refused.json["errors"][0]["message"] == exceeded("")
    assert hub.pull(path, "HEAD").status == 200
    clock.advance(WINDOW - timedelta(seconds=1))
    assert hub.pull(path).status == 429
    clock.advance(timedelta(seconds=1))
    assert remaining(hub.pull(path)) == 1


def test_a_lab_that_runs_again_never_uses_the_allowance_up(tmp_path: Path, clock: Clock) -> None:
    hub = Hub(HubApp(tmp_path, clock, PullLimits(anonymous=1)))
    path = image_path(hub)
    assert {hub.pull(path).status for _ in range(20)} == {200}


def test_an_account_has_an_allowance_of_its_own(hub: Hub) -> None:
    hub.pull(PREVIEW_PATH)
    login = "Basic " + base64.b64encode(b"labs:labs").decode()
    answer = hub.pull(PREVIEW_PATH, token=hub.token(PREVIEW, authorization=login))
    assert answer.headers["ratelimit-limit"] == "200;w=21600"
    assert answer.headers["docker-ratelimit-source"] == "labs"
    assert remaining(answer) == 199


def test_the_words_name_the_account_that_is_above_its_limit() -> None:
    """https://github.com/CommunityToolkit/Aspire/issues/556"""
    assert exceeded("") == (
        "You have reached your unauthenticated pull rate limit. "
        "https://www.docker.com/increase-rate-limit"
    )
    assert exceeded("labs") == (
        "You have reached your pull rate limit as 'labs'. You may increase the limit by upgrading. "
        "https://www.docker.com/increase-rate-limit"
    )
