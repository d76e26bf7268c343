"""Every query parameter of the engine's API is carried out, refused by name, or changes nothing."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api.app import ROUTES, App
from labs_helpers.engine.api.parameters import OPERATIONS, Moot, Refused
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.save import save
from labs_helpers.engine.store import ImageStore
from tests.engine.build.building import Builder, archive

DOCKERFILE = "FROM app:1 AS first\nARG A\nLABEL a=$A\nFROM first\nLABEL b=1\n"

BASE: dict[str, dict[str, str]] = {
    "create": {"fromSrc": "-", "repo": "fs"},
    "delete": {"force": "1"},
    "save": {},
    "tag": {"repo": "other"},
}
"""The parameters that an operation needs beside the one under test."""

VALUES = {
    "build": {
        **{"dockerfile": "Other", "t": "x:2", "extrahosts": "no address", "q": "1"},
        **{"nocache": "1", "cachefrom": '["missing:1"]', "pull": "1", "buildargs": '{"A":"2"}'},
        **{"labels": '{"l":"1"}', "networkmode": "container:x", "platform": "linux/arm64"},
        **{"target": "first", "version": "2"},
    },
    "create": {
        **{"fromImage": "nginx", "fromSrc": "http://x", "repo": "other", "tag": "2"},
        **{"message": "why", "changes": "ENV a=b", "platform": "linux/arm64"},
    },
    "list_images": {"all": "1", "filters": '{"reference":["x"]}', "shared-size": "1"},
    "save": {"names": "app:1"},
    "load": {"quiet": "0"},
    "push": {"tag": "9", "platform": '{"os":"linux","architecture":"arm64"}'},
    "prune": {"filters": '{"dangling":["false"]}'},
    "tag": {"repo": "third", "tag": "2"},
    "delete": {"force": "0", "noprune": "1"},
    "disk_usage": {"type": "volume"},
    "containers": {"filters": '{"x":["1"]}', "limit": "x"},
}
"""A value of each parameter that has an effect; of filters, elsewhere, one that dockerd refuses."""


class Engine:
    """An engine with app:1, app:2 and deep:1 on top of it, and an image without a name."""

    def __init__(self, folder: Path) -> None:
        registries = folder / "registries.json"
        registries.write_text('{"hosts": [], "offline": true}')
        scratch = folder / "scratch"
        scratch.mkdir()
        self.store = ImageStore(folder / "state", durable=False)
        self.app = App(Backend(self.store, HostMap(registries), scratch))
        builder = Builder(self.store, scratch)
        files = {"f": "x"}
        builder.build("FROM scratch\nCOPY f /\nLABEL y=1\n", files, tags=["app:1"])
        builder.build("FROM app:1\nLABEL z=1\n", files, tags=["app:2"])
        builder.build("FROM scratch\nLABEL n=1\n")
        self.deep = builder.build("FROM app:1\nLABEL q=1\nLABEL r=1\n", tags=["deep:1", "deep:2"])
        self.archive = b"".join(save(["app:1"], self.store))

    def ask(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        seen: list[Any] = []
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": urlencode(query),
            "wsgi.input": io.BytesIO(body),
        }
        answer = b"".join(self.app(environ, lambda status, _: seen.append(int(status.split()[0]))))
        return seen[0], answer

    def images(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(image.id, image.names) for image in self.store.list()]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = Engine(tmp_path)
    yield found
    found.store.close()


def _cases() -> Iterator[Any]:
    for operation, parameters in OPERATIONS.items():
        for name, rule in parameters.items():
            yield pytest.param(operation, name, rule, id=f"{operation.__name__} {name}")


def _request(operation: Any, query: dict[str, str], engine: Engine) -> tuple[Any, ...]:
    method, pattern = next((m, p) for m, p, found in ROUTES if found is operation)
    name = "app" if operation.__name__ == "push" else "app:1"
    if operation.__name__ == "delete":
        name = engine.deep.id
    path = re.sub(r"\(\?P<name>.+?\)", name, pattern)
    body = {
        "build": archive({"Dockerfile": DOCKERFILE, "Other": "FROM scratch\nLABEL o=1\n"}),
        "create": archive({"f": "x"}),
        "load": io.BytesIO(engine.archive),
    }.get(operation.__name__, io.BytesIO())
    status, answer = engine.ask(method, path, query, body.getvalue())
    answer = re.sub(rb"\d{10}\.\d+|\d{4}-\d\d-\d\dT[\d:.]+Z", b"", answer)
    return status, answer, engine.images()


@pytest.mark.parametrize(("operation", "name", "rule"), list(_cases()))
def test_no_parameter_is_taken_and_ignored(
    engine: Engine, tmp_path: Path, operation: Any, name: str, rule: Refused | Moot | None
) -> None:
    """Reported as S12."""
    base = BASE.get(operation.__name__, {})
    bad = '{"no-such-filter":["1"]}'
    value = VALUES.get(operation.__name__, {}).get(name, bad if name == "filters" else "x")
    if operation.__name__ == "build":
        _request(operation, base, engine)  # so that the cache has the steps
    status, answer, images = _request(operation, {**base, name: value}, engine)
    if isinstance(rule, Refused):
        assert status == (400 if rule.malformed else 501)
        message = json.loads(answer)["message"]
        if rule.malformed:
            assert message == rule.why.format(value)
        else:
            assert f"{name}={value}" in message or "keeps no events" in message
        return
    (tmp_path / "other").mkdir()
    other = Engine(tmp_path / "other")
    if operation.__name__ == "build":
        _request(operation, base, other)
    plain = _request(operation, base, other)
    other.store.close()
    if isinstance(rule, Moot):
        assert (status, answer, images) == plain
    else:
        assert (status, answer, images) != plain


@pytest.mark.parametrize("value", ["", "0", "false", "null", "[]"])
def test_a_value_that_asks_for_nothing_is_accepted(engine: Engine, value: str) -> None:
    query = dict.fromkeys(("memory", "shmsize", "ulimits", "squash", "cpusetcpus"), value)
    body = archive({"Dockerfile": DOCKERFILE}).getvalue()
    status, answer = engine.ask("POST", "/build", query, body)
    assert (status, b"Successfully built" in answer) == (200, True)
