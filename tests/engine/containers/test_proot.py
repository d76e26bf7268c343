"""Containers under PRoot, where a machine forbids namespaces: chosen here by LABS_ISOLATION.

The engine is an ordinary user's.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from tests.deadline import until
from tests.engine.containers.conftest import CANNOT_RUN, client_of, page_at, run
from tests.ports import free_port


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with client_of("proot") as found:
        yield found


def test_the_engine_says_so(client: Any) -> None:
    about = client.info()
    assert any("containers run under PRoot" in warning for warning in about["Warnings"])


def test_output_status_and_input(client: Any) -> None:
    found = client.containers.create("box", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    found.start()
    assert found.wait()["StatusCode"] == 3
    assert (found.logs(stderr=False), found.logs(stdout=False)) == (b"out\n", b"err\n")
    found.start()  # once more
    assert found.wait()["StatusCode"] == 3
    found.remove()


@pytest.mark.parametrize(("command", "words"), CANNOT_RUN)
def test_a_program_that_cannot_run(client: Any, command: list[str], words: str) -> None:
    with pytest.raises(docker.errors.APIError, match=words):
        client.containers.run("box", command, name="wrong")
    found = client.containers.get("wrong")
    assert found.attrs["State"]["ExitCode"] in (126, 127)
    found.remove()


def test_a_page_is_served_and_nothing_is_left(client: Any) -> None:
    inside = free_port()
    script = f"mkdir /www; echo page > /www/index.html; sleep 600 & httpd -f -p {inside} -h /www"
    found = client.containers.run(
        "box", ["sh", "-c", script], ports={f"{inside}/tcp": None}, detach=True
    )
    found.reload()
    port = found.ports[f"{inside}/tcp"][0]["HostPort"]
    assert page_at(port) == b"page\n"
    watcher = psutil.Process(client.api.inspect_container(found.id)["State"]["Pid"])
    left = [watcher, *watcher.children(recursive=True)]
    assert len(left) > 3
    found.remove(force=True)
    until(lambda: not any(each.is_running() for each in left))
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(port))):
        pass


@pytest.mark.parametrize(("trap", "code"), [("exit 5", 5), ("", 137)])
def test_stop_is_a_signal_and_then_a_kill(client: Any, trap: str, code: int) -> None:
    script = f"trap '{trap}' TERM; echo ready; while true; do sleep 0.1; done"
    found = client.containers.run("box", ["sh", "-c", script], detach=True)
    until(lambda: b"ready" in found.logs())
    found.stop(timeout=1 if code == 137 else 30)
    assert found.wait()["StatusCode"] == code
    found.remove()


def test_exec_volumes_and_users(client: Any) -> None:
    mount = {"kept": {"bind": "/data", "mode": "rw"}}
    found = client.containers.run("box", ["sleep", "600"], volumes=mount, detach=True)
    assert found.exec_run(["sh", "-c", "echo 1 > /data/x; exit 4"]).exit_code == 4
    assert found.exec_run(["cat", "/data/x"]).output == b"1\n"
    assert found.exec_run(["id", "-u"], user="app").output == b"1000\n"
    found.remove(force=True)
    assert client.containers.run("box", ["id", "-u"], user="app", remove=True) == b"1000\n"
    client.volumes.get("kept").remove()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("ports", {"80/tcp": None}, "refuses to publish port 80: containers run under PRoot here"),
        ("read_only", True, "refuses --read-only: containers run under PRoot"),
        ("network", "none", "refuses --network none: containers run under PRoot"),
        ("init", True, "refuses --init: containers run under PRoot"),
        ("pids_limit", 50, "refuses --pids-limit: it holds in namespaces"),
        ("tmpfs", {"/t": ""}, "refuses --tmpfs: containers run under PRoot"),
    ],
)
def test_what_needs_namespaces_is_refused(
    client: Any, option: str, value: object, words: str
) -> None:
    with pytest.raises(docker.errors.APIError) as refused:
        client.containers.create("box", ["id"], **{option: value})
    assert words in refused.value.explanation


@pytest.mark.parametrize(
    "script",
    [
        "mount -t tmpfs none /bin",
        "unshare -U true",
        "echo c > /proc/sysrq-trigger",
        "echo x > /proc/sys/kernel/core_pattern",
        "mkdir /x && mknod /x/sda b 8 0 && cat /x/sda",
        "cat /etc/shadow",
        "ln -s ../../../../../../../../etc/shadow /link && cat /link",
        "cat /../../../../../../etc/shadow",
        "touch /usr/bin/here && ls /usr/bin/python3",
        "mkdir /j; cp /bin/busybox /j; chroot /j /busybox cat ../../../../../etc/shadow",
        "ls /proc/1/root/etc",
    ],
)
def test_it_is_refused(client: Any, script: str) -> None:
    assert "GOT THROUGH" not in run(client, f"({script}) && echo GOT THROUGH")


def test_a_setuid_file_gives_no_rights(client: Any) -> None:
    assert "NoNewPrivs:\t1" in run(client, "cat /proc/self/status", user="app")
    assert run(client, "/bin/su sh -c id; id", user="app").count("uid=0") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="the test's own files must be another user's")
def test_files_of_other_users_stay_theirs(client: Any, tmp_path: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        secret = Path(folder, "secret")
        secret.write_text("mine")
        secret.chmod(0o600)
        said = run(
            client, "cat /x/secret; chmod 644 /x/secret; cat /x/secret", volumes=[f"{folder}:/x"]
        )
        assert "mine" not in said
    # a folder of this test, which is closed to others
    with pytest.raises(docker.errors.APIError, match="error while creating mount source path"):
        client.containers.create("box", ["true"], volumes=[f"{tmp_path}/new:/x"])
