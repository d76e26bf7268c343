"""A limit of a container's memory holds, or is refused by name; who ran out of memory is told."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import docker
import pytest

from labs_helpers.engine.containers.keeper import cgroup
from tests.engine.containers.as_nobody import NOBODY
from tests.engine.containers.conftest import run


def _is_limited(client: Any) -> bool:
    return bool(client.info()["MemoryLimit"])


def test_a_program_that_takes_too_much_is_killed_and_the_inspection_says_why(client: Any) -> None:
    if not _is_limited(client):
        with pytest.raises(docker.errors.APIError, match="refuses --memory: it needs a cgroup"):
            client.containers.create("box", ["true"], mem_limit="20m")
        return
    began = time.time()
    script = "yes | tr '\\n' x | head -c 90m | grep n"
    made = client.containers.run("box", ["sh", "-c", script], mem_limit="20m", detach=True)
    assert made.wait()["StatusCode"] == 137
    made.reload()
    state = made.attrs["State"]
    assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)
    events = client.events(since=began, until=time.time() + 0.1, decode=True)
    actions = [each["Action"] for each in events if each["Actor"]["ID"] == made.id]
    assert actions == ["create", "start", "oom", "die"]
    made.remove()


def test_a_program_within_its_limit_goes_on(client: Any) -> None:
    if not _is_limited(client):
        pytest.skip("no cgroup can be had here")
    assert run(client, "echo done", mem_limit="20m", memswap_limit="30m") == "done\n"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"mem_limit": "5m"}, "Minimum memory limit allowed is 6MB"),
        ({"memswap_limit": "50m"}, "always set the Memory limit when using Memoryswap"),
        ({"mem_limit": "50m", "memswap_limit": "20m"}, "should be larger than memory limit"),
        ({"mem_limit": "50m", "mem_reservation": "20m"}, "refuses HostConfig.MemoryReservation"),
        ({"mem_limit": "50m", "oom_kill_disable": True}, "refuses HostConfig.OomKillDisable"),
    ],
)
def test_limits_that_are_none(client: Any, limits: dict[str, Any], words: str) -> None:
    with pytest.raises(docker.errors.APIError) as refused:
        client.containers.create("box", ["true"], **limits)
    assert words in refused.value.explanation


@pytest.fixture
def unified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like version 2, where this process is in /user/app, two cgroups down."""
    for place in ("", "user", "user/app"):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / "cgroup.controllers").write_text("cpu memory pids\n")
        (tmp_path / place / "cgroup.subtree_control").touch()
    monkeypatch.setattr(cgroup, "_ROOT", str(tmp_path))
    monkeypatch.setattr(cgroup, "_paths", lambda pid: [("", "/user/app")])
    return tmp_path


def test_version_2_gets_one_cgroup_with_all_limits(unified: Path) -> None:
    limits = {cgroup.PROCESSES: 50, cgroup.MEMORY: 64 << 20, cgroup.SWAP: -1}
    made = cgroup.make("/state", "1", limits)
    assert made
    (folder,) = (Path(each) for each in made)
    assert folder.parent == unified
    assert (unified / "cgroup.subtree_control").read_text() == "+pids +memory"
    assert (folder / "pids.max").read_text() == "50"
    assert (folder / "memory.max").read_text() == str(64 << 20)


def test_the_kernel_s_count_says_who_ran_out_of_memory(unified: Path) -> None:
    (unified / "memory.events").write_text("low 0\noom 1\noom_kill 0\n")
    assert not cgroup.killed_for_memory([str(unified)])
    (unified / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert cgroup.killed_for_memory([str(unified)])


def test_below_a_cgroup_that_is_not_delegated_none_is_made(unified: Path) -> None:
    (unified / "cgroup.subtree_control").unlink()
    (unified / "cgroup.subtree_control").mkdir()  # a write is refused, as by the kernel
    made = cgroup.make("/state", "1", {cgroup.MEMORY: 64 << 20})
    assert made
    assert Path(made[0]).parent == unified / "user"
    for place in ("user", "user/app"):
        (unified / place / "cgroup.subtree_control").unlink()
        (unified / place / "cgroup.subtree_control").mkdir()
    assert cgroup.make("/state", "2", {cgroup.MEMORY: 64 << 20}) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_gets_a_cgroup_below_the_one_that_is_delegated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As systemd's user manager has it: /user.slice is root's, user@1000.service the user's.

    No machine of these tests has systemd: this folder looks like its cgroups.
    """
    root = Path(tempfile.mkdtemp(prefix="labs"))
    root.chmod(0o755)
    slices = [root / "user.slice", root / "user.slice/user@1000.service"]
    own = slices[1] / "app.slice"
    try:
        for place in (root, *slices, own):
            place.mkdir(exist_ok=True)
            (place / "cgroup.controllers").write_text("memory pids\n")
            (place / "cgroup.subtree_control").touch()
        for path in (slices[1], *slices[1].rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        monkeypatch.setattr(cgroup, "_ROOT", str(root))
        mine = str(own).removeprefix(str(root))
        monkeypatch.setattr(cgroup, "_paths", lambda pid: [("", mine)])
        child = os.fork()
        if child == 0:
            made = None
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                made = cgroup.make("/state", "1", {cgroup.PROCESSES: 50, cgroup.MEMORY: 64 << 20})
            finally:
                os._exit(0 if made else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        (found,) = root.rglob("labs-*")
        assert found.parent == slices[1]
        assert (found / "memory.max").read_text() == str(64 << 20)
        assert (slices[1] / "cgroup.subtree_control").read_text() == "+pids +memory"
        assert (root / "cgroup.subtree_control").read_text() == ""
    finally:
        shutil.rmtree(root)


def test_no_cgroup_is_left_behind(client: Any) -> None:
    run(client, "true")
    root = Path("/sys/fs/cgroup")
    if os.geteuid() != 0 or not _is_limited(client):
        pytest.skip("no cgroup can be had here")
    made = client.containers.run("box", ["sleep", "60"], mem_limit="20m", detach=True)
    mine = [path for path in root.glob("**/labs-*") if path.name.endswith(made.id)]
    assert mine
    made.remove(force=True)
    assert not [path for path in mine if path.exists()]
