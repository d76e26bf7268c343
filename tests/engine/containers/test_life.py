"""Restarts, signals, streams and copies as clients of Docker rely on them."""

from __future__ import annotations

import io
import os
import tarfile
import threading
import time
from typing import Any

import docker
import pytest

from tests.deadline import until
from tests.engine.containers.conftest import run

FOREVER = {"Name": "always"}


def _waiting(client: Any) -> Any:
    """A container that fails at once, again and again, until its pause is a long one."""
    found = client.containers.run(
        "box", ["sh", "-c", "exit 3"], restart_policy=FOREVER, detach=True
    )
    until(lambda: client.api.inspect_container(found.id)["RestartCount"] >= 2)
    until(lambda: client.containers.get(found.id).status == "restarting")
    return found


def test_a_pause_before_a_restart_is_seen_and_a_stop_ends_the_restarts(client: Any) -> None:
    found = _waiting(client)
    found.reload()
    state = found.attrs["State"]
    assert (state["Restarting"], state["Running"], state["ExitCode"]) == (True, True, 3)
    listed = client.api.containers(filters={"status": "restarting"})
    assert [each["Id"] for each in listed] == [found.id]
    assert listed[0]["Status"].startswith("Restarting (3)")
    with pytest.raises(docker.errors.APIError, match="container is restarting: stop the"):
        found.remove()
    with pytest.raises(docker.errors.APIError, match="is restarting, wait until"):
        found.exec_run(["true"])
    found.stop()
    found.reload()
    assert found.status == "exited"
    found.remove()


def test_who_waits_hears_of_an_end_though_the_program_is_started_again(client: Any) -> None:
    policy = {"Name": "on-failure", "MaximumRetryCount": 3}
    found = client.containers.create("box", ["sh", "-c", "sleep 1; exit 4"], restart_policy=policy)
    told: list[int] = []
    waits = threading.Thread(
        target=lambda: told.append(found.wait(condition="next-exit")["StatusCode"])
    )
    waits.start()
    found.start()
    waits.join(60)
    assert told == [4]
    found.remove(force=True)


def test_after_a_kill_the_container_can_be_removed_at_once(client: Any) -> None:
    found = client.containers.run("box", ["sleep", "60"], detach=True)
    found.kill()
    found.remove()
    assert found.id not in {each.id for each in client.containers.list(all=True)}


def test_what_happened_is_told_in_order(client: Any) -> None:
    volume = client.volumes.create("told")
    began = time.time()
    found = client.containers.create(
        "box", ["sleep", "60"], name="told", volumes={"told": {"bind": "/v"}}
    )
    found.start()
    found.exec_run(["true"])
    found.rename("renamed")
    found.restart(timeout=0)
    found.kill()
    found.remove()
    volume.remove()
    events = list(client.events(since=began, until=time.time() + 0.1, decode=True))
    told = [(event["Type"], event["Action"]) for event in events]
    of_container = [action for kind, action in told if kind == "container"]
    assert of_container == [
        *("create", "start", "exec_create: true", "exec_start: true", "exec_die", "rename"),
        *("kill", "kill", "die", "stop", "start", "restart", "kill", "die", "destroy"),
    ]
    assert [action for kind, action in told if kind == "volume"] == [
        *("mount", "unmount", "mount", "unmount", "destroy"),
    ]
    renamed = next(event for event in events if event["Action"] == "rename")
    assert renamed["Actor"]["Attributes"]["oldName"] == "/told"


def test_a_variable_without_a_value_is_taken_away(client: Any) -> None:
    show = ["cat", "/proc/self/environ"]
    made = client.containers.run("box", show, environment=["HOSTNAME"], detach=True)
    assert "HOSTNAME" in client.api.inspect_container(made.id)["Config"]["Env"]
    made.wait()
    assert made.logs().startswith(b"PATH=")
    assert b"HOSTNAME" not in made.logs()
    made.remove()


def test_the_old_output_alone_ends(client: Any) -> None:
    made = client.containers.run("box", ["echo", "said"], detach=True)
    made.wait()
    # the SDK loses what comes in one packet with the head
    until(lambda: made.attach(stream=False, logs=True) == b"said\n")
    made.remove()


def test_a_terminal_s_output_comes_in_frames_for_who_does_not_ask_for_a_terminal(
    client: Any,
) -> None:
    found = client.containers.run("box", ["sleep", "60"], detach=True)
    api = client.api
    made = api.exec_create(found.id, ["echo", "said"], tty=True)
    assert api.exec_start(made, demux=True) == (b"said\r\n", None)
    made = api.exec_create(found.id, ["echo", "said"], tty=True)
    assert api.exec_start(made, tty=True) == b"said\r\n"
    found.remove(force=True)


def test_the_keys_of_a_detach_reach_no_program(client: Any) -> None:
    found = client.containers.run("box", ["cat"], tty=True, stdin_open=True, detach=True)
    connection = found.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})._sock
    connection.sendall(b"a\x10b\n")
    seen = b""
    while b"\n" not in seen:
        seen += connection.recv(64)
    assert seen.replace(b"\r", b"").startswith(b"a^Pb")
    connection.sendall(b"\x10")
    connection.sendall(b"\x11")
    rest = b""
    while data := connection.recv(64):
        rest += data
    assert b"^P" not in rest
    connection.close()
    found.reload()
    assert found.status == "running"
    found.remove(force=True)


def test_a_copy_into_a_stopped_container_reaches_the_volume(client: Any) -> None:
    mount = {"filled": {"bind": "/v", "mode": "rw"}}
    found = client.containers.create("box", ["true"], volumes=mount)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("f")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"in\n"))
    found.put_archive("/v", buffer.getvalue())
    assert run(client, "cat /v/f", volumes=mount) == "in\n"
    stream, _ = found.get_archive("/v/f")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        assert archive.getnames() == ["f"]
    found.remove()
    client.volumes.get("filled").remove()


def test_what_is_asked_of_a_container_and_not_there_is_refused_by_name(client: Any) -> None:
    found = client.containers.create("box", ["true"])
    for ask in (found.diff, lambda: found.stats(stream=False)):
        with pytest.raises(docker.errors.APIError, match="does not have GET /containers"):
            ask()
    found.remove()


def test_an_image_is_run_by_its_digest(client: Any) -> None:
    identity = client.images.get("box").id
    assert client.containers.run(identity, ["echo", "ran"], remove=True) == b"ran\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="root's containers have the machine's users")
def test_a_program_of_another_user_dies_with_the_container(client: Any) -> None:
    found = client.containers.run("box", ["sleep", "60"], user="app", detach=True)
    pid = client.api.inspect_container(found.id)["State"]["Pid"]
    found.remove(force=True)
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
