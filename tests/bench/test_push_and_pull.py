"""200 MB pushed and pulled over one connection, beside CNCF distribution, in one run.

Seconds depend on what else the machine does; a server's own seconds of CPU hardly do.
"""

import base64
import gzip
import hashlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from tests.bench.servers import REGISTRY, distribution, nothing, sandbox

pytestmark = pytest.mark.bench

SIZE = 200 * 1024 * 1024
ROUNDS = 5
PIECE = 1024 * 1024
"""Bytes that the client sends and reads at once; 8 KB, which http.client sends otherwise, would
measure the client."""


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
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=PIECE)
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
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=PIECE)
    begun = time.perf_counter()
    connection.request("GET", f"/v2/bench/image/blobs/{digest}", headers=headers(token))
    answer = connection.getresponse()
    buffer = bytearray(PIECE)
    got = 0
    while count := answer.readinto(buffer):
        got += count
    assert (answer.status, got) == (200, SIZE)
    connection.close()
    return time.perf_counter() - begun


def hashed_and_written(blob: Path, target: Path) -> float:
    """Seconds to read the blob, hash and write it in pieces, and have it on the disk."""
    begun = time.perf_counter()
    sha256 = hashlib.sha256()
    with blob.open("rb") as source, target.open("wb") as file:
        while piece := source.read(PIECE):
            sha256.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - begun


def peak_memory(pid: int) -> float:
    """MB at the highest, by the kernel's own count."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"no VmHWM for process {pid}")


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that the process has had, all its threads and the kernel's work included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_push_and_pull_beside_distribution(tmp_path: Path, blob: Path) -> None:
    with blob.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    times: dict[str, dict[str, list[float]]] = {}
    cpu: dict[str, list[float]] = {}
    peaks: dict[str, float] = {}
    # a fresh registry for each push, or the second would find the blob there
    for turn in range(ROUNDS):
        for name, server in (("sandbox", sandbox), ("distribution", distribution)):
            with server(tmp_path / f"{name}{turn}") as (pid, port, token):
                figures = times.setdefault(name, {"push": [], "pull": []})
                before = cpu_seconds(pid)
                figures["push"].append(push(port, token, blob, digest))
                cpu.setdefault(name, []).append(cpu_seconds(pid) - before)
                figures["pull"].append(pull(port, token, digest))
                peaks[name] = max(peaks.get(name, 0), peak_memory(pid))
        written = tmp_path / f"written{turn}"
        before = time.process_time()
        times.setdefault("sha256 and write", {"push": [], "pull": []})["push"].append(
            hashed_and_written(blob, written)
        )
        cpu.setdefault("sha256 and write", []).append(time.process_time() - before)
        written.unlink()
    plain = statistics.median(times.pop("sha256 and write")["push"])
    ours = statistics.median(times["sandbox"]["push"])
    print(
        f"\npush 200 MB: sandbox {ours:.2f} s, sha256 and write {plain:.2f} s ({ours / plain:.2f}x)"
    )
    for what in ("push", "pull"):
        one, other = (statistics.median(times[name][what]) for name in times)
        print(
            f"\n{what} 200 MB: sandbox {one:.2f} s, distribution {other:.2f} s ({one / other:.2f}x)"
        )
    used = {name: statistics.median(seconds) for name, seconds in cpu.items()}
    print(f"CPU of a push: {', '.join(f'{name} {each:.2f} s' for name, each in used.items())}")
    print(f"peak memory: {', '.join(f'{name} {peak:.0f} MB' for name, peak in peaks.items())}")


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "tar"])
def test_skopeo_pushes_200_mb(tmp_path: Path, blob: Path, compressed: bool) -> None:
    """The same image of one layer, as an ordinary client pushes it.

    skopeo compresses a layer that is no gzip. The registry that stores nothing shows what skopeo
    itself costs, which no registry can push below.
    """
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        pytest.skip("skopeo is not installed (Debian: skopeo)")
    layer = stored_as_gzip(blob, tmp_path / "layer.gz") if compressed else blob
    image = layout(tmp_path / "image", layer)
    servers = {"sandbox": sandbox, "distribution": distribution, "nothing": nothing}
    taken: dict[str, list[float]] = {name: [] for name in servers}
    for turn in range(ROUNDS):
        for name, server in servers.items():
            with server(tmp_path / f"{name}{turn}") as (_, port, token):
                place = f"docker://127.0.0.1:{port}/bench/image:v1"
                command = [skopeo, "copy", "--quiet", "--dest-tls-verify=false"]
                if token:
                    secret = base64.b64decode(token.removeprefix("Basic ")).decode()
                    command += ["--dest-creds", secret]
                begun = time.perf_counter()
                subprocess.run([*command, f"oci:{image}:v1", place], check=True)
                taken[name].append(time.perf_counter() - begun)
            shutil.rmtree(tmp_path / f"{name}{turn}", ignore_errors=True)
    one, other, floor = (statistics.median(taken[name]) for name in servers)
    print(
        f"\nskopeo push 200 MB ({'gzip' if compressed else 'compressed by skopeo'}): sandbox "
        f"{one:.2f} s, distribution {other:.2f} s ({one / other:.2f}x), a registry that stores "
        f"nothing {floor:.2f} s ({floor / other:.2f}x)"
    )


def stored_as_gzip(source: Path, target: Path) -> Path:
    """The bytes in gzip's form without compression, which costs the test no time."""
    with source.open("rb") as file, gzip.open(target, "wb", compresslevel=0) as archive:
        shutil.copyfileobj(file, archive, PIECE)
    return target


def layout(folder: Path, layer: Path) -> Path:
    """An OCI layout with an image of one layer, tagged v1."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    kind = "application/vnd.oci.image"
    big = put(layer.read_bytes(), f"{kind}.layer.v1.tar+gzip")
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [big["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": put(json.dumps(config).encode(), f"{kind}.config.v1+json"),
        "layers": [big],
    }
    listed = put(json.dumps(manifest).encode(), f"{kind}.manifest.v1+json")
    listed["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [listed]}))
    return folder
