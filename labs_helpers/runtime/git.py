"""git, run in a folder that somebody else may have made: nothing of the folder is executed.

A repository's own configuration can name programs that git starts (core.fsmonitor, tar.*.command,
filter.*, gpg.program, diff.external, aliases, hooks, remotes of ``ext::``), and git has no option
that leaves the configuration of a repository out. So git is given another repository: a new folder
with a configuration of ours, whose objects and branches are links to those of the folder.
https://git-scm.com/docs/git-config and https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SHARED = ("objects", "refs", "packed-refs", "reftable", "shallow")
"""What of a repository is data, and no configuration."""
_READ = ("HEAD", "config", "packed-refs", "shallow")
"""Small files of a repository that are read whole."""
_LARGEST = 64 * 1024 * 1024
_MOST_REFS = 20_000
"""Files of branches and tags that are looked at, before git is."""
_MEMORY = 1024 * 1024
"""KiB of memory of a git. A tree of trees names millions of files in a few hundred bytes."""
_BOUND = ("/bin/sh", "-c", f'ulimit -v {_MEMORY} 2>/dev/null; exec "$@"', "git")
"""Begins a command with little memory; macOS knows no such bound, and the command begins there."""
_CONFIG = """[core]
\trepositoryformatversion = 1
\tbare = false
\tbigFileThreshold = 64m
\tpackedGitLimit = 256m
[gpg]
\tprogram = false
[gpg "ssh"]
\tprogram = false
[gpg "x509"]
\tprogram = false
[extensions]
"""
_EXTENSIONS = {"objectformat": ("sha1", "sha256"), "refstorage": ("files", "reftable")}
"""How the data are written; git cannot read them otherwise."""
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")


class NoGit(Exception):
    """git is not installed, or the folder is in no repository; the message is for the learner."""


def run(folder: Path, *arguments: str, seconds: float = 60.0) -> subprocess.CompletedProcess[bytes]:
    """Run a command of git that reads commits and branches, in a folder.

    The command sees no configuration, index or hook of the repository, nor of the user, and it
    reaches no network. Raises NoGit, subprocess.TimeoutExpired, and OSError.
    """
    with _repository_of_ours(folder) as (program, environ):
        return subprocess.run(
            [*_BOUND, program, *arguments],
            cwd=folder,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environ,
            timeout=seconds,
        )


def first_bytes(folder: Path, *arguments: str, most: int, seconds: float = 60.0) -> bytes:
    """The first `most` bytes that such a command prints; then the command is ended.

    Raises NoGit, OSError, and subprocess.CalledProcessError, also after so many seconds.
    """
    with (
        _repository_of_ours(folder) as (program, environ),
        subprocess.Popen(
            [*_BOUND, program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        ) as process,
    ):
        late = threading.Timer(seconds, process.kill)
        late.start()
        try:
            assert process.stdout is not None
            found = process.stdout.read(most)
            if len(found) == most:
                process.kill()
            elif process.wait():
                raise subprocess.CalledProcessError(process.returncode, [program, *arguments])
        finally:
            late.cancel()
    return found


@contextmanager
def _repository_of_ours(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """git's program, and the environment in which it sees the folder's data only."""
    program = shutil.which("git")
    if program is None:
        raise NoGit("git is not installed on this machine")
    top, own, common = _repository(folder.absolute())
    with tempfile.TemporaryDirectory(prefix="labs-git-") as made:
        place = Path(made)
        environ = _environment(place, top)
        _lay_out(place, own, common, program, environ)
        yield program, environ


def _environment(place: Path, top: Path) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(place),
        "XDG_CONFIG_HOME": str(place),
        "GIT_DIR": str(place),
        "GIT_WORK_TREE": str(top),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PAGER": "cat",
    }


def _repository(folder: Path) -> tuple[Path, Path, Path]:
    """The top folder, the repository's folder and the one with branches and objects."""
    for top in (folder, *folder.parents):
        place = top / ".git"
        if place.is_file():  # a worktree, or a submodule
            _check_plain(place)
            text = place.read_text(errors="surrogateescape").removeprefix("gitdir:").strip()
            place = top / text
        elif _is_bare(top):
            place = top
        if _is_bare(place) or (place / "commondir").is_file():
            common = place
            _check_plain(place / "commondir")
            with suppress(FileNotFoundError):
                common = place / (place / "commondir").read_text().strip()
            return top, place, common
    raise NoGit(f"{folder} is in no repository of git")


def _is_bare(place: Path) -> bool:
    return all((place / name).exists() for name in ("HEAD", "objects", "refs"))


def _check_plain(path: Path) -> None:
    """Raise OSError where a path is there and no plain file: reading from others may not end."""
    try:
        found = path.stat()
    except OSError:
        return  # not there, which is for git to say
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
        raise OSError(errno.EINVAL, f"{path} is no plain file, or is too large")


def _check_refs(folder: Path) -> None:
    """The same for the files of branches and tags."""
    waiting, seen = [folder], 0
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue  # not there, or not ours to read: git says so
        for entry in entries:
            seen += 1
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                _check_plain(Path(entry.path))
        if seen > _MOST_REFS:
            raise OSError(errno.E2BIG, f"more than {_MOST_REFS} branches and tags: git pack-refs")


def _lay_out(place: Path, own: Path, common: Path, program: str, environ: dict[str, str]) -> None:
    for name in _READ:
        _check_plain(own / name)
        _check_plain(common / name)
    _check_refs(common / "refs")
    for name in _SHARED:
        if (common / name).exists():
            (place / name).symlink_to((common / name).resolve())
    (place / "HEAD").write_bytes((own / "HEAD").read_bytes()[:4096])
    found = subprocess.run(
        [
            *(program, "config", "--file", str(common / "config"), "--no-includes"),
            *("--get-regexp", r"^extensions\.(objectformat|refstorage)$"),
        ],
        cwd=place,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        env=environ,
        timeout=60,
    )
    config = _CONFIG
    for line in found.stdout.splitlines():
        key, _, value = line.partition(" ")
        name = key.removeprefix("extensions.")
        if value in _EXTENSIONS.get(name, ()):
            config += f"\t{name} = {value}\n"
    (place / "config").write_text(config)
