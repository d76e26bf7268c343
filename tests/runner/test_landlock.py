"""What the runner asks of Landlock, on a kernel of each version."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runner import landlock

CONNECT = 1 << 16


class Kernel:
    """A kernel that keeps what it is asked; a rule has rights, and the kind of the path."""

    def __init__(self, version: int, folder: Path) -> None:
        self.version, self.folder = version, folder
        self.handled = 0
        self.rules: list[tuple[int, bool]] = []

    def syscall(self, number: int, *arguments: Any) -> int:
        if number == 444:
            if arguments[0] is None:
                return self.version
            (self.handled,) = struct.unpack_from("<Q", arguments[0])
            return os.open(self.folder, os.O_PATH)
        if number == 445:
            rights, descriptor = struct.unpack("<Qi", arguments[2])
            assert rights & ~self.handled == 0, "the kernel refuses rights that it does not govern"
            assert rights, "the kernel refuses a rule without rights"
            self.rules.append((rights, stat.S_ISSOCK(os.fstat(descriptor).st_mode)))
        return 0

    def prctl(self, *_: int) -> int:
        return 0


def restricted(version: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel(version, folder)
    monkeypatch.setattr(landlock, "_libc", lambda: kernel)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "s"))
        landlock.restrict([folder], [folder], [], [folder / "s"])
    return kernel


def test_linux_7_1_lets_a_build_connect_to_the_engine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = restricted(9, tmp_path, monkeypatch)
    assert kernel.handled & CONNECT
    assert [rights for rights, is_socket in kernel.rules if is_socket] == [CONNECT]
    # below the build's own folder it connects as it likes; elsewhere nowhere
    assert sum(bool(rights & CONNECT) for rights, _ in kernel.rules) == 2


@pytest.mark.parametrize("version", [1, 3, 6, 8])
def test_an_older_kernel_is_asked_for_nothing_that_it_does_not_know(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = restricted(version, tmp_path, monkeypatch)
    assert not kernel.handled & CONNECT
    assert not any(is_socket for _, is_socket in kernel.rules)
