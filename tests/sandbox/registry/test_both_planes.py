"""Random pushes over /v2/ and calls of the API, in turns, leave what a simple model leaves."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from labs_helpers.oci import media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import tokens
from labs_helpers.sandbox.ecr.lifecycle_runs import LifecycleWorker
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.registry.app import RegistryApp
from tests.sandbox.ecr.operations.ecr_api import Ecr, allow_all
from tests.sandbox.registry.registry_server import ACCOUNT, HOME, LEARNER, REGION
from tests.sandbox.registry.test_registry_adversarial import asked

NAMES = st.sampled_from(["web", "api"])
TAGS = st.sampled_from(["v1", "v2", "latest"])
LAYERS = st.sampled_from(["one", "two", "three"])
CONFIG = b'{"architecture": "amd64"}'


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(layer: str) -> bytes:
    def described(kind: str, content: bytes) -> dict[str, Any]:
        return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}

    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": described(media_types.OCI_CONFIG, CONFIG),
        "layers": [described(media_types.OCI_LAYER, layer.encode())],
    }
    return json.dumps(document).encode()


BY_DIGEST = {digest_of(manifest_of(layer)): layer for layer in ("one", "two", "three")}


@dataclass
class Modelled:
    """A repository: its blobs, its images with their tags, which indexes list them, its policy."""

    blobs: set[str] = field(default_factory=set)
    images: dict[str, set[str]] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    pushed: dict[str, datetime] = field(default_factory=dict)
    next_run: datetime | None = None

    def delete(self, digest: str) -> None:
        del self.images[digest]
        del self.pushed[digest]
        self.indexes.pop(digest, None)


class BothPlanes(RuleBasedStateMachine):
    """Two repositories, reached by docker's protocol and by the API over one store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="labs-planes-")
        self.clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
        self.open()
        self.clock.subscribe(lambda: LifecycleWorker(self.store).work())
        self.model = {name: Modelled() for name in ("web", "api")}
        for name in self.model:
            self.ecr("CreateRepository", repositoryName=name)

    def open(self) -> None:
        self.store = Store(Path(self.folder.name), self.clock)
        self.ecr = Ecr(self.store, self.clock)
        self.app = RegistryApp(self.store, self.clock, allow_all, ACCOUNT, REGION)
        self.token = tokens.mint(self.store, LEARNER, REGION).password

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def v2(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, Any]:
        place, _, query = path.partition("?")
        status, _, content = asked(
            self.app, self.token, HOME.host, method, place, query, body, CONTENT_TYPE=kind
        )
        return status, content

    @rule(name=NAMES, layer=LAYERS)
    def push_layer(self, name: str, layer: str) -> None:
        for content in (CONFIG, layer.encode()):
            path = f"/v2/{name}/blobs/uploads/?digest={digest_of(content)}"
            assert self.v2("POST", path, content)[0] == 201
            self.model[name].blobs.add(digest_of(content))

    @rule(layer=LAYERS, there=st.booleans())
    def mount_layer(self, layer: str, there: bool) -> None:
        """ECR mounts a layer that an image of the source is made of."""
        source, target = ("web", "api") if there else ("api", "web")
        digest = digest_of(layer.encode())
        status, _ = self.v2("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={source}")
        referenced = any(BY_DIGEST.get(image) == layer for image in self.model[source].images)
        assert status == (201 if referenced else 202)
        if referenced:
            self.model[target].blobs.add(digest)

    @rule(name=NAMES, layer=LAYERS, tag=TAGS, api=st.booleans())
    def put_image(self, name: str, layer: str, tag: str, api: bool) -> None:
        body, model = manifest_of(layer), self.model[name]
        digest = digest_of(body)
        ready = {digest_of(CONFIG), digest_of(layer.encode())} <= model.blobs
        if api:
            params = {"repositoryName": name, "imageManifest": body.decode(), "imageTag": tag}
            if not ready:
                assert self.ecr.error("PutImage", **params)[0] == "LayersNotFoundException"
                return
            if tag in model.images.get(digest, ()):
                assert self.ecr.error("PutImage", **params)[0] == "ImageAlreadyExistsException"
                return
            self.ecr("PutImage", **params)
        else:
            path = f"/v2/{name}/manifests/{tag}"
            status, _ = self.v2("PUT", path, body, media_types.OCI_MANIFEST)
            assert (status == 201) == ready
            if not ready:
                return
        self._tagged(model, digest, tag)

    @rule(name=NAMES, layer=LAYERS, tag=TAGS)
    def push_index(self, name: str, layer: str, tag: str) -> None:
        model, child = self.model[name], digest_of(manifest_of(layer))
        listed = {
            "mediaType": media_types.OCI_MANIFEST,
            "digest": child,
            "size": len(manifest_of(layer)),
            "platform": {"architecture": "amd64", "os": "linux"},
        }
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_INDEX,
            "manifests": [listed],
        }
        body = json.dumps(document).encode()
        status, _ = self.v2("PUT", f"/v2/{name}/manifests/{tag}", body, media_types.OCI_INDEX)
        assert (status == 201) == (child in model.images)
        if status == 201:
            self._tagged(model, digest_of(body), tag)
            model.indexes[digest_of(body)] = child

    @rule(name=NAMES, layer=LAYERS, api=st.booleans())
    def delete_by_digest(self, name: str, layer: str, api: bool) -> None:
        model, digest = self.model[name], digest_of(manifest_of(layer))
        listed = digest in model.indexes.values()
        gone = digest in model.images and not listed
        if api:
            ids = [{"imageDigest": digest}]
            answer = self.ecr("BatchDeleteImage", repositoryName=name, imageIds=ids)
            assert bool(answer["imageIds"]) == gone
        else:
            assert (self.v2("DELETE", f"/v2/{name}/manifests/{digest}")[0] == 202) == gone
        if gone:
            model.delete(digest)

    @rule(name=NAMES, tag=TAGS)
    def delete_by_tag(self, name: str, tag: str) -> None:
        model = self.model[name]
        held = [digest for digest, tags in model.images.items() if tag in tags]
        ids = [{"imageTag": tag}]
        answer = self.ecr("BatchDeleteImage", repositoryName=name, imageIds=ids)
        for digest in held:
            last = model.images[digest] == {tag}
            if last and digest in model.indexes.values():
                assert answer["failures"]
                continue
            model.images[digest].discard(tag)
            if last:
                model.delete(digest)

    @rule(name=NAMES)
    def delete_repository(self, name: str) -> None:
        self.ecr("DeleteRepository", repositoryName=name, force=True)
        assert self.v2("GET", f"/v2/{name}/tags/list")[0] == 404
        self.ecr("CreateRepository", repositoryName=name)
        self.model[name] = Modelled()

    @rule(name=NAMES)
    def put_policy(self, name: str) -> None:
        """The newest image stays; a run a day."""
        selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
        expire = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
        text = json.dumps({"rules": [expire]})
        self.ecr("PutLifecyclePolicy", repositoryName=name, lifecyclePolicyText=text)
        self.model[name].next_run = self.clock.now() + timedelta(days=1)

    @rule(hours=st.sampled_from([1, 24, 49]))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        # a token lasts for twelve hours
        self.token = tokens.mint(self.store, LEARNER, REGION).password
        self._run()

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.open()

    @invariant()
    def both_planes_show_the_model(self) -> None:
        for name, model in self.model.items():
            found = self.ecr("DescribeImages", repositoryName=name)["imageDetails"]
            seen = {one["imageDigest"]: set(one.get("imageTags", ())) for one in found}
            assert seen == model.images
            status, content = self.v2("GET", f"/v2/{name}/tags/list")
            tags = sorted(tag for tags in model.images.values() for tag in tags)
            assert (status, json.loads(content)["tags"] or []) == (200, tags)
            for digest, tags in model.images.items():
                for reference in (digest, *tags):
                    status, content = self.v2("GET", f"/v2/{name}/manifests/{reference}")
                    assert (status, digest_of(content)) == (200, digest)
            for content in (CONFIG, b"one", b"two", b"three"):
                status, body = self.v2("GET", f"/v2/{name}/blobs/{digest_of(content)}")
                assert (status == 200) == (digest_of(content) in model.blobs)
                assert status == 404 or body == content

    def _tagged(self, model: Modelled, digest: str, tag: str) -> None:
        for tags in model.images.values():
            tags.discard(tag)
        if digest not in model.images:
            model.images[digest] = set()
            model.pushed[digest] = self.clock.now()
        model.images[digest].add(tag)
        self.clock.advance(timedelta(minutes=1))  # no two pushes at one time
        self._run()

    def _run(self) -> None:
        """Make the runs that are due: an index that goes frees its image for the next run."""
        for model in self.model.values():
            while model.next_run is not None and model.next_run <= self.clock.now():
                newest_last = sorted(model.images, key=lambda digest: model.pushed[digest])
                listed = set(model.indexes.values())
                for digest in newest_last[:-1]:
                    if digest not in listed:
                        model.delete(digest)
                model.next_run += timedelta(days=1)


FEW = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MANY = settings(FEW, max_examples=150, stateful_step_count=40, derandomize=False)


class TestFewRequests(BothPlanes.TestCase):  # type: ignore[misc]
    settings = FEW


@pytest.mark.soak
class TestManyRequests(BothPlanes.TestCase):  # type: ignore[misc]
    settings = MANY
