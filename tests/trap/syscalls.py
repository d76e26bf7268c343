"""What a program did to the network and to files, read from strace's log of it.

The log is one file a process (`strace -ff`), so that no call is cut in two by another process. https://man7.org/linux/man-pages/man1/strace.1.html
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_WATCHED = (
    "bind connect sendto sendmsg sendmmsg open openat openat2 creat execve execveat chdir truncate "
    "mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2 link linkat "
    "symlink symlinkat chmod fchmodat fchmodat2 chown lchown fchownat utime utimes utimensat "
    "setxattr lsetxattr removexattr lremovexattr mount"
)
"""Calls that name an address, open a file or change one; `stat` and the like only look."""

OPTIONS = (
    "-ff",
    # stops the program at the watched calls only, or a session takes minutes
    "--seccomp-bpf",
    "-y",
    "-qq",
    *("-s", "4096"),
    # a question mark: not every architecture has every call
    *("-e", "trace=" + ",".join(f"?{name}" for name in _WATCHED.split())),
    *("-e", "signal=none"),
)

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>.*)")
_IPV4 = re.compile(r'sin_addr=inet_addr\("([^"]+)"\)')
_IPV6 = re.compile(r'inet_pton\(AF_INET6, "([^"]+)"')
_UNIX = re.compile(r'sun_path=(@?)"((?:[^"\\]|\\.)*)"')
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_CHANGES = re.compile(
    r"creat|mkdir(at)?|mknod(at)?|rmdir|unlink(at)?|rename(at2?)?|link(at)?|symlink(at)?|truncate"
    r"|f?chmod(at2?)?|[lf]?chown(at)?|utimensat|utimes?|[lf]?(set|remove)xattr|mount"
)
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")


@dataclass(frozen=True)
class Contact:
    """A call that names an address of the internet or of a unix socket."""

    call: str
    address: str
    port: int
    line: str

    @property
    def stays_here(self) -> bool:
        """Whether it is loopback, or a unix socket; `bind` to every interface is not."""
        if self.address.startswith(("/", "@")):
            return True
        return ipaddress.ip_address(self.address).is_loopback


@dataclass(frozen=True)
class Touch:
    """A call that names a file: `how` is "look" (`chdir`), "read" or "write"."""

    call: str
    path: str
    how: str
    found: bool
    line: str


def contacts(folder: Path) -> list[Contact]:
    """Every address in the logs under `folder`."""
    return [
        contact
        for name, arguments, line in _calls(folder)
        for contact in _addresses(name, arguments, line)
    ]


def touches(folder: Path, start: str) -> list[Touch]:
    """Every file named in the logs; `start` is the folder that the first process began in."""
    found = []
    for log in sorted(folder.iterdir()):
        here = start
        for line in log.read_text(errors="replace").splitlines():
            call = _CALL.match(line)
            if not call:
                continue
            if call["name"] == "connect":
                continue
            for path in _PATH.finditer(call["arguments"]):
                within = path["folder"] or here
                if "AT_FDCWD<" in call["arguments"] and path["folder"]:
                    here = path["folder"]
                full = posixpath.normpath(posixpath.join(within, _plain(path["path"])))
                if call["name"] == "chdir":
                    here = full
                found.append(
                    Touch(call["name"], full, _how(call), not call["result"].startswith("-1"), line)
                )
                if not _CHANGES.fullmatch(call["name"]):
                    break  # what follows is content: arguments of execve, an answer of readlink
    return found


def _calls(folder: Path) -> Iterator[tuple[str, str, str]]:
    for log in sorted(folder.iterdir()):
        for line in log.read_text(errors="replace").splitlines():
            if call := _CALL.match(line):
                yield call["name"], call["arguments"], line


def _addresses(name: str, arguments: str, line: str) -> Iterator[Contact]:
    if name not in ("connect", "sendto", "sendmsg", "sendmmsg", "bind"):
        return
    ports = [int(port) for port in _PORT.findall(arguments)] or [0]
    for pattern in (_IPV4, _IPV6):
        for address in pattern.findall(arguments):
            yield Contact(name, address, ports[0], line)
    for abstract, path in _UNIX.findall(arguments):
        yield Contact(name, "@" + path if abstract else posixpath.join("/", path), 0, line)


def _how(call: re.Match[str]) -> str:
    if _CHANGES.fullmatch(call["name"]):
        return "write"
    if call["name"] in ("open", "openat", "openat2"):
        return "write" if _WRITING.search(call["arguments"]) else "read"
    return "read" if call["name"] in ("execve", "execveat") else "look"


def _plain(text: str) -> str:
    """strace's C escapes undone."""
    return (
        text.encode("latin-1", "replace")
        .decode("unicode_escape")
        .encode("latin-1")
        .decode(errors="replace")
    )
