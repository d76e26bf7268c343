"""A small Debian made of its packages: an image named ubuntu that apt works in, without network.

What `FROM ubuntu` gives, as far as `apt-get install nginx` needs it: the packages are unpacked,
recorded as installed, and those of nginx lie in a local `file:` repository.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.engine.engine_room import require

BASE = (
    "apt base-files base-passwd bash coreutils dash debconf debianutils diffutils dpkg findutils"
    " grep gzip hostname init-system-helpers libc-bin login mawk ncurses-base passwd perl-base sed"
    " sysvinit-utils tar usr-is-merged"
)
WANTED = "nginx-light"
_MERGED = ("bin", "sbin", "lib", "lib64")


def rootfs(folder: Path) -> Path:
    """Make the root file system as a tar in ``folder``."""
    require("apt-get")
    require("dpkg-deb")
    base = _downloaded(folder / "base", BASE)
    every = _downloaded(folder / "every", f"{BASE} {WANTED}")
    names = {path.name for path in base}
    more = [path for path in every if path.name not in names]
    root = folder / "root"
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in base:
        unpack = (
            f'dpkg-deb --fsys-tarfile "{package}" | tar -x --keep-directory-symlink -C "{root}"'
        )
        subprocess.run(["sh", "-ec", unpack], check=True)
    _record(root, base)
    _configure(root)
    _offer(root, more)
    target = folder / "rootfs.tar"
    with tarfile.open(target, "w") as tar:
        tar.add(root, arcname=".", filter=_roots)
    return target


def _downloaded(folder: Path, packages: str) -> list[Path]:
    """The packages and all they depend on, as if nothing were installed."""
    (folder / "partial").mkdir(parents=True)
    options = [
        *("-o", "Dir::State::status=/dev/null", "-o", f"Dir::Cache::archives={folder}"),
        *("-o", "APT::Install-Recommends=false", "-o", "Debug::NoLocking=1"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    done = subprocess.run(
        ["apt-get", "-qq", "-y", *options, "--download-only", "install", *packages.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"Debian's packages cannot be had: {done.stderr}"
        if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return sorted(folder.glob("*.deb"))


def _fields(package: Path) -> str:
    return subprocess.run(
        ["dpkg-deb", "-f", package], capture_output=True, text=True, check=True
    ).stdout


def _record(root: Path, packages: list[Path]) -> None:
    """Write dpkg's database: every package is installed, with its list of files."""
    database = root / "var/lib/dpkg"
    for name in ("info", "updates", "triggers", "parts"):
        (database / name).mkdir(parents=True, exist_ok=True)
    status = ""
    for package in packages:
        fields = _fields(package)
        status += fields.rstrip() + "\nStatus: install ok installed\n\n"
        known = dict(line.split(": ", 1) for line in fields.splitlines() if ": " in line)
        name = known["Package"]
        if known.get("Multi-Arch") == "same":
            name += f":{known['Architecture']}"
        listed = subprocess.run(
            f'dpkg-deb --fsys-tarfile "{package}" | tar -t',
            shell=True,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        files = [line.removeprefix(".").rstrip("/") or "/." for line in listed.splitlines()]
        (database / "info" / f"{name}.list").write_text("\n".join(files) + "\n")
    (database / "status").write_text(status)
    (database / "available").touch()


def _configure(root: Path) -> None:
    """What the packages' own scripts would have done."""
    for name in ("passwd", "group"):
        text = (root / f"usr/share/base-passwd/{name}.master").read_text()
        (root / "etc" / name).write_text(text.replace(":*:", ":x:"))
    with (root / "etc/passwd").open("a") as file:
        file.write("_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n")
    (root / "usr/bin/awk").symlink_to("mawk")
    for name in ("etc/apt", "var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    # as in Docker's own images: installing a service does not start it
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def _offer(root: Path, packages: list[Path]) -> None:
    """A repository of packages in the image itself."""
    repository = root / "repository"
    repository.mkdir()
    index = ""
    for package in packages:
        content = package.read_bytes()
        (repository / package.name).write_bytes(content)
        index += (
            f"{_fields(package).rstrip()}\nFilename: ./{package.name}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n"
        )
    (repository / "Packages").write_text(index)
    (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/repository ./\n")
    for other in (root / "etc/apt/sources.list.d").glob("*"):
        other.unlink()


def _roots(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
