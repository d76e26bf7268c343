"""The files that a container sees: the image, /proc, /dev, volumes, and nothing else.

Every source is opened before the container's root becomes the root; every target is looked up
afterwards. So a symbolic link in an image leads to the image's own files only.
"""

from __future__ import annotations

import os
import stat

from . import syscalls as sys
from .words import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
    "core": "/proc/kcore",
}
_MASKED = (
    *("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats"),
    *("/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi"),
    *("/proc/interrupts", "/sys/firmware", "/sys/devices/virtual/powercap"),
)
_READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""https://github.com/moby/moby/blob/v28.2.2/oci/defaults.go; the second below /proc."""

QUIET = sys.NO_SETUID | sys.NO_DEVICES | sys.NO_PROGRAMS


def arrange(spec: dict[str, Any]) -> None:
    """Make the container's files the root of this mount namespace.

    Raises:
        CannotStart: a volume cannot be mounted.
        OSError: the kernel forbids a mount.
    """
    sys.mount("none", "/", "", sys.PRIVATE | sys.RECURSIVE)
    old = os.open("/", os.O_PATH | os.O_DIRECTORY)
    devices = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    volumes = [(each, _open(each)) for each in spec["mounts"]]
    mount_image(spec)
    sys.enter_root("root")
    # before /proc is there: a link of the image could lead to /proc/self/fd, and so to the machine
    os.fchdir(old)
    for path, options in spec["tmpfs"].items():
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - no pathlib: memory
        sys.mount("tmpfs", path, "tmpfs", QUIET, options)
    last = [one for one in volumes if one[0]["target"].startswith("/dev/")]
    for each, descriptor in volumes:
        if (each, descriptor) not in last:
            mount_volume(each, descriptor, "proc/self/fd")
    _mount_proc_and_sys(spec)
    _make_devices(devices, spec["shm_size"])
    for each, descriptor in last:  # of a build's own, in a folder that was just made
        mount_volume(each, descriptor, "proc/self/fd")
    sys.unmount(".", sys.DETACH)
    os.close(old)
    os.chdir("/")
    if spec["read_only"]:
        sys.remount("/", sys.READ_ONLY)


def _open(volume: dict[str, Any]) -> int:
    """Open the source of a volume; ``exact`` forbids links, which a build may have put there."""
    source = volume["source"]
    descriptor = os.open(source, os.O_PATH)
    if volume.get("exact") and os.readlink(f"/proc/self/fd/{descriptor}") != source:  # noqa: PTH115
        raise CannotStart(f'error mounting "{source}": there is a symbolic link on its path', 126)
    return descriptor


def mount_image(spec: dict[str, Any]) -> None:
    """Mount the files of a container's image, and its own above them, at ``root`` of its folder."""
    os.chdir(spec["folder"])
    if spec["lower"]:
        # relative, so that no character of a path needs quoting; volatile, or the end of each
        # container would wait until the whole disk is synchronised
        options = f"lowerdir={spec['lower']},upperdir=upper,workdir=work,volatile"
        extra = ",userxattr" if spec["user_namespace"] else ""
        sys.mount("overlay", "root", "overlay", sys.NO_DEVICES, options + extra)
    else:
        sys.mount("root", "root", "", sys.BIND)
        sys.remount("root", sys.NO_DEVICES)


def _mount_proc_and_sys(spec: dict[str, Any]) -> None:
    # the machine's network has a /sys of its own, which a namespace may not mount
    for folder, kind in (("/proc", "proc"), ("/dev", "tmpfs"), ("/sys", "sysfs")):
        if folder != "/sys" or spec["network"] != "host":
            _make_mount_point(folder, kind)
    sys.mount("proc", "/proc", "proc", QUIET)
    if spec["network"] != "host":
        # the kernel shows a namespace's owner its own network only
        sys.mount("sysfs", "/sys", "sysfs", QUIET | sys.READ_ONLY)
    for name in _READ_ONLY:
        path = f"/proc/{name}"
        if os.path.exists(path):  # noqa: PTH110
            sys.bind(path, path, read_only=True)


def _make_mount_point(folder: str, kind: str) -> None:
    """Make a folder, unless it is there, to mount a file system of that kind on.

    Raises CannotStart for anything else: while a container starts, another one could move a link
    that leads into a volume of both, and what is masked would be somewhere else (CVE-2019-19921).
    https://github.com/opencontainers/runc/blob/v1.2.4/libcontainer/rootfs_linux.go
    """
    try:
        found = os.lstat(folder)
    except FileNotFoundError:
        os.mkdir(folder, 0o755)  # noqa: PTH102
        return
    if not stat.S_ISDIR(found.st_mode):
        raise CannotStart(
            f'error during container init: error mounting "{kind}" to rootfs at "{folder}":'
            f' filesystem "{kind}" must be mounted on ordinary directory',
            127,
        )


def _make_devices(devices: dict[str, int], shm_size: int) -> None:
    # root's RUN may make devices; those of the machine are mounts of their own
    flags = sys.NO_SETUID | sys.NO_DEVICES
    sys.mount("tmpfs", "/dev", "tmpfs", flags, "mode=755,size=65536k")
    for name, descriptor in devices.items():
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        sys.bind(f"/proc/self/fd/{descriptor}", f"/dev/{name}")
        os.close(descriptor)
    for name, target in _LINKS.items():
        os.symlink(target, f"/dev/{name}")  # noqa: PTH211
    for name in ("pts", "shm", "mqueue"):
        os.mkdir(f"/dev/{name}")  # noqa: PTH102
    options = "newinstance,ptmxmode=0666,mode=0620"
    sys.mount("devpts", "/dev/pts", "devpts", sys.NO_SETUID | sys.NO_PROGRAMS, options)
    sys.mount("shm", "/dev/shm", "tmpfs", QUIET, f"mode=1777,size={shm_size}")
    sys.mount("mqueue", "/dev/mqueue", "mqueue", QUIET)
    for path in _MASKED:
        if os.path.isdir(path):  # noqa: PTH112
            sys.mount("tmpfs", path, "tmpfs", QUIET | sys.READ_ONLY, "size=0k")
        elif os.path.exists(path):  # noqa: PTH110
            sys.bind("/dev/null", path)


def mount_volume(volume: dict[str, Any], descriptor: int, descriptors: str) -> None:
    """Mount the source of a volume, which is open, at its target below the root.

    ``descriptors`` is the folder with the names of this process's open files. Raises CannotStart.
    """
    target, is_folder = volume["target"], stat.S_ISDIR(os.fstat(descriptor).st_mode)
    try:
        if is_folder:
            os.makedirs(target, exist_ok=True)  # noqa: PTH103
        elif not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        sys.bind(f"{descriptors}/{descriptor}", target, volume["read_only"])
    except OSError as error:
        why = str(error.strerror).lower()
        raise CannotStart(
            f'error during container init: error mounting "{volume["source"]}" to rootfs at'
            f' "{target}": {why}',
            127,
        ) from error
    finally:
        os.close(descriptor)


def change_folder(path: str, uid: int, gid: int) -> None:
    """Change to the working folder, which is made, for the user, when it is missing.

    A folder that is not below the root is none of the container's, however the path leads there:
    https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv

    Raises:
        CannotStart: in runc's words.
    """
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            os.makedirs(path)  # noqa: PTH103
            os.chown(path, uid, gid)
        os.chdir(path)
        _check_inside()
    except RecursionError as error:
        raise CannotStart(f'mkdir cwd ("{path[:100]}..."): file name too long', 126) from error
    except OSError as error:
        why = str(error.strerror).lower()
        code = 127 if isinstance(error, NotADirectoryError | FileExistsError) else 126
        raise CannotStart(
            f'chdir to cwd ("{path}") set in config.json failed: {why}', code
        ) from error


def _check_inside() -> None:
    """Raise CannotStart unless the working folder has a path below the root: getcwd(3)."""
    try:
        here = os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        here = ""
    if not here.startswith("/"):
        raise CannotStart(
            "current working directory is outside of container mount namespace root -- possible"
            " container breakout detected",
            126,
        )
