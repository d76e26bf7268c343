"""A registry that breaks off, throttles, fails and forgets: what the client makes of it."""

from __future__ import annotations

import hashlib
import io
import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from labs_helpers.engine import parallel
from labs_helpers.engine.credentials import Credentials
from labs_helpers.engine.errors import EngineError
from labs_helpers.engine.pull import pull
from labs_helpers.engine.push import push
from labs_helpers.engine.registry_client import Repository
from labs_helpers.engine.registry_errors import RegistryError, RequestFailed
from labs_helpers.engine.store import ImageStore
from labs_helpers.engine.upload import Blob
from labs_helpers.oci.reference import parse

from .faulty_registry import HOST, NOON, Faulty, faulty_registry

CONTENT = random.Random(1).randbytes(3_000_000)
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
NAME = parse(f"{HOST}/demo:v1")
NOBODY = Credentials()
LAYERS = [bytes([number]) * (50_000 + number) for number in range(6)]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Faulty]:
    with faulty_registry(tmp_path) as found:
        yield found


@pytest.fixture
def repository(registry: Faulty) -> Iterator[Repository]:
    with Repository(HOST, "demo", registry.hosts, NOBODY) as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    found = ImageStore(tmp_path / "engine")
    yield found
    found.close()


def upload(repository: Repository) -> list[int]:
    return list(repository.upload(lambda: Blob(DIGEST, len(CONTENT), lambda: io.BytesIO(CONTENT))))


class TestPauses:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_an_answer_that_may_be_better_is_asked_for_again(
        self, registry: Faulty, repository: Repository, status: int
    ) -> None:
        registry.add_image("v1", b"layer")
        assert repository.manifest("v1")
        registry.refusals = [(status, {})] * 2
        assert repository.manifest("v1")
        assert registry.clock.slept == [0.2, 0.4]

    def test_it_ends_with_the_registrys_answer(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.refusals = [(503, {})] * 100
        with pytest.raises(RegistryError, match="unexpected HTTP status: 503 Service Unavailable"):
            repository.tags()
        # the ping, then the list
        assert registry.clock.slept == [0.2, 0.4, 0.8, 1.6] * 2

    @pytest.mark.parametrize(
        "asked", ["7", format_datetime(NOON + timedelta(seconds=7), usegmt=True)]
    )
    def test_retry_after_says_how_long(
        self, registry: Faulty, repository: Repository, asked: str
    ) -> None:
        registry.refusals = [(429, {"Retry-After": asked})]
        registry.add_image("v1", b"layer")
        assert repository.manifest("v1")
        assert registry.clock.slept == [7.0]

    @pytest.mark.parametrize(
        "headers", [{"Retry-After": "3600"}, {"RateLimit-Remaining": "0;w=21600"}]
    )
    def test_a_limit_that_lasts_for_hours_is_told_at_once(
        self, registry: Faulty, repository: Repository, headers: dict[str, str]
    ) -> None:
        assert repository.has_blob(DIGEST) is False
        registry.refusals = [(429, headers)] * 2
        with pytest.raises(RegistryError, match="toomanyrequests"):
            repository.manifest("v1")
        assert registry.clock.slept == []

    def test_nonsense_in_retry_after_is_passed_over(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.refusals = [(503, {"Retry-After": "soon"})]
        assert repository.has_blob(DIGEST) is False
        assert registry.clock.slept == [0.2]


class TestTokens:
    def test_one_that_has_run_out_is_replaced_before_it_is_sent(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.tokens = set()
        registry.add(CONTENT)
        assert repository.has_blob(DIGEST)
        registry.clock.moment += timedelta(seconds=299)
        assert repository.has_blob(DIGEST)
        assert registry.issued == 2
        assert [line for line in registry.seen if "token" in line] == ["GET /token"] * 2

    def test_one_that_is_not_taken_any_more_is_replaced_once(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.tokens = set()
        registry.add(CONTENT)
        assert repository.has_blob(DIGEST)
        registry.tokens.clear()
        assert repository.has_blob(DIGEST)
        assert registry.issued == 2

    def test_a_registry_that_takes_no_token_is_believed(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.tokens, registry.forgetful = set(), True
        with pytest.raises(RegistryError, match="unauthorized"):
            repository.manifest("v1")
        # one more for each of HEAD and GET
        assert registry.issued == 3


class TestDownloads:
    def test_the_rest_is_asked_for_where_the_connection_broke(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.add(CONTENT)
        registry.cut = [1_500_000, 100]
        with repository.blob(DIGEST) as stream:
            assert stream.read() == CONTENT
        assert registry.seen.count("GET blobs/DIGEST") == 3

    def test_a_registry_without_ranges_sends_all_of_it_again(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.add(CONTENT)
        registry.ranges = False
        registry.cut = [2_000_000]
        with repository.blob(DIGEST) as stream:
            assert stream.read() == CONTENT

    def test_it_is_given_up_when_nothing_more_comes(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.add(CONTENT)
        registry.cut = [1000] + [0] * 20
        with (
            repository.blob(DIGEST) as stream,
            pytest.raises(RequestFailed, match="unexpected EOF"),
        ):
            stream.read()
        assert len(registry.clock.slept) == 4

    def test_what_comes_in_two_parts_is_verified_as_one(
        self, registry: Faulty, store: ImageStore
    ) -> None:
        registry.add_image("v1", CONTENT)
        registry.cut = [1_000_000]
        list(pull(NAME, store, registry.hosts, NOBODY))
        assert store.find(str(NAME)).layers[0].diff_id == DIGEST

        registry.add_image("v1", CONTENT[::-1])
        for digest in registry.blobs:
            if len(registry.blobs[digest]) == len(CONTENT):
                registry.blobs[digest] = b"x" * len(CONTENT)
        registry.cut = [1_000_000, 1_000_000]
        with pytest.raises(EngineError, match="verification failed for digest"):
            list(pull(NAME, store, registry.hosts, NOBODY))

    def test_a_pull_that_fails_leaves_the_earlier_image_its_name(
        self, registry: Faulty, store: ImageStore
    ) -> None:
        registry.add_image("v1", b"first")
        list(pull(NAME, store, registry.hosts, NOBODY))
        before = store.find(str(NAME)).id
        registry.add_image("v1", b"first", CONTENT)
        registry.cut = [1000] + [0] * 20
        with pytest.raises(RequestFailed):
            list(pull(NAME, store, registry.hosts, NOBODY))
        assert store.find(str(NAME)).id == before
        assert len(store.list()) == 1


class TestUploads:
    def test_the_rest_is_sent_where_the_connection_broke(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.cut = [1_100_000]
        sent = upload(repository)
        assert registry.blobs[DIGEST] == CONTENT
        assert registry.seen.count("POST blobs/uploads/") == 1
        assert registry.seen.count("PATCH blobs/uploads/0") == 2
        assert sent[-1] == len(CONTENT)

    def test_a_registry_that_does_not_say_what_it_has_is_sent_it_anew(
        self, registry: Faulty, repository: Repository
    ) -> None:
        registry.resumes = False
        registry.cut = [1_100_000]
        upload(repository)
        assert registry.blobs[DIGEST] == CONTENT
        assert registry.seen.count("POST blobs/uploads/") == 2

    def test_it_is_given_up_in_the_end(self, registry: Faulty, repository: Repository) -> None:
        registry.cut = [0] * 20
        with pytest.raises(RequestFailed, match='Patch "https://registry'):
            upload(repository)
        assert DIGEST not in registry.blobs


class TestSeveralLayersAtOnce:
    @pytest.fixture(autouse=True)
    def every_layer_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parallel, "LARGE", 10)

    def test_they_are_on_the_way_together(self, registry: Faulty, store: ImageStore) -> None:
        registry.add_image("v1", *LAYERS)
        meeting = threading.Barrier(3, timeout=20)

        def before(method: str, path: str) -> None:
            if method == "GET" and path.rpartition("/")[2] in layers:
                # passes only when three requests wait here at once
                meeting.wait()

        layers = {digest for digest, blob in registry.blobs.items() if len(blob) >= 50_000}
        registry.before = before
        list(pull(NAME, store, registry.hosts, NOBODY))
        assert [layer.diff_id for layer in store.find(str(NAME)).layers] == [
            "sha256:" + hashlib.sha256(layer).hexdigest() for layer in LAYERS
        ]

    def test_what_is_said_has_the_order_of_the_layers(
        self, registry: Faulty, store: ImageStore
    ) -> None:
        registry.add_image("v1", *LAYERS)
        said = list(pull(NAME, store, registry.hosts, NOBODY))
        ids = [hashlib.sha256(layer).hexdigest()[:12] for layer in LAYERS]
        assert [m["id"] for m in said if m["status"] == "Download complete"] == ids
        assert [m["id"] for m in said if m["status"] == "Pull complete"] == ids
        for one in ids:
            own = [m["status"] for m in said if m.get("id") == one]
            assert own.index("Downloading") < own.index("Download complete")

        pushed = list(push(parse(f"{HOST}/demo:v1"), store, registry.hosts, NOBODY))
        assert [m["id"] for m in pushed if m.get("status") == "Layer already exists"] == []
        assert [m["id"] for m in pushed if m.get("status") == "Pushed"] == ids[::-1]

    def test_the_first_failure_in_order_is_told(self, registry: Faulty, store: ImageStore) -> None:
        registry.add_image("v1", *LAYERS)
        digests = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in LAYERS]
        for broken in (digests[2], digests[4]):
            registry.blobs[broken] = b"z" * 60_000
        with pytest.raises(EngineError, match=f"failed for digest {digests[2]}"):
            list(pull(NAME, store, registry.hosts, NOBODY))
        assert store.list() == []

    def test_a_listener_that_goes_away_ends_the_work(
        self, registry: Faulty, store: ImageStore
    ) -> None:
        registry.add_image("v1", *LAYERS)
        messages = pull(NAME, store, registry.hosts, NOBODY)
        next(message for message in messages if message["status"] == "Downloading")
        messages.close()  # type: ignore[attr-defined]
        assert store.list() == []
        assert [t.name for t in threading.enumerate() if t.name.startswith("layer")] == []
