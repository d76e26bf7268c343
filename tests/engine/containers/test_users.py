"""The users in a container of an ordinary user to whom /etc/subuid gives a range of users."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from labs_helpers.engine.subordinate import granted, most, ranges
from tests.engine.containers.conftest import client_of, engine, load_box, run


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with client_of("ranges") as found:
        found.images.build(fileobj=_context(), custom_context=True, tag="owned", rm=True)
        yield found


def _context() -> io.BytesIO:
    files = (
        ("Dockerfile", 0, 0o644, b"FROM box\nADD layer.tar /\nVOLUME /kept\nUSER 101\n"),
        ("layer.tar", 0, 0o644, _layer()),
    )
    return io.BytesIO(_tar(files))


def _layer() -> bytes:
    return _tar(
        (
            ("srv/", 70, 0o700, b""),
            ("srv/private", 70, 0o600, b"of 70\n"),
            ("kept/", 101, 0o755, b""),
            ("kept/first", 101, 0o600, b"of 101\n"),
        )
    )


def _tar(files: tuple[tuple[str, int, int, bytes], ...]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, owner, mode, content in files:
            member = tarfile.TarInfo(name.rstrip("/"))
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            member.uid = member.gid = owner
            member.mode, member.size = mode, len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_the_engine_says_how_many_users_there_are(client: Any) -> None:
    said = dict(client.info()["DriverStatus"])["Isolation"]
    assert "users (/etc/subuid), and so does each RUN of a build" in said


def test_another_user_is_truly_another(client: Any) -> None:
    assert run(client, "id -u", user="app") == "1000\n"
    assert "denied" in run(client, "touch /x", user="app")
    kept = client.containers.run("box", ["sleep", "60"], detach=True)
    pid = client.api.inspect_container(kept.id)["State"]["Pid"]
    outside = Path(f"/proc/{pid}").stat().st_uid
    assert kept.exec_run(["id", "-u"], user="app").output == b"1000\n"
    assert kept.exec_run(["kill", "-9", "1"], user="app").exit_code == 1
    assert outside not in (0, 1000)
    kept.remove(force=True)


def test_files_of_a_layer_belong_to_their_users(client: Any) -> None:
    def seen(user: str) -> str:
        command = ["sh", "-c", "cat /srv/private; stat -c %u:%g:%a /srv /srv/private"]
        made = client.containers.run("owned", command, user=user, detach=True)
        made.wait()
        text = str(made.logs().decode())
        made.remove()
        return text

    assert seen("70") == seen("0") == "of 70\n70:70:700\n70:70:600\n"
    assert "Permission denied" in seen("101")


def test_a_change_of_an_owner_is_true_and_everything_can_be_removed(client: Any) -> None:
    script = "mkdir -m 700 /d; touch /d/f; chown -R 70:70 /d; stat -c %u:%g /d/f"
    made = client.containers.run("box", ["sh", "-c", script], detach=True)
    made.wait()
    assert made.logs() == b"70:70\n"
    stream, _ = made.get_archive("/d")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        assert {member.uid for member in archive} == {70}
    made.remove()


def test_a_volume_gets_the_files_and_owners_of_the_image(client: Any) -> None:
    script = "cat /kept/first; touch /kept/mine; chmod 700 /kept; stat -c %u /kept/mine"
    mount = {"owned": {"bind": "/kept", "mode": "rw"}}
    made = client.containers.run("owned", ["sh", "-c", script], volumes=mount, detach=True)
    made.wait()
    assert made.logs() == b"of 101\n101\n"
    made.remove()
    assert "mine" in run(client, "ls /kept", volumes=mount)
    client.volumes.get("owned").remove()


def test_what_a_run_gives_to_a_user_is_that_user_s_in_a_container(client: Any) -> None:
    text = "FROM box\nRUN mkdir -m 700 /own && chown app /own\nUSER app\nRUN touch /own/made\n"
    built, _ = client.images.build(fileobj=io.BytesIO(text.encode()), rm=True)
    stat = ["stat", "-c", "%u:%g:%a", "/own", "/own/made"]
    assert client.containers.run(built.id, stat, remove=True) == b"1000:0:700\n1000:1000:644\n"
    with pytest.raises(docker.errors.BuildError, match="returned a non-zero code: 1"):
        client.images.build(fileobj=io.BytesIO(f"{text}RUN touch /x\n".encode()), rm=True)


def test_a_user_beyond_the_range_is_refused(client: Any) -> None:
    with pytest.raises(docker.errors.APIError, match="/etc/subuid"):
        client.containers.run("box", ["true"], user="1000000000", remove=True)


def test_the_streams_belong_to_the_user(client: Any) -> None:
    assert run(client, "echo told > /dev/stdout", user="app") == "told\n"


def test_ranges_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "subuid"
    table.write_text("ann:1000:10\nbob:5000:20\n1001:7000:5\nann:x:1\nann:1:0\n# ann:1:1\n")
    assert ranges(table, frozenset({"ann", "1001"})) == [(1000, 10), (7000, 5)]
    assert ranges(table, frozenset({"eve"})) == []
    assert ranges(tmp_path / "none", frozenset({"ann"})) == []


def test_a_range_needs_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *words, **more: None)
    assert granted() is None


def test_the_number_of_users_is_that_of_the_shorter_range() -> None:
    rows = {"uid": {"rows": [[0, 7, 1], [1, 9, 20]]}, "gid": {"rows": [[0, 7, 1], [1, 9, 10]]}}
    assert most(rows) == 11


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_without_a_range_has_one_user() -> None:
    with engine("nobody") as socket:
        client: Any = docker.DockerClient(base_url=f"unix://{socket}")
        load_box(client)
        said = dict(client.info()["DriverStatus"])["Isolation"]
        assert "subuid" not in said
        assert "each RUN of a build, with one user: USER and chown have no true effect" in said
        assert run(client, "id -u", user="app") == "1000\n"
        client.close()
