"""The trap's eyes: strace's lines read right, with lines that strace 6.1 wrote."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.trap import syscalls


def logged(folder: Path, *lines: str) -> Path:
    (folder / "calls.1").write_text("".join(f"{line}\n" for line in lines))
    return folder


@pytest.mark.parametrize(
    ("line", "address", "stays"),
    [
        (
            "connect(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(4566), "
            'sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS (Operation now in progress)',
            "127.0.0.1",
            True,
        ),
        (
            "connect(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(443), "
            'sin_addr=inet_addr("203.0.113.9")}, 16) = 0',
            "203.0.113.9",
            False,
        ),
        (
            'sendto(5<UDP:[2]>, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), '
            'sin_addr=inet_addr("192.0.2.1")}, 16) = 1',
            "192.0.2.1",
            False,
        ),
        (
            "connect(6<TCPv6:[3]>, {sa_family=AF_INET6, sin6_port=htons(80), "
            'sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), '
            "sin6_scope_id=0}, 28) = 0",
            "2001:db8::1",
            False,
        ),
        (
            "bind(4<TCP:[4]>, {sa_family=AF_INET, sin_port=htons(4566), "
            'sin_addr=inet_addr("0.0.0.0")}, 16) = 0',
            "0.0.0.0",
            False,
        ),
        (
            'connect(3<socket:[5]>, {sa_family=AF_UNIX, sun_path="/run/docker.sock"}, 18) = 0',
            "/run/docker.sock",
            True,
        ),
    ],
)
def test_an_address_is_seen(tmp_path: Path, line: str, address: str, stays: bool) -> None:
    (contact,) = syscalls.contacts(logged(tmp_path, line))
    assert (contact.address, contact.stays_here) == (address, stays)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            'openat(AT_FDCWD</w>, "a", O_RDONLY|O_CLOEXEC) = 3</w/a>',
            [("/w/a", "read")],
        ),
        (
            'openat(AT_FDCWD</w>, "/x/b", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3</x/b>',
            [("/x/b", "write")],
        ),
        ('newfstatat(AT_FDCWD</w>, "../c", {st_mode=S_IFREG|0644}, 0) = 0', [("/c", "look")]),
        ('unlinkat(7</y>, "d", 0) = 0', [("/y/d", "write")]),
        ('rename("e", "/z/f") = 0', [("/start/e", "write"), ("/z/f", "write")]),
        ('execve("/bin/sh", ["sh", "/etc/g"], 0x7ff /* 9 vars */) = 0', [("/bin/sh", "read")]),
        ('mkdir("h\\303\\251", 0700) = 0', [("/start/hé", "write")]),
    ],
)
def test_a_file_is_seen(tmp_path: Path, line: str, wanted: list[tuple[str, str]]) -> None:
    found = syscalls.touches(logged(tmp_path, line), "/start")
    assert [(touch.path, touch.how) for touch in found] == wanted


def test_a_relative_path_follows_the_folder_of_its_process(tmp_path: Path) -> None:
    log = logged(tmp_path, 'chdir("/k") = 0', 'mkdir("l", 0700) = 0')
    assert syscalls.touches(log, "/start")[-1].path == "/k/l"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_strace_of_this_machine_is_understood(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    write = ["sh", "-c", "cd /; : > $0/m", str(tmp_path)]
    subprocess.run(["strace", *syscalls.OPTIONS, "-o", str(log / "calls"), *write], check=True)
    written = {touch.path for touch in syscalls.touches(log, "/") if touch.how == "write"}
    assert str(tmp_path / "m") in written
