"""No input gives a 5xx or a traceback, and no input reaches outside the store."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from labs_helpers.oci import digest
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import repositories, tokens
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.registry.app import RegistryApp
from labs_helpers.sandbox.registry.rules import OCI
from tests.sandbox.ecr.operations.ecr_api import allow_all
from tests.sandbox.registry.registry_server import ACCOUNT, HOME, LEARNER, REGION, START

SOME = digest.of_bytes(b"some")


class Direct:
    """Calls the application without a server, with any input that a server may pass on."""

    def __init__(self, root: Path) -> None:
        clock = Clock(frozen_at=START)
        self.root = root
        self.store = Store(root / "ecr", clock)
        repositories.create(self.store, HOME, "demo")
        self.token = tokens.mint(self.store, LEARNER, REGION).password
        self.app = RegistryApp(self.store, clock, allow_all, ACCOUNT, REGION, OCI)

    def call(
        self, method: str, path: str, query: str = "", body: bytes = b"", **environ: str
    ) -> tuple[int, dict[str, str], bytes]:
        return asked(self.app, self.token, HOME.host, method, path, query, body, **environ)


def asked(
    app: Any,
    token: str,
    host: str,
    method: str,
    path: str,
    query: str = "",
    body: bytes = b"",
    **environ: str,
) -> tuple[int, dict[str, str], bytes]:
    """What an application answers: status, headers, which HTTP can carry, and body."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": host,
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = app(request, lambda status, headers: started.append((status, headers)))
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    status, headers = started[0]
    for name, value in headers:
        assert not set("\r\n\0") & set(name + value), (name, value)
        (name + value).encode("latin-1")
    return int(status.split()[0]), dict(headers), content


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    made = Direct(tmp_path_factory.mktemp("direct"))
    yield made
    made.store.close()


# WSGI passes paths as latin-1 text (PEP 3333)
raw = st.binary(max_size=40).map(lambda data: data.decode("latin-1"))
segment = st.one_of(
    st.sampled_from(["demo", "v1", SOME, "a" * 300, "", ".", "..", "%2e%2e", "\0"]),
    st.sampled_from(["blobs", "uploads", "manifests", "tags", "list", "referrers", "_catalog"]),
    st.sampled_from(["sha256:..", "sha256:../../etc", "sha512:x", "md5:0"]),
    raw,
)
methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"])
query = st.one_of(
    st.just(""),
    st.text(max_size=30).map(quote),
    st.sampled_from(
        [f"digest={SOME}", "digest=x", f"mount={SOME}&from=..", "n=-1", "n=1&last=%00"]
    ),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_RANGE": st.one_of(raw, st.from_regex(r"bytes=\d*-\d*", fullmatch=True)),
        "HTTP_CONTENT_RANGE": st.one_of(raw, st.from_regex(r"\d+-\d+", fullmatch=True)),
        "HTTP_IF_NONE_MATCH": raw,
        "HTTP_IF_RANGE": raw,
        "HTTP_HOST": raw,
        "HTTP_AUTHORIZATION": raw,
        "HTTP_TRANSFER_ENCODING": st.sampled_from(["chunked", "gzip"]),
        "CONTENT_TYPE": raw,
        "CONTENT_LENGTH": st.one_of(raw, st.integers(0, 99).map(str)),
    },
)

relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(methods, st.lists(segment, max_size=6), query, st.binary(max_size=50), headers)
def test_any_request_is_answered(
    direct: Direct, method: str, parts: list[str], query: str, body: bytes, headers: dict[str, str]
) -> None:
    status, _, _ = direct.call(method, "/v2/" + "/".join(parts), query, body, **headers)
    assert 200 <= status < 500
    assert {path.name for path in direct.root.iterdir()} == {"ecr"}


@relaxed
@given(raw)
def test_any_credentials_are_judged(direct: Direct, header: str) -> None:
    for scheme in ("", "Basic ", "Bearer "):
        status, _, _ = direct.call("GET", "/v2/", HTTP_AUTHORIZATION=scheme + header)
        assert status in {400, 401}


@relaxed
@given(st.binary(max_size=200), raw)
def test_any_manifest_is_taken_or_refused(direct: Direct, body: bytes, kind: str) -> None:
    status, _, _ = direct.call("PUT", "/v2/demo/manifests/v1", body=body, CONTENT_TYPE=kind)
    assert status in {201, 400, 404}


class Uploading(RuleBasedStateMachine):
    """Parts in any order: what is acknowledged is what is stored, byte for byte."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.direct = Direct(Path(self.folder.name))
        self.begin()

    @rule()
    def begin(self) -> None:
        _, headers, _ = self.direct.call("POST", "/v2/demo/blobs/uploads/")
        self.location = headers["Location"]
        self.model = b""
        self.over = False

    @rule(data=st.binary(max_size=20), shift=st.integers(-3, 3), says=st.booleans())
    def send_part(self, data: bytes, shift: int, says: bool) -> None:
        first = len(self.model) + shift
        given = {"HTTP_CONTENT_RANGE": f"{first}-{first + len(data) - 1}"} if says else {}
        status, _, _ = self.direct.call("PATCH", self.location, body=data, **given)
        if self.over:
            assert status in {400, 404, 416}
        elif says and (shift or not data):
            assert status == 416
        else:
            assert status == 202
            self.model += data

    @rule(announced=st.integers(1, 9), data=st.binary(max_size=20))
    def send_too_little(self, announced: int, data: bytes) -> None:
        length = str(len(data) + announced)
        status, _, _ = self.direct.call("PATCH", self.location, body=data, CONTENT_LENGTH=length)
        assert status in {400, 404}

    @rule()
    def restart(self) -> None:
        self.direct.store.close()
        clock = Clock(frozen_at=START)
        self.direct.store = Store(self.direct.root / "ecr", clock)
        here = (ACCOUNT, REGION, OCI)
        self.direct.app = RegistryApp(self.direct.store, clock, allow_all, *here)

    @rule(right=st.booleans())
    def finish(self, right: bool) -> None:
        name = digest.of_bytes(self.model if right else self.model + b"!")
        status, _, _ = self.direct.call("PUT", self.location, f"digest={name}")
        assert status == (404 if self.over else 201 if right else 400)
        if status == 201:
            assert self.direct.call("GET", f"/v2/demo/blobs/{name}")[2] == self.model
        self.over = True

    @invariant()
    def the_registry_says_what_it_has(self) -> None:
        if not hasattr(self, "direct"):
            return
        status, headers, _ = self.direct.call("GET", self.location)
        if self.over:
            assert status == 404
        else:
            assert headers["Range"] == f"0-{max(len(self.model) - 1, 0)}"

    def teardown(self) -> None:
        if hasattr(self, "direct"):
            self.direct.store.close()
            self.folder.cleanup()


TestUploading = Uploading.TestCase
TestUploading.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
