"""The words of the engine's API, beside what a real dockerd said: dockerd_said.json, in one place.

Each request was sent to dockerd 20.10.24 of Debian 12 on 2026-11-29, with an image box:1 and a
container "made" of it; `words` is its answer. Where the engine says something else on purpose,
`ours` and `ours_status` have the engine's answer, and `why` the reason: mostly that later versions
say so, whose source stands beside the engine's code. The words of `docker build`, of the stand-in
command and of containers that run are compared with real programs in tests/clients.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api.app import App
from labs_helpers.engine.api.http import Request
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.store import ImageStore

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("dockerd_said.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, dict[str, str]]]:
    """An engine's operations without its process; and what the names in the words stand for."""
    folder = tmp_path_factory.mktemp("engine")
    store = ImageStore(folder / "store")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    content.seek(0)
    layer = store.write_layer(content)
    config = {"os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]}}
    image = store.add_image(config, [layer], ["box:1"])
    backend = Backend(store, HostMap(None), folder)
    made = App(backend)
    body = b'{"Image": "box:1", "Cmd": ["x"]}'
    _, told = ask(made, "POST", "/containers/create?name=made", body)
    found = json.loads(told)["Id"]
    yield made, {"{id}": found, "{short}": found[:12], "{image}": image.short_id}
    store.close()


def ask(app: App, method: str, target: str, body: bytes) -> tuple[int, bytes]:
    path, _, query = target.partition("?")
    given = parse_qs(query, keep_blank_values=True)
    answer = app._respond(Request(method, path, given, {}, io.BytesIO(body)))
    return answer.status, b"".join(answer.body)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['path']} {case['body'] or ''}")
def test_a_refusal_has_dockers_words(app: tuple[App, dict[str, str]], case: dict[str, Any]) -> None:
    engine, names = app
    body = b"" if case["body"] is None else json.dumps(case["body"]).encode()
    status, told = ask(engine, case["method"], case["path"], body)
    wanted = case.get("ours", case["words"])
    for name, value in names.items():
        wanted = wanted.replace(name, value)
    assert (json.loads(told)["message"], status) == (
        wanted,
        case.get("ours_status", case["status"]),
    )


def test_what_differs_says_why() -> None:
    assert all(case["why"] for case in CASES if {"ours", "ours_status"} & set(case))
