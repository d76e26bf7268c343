"""Whatever a client sends: an answer that says what is wrong, and nothing written outside."""

from __future__ import annotations

import io
import json
import logging
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api.app import App
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.store import ImageStore

SAID = {501, 503}
"""What the engine does not do, said so; any other 5xx is a fault."""

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.text(max_size=30)
PATHS = st.sampled_from(
    [
        *(
            "images",
            "json",
            "create",
            "load",
            "get",
            "prune",
            "build",
            "auth",
            "_ping",
            "v1.47",
            "v9.9",
        ),
        *(
            "push",
            "tag",
            "history",
            "distribution",
            "manifest",
            "system",
            "df",
            "info",
            "..",
            "a:b",
        ),
        *("sha256:" + "a" * 64, "%2e%2e", "search", "containers", ""),
    ]
)
KEYS = st.sampled_from(
    [
        *("filters", "fromImage", "tag", "repo", "names", "t", "buildargs", "labels", "dockerfile"),
        *("target", "platform", "version", "remote", "force", "all", "quiet", "q", "nocache"),
    ]
)
VALUES = st.one_of(
    TEXT,
    st.sampled_from(
        [
            *(
                '{"dangling":["x"]}',
                '{"until":["1e999"]}',
                '{"label":{"a":true}}',
                "[]",
                "[[]]",
                "null",
            ),
            *(
                '{"until":["9999999999999999999"]}',
                '{"before":[""]}',
                '{"a":null}',
                "linux/" * 9,
                "1",
            ),
        ]
    ),
)
HEADERS = st.sampled_from(["HTTP_X_REGISTRY_AUTH", "HTTP_X_REGISTRY_CONFIG", "CONTENT_TYPE"])
MEMBERS = st.sampled_from(
    [
        *(
            "manifest.json",
            "index.json",
            "oci-layout",
            "../../evil",
            "/abs",
            "a/layer.tar",
            "a.json",
        ),
        *("blobs/sha256/" + "a" * 64, "Dockerfile", ".dockerignore", "x" * 300, "a\u00e9"),
    ]
)
DOCUMENTS = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(["a.json", "a/layer.tar", "../x"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    *("Config", "Layers", "RepoTags", "manifests", "digest", "size", "mediaType"),
                    *(
                        "rootfs",
                        "diff_ids",
                        "config",
                        "history",
                        "created",
                        "annotations",
                        "platform",
                    ),
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
CONTENT = st.one_of(st.binary(max_size=40), DOCUMENTS.map(lambda found: json.dumps(found).encode()))


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with tempfile.TemporaryDirectory() as folder:
        registries = Path(folder) / "registries.json"
        registries.write_text('{"hosts": [], "offline": true}')
        scratch = Path(folder) / "scratch"
        scratch.mkdir()
        store = ImageStore(Path(folder) / "state")
        yield App(Backend(store, HostMap(registries), scratch))
        store.close()


def ask(
    app: App, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> tuple[int, bytes]:
    """One request as cheroot hands it over; the status and all of the answer."""
    seen: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        seen.append(status)

    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
        **headers,
    }
    answer = b"".join(app(environ, start_response))
    return int(seen[0].split()[0]), answer


def fault(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.exc_text or record.message for record in caplog.records)


@FUZZ
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "HEAD", "PUT"]),
    parts=st.lists(PATHS, max_size=4),
    query=st.dictionaries(KEYS, VALUES, max_size=3),
    headers=st.dictionaries(HEADERS, TEXT, max_size=2),
    body=st.binary(max_size=60),
)
def test_any_request_gets_an_answer(
    app: App,
    caplog: pytest.LogCaptureFixture,
    method: str,
    parts: list[str],
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
) -> None:
    caplog.set_level(logging.ERROR)
    caplog.clear()
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    path = quote("/" + "/".join(parts)).encode().decode("latin-1")
    status, answer = ask(app, method, path, urlencode(query, errors="replace"), encoded, body)
    assert status < 500 or status in SAID, (status, answer, fault(caplog))


@FUZZ
@given(
    members=st.lists(
        st.tuples(MEMBERS, CONTENT, st.sampled_from([b"0", b"0", b"0", b"1", b"2", b"5", b"x"])),
        max_size=5,
    ),
    cut=st.integers(0, 6000),
    path=st.sampled_from(["/images/load", "/build", "/images/load"]),
)
def test_any_archive_gets_an_answer(
    app: App,
    caplog: pytest.LogCaptureFixture,
    members: list[tuple[str, bytes, bytes]],
    cut: int,
    path: str,
) -> None:
    caplog.set_level(logging.ERROR)
    caplog.clear()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "../../etc/passwd"
            tar.addfile(member, io.BytesIO(content))
    data = out.getvalue()
    status, answer = ask(app, "POST", path, "", {}, data[: len(data) - cut] if cut else data)
    assert status < 500, (status, answer, fault(caplog))
    assert not caplog.records, fault(caplog)
