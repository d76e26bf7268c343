"""System calls that PRoot does not know: none of them leads a program past PRoot to other files."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.containers.conftest import client_of

X86 = {"openat2": 437, "statx": 332, "renameat2": 316, "execveat": 322, "name_to_handle_at": 303}
X86 |= {"process_vm_readv": 310, "process_vm_writev": 311}
ARM = {"openat2": 437, "statx": 291, "renameat2": 276, "execveat": 281, "name_to_handle_at": 264}
ARM |= {"process_vm_readv": 270, "process_vm_writev": 271}
LATE = {"pidfd_getfd": 438, "faccessat2": 439, "fchmodat2": 452, "open_tree": 428, "io_uring": 425}
LATE |= {"setxattrat": 463, "open_tree_attr": 467, "file_setattr": 469, "not_made_yet": 700}

REFUSED = ("ENOSYS", "EPERM", "ENOENT")
"""ENOENT: PRoot knows the call, and looks in the files of the image."""

CALLS = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*values):
    ctypes.set_errno(0)
    result = libc.syscall(*values)
    return result, errno.errorcode.get(ctypes.get_errno(), "")
victim, pid, numbers = sys.argv[1].encode(), int(sys.argv[2]), eval(sys.argv[3])
at = -100
how = ctypes.create_string_buffer(bytes(8) * 3)
fd, why = call(numbers["openat2"], at, victim, how, 24)
print("openat2", os.read(fd, 99) if fd >= 0 else why)
buffer = ctypes.create_string_buffer(256)
print("statx", call(numbers["statx"], at, victim, 0, 0x7ff, buffer)[1])
print("renameat2", call(numbers["renameat2"], at, victim, at, victim + b"-moved", 0)[1])
print("faccessat2", call(numbers["faccessat2"], at, victim, 4, 0)[1])
print("fchmodat2", call(numbers["fchmodat2"], at, victim, 0o777, 0)[1])
arguments = (ctypes.c_char_p * 2)(b"x", None)
print("execveat", call(numbers["execveat"], at, victim, arguments, None, 0)[1])
for name in ("name_to_handle_at", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
             "open_tree", "io_uring", "setxattrat", "open_tree_attr", "file_setattr",
             "not_made_yet"):
    print(name, call(numbers[name], pid, victim, 0, 0, 0, 0)[1])
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with client_of("proot") as found:
        yield found


def test_no_call_reads_or_changes_a_file_of_the_machine(client: Any) -> None:
    numbers = {**(X86 if platform.machine() == "x86_64" else ARM), **LATE}
    shown = {path: {"bind": path, "mode": "rw"} for path in ("/usr", "/lib", "/lib64")}
    folder = Path(tempfile.mkdtemp(prefix="labs-victim-"))
    folder.chmod(0o777)
    victim = folder / "file"
    victim.write_text("of the learner")
    victim.chmod(0o666)
    try:
        found = client.containers.run(
            "box",
            ["/usr/bin/python3", "-I", "-c", CALLS, str(victim), str(os.getpid()), repr(numbers)],
            volumes=shown,
            remove=True,
        )
        said = {
            name: why.strip()
            for name, _, why in (line.partition(" ") for line in found.decode().splitlines())
        }
        assert "of the learner" not in found.decode(), said
        assert {name for name, why in said.items() if why not in REFUSED} == set(), said
        assert set(said) >= set(numbers)
        assert victim.read_text() == "of the learner"
        assert victim.stat().st_mode & 0o777 == 0o666
    finally:
        shutil.rmtree(folder)
