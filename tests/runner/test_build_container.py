"""The container of a build, whose image has a shell that does what it likes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runner import build_container
from labs_helpers.runner.build_container import MOST_SAID, BuildContainer
from labs_helpers.runner.build_images import BuildImage
from labs_helpers.runner.container_processes import ContainerProcesses


class Engine:
    """An engine with one container, whose programs write these parts until it is killed."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self.killed = threading.Event()

    def ask(self, method: str, path: str, *_: Any, **__: Any) -> Any:
        if path.endswith("/kill"):
            self.killed.set()
        return {"Id": "1", "Running": not self.killed.is_set(), "ExitCode": 137}

    def exec_output(self, _: str) -> Iterator[bytes]:
        for part in self._parts:
            if self.killed.is_set():
                return
            yield part
        self.killed.wait(60)


def container(engine: Engine, folder: Path) -> BuildContainer:
    image = BuildImage.__new__(BuildImage)
    object.__setattr__(image, "environment", {})
    return BuildContainer(engine, "c", image, folder)  # type: ignore[arg-type]


def flood() -> Iterator[bytes]:
    return itertools.repeat(b"x" * 4096)


def test_a_shell_that_writes_without_an_end_is_ended(tmp_path: Path) -> None:
    engine = Engine(flood())
    code, said = container(engine, tmp_path).call(["/bin/sh"], {})
    assert engine.killed.is_set()
    assert code == 137
    assert len(said) <= MOST_SAID + 4096


def test_a_shell_that_says_nothing_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_container, "_PATIENCE", 0.05)
    engine = Engine(iter(()))
    assert container(engine, tmp_path).call(["/bin/sh"], {}) == (137, "")
    assert engine.killed.is_set()


@pytest.mark.parametrize("parts", [flood, lambda: iter(())], ids=["floods", "hangs"])
def test_no_command_starts_with_such_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Any
) -> None:
    monkeypatch.setattr(build_container, "_PATIENCE", 0.05)
    engine = Engine(parts())
    processes = ContainerProcesses(lambda _: None, container(engine, tmp_path), tmp_path)
    try:
        with pytest.raises(OSError, match=r"^x{200}$|the container of the build has ended"):
            processes.run(["true"], {}, tmp_path)
    finally:
        processes.close()
