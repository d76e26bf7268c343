"""The engine as a process: it starts, is killed, starts again, stops."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.__main__ import main
from labs_helpers.engine.store import ImageStore
from tests.engine.test_api import archive, image_members


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="labs"))
    yield found
    shutil.rmtree(found)


def started(folder: Path) -> subprocess.Popen[str]:
    """An engine process that serves."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "labs_helpers.engine"),
            *("--socket", str(folder / "d.sock"), "--state", str(folder / "engine")),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "the labs engine serves on" in process.stderr.readline()
    return process


def connected(folder: Path) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(20)
    connection.sock.connect(str(folder / "d.sock"))
    return connection


def test_a_kill_in_the_middle_of_a_load_leaves_nothing_half(folder: Path) -> None:
    process = started(folder)
    body = archive(*image_members())
    whole = connected(folder)
    whole.request("POST", "/images/load", body)
    assert b"Loaded image: loaded:1" in whole.getresponse().read()
    whole.close()

    half = connected(folder)
    half.putrequest("POST", "/images/load")
    half.putheader("Content-Length", str(len(body)))
    half.endheaders(body[: len(body) // 2])
    process.kill()
    process.communicate()
    half.close()
    # what a pull that was killed leaves: a blob of no image, and one half written
    (folder / "engine/blobs/incoming/half").write_bytes(b"x")
    (folder / "engine/blobs/sha256" / ("0" * 64)).write_bytes(b"x")

    process = started(folder)
    again = connected(folder)
    again.request("GET", "/images/json?all=1")
    assert again.getresponse().read().count(b'"Id"') == 1
    again.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    process.communicate()
    assert not (folder / "d.sock").exists()
    store = ImageStore(folder / "engine")
    (image,) = store.list()
    assert list(store.blobs.digests()) == [layer.digest for layer in image.layers]
    assert list((folder / "engine/blobs/incoming").iterdir()) == []
    store.close()


def test_a_second_engine_does_not_take_the_socket(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = started(folder)
    code = main(["--socket", str(folder / "d.sock"), "--state", str(folder / "other")])
    assert code == 1
    assert "another engine serves" in capsys.readouterr().err
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_path_too_long_for_a_socket_names_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ("x" * 120) / "docker.sock"
    assert main(["--socket", str(path), "--state", str(tmp_path / "engine")]) == 1
    assert "LABS_HOME" in capsys.readouterr().err
    assert not (tmp_path / "engine").exists()
