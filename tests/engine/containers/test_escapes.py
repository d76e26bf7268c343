"""What a hostile program in a container tries, as an ordinary user: none of it leads outside."""

from __future__ import annotations

import io
import os
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from tests.engine.containers.conftest import client_of, load_box, own_engine, run


@pytest.fixture(scope="module", params=["nobody", "ranges"] if os.geteuid() == 0 else ["own"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with client_of(request.param) as found:
        yield found


def test_it_sees_its_own_processes_only(client: Any) -> None:
    assert run(client, "echo /proc/[0-9]*").split() == ["/proc/1"]


@pytest.mark.parametrize(
    "script",
    [
        "mount -t proc proc /bin",
        "mount -t tmpfs none /bin",
        "unshare -U true",
        "echo c > /proc/sysrq-trigger",
        "echo x > /proc/sys/kernel/core_pattern",
        "mkdir /dev/x && mknod /dev/x/sda b 8 0 && cat /dev/x/sda",
        "cat /proc/kcore | head -c 1 | grep .",
        "kill -9 -1 && cat /proc/2/stat",
    ],
)
def test_it_is_refused(client: Any, script: str) -> None:
    assert "GOT THROUGH" not in run(client, f"({script}) && echo GOT THROUGH")


def test_a_setuid_file_gives_no_rights(client: Any) -> None:
    assert "NoNewPrivs:\t1" in run(client, "cat /proc/self/status", user="app")
    assert run(client, "/bin/su sh -c id; id", user="app").count("uid=0") == 0


def test_it_has_docker_s_capabilities_at_most(client: Any) -> None:
    status = run(client, "cat /proc/self/status")
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd"))
    assert int(bounding.split()[1], 16) & ~0xA80425FB == 0


def test_chroot_does_not_lead_out(client: Any) -> None:
    script = "mkdir /j; cp /bin/busybox /j; cd /; chroot /j /busybox ls ../../../../.."
    assert run(client, script).split() == ["busybox"]


def test_links_of_the_image_do_not_lead_out(client: Any) -> None:
    made = client.containers.run(
        "box", ["sh", "-c", "rm -rf /data; ln -s /proc/1/root/tmp /data"], detach=True
    )
    made.wait()
    made.start()
    made.wait()
    _, about = made.get_archive("/data")
    assert about["linkTarget"]
    made.remove()


def test_its_network_is_its_own(client: Any) -> None:
    sockets = run(client, "cat /proc/net/unix")
    assert len(sockets.splitlines()) == 1  # abstract sockets of the machine are not there


def test_a_fork_bomb_ends_at_the_limit(client: Any) -> None:
    script = "for i in $(seq 200); do sleep 30 & done; wait"
    said = run(client, script, pids_limit=50)
    assert "can't fork" in said


def test_its_files_are_the_images_and_its_own(client: Any) -> None:
    assert set(run(client, "ls /").split()) == {"bin", "dev", "etc", "proc", "sys"}
    assert "No such file" in run(client, "cat /etc/shadow")


CALLS = """
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *values):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*values)
    print(name, "done" if result >= 0 else errno.errorcode[ctypes.get_errno()])
attach = 16
call("ptrace", attach, int(sys.argv[1]), 0, 0)
call("mount", b"none", b"/tmp", b"tmpfs", 0, None)
call("umount2", b"/proc/sys", 2)
call("unshare", 0x10000000)
call("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0)
call("open_by_handle_at", os.open("/", os.O_RDONLY), bytes(8), 0)
call("kill", int(sys.argv[1]), 0)
with socket.socket(socket.AF_UNIX) as one:
    print("connect", errno.errorcode[one.connect_ex("\\0labs-" + sys.argv[1])])
"""


def test_system_calls_and_abstract_sockets_lead_to_nothing_outside(client: Any) -> None:
    """With a Python of this machine, which makes any system call."""
    shown = {path: {"bind": path, "mode": "ro"} for path in ("/usr", "/lib", "/lib64")}
    mine = str(os.getpid())
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"\0labs-{mine}")
        one.listen()
        found = client.containers.run(
            "box", ["/usr/bin/python3", "-I", "-c", CALLS, mine], volumes=shown, remove=True
        )
    said = dict(line.split() for line in found.decode().splitlines())
    assert said.pop("ptrace") == "ESRCH"
    assert said.pop("kill") == "ESRCH"
    assert said.pop("connect") == "ECONNREFUSED"
    refused = ("mount", "umount2", "unshare", "setns", "open_by_handle_at")
    assert said == dict.fromkeys(refused, "EPERM")


def test_a_program_has_no_terminal_or_socket_of_another_container(client: Any) -> None:
    others = [
        client.containers.run("box", ["sleep", "60"], detach=True, tty=True),
        client.containers.run("box", ["sleep", "60"], detach=True, ports={"80/tcp": None}),
    ]
    attached = others[0].attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    names = "for each in /proc/1/fd/*; do readlink $each; done"
    kinds = {line.partition(":")[0] for line in run(client, names).split()}
    assert kinds <= {"/dev/null", "pipe"}
    joined = others[1].exec_run(["sh", "-c", names.replace("/1/", "/self/")]).output.decode()
    assert not {"socket", "/dev/pts/ptmx"} & {line.partition(":")[0] for line in joined.split()}
    attached.close()
    for other in others:
        other.remove(force=True)


def test_setuid_files_of_a_volume_give_no_rights(client: Any) -> None:
    volume = client.volumes.create("rights")
    mount = {"rights": {"bind": "/v", "mode": "rw"}}
    run(client, "cp /bin/busybox /v/sh; chmod 4755 /v/sh", volumes=mount)
    assert "uid=0" not in run(client, "/v/sh id", volumes=mount, user="app")
    volume.remove()


def links_to_descriptors(folder: Path) -> bytes:
    """Files of an image: /l3 leads to the program's descriptor 3, and so on."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in DESCRIPTORS:
            link = tarfile.TarInfo(f"l{number}")
            link.type, link.linkname = tarfile.SYMTYPE, f"/proc/self/fd/{number}{folder}"
            archive.addfile(link)
    return buffer.getvalue()


DESCRIPTORS = range(8, 20)
"""Among them are all that the keeper has open when it starts a container."""


def test_no_working_folder_is_outside(client: Any) -> None:
    """https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv"""
    running = client.containers.run("box", ["sleep", "600"], detach=True)
    for number in DESCRIPTORS:
        path = f"/proc/self/fd/{number}"
        with pytest.raises(docker.errors.APIError, match="chdir to cwd"):
            client.containers.run("box", ["ls"], working_dir=path, remove=True)
        assert "chdir to cwd" in running.exec_run(["ls"], workdir=path).output.decode()
    running.remove(force=True)


def test_no_link_of_an_image_leads_a_volume_outside(client: Any) -> None:
    """Where a volume is to be mounted, the engine makes folders: in the container only."""
    with tempfile.TemporaryDirectory(prefix="labs-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        client.api.import_image_from_data(links_to_descriptors(folder), "links")
        for number in DESCRIPTORS:
            places = {"volumes": [f"/l{number}/v"], "tmpfs": {f"/l{number}/t": ""}}
            made = client.containers.create("links", ["/x"], **places)
            with pytest.raises(docker.errors.APIError):
                made.start()
            made.remove(v=True)
        assert list(folder.iterdir()) == []
    client.images.remove("links")


def one(name: str, kind: bytes, target: str = "") -> bytes:
    """An archive with one member, which has no content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        member.devmajor, member.devminor = 1, 3  # of /dev/null
        archive.addfile(member)
    return buffer.getvalue()


def test_the_kernel_s_files_are_mounted_on_no_link(client: Any) -> None:
    """Whoever moved the link meanwhile would choose what is masked: CVE-2019-19921."""
    made = client.containers.create("box", ["true"])
    assert made.put_archive("/", one("sys", tarfile.SYMTYPE, "/bin"))
    with pytest.raises(docker.errors.APIError, match="must be mounted on ordinary directory"):
        made.start()
    made.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="no other user's engine can make a device")
def test_no_copy_makes_a_device(tmp_path: Path) -> None:
    """In a volume it could be opened, and root's engine would make any disk of the machine."""
    with own_engine(tmp_path) as place:
        client = docker.DockerClient(base_url=f"unix://{place}", timeout=60)
        load_box(client)
        made = client.containers.create("box", ["cat", "/v/null"], volumes=["/v"])
        with pytest.raises(docker.errors.APIError, match="Operation not permitted"):
            made.put_archive("/v", one("null", tarfile.CHRTYPE))
        made.start()
        assert made.wait()["StatusCode"] != 0
        made.remove(v=True)
        client.close()


def test_a_copy_onto_a_fifo_replaces_it(client: Any) -> None:
    running = client.containers.run("box", ["sleep", "600"], detach=True)
    assert running.exec_run(["mknod", "/f", "p"]).exit_code == 0
    assert running.put_archive("/", one("f", tarfile.REGTYPE))
    assert running.exec_run(["test", "-f", "/f"]).exit_code == 0
    running.remove(force=True)


def test_a_start_that_fails_leaves_nothing_open(client: Any) -> None:
    def opened() -> int:
        root = client.info()["DockerRootDir"]
        keeper = next(
            each
            for each in psutil.process_iter(["cmdline"])
            if f"{root}/containers" in (each.info["cmdline"] or ())
        )
        return keeper.num_fds()

    running = client.containers.run("box", ["sleep", "600"], detach=True)
    before = opened()
    for _ in range(10):
        with pytest.raises(docker.errors.APIError):
            client.containers.run("box", ["/nosuch"], remove=True)
    assert opened() <= before  # less where what another test left had not been closed yet
    running.remove(force=True)


def test_the_label_of_an_image_opens_no_port_of_the_machine(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        dockerfile = f"FROM box\nLABEL labs.relay=169.254.170.2:80=127.0.0.1:{port}\n"
        client.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag="opens")
        words = ["sh", "-c", "echo hello | nc -w 5 169.254.170.2 80 || echo none"]
        said = client.containers.run("opens", words, remove=True)
        assert said == b"none\n"
        with pytest.raises(BlockingIOError):
            server.accept()
    client.images.remove("opens")
