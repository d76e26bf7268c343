"""An instructor acts for one learner of this machine, as that learner and never as root.

The command runs with the learner's user, groups and home, so that every file and process is the
learner's own. It has no terminal: a program of the learner's that had the instructor's could type
there (TIOCSTI) what root's shell then runs, as with `su` (CVE-2005-4890). What the command prints
is passed on line by line, without letters that steer a terminal.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

from labs_helpers.classroom.journals import Found, printable
from labs_helpers.files import LabsError
from labs_helpers.runtime import lifetime

_PASSED_ON = ("LABS_ENGINE", "LABS_DOCKER", "LABS_CLOCK", "LANG", "LC_ALL", "TZ")
SECONDS = 1800
"""The longest that a command for a learner may take."""
_LAST_WORDS_SECONDS = 5
_LONGEST_LINE = 4_000


@dataclass(frozen=True)
class Person:
    """Who owns a home; ``home`` is the LABS_HOME there."""

    name: str
    user: int
    group: int
    folder: Path
    home: Path


def person(found: Sequence[Found], name: str, homes: Path | None) -> Person:
    """The owner of the home that the class calls ``name``. Raises LabsError, in words."""
    known = {one.name: one for one in found}
    if name not in known:
        raise LabsError(
            f"Nobody here is called {name!r}. There are: {', '.join(sorted(known)) or 'none'}."
        )
    home = known[name].home
    if home is None or homes is None:
        raise LabsError(
            f"{name} works on another machine, where nobody can act from here. Hand out the "
            f"solution to all, or let {name} run lab.catch_up() or labs reset."
        )
    folder = homes / home.relative_to(homes).parts[0]
    owner, labs = folder.stat(), os.lstat(home)
    if labs.st_uid != owner.st_uid:
        raise LabsError(
            f"{home} belongs to user {labs.st_uid}, and {folder} to user {owner.st_uid}. Give it "
            f"back first:\n  chown -R --no-dereference {owner.st_uid} {shlex.quote(str(home))}"
        )
    if os.geteuid() not in (0, owner.st_uid):
        raise LabsError(f"{folder} is not yours: act for {name} as root (sudo).")
    return Person(name, owner.st_uid, owner.st_gid, folder, home)


def run(who: Person, *arguments: str) -> int:
    """Run `labs` with these arguments as the learner; the exit code. Raises LabsError."""
    command = [sys.executable, "-P", "-m", "labs_helpers.cli", *arguments]
    account = _account(who)
    environ = {
        "HOME": str(who.folder),
        "USER": account,
        "LOGNAME": account,
        "PATH": os.environ.get("PATH", os.defpath),
        "LABS_HOME": str(who.home),
        lifetime.ENDS_WITH: lifetime.JUPYTER,  # what this starts is not to outlive the learner's
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    }
    identity: dict[str, object] = {}
    if os.geteuid() != who.user:
        groups = os.getgrouplist(account, who.group) if account != str(who.user) else [who.group]
        identity = {"user": who.user, "group": who.group, "extra_groups": groups}
    try:
        process = subprocess.Popen(
            command,
            cwd=who.folder,
            env=environ,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # without this process's terminal
            **identity,  # type: ignore[call-overload]
        )
    except PermissionError as error:
        raise LabsError(
            f"{who.name} may not run {sys.executable}: install the labs where learners can read."
        ) from error
    passing = [
        threading.Thread(target=_pass_on, args=streams, daemon=True)
        for streams in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
    ]
    for thread in passing:
        thread.start()
    try:
        code = int(process.wait(SECONDS))
    except subprocess.TimeoutExpired as error:
        raise LabsError(f"It did not end in {SECONDS // 60} minutes, and was stopped.") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for thread in passing:
        # a program that the command left behind may keep the pipe open
        thread.join(_LAST_WORDS_SECONDS)
    return code


def _pass_on(source: IO[str], sink: TextIO) -> None:
    while line := source.readline(_LONGEST_LINE):
        print(printable(line.rstrip("\n").expandtabs()), file=sink, flush=True)


def _account(who: Person) -> str:
    try:
        return pwd.getpwuid(who.user).pw_name
    except KeyError:
        return str(who.user)
