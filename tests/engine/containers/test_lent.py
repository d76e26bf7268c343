"""Programs that the engine lends to containers of stand-in images."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from labs_helpers.engine.containers.lent import nginx_program, static_busybox
from labs_helpers.sandbox.hub import image, recipe
from tests.engine.containers.conftest import client_of, page_at


@pytest.fixture(scope="module", params=["own", "nobody"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with client_of(request.param) as found:
        yield found


def test_a_stand_in_serves_the_page_that_was_copied_in(client: Any) -> None:
    assert nginx_program()
    client.images.load(_archive("nginx-alpine", "amd64"))
    found = client.containers.create("stand-in", ports={"80/tcp": None})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("index.html")
        member.size, member.mode = 5, 0o644
        archive.addfile(member, io.BytesIO(b"mine\n"))
    found.put_archive("/usr/share/nginx/html", buffer.getvalue())
    found.start()
    found.reload()
    port = found.ports["80/tcp"][0]["HostPort"]
    assert page_at(port) == b"mine\n"
    found.stop()
    assert found.wait()["StatusCode"] == 0
    found.remove()


@pytest.mark.skipif(static_busybox() is None, reason="the shell that is lent is busybox-static")
@pytest.mark.parametrize(
    "settings",
    [
        {"command": ["sh", "-c", "nginx -g 'daemon off;'"]},
        {"command": ["sh", "-c", "cd /tmp && exec nginx -g 'daemon off;'"]},
        {"entrypoint": ["/usr/sbin/nginx"], "command": ["-g", "daemon off;"]},
        {"command": ["nginx", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"]},
    ],
    ids=["by a shell", "from another folder", "by its path", "with its configuration"],
)
def test_a_stand_in_s_nginx_finds_its_files_whoever_starts_it(
    client: Any, settings: dict[str, Any]
) -> None:
    client.images.load(_archive("nginx-alpine", "amd64"))
    found = client.containers.run("stand-in", ports={"80/tcp": None}, detach=True, **settings)
    found.reload()
    port = found.ports["80/tcp"][0]["HostPort"]
    assert b"nginx" in page_at(port)
    assert found.exec_run(["nginx", "-t"]).exit_code == 0
    said = found.exec_run(["nginx", "-t"], user="nginx").output
    assert b'the "user" directive makes sense only if' in said or b"has one user, 0" in said
    found.remove(force=True)


def _archive(name: str, architecture: str) -> bytes:
    """A stand-in of the hub as `docker save` writes it (an OCI layout)."""
    built = image.build(recipe.load(name))
    buffer = io.BytesIO()
    index = json.loads(built.blobs[built.index])
    chosen = next(m for m in index["manifests"] if m["platform"]["architecture"] == architecture)
    chosen["annotations"] = {"io.containerd.image.name": "docker.io/library/stand-in:latest"}
    files = {f"blobs/sha256/{d.removeprefix('sha256:')}": c for d, c in built.blobs.items()}
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [chosen]}).encode()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
