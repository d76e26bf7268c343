"""Runs one command after the other as CodeBuild's agent does.

The reference says that version 0.2 runs all commands "in the same instance of the default shell".
The agent's logs show how: each command is the fourth line of a script of its own
(`/codebuild/output/tmp/script.sh: line 4: PWD: command not found`, and
https://github.com/aws/aws-codebuild-docker-images/issues/102), and the environment goes from one to
the next by a file of exports, with CODEBUILD_LAST_EXIT in it. So `cd`, `export` and plain variables
last, and `exit 1`, `exec`, `set -e` or a killed shell end one command and not the build. Functions,
aliases, traps, shell options and arrays end with their command.

A command that ends its shell before the script does (`exit`, `exec`) hands on no new variables or
folder. In version 0.1 no command hands on any
(https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-cmd.html).
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import stat
from collections.abc import Mapping
from pathlib import Path

from labs_helpers.buildspec.processes import NoFolder, Processes

_LINES_BEFORE = 3
_SCRIPT, _STATE = "script.sh", "state"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LARGEST_STATE = 8_000_000
"""Bytes; Linux passes at most 6 MiB of arguments and variables to a program."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_HANDED_ON = (
    "its variables cannot be handed on: they are too long, or memory or disk is used up"
)
LAST_EXIT = "CODEBUILD_LAST_EXIT"


class Shell:
    """The state that one command hands to the next.

    program: "sh", "bash" or a path. tmp: an empty folder for the scripts. keep: whether there is
    such a state; not in version 0.1. processes: run the commands.
    """

    def __init__(
        self,
        program: str,
        folder: Path,
        tmp: Path,
        environment: Mapping[str, str],
        keep: bool,
        processes: Processes,
    ) -> None:
        self.environment = {**environment, LAST_EXIT: "0"}
        self.folder = folder
        self._processes = processes
        # found once: a command may change the PATH
        self._program = processes.find(program, environment.get("PATH")) or program
        self._env = processes.find("env", None) or "/usr/bin/env"
        self._keep = keep
        self._command = tmp / "command" / _SCRIPT
        self._script = tmp / _SCRIPT
        self._state = tmp / _STATE
        self._command.parent.mkdir()
        self._script.write_text(self._frame(), encoding="utf-8")
        # held open: a command can put a link in the place of any folder or file of the build
        self._scripts = os.open(self._command.parent, _FOLDER)
        self._tmp = os.open(tmp, _FOLDER)

    def close(self) -> None:
        """Let go of the folder of scripts, after the last command."""
        os.close(self._scripts)
        os.close(self._tmp)

    def run(self, command: str) -> str | None:
        """Run one command; the reason of a failure in CodeBuild's (Go's) words, or None."""
        text = "\n" * _LINES_BEFORE + command + "\n"
        # -a: a plain variable is an exported one, and so lasts
        argv = [self._program, "-a", str(self._script)]
        try:
            self._prepare(text)
            code = self._processes.run(argv, self.environment, self.folder)
        except NoFolder:
            return f"chdir {self.folder}: no such file or directory"
        except FileNotFoundError:
            return f'exec: "{self._program}": executable file not found in $PATH'
        except OSError as error:  # the list of variables is too long, for one
            return f"fork/exec {self._program}: {(error.strerror or str(error)).lower()}"
        reason = _reason(code)
        if self._keep and not self._take_over() and reason is None:
            code, reason = 1, _NOT_HANDED_ON
        self.environment[LAST_EXIT] = str(code if code >= 0 else 128 - code)
        return reason

    def _prepare(self, text: str) -> None:
        """Write the command's script, and remove the state of the command before.

        Programs of an earlier command may have put links there, and whoever runs the build may
        write where the build may not. Raises OSError.
        """
        for name, folder in ((_SCRIPT, self._scripts), (_STATE, self._tmp)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(_SCRIPT, flags, 0o644, dir_fd=self._scripts), "wb") as file:
            file.write(text.encode(errors="surrogateescape"))

    def _frame(self) -> str:
        """The script around the command.

        The command is a file of its own, so that an open quote or here-document ends with the file.
        """
        state = shlex.quote(str(self._state))
        return (
            f". {shlex.quote(str(self._command))}\n"
            f"{LAST_EXIT}=$?\n"
            f"{{ pwd && printf '\\0' && {self._env} -0; }} > {state} 2>/dev/null\n"
            f"exit ${LAST_EXIT}\n"
        )

    def _take_over(self) -> bool:
        """Take the folder and the variables that the script wrote down, if it came that far.

        False where they are cut short.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO would block
        try:
            descriptor = os.open(_STATE, flags, dir_fd=self._tmp)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
            folder, _, variables = file.read(_LARGEST_STATE).partition(b"\n\0")
        if not variables.endswith(b"\0"):
            return False
        pairs = (os.fsdecode(each).partition("=") for each in variables.split(b"\0"))
        self.environment = {name: text for name, _, text in pairs if _VARIABLE.fullmatch(name)}
        self.folder = Path(os.fsdecode(folder))
        return True


def _reason(code: int) -> str | None:
    if code == 0:
        return None
    if code > 0:
        return f"exit status {code}"
    return f"signal: {(signal.strsignal(-code) or str(-code)).lower()}"
