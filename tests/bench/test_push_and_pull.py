"""200 MB pushed and pulled over one connection, beside CNCF distribution, in one run."""

import hashlib
import http.client
import statistics
import time
from pathlib import Path

import pytest

from tests.bench.servers import REGISTRY, distribution, sandbox

pytestmark = pytest.mark.bench

SIZE = 200 * 1024 * 1024
ROUNDS = 5


@pytest.fixture(scope="module")
def blob(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 MB that differ in every block, so that no server can take a short cut."""
    path = tmp_path_factory.mktemp("blob") / "layer"
    with path.open("wb") as file:
        for block in range(SIZE // (1024 * 1024)):
            file.write(hashlib.shake_128(block.to_bytes(4, "big")).digest(1024 * 1024))
    return path


def headers(token: str) -> dict[str, str]:
    return {"Host": REGISTRY} | ({"Authorization": token} if token else {})


def push(port: int, token: str, blob: Path, digest: str) -> float:
    """Seconds for POST, PATCH with the bytes, PUT: what docker and skopeo do."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun = time.perf_counter()
    connection.request("POST", "/v2/bench/image/blobs/uploads/", headers=headers(token))
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 202, answer.status
    place = answer.headers["Location"]
    with blob.open("rb") as body:
        sent = headers(token) | {
            "Content-Length": str(SIZE),
            "Content-Type": "application/octet-stream",
        }
        connection.request("PATCH", place.removeprefix(f"http://{REGISTRY}"), body, sent)
        answer = connection.getresponse()
        answer.read()
    # 202 of the specification, 201 of Amazon ECR
    assert answer.status in (201, 202), answer.status
    place = answer.headers["Location"].removeprefix(f"http://{REGISTRY}")
    joint = "&" if "?" in place else "?"
    connection.request("PUT", f"{place}{joint}digest={digest}", headers=headers(token))
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201, answer.status
    connection.close()
    return time.perf_counter() - begun


def pull(port: int, token: str, digest: str) -> float:
    """Seconds to read the blob; the digest is not computed, which is the client's work."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun = time.perf_counter()
    connection.request("GET", f"/v2/bench/image/blobs/{digest}", headers=headers(token))
    answer = connection.getresponse()
    buffer = bytearray(1024 * 1024)
    got = 0
    while count := answer.readinto(buffer):
        got += count
    assert (answer.status, got) == (200, SIZE)
    connection.close()
    return time.perf_counter() - begun


def peak_memory(pid: int) -> float:
    """MB at the highest, by the kernel's own count."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"no VmHWM for process {pid}")


def test_push_and_pull_beside_distribution(tmp_path: Path, blob: Path) -> None:
    with blob.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    times: dict[str, dict[str, list[float]]] = {}
    peaks: dict[str, float] = {}
    # a fresh registry for each push, or the second would find the blob there
    for turn in range(ROUNDS):
        for name, server in (("sandbox", sandbox), ("distribution", distribution)):
            with server(tmp_path / f"{name}{turn}") as (pid, port, token):
                figures = times.setdefault(name, {"push": [], "pull": []})
                figures["push"].append(push(port, token, blob, digest))
                figures["pull"].append(pull(port, token, digest))
                peaks[name] = max(peaks.get(name, 0), peak_memory(pid))
    for what in ("push", "pull"):
        one, other = (statistics.median(times[name][what]) for name in times)
        print(
            f"\n{what} 200 MB: sandbox {one:.2f} s, distribution {other:.2f} s ({one / other:.2f}x)"
        )
    print(f"peak memory: {', '.join(f'{name} {peak:.0f} MB' for name, peak in peaks.items())}")
