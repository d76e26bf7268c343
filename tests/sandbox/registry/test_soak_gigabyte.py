"""A gigabyte through the data plane: memory stays bounded for every way of push and pull."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.servers import REGISTRY, sandbox

pytestmark = pytest.mark.soak

PIECE = 1024 * 1024
PIECES = 1024
LIMIT = 100
"""MB, what the sandbox may have resident at its highest."""


def gigabyte() -> Iterator[bytes]:
    """The same 1 GB each time, no two pieces alike."""
    body = hashlib.shake_128(b"gigabyte").digest(PIECE - 4)
    return (number.to_bytes(4, "big") + body for number in range(PIECES))


@pytest.fixture(scope="module")
def digest() -> str:
    running = hashlib.sha256()
    for piece in gigabyte():
        running.update(piece)
    return f"sha256:{running.hexdigest()}"


def peak(pid: int) -> float:
    """The peak of resident memory in MB, as the kernel counts it."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("how", ["announced", "chunked", "monolithic"])
def test_memory_stays_bounded(tmp_path: Path, digest: str, how: str) -> None:
    with sandbox(tmp_path / "home") as (pid, port, token):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        common = {"Host": REGISTRY, "Authorization": token}

        def ask(
            method: str, target: str, body: object = None, **more: str
        ) -> http.client.HTTPResponse:
            headers = common | {name.replace("_", "-"): value for name, value in more.items()}
            connection.request(
                method, target, body, headers, encode_chunked="Transfer_Encoding" in more
            )
            answer = connection.getresponse()
            assert answer.status < 300, answer.read()
            return answer

        began = ask("POST", "/v2/bench/image/blobs/uploads/")
        began.read()
        place = began.headers["Location"].removeprefix(f"http://{REGISTRY}")
        length = {"Content_Length": str(PIECE * PIECES)}
        if how != "monolithic":
            given = length if how == "announced" else {"Transfer_Encoding": "chunked"}
            sent = ask("PATCH", place, gigabyte(), **given)
            sent.read()
            place = sent.headers["Location"].removeprefix(f"http://{REGISTRY}")
        joint = "&" if "?" in place else "?"
        whole = (gigabyte(), length) if how == "monolithic" else (None, {})
        ask("PUT", f"{place}{joint}digest={digest}", whole[0], **whole[1]).read()

        pulled = ask("GET", f"/v2/bench/image/blobs/{digest}")
        running = hashlib.sha256()
        while piece := pulled.read(PIECE):
            running.update(piece)
        assert f"sha256:{running.hexdigest()}" == digest
        highest = peak(pid)
        print(f"\n1 GB {how}: {highest:.0f} MB at the highest")
        assert highest < LIMIT
