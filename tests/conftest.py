"""What the tests share: the labs' own engine, whatever daemon the machine has, unless a test says.

Real daemons for those that do, a home for those of the `labs` command, and how workers share them.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from hypothesis import HealthCheck, settings

import tests.no_iris  # noqa: F401  (before any import of nbformat)
from labs_helpers.engine.front.address import Address
from labs_helpers.files import write_json
from labs_helpers.runtime import background_process
from labs_helpers.workspace import Workspace
from tests import forked_servers, tiers, workers
from tests.clients import daemons
from tests.labs.commands import Commands, shared, stop_shared

# No test asserts a time, and other workers may have the cores.
settings.register_profile("labs", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("labs")

os.environ["LABS_ENGINE"] = "embedded"
os.environ.pop("LABS_HUB", None)
# Tests start hundreds of Pythons: each would compile the labs again where byte code is not kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_make_loader = botocore.session.create_loader
_read_models: dict[str | None, dict[Any, Any]] = {}


def _loader(paths: str | None = None) -> botocore.loaders.Loader:
    """A loader for a session of boto3's own, which reads no model that an earlier session read."""
    loader = _make_loader(paths)
    loader._cache = _read_models.setdefault(paths, {})
    return loader


# Tests make thousands of sessions, so that none has another's keys; a client's model is always the
# same, and to read the model takes five times as long as all else of a client.
botocore.session.create_loader = _loader


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a test starts in its own process is a fork, unless the test measures or is long."""
    measured = item.get_closest_marker("soak") or item.get_closest_marker("bench")
    chosen = subprocess if measured else forked_servers.module
    background_process.subprocess = chosen  # type: ignore[assignment]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Nothing of a collection is garbage: ten thousand tests are made, and they all stay.

    So Python does not look for garbage meanwhile, nor among the tests at each look later.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


LEARNER = {"access_key_id": "AKIAEXAMPLE0000000AA", "secret_access_key": "s3cr+t/==" + "x" * 31}


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        tiers.mark(item)
        workers.check(item)
    if hasattr(config, "workerinput"):
        items.sort(key=workers.order)


def pytest_sessionfinish() -> None:
    stop_shared()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, with `-n`
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> workers.Groups:
    return workers.Groups(config, log)


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Address]:
    with daemons.dockerd() as address:
        yield address


@pytest.fixture(scope="session")
def dockerd_on_vfs() -> Iterator[Address]:
    with daemons.dockerd_on_vfs() as address:
        yield address


@pytest.fixture(scope="session")
def containerd() -> Iterator[Address]:
    with daemons.containerd() as address:
        yield address


@pytest.fixture(scope="session")
def podman() -> Iterator[Address]:
    with daemons.podman() as address:
        yield address


@pytest.fixture(scope="session")
def commands() -> Commands:
    """`aws`, `docker` and `labs` that begin at once, for scripts of bash (`for_bash`)."""
    return shared()


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A home with a key in it, named by LABS_HOME as a learner would."""
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    for name in [name for name in os.environ if name.startswith(("AWS_", "LABS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LABS_HOME", str(folder / "h"))
    monkeypatch.setenv("LABS_ENGINE", "embedded")
    made = Workspace.find().create()
    write_json(made.learner, LEARNER)
    yield made
    shutil.rmtree(folder)
