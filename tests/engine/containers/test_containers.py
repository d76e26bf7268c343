"""Containers of the embedded engine, through the Docker SDK: life, output, ports, files."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from typing import Any

import docker
import pytest

from tests.deadline import until
from tests.engine.containers.conftest import CANNOT_RUN, page_at
from tests.ports import free_port


def test_output_and_status(client: Any) -> None:
    found = client.containers.create("box", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    found.start()
    assert found.wait()["StatusCode"] == 3
    assert (found.logs(stderr=False), found.logs(stdout=False)) == (b"out\n", b"err\n")
    found.remove()


def test_the_end_of_a_log(client: Any) -> None:
    found = client.containers.run("box", ["seq", "100"], detach=True)
    found.wait()
    assert found.logs(tail=2) == b"99\n100\n"
    assert b"".join(found.logs(stream=True, follow=True)).count(b"\n") == 100
    found.remove()


def test_a_flood_of_output_is_bounded(client: Any) -> None:
    script = "yes $(seq -s, 900) | head -c 30000000"
    found = client.containers.run("box", ["sh", "-c", script], detach=True)
    assert found.wait()["StatusCode"] == 0
    size = sum(len(part) for part in found.logs(stream=True))
    assert 1_000_000 < size < 25_000_000
    found.remove()


@pytest.mark.parametrize(("trap", "code"), [("exit 5", 5), ("", 137)])
def test_stop_is_a_signal_and_then_a_kill(client: Any, trap: str, code: int) -> None:
    script = f"trap '{trap}' TERM; echo ready; while true; do sleep 0.1; done"
    found = client.containers.run("box", ["sh", "-c", script], detach=True)
    next(found.logs(stream=True))
    found.stop(timeout=1 if code == 137 else 30)
    assert found.wait()["StatusCode"] == code
    found.remove()


def test_a_published_port_leads_into_the_container(client: Any) -> None:
    script = "mkdir /www; echo page > /www/index.html; httpd -f -p 80 -h /www"
    found = client.containers.run("box", ["sh", "-c", script], ports={"80/tcp": None}, detach=True)
    found.reload()
    port = int(found.ports["80/tcp"][0]["HostPort"])
    assert page_at(port) == b"page\n"
    found.remove(force=True)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_a_relay_leads_from_inside_to_this_machine(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        label = f"169.254.170.2:80=127.0.0.1:{server.getsockname()[1]}"
        found = client.containers.run(
            "box",
            ["sh", "-c", "echo hello | nc 169.254.170.2 80"],
            labels={"labs.relay": label},
            detach=True,
        )
        connection, _ = server.accept()
        with connection:
            assert connection.makefile("rb").readline() == b"hello\n"
    found.remove(force=True)


def test_a_port_that_a_container_has_is_refused_with_the_name(client: Any) -> None:
    first = client.containers.run(
        "box", ["sleep", "60"], name="first", ports={"80/tcp": None}, detach=True
    )
    first.reload()
    port = int(first.ports["80/tcp"][0]["HostPort"])
    said = 'port is already allocated, by container "first"'
    with pytest.raises(docker.errors.APIError, match=said):
        client.containers.run("box", ["sleep", "60"], ports={"80/tcp": port}, name="second")
    client.containers.get("second").remove()
    first.remove(force=True)


def test_of_a_range_of_ports_the_first_free_one_is_taken(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        body = client.api.create_host_config(port_bindings={80: f"{first}-{first + 20}"})
        made = client.api.create_container("box", ["sleep", "60"], ports=[80], host_config=body)
        client.api.start(made)
        found = client.containers.get(made["Id"])
        assert int(found.ports["80/tcp"][0]["HostPort"]) > first
        found.remove(force=True)


@pytest.mark.parametrize(("command", "words"), CANNOT_RUN)
def test_a_program_that_cannot_run(client: Any, command: list[str], words: str) -> None:
    with pytest.raises(docker.errors.APIError, match=words):
        client.containers.run("box", command, remove=True)


def test_exec_joins_the_container(client: Any) -> None:
    found = client.containers.run("box", ["sh", "-c", "touch /here; sleep 60"], detach=True)
    until(lambda: found.exec_run(["cat", "/here"]).exit_code == 0)
    assert found.exec_run(["sh", "-c", "exit 4"]).exit_code == 4
    assert found.exec_run(["sh", "-c", "test -t 0 && echo terminal"], tty=True).output == (
        b"terminal\r\n"
    )
    found.remove(force=True)


def test_with_an_init_a_container_is_as_any_other(client: Any) -> None:
    script = (
        "mkdir /www; echo page > /www/index.html; httpd -p 80 -h /www\n"
        "trap 'exit 7' TERM; (true & sleep 0.01) & while true; do sleep 0.1; done"
    )
    found = client.containers.run(
        "box", ["sh", "-c", script], init=True, ports={"80/tcp": None}, detach=True
    )
    found.reload()
    assert page_at(int(found.ports["80/tcp"][0]["HostPort"])) == b"page\n"
    assert found.exec_run(["cat", "/www/index.html"]).output == b"page\n"
    # the program is not process 1, and hears of a signal
    assert found.exec_run(["kill", "-0", "2"]).exit_code == 0
    assert b"page\n" in b"".join(found.get_archive("/www/index.html")[0])
    found.stop(timeout=60)
    assert found.wait()["StatusCode"] == 7
    found.remove()


def test_who_has_seen_the_end_of_the_output_gets_the_status(client: Any) -> None:
    found = client.containers.run("box", ["sleep", "60"], detach=True)
    for _ in range(20):
        assert found.exec_run(["sh", "-c", "echo out; exit 4"]).exit_code == 4
    found.remove(force=True)
    for _ in range(5):
        made = client.containers.create("box", ["sh", "-c", "exit 5"])
        stream = made.attach(stdout=True, stream=True)
        made.start()
        assert list(stream) == []
        made.reload()
        assert (made.status, made.attrs["State"]["ExitCode"]) == ("exited", 5)
        made.remove()


def test_a_volume_outlives_its_container(client: Any) -> None:
    volume = client.volumes.create("kept")
    mount = {"kept": {"bind": "/data", "mode": "rw"}}
    client.containers.run("box", ["sh", "-c", "echo 1 > /data/x"], volumes=mount, remove=True)
    read_only = {"kept": {"bind": "/data", "mode": "ro"}}
    script = "cat /data/x; echo 2 > /data/x || echo refused"
    assert client.containers.run("box", ["sh", "-c", script], volumes=read_only) == b"1\nrefused\n"
    with pytest.raises(docker.errors.APIError, match="volume is in use"):
        volume.remove()
    client.containers.prune()
    volume.remove()


def test_files_are_copied_in_and_out(client: Any) -> None:
    found = client.containers.create("box", ["cat", "/sub/f"])
    found.put_archive("/", _archive("sub/f", b"copied\n"))
    found.start()
    found.wait()
    assert found.logs() == b"copied\n"
    stream, about = found.get_archive("/sub/f")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        content = archive.extractfile("f")
        assert content
        assert (content.read(), about["size"]) == (b"copied\n", 7)
    found.remove()


def test_a_link_in_a_container_leads_to_its_own_files(client: Any) -> None:
    found = client.containers.run("box", ["ln", "-s", "/etc/hostname", "/leak"], detach=True)
    found.wait()
    found.put_archive("/", _archive("etc/hostname", b"mine\n"))
    stream, _ = found.get_archive("/leak")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        member = archive.next()
    assert member
    assert (member.issym(), member.linkname) == (True, "/etc/hostname")
    found.remove()


def _archive(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_a_failed_program_is_started_again_as_often_as_asked(client: Any) -> None:
    policy = {"Name": "on-failure", "MaximumRetryCount": 2}
    found = client.containers.run(
        "box", ["sh", "-c", "echo run; exit 1"], restart_policy=policy, detach=True
    )
    until(lambda: found.logs() == b"run\n" * 3)
    found.remove(force=True)


def test_health(client: Any) -> None:
    check = {"Test": ["CMD", "test", "-f", "/ok"], "Interval": 10**8, "Retries": 1}
    found = client.containers.run("box", ["sleep", "60"], healthcheck=check, detach=True)
    until(lambda: client.containers.get(found.id).health == "unhealthy")
    found.exec_run(["touch", "/ok"])
    until(lambda: client.containers.get(found.id).health == "healthy")
    found.remove(force=True)


def probed(client: Any, command: str, seconds: float = 0.5) -> dict[str, Any]:
    """The first result of a HEALTHCHECK that has some seconds."""
    allowed = int(seconds * 10**9)
    check = {"Test": ["CMD-SHELL", command], "Interval": 10**6, "Timeout": allowed, "Retries": 1}
    found = client.containers.run("box", ["sleep", "60"], healthcheck=check, detach=True)

    def results() -> list[dict[str, Any]]:
        found.reload()
        log: list[dict[str, Any]] = found.attrs["State"]["Health"]["Log"]
        return log

    try:
        until(results)
        return results()[0]
    finally:
        found.remove(force=True)


@pytest.mark.parametrize("command", ["yes", "while :; do echo x; sleep 0.1; done", "sleep 60"])
def test_a_healthcheck_that_does_not_end_has_failed_whatever_it_writes(
    client: Any, command: str
) -> None:
    result = probed(client, command)
    assert (result["ExitCode"], result["Output"]) == (-1, "Health check exceeded timeout (0.5s)")


def test_of_a_long_output_of_a_healthcheck_the_beginning_is_kept(client: Any) -> None:
    """https://github.com/moby/moby/blob/v28.2.2/daemon/health.go (limitedBuffer)"""
    result = probed(client, "echo begun; yes | head -c 100000", 60)
    assert result["Output"].startswith("begun\ny\n")
    assert result["Output"].endswith("...")
    assert len(result["Output"]) < 4100


def test_nothing_is_kept_of_a_probe_that_has_ended(client: Any) -> None:
    events = client.events(decode=True, filters={"event": ["exec_create", "exec_die"]})
    probed(client, "true", 60)
    created = next(event for event in events if event["Action"].startswith("exec_create"))
    identity = created["Actor"]["Attributes"]["execID"]
    events.close()

    def is_forgotten() -> bool:
        try:
            client.api.exec_inspect(identity)
        except docker.errors.NotFound:
            return True
        return False

    until(is_forgotten)


def test_an_image_in_use_is_kept(client: Any) -> None:
    client.images.get("box").tag("other")
    found = client.containers.run("other", ["sleep", "60"], detach=True)
    client.images.remove("other")  # a name only: the image has another
    with pytest.raises(docker.errors.APIError, match="is using its referenced image"):
        client.images.remove("box")
    found.remove(force=True)


def test_events(client: Any) -> None:
    events = client.events(decode=True, filters={"event": ["create", "start", "die", "destroy"]})
    client.containers.run("box", ["true"], remove=True, name="told")
    seen = [next(events) for _ in range(4)]
    assert [event["Action"] for event in seen] == ["create", "start", "die", "destroy"]
    assert {event["Actor"]["Attributes"]["name"] for event in seen} == {"told"}
    events.close()


def test_filters_of_the_list(client: Any) -> None:
    found = client.containers.create("box", ["true"], name="listed", labels={"a": "b"})
    for chosen, filters in (
        (True, {"label": "a=b"}),
        (False, {"label": "a=c"}),
        (True, {"name": "list"}),
        (True, {"status": "created"}),
        (False, {"status": "running"}),
        (True, {"ancestor": "box"}),
    ):
        listed = client.containers.list(all=True, filters=filters)
        assert (found in listed) is chosen, filters
    found.remove()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("cpu_shares", 512, "refuses HostConfig.CpuShares=512"),
        ("privileged", True, "refuses HostConfig.Privileged=True"),
        ("network", "mine", "refuses --network mine"),
        ("pid_mode", "host", "refuses HostConfig.PidMode=host"),
        ("cap_add", ["SYS_ADMIN"], "refuses --cap-add SYS_ADMIN"),
        ("devices", ["/dev/kvm"], "refuses HostConfig.Devices"),
        ("ports", {"80/udp": None}, "TCP ports only"),
        ("ports", {"80/tcp": ("0.0.0.0", free_port())}, "on this machine's loopback only"),
        ("volumes", ["/etc:/proc"], "belongs to the container itself"),
    ],
)
def test_what_is_not_done_is_refused_by_name(
    client: Any, option: str, value: object, words: str
) -> None:
    with pytest.raises(docker.errors.APIError) as refused:
        client.containers.create("box", ["id"], **{option: value})
    assert words in refused.value.explanation


def test_the_inspection_says_what_runs(client: Any) -> None:
    found = client.containers.run("box", ["sleep", "60"], name="seen", detach=True)
    about = json.loads(json.dumps(client.api.inspect_container("seen")))
    assert (about["Name"], about["Path"], about["Args"]) == ("/seen", "sleep", ["60"])
    assert about["State"]["Running"]
    found.remove(force=True)
