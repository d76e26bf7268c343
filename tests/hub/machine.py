"""A copy of this machine to make users and servers in, all of which is gone with the copy.

Linux, as root: what is written in the copy stays in memory (overlayfs), its network is a loopback
of its own, and its processes end with the first of them. So a test may make users and listen on the
usual ports, and leaves nothing behind, also where the test fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
LABS = "/opt/labs"
"""Where the copy has the project, as docs/jupyterhub.md says."""

_OPEN = r"""
set -eu
copy=$1 project=$2 labs=$3 python=$4; shift 4
mount -t tmpfs -o mode=755 copy "$copy"
root=$copy/root
mkdir -p "$copy/above/root" "$copy/work/root" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$copy/above/root,workdir=$copy/work/root" overlay "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
for place in tmp run home; do mount -t tmpfs -o mode=755 "$place" "$root/$place"; done
chmod 1777 "$root/tmp"
# the project twice: where its scripts say that they are, and where the guide puts it
mkdir -p "$copy/above/labs" "$copy/work/labs" "$root$project" "$root$labs" "$root/$copy"
mount -t overlay -o "lowerdir=$project,upperdir=$copy/above/labs,workdir=$copy/work/labs" \
  overlay "$root$project"
mount --bind "$root$project" "$root$labs"
mkdir "$root/run/old"
cd "$root"
pivot_root . run/old
umount -l /run/old
rmdir /run/old
ip link set lo up
# the tests' Python may be in a folder of root's
for place in "$python" "$project"; do
  while [ "$place" != / ]; do chmod o+x "$place"; place=$(dirname "$place"); done
done
# not by exec: the first process has to reap the orphans, as a machine's does
status=0
"$@" || status=$?
exit $status
"""

_NAMESPACES = ("--mount", "--pid", "--ipc", "--fork", "--kill-child", "--propagation", "private")


def run(words: Sequence[str], network: bool = False, seconds: float = 300.0) -> Any:
    """Run a program as root in a copy of this machine; return the JSON that it prints last.

    network: whether the copy has this machine's network instead of a loopback of its own.
    """
    needs()
    with tempfile.TemporaryDirectory(prefix="labs-copy-", dir="/tmp") as folder:
        opened = ["bash", "-c", _OPEN, "bash", folder, str(PROJECT), LABS, sys.base_prefix, *words]
        namespaces = [*_NAMESPACES, *([] if network else ["--net"])]
        variables = ("PATH", "LANG", "HOME", "LABS_REQUIRE_CLIENTS")
        try:
            ran = subprocess.run(
                ["unshare", *namespaces, *opened],
                env={name: os.environ[name] for name in variables if name in os.environ},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as late:
            said = [(each or b"")[-4000:] for each in (late.stdout, late.stderr)]
            pytest.fail(f"It did not end in {seconds:.0f} seconds: {words}\n{said}")
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-6000:]}"
    return json.loads(ran.stdout.splitlines()[-1])


def needs() -> None:
    """Skip where no such copy can be made; for root under LABS_REQUIRE_CLIENTS, fail."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can make users")
    if why := _missing():
        if os.environ.get("LABS_REQUIRE_CLIENTS"):
            pytest.fail(why)
        pytest.skip(why)


@cache
def _missing() -> str:
    programs = ("unshare", "pivot_root", "ip", "useradd", "chpasswd", "runuser")
    if missing := [name for name in programs if not shutil.which(name)]:
        return f"not installed: {', '.join(missing)}"
    probe = "mount -t tmpfs none /mnt && mkdir /mnt/a /mnt/b /mnt/c && mount -t overlay -o"
    probe += " lowerdir=/,upperdir=/mnt/a,workdir=/mnt/b none /mnt/c"
    tried = subprocess.run(
        ["unshare", *_NAMESPACES, "--net", "sh", "-c", probe], capture_output=True, text=True
    )
    return f"no copy of this machine: {tried.stderr.strip()}" if tried.returncode else ""
