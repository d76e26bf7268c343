"""Finding the program to run, and runc's words when there is none.

Sources: https://github.com/opencontainers/runc/blob/v1.2.4/libcontainer/utils_linux.go and
standard_init_linux.go (exec.LookPath), and for the exit status
https://github.com/moby/moby/blob/v28.2.2/daemon/errors.go (setExitCodeFromError).
"""

from __future__ import annotations

import errno
import os
import stat

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_MOST_LINKS = 40


class CannotStart(Exception):
    """The program cannot be started; ``code`` is the exit status that Docker gives."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def at_exec(cls, program: str, error: OSError) -> CannotStart:
        """The failure of execve(2)."""
        why = str(error.strerror or error).lower()
        code = NOT_EXECUTABLE if error.errno in (errno.EACCES, errno.ENOEXEC) else NOT_FOUND
        return cls(f"exec {program}: {why}", code)


def find_program(words: list[str], environment: list[str], root: str = "", cwd: str = "") -> str:
    """The path of the program, looked up in PATH as Go's exec.LookPath does. Raises CannotStart.

    With ``root``, the program is looked for below that folder, as a process would that has it as
    its root and is in ``cwd``.
    """
    name = words[0] if words else ""
    if "/" in name:
        why = _why_not(name, root, cwd)
        if why:
            raise CannotStart(f'exec: "{name}": {why}', _code(why))
        return name
    path = next((pair[5:] for pair in environment if pair.startswith("PATH=")), "")
    for folder in path.split(":"):
        place = f"{folder or '.'}/{name}"
        if name and not _why_not(place, root, cwd):
            return place
    raise CannotStart(f'exec: "{name}": executable file not found in $PATH', NOT_FOUND)


def _code(why: str) -> int:
    return NOT_EXECUTABLE if why in ("permission denied", "is a directory") else NOT_FOUND


def _why_not(path: str, root: str, cwd: str) -> str:
    try:
        mode = os.stat(below(root, path, cwd) if root else path).st_mode  # noqa: PTH116 - memory
    except OSError as error:
        return f"stat {path}: {str(error.strerror).lower()}"
    if stat.S_ISDIR(mode):
        return "is a directory"
    return "" if mode & 0o111 else "permission denied"


def below(root: str, path: str, cwd: str = "/") -> str:
    """A path of a process whose root is a folder, as a path here: links lead to that folder only.

    Raises:
        OSError: too many links.
    """
    found: list[str] = []
    parts = f"{'' if path.startswith('/') else cwd}/{path}".split("/")
    links = 0
    while parts:
        part = parts.pop(0)
        if part == "..":
            found = found[:-1]
        elif part not in ("", "."):
            place = "/".join([root, *found, part])
            if not os.path.islink(place):  # noqa: PTH114
                found.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.readlink(place)  # noqa: PTH115
            parts = target.split("/") + parts
            if target.startswith("/"):
                found = []
    return "/".join([root, *found])
