"""Where a learner's files live: in LABS_HOME, and in the workbook of a learner who works there.

The labs write nothing outside these two folders.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from labs_helpers.curriculum import LABS
from labs_helpers.defaults import ACCOUNT, OTHER_ACCOUNT, REGION
from labs_helpers.files import WorkspaceError, cannot_write, read_json, write_json
from labs_helpers.own_names import OwnNames

SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107
"""The most bytes in a socket's path: ``sun_path`` without its NUL, unix(7) and macOS's unix(4)."""


WORKBOOK_RECORD = ".labs-copy"
"""The folder by which a workbook is known; see :mod:`labs_helpers.learners_copy`."""

WORKS_IN = "LABS_WORKS_IN"
"""The variable by which a kernel that ``start`` led into a workbook remembers that workbook."""


@dataclass(frozen=True)
class Workspace:
    """The paths below one LABS_HOME.

    ``project`` is the folder with ``notebooks/``, if any. ``workbook`` is the workbook that the
    process works in: None for a process that works elsewhere, as `labs run` and the tests do.
    """

    home: Path
    project: Path | None = None
    workbook: Path | None = None

    @classmethod
    def find(
        cls,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        package: Path | None = None,
    ) -> Self:
        """LABS_HOME if set, else ``.labs`` in the project folder, else ``.labs`` in ``cwd``.

        ``.labs`` in the learner's own home where the project is shared: on a hub (JUPYTERHUB_USER
        is set), and where this user may not write in the project.

        The project folder is the one this package lies in, or the nearest above ``cwd``, that
        holds ``pyproject.toml`` and ``notebooks/``. The workbook is the one that ``cwd`` is in, or
        the one that this kernel worked in before it changed its folder.
        """
        environ = os.environ if environ is None else environ
        cwd = Path.cwd() if cwd is None else cwd
        package = Path(__file__).parent if package is None else package
        above = [package.parent, cwd, *cwd.parents]
        project = next((folder for folder in above if _is_project(folder)), None)
        before = [Path(environ[WORKS_IN])] if environ.get(WORKS_IN) else []
        workbook = next((one for one in (cwd, *cwd.parents, *before) if is_workbook(one)), None)
        if named := environ.get("LABS_HOME"):
            return cls(cwd / Path(named).expanduser(), project, workbook)
        beside = (project or cwd) / ".labs"
        if project is not None and is_shared(project, environ):
            return cls(Path(environ.get("HOME") or Path.home()) / ".labs", project, workbook)
        return cls(beside, project, workbook)

    @property
    def notebooks(self) -> Path:
        """The learner's notebooks; raises WorkspaceError where there is no project folder."""
        if self.project is None:
            raise WorkspaceError(
                "No notebooks/ here: neither this folder nor one above it is the labs' project.\n"
                "Change into the folder that has notebooks/ and pyproject.toml, and try again."
            )
        return self.project / "notebooks"

    @property
    def choices(self) -> Path:
        return self.home / "config.json"

    @property
    def aws_config(self) -> Path:
        return self.home / "aws" / "config"

    @property
    def aws_credentials(self) -> Path:
        return self.home / "aws" / "credentials"

    @property
    def docker(self) -> Path:
        """The folder that DOCKER_CONFIG names."""
        return self.home / "docker"

    @property
    def bin(self) -> Path:
        return self.home / "bin"

    @property
    def sandbox(self) -> Path:
        return self.home / "sandbox"

    @property
    def learner(self) -> Path:
        return self.sandbox / "learner.json"

    @property
    def begun(self) -> Path:
        """The record of the labs begun in this sandbox; see :mod:`labs_helpers.prepare.record`."""
        return self.sandbox / "begun.json"

    @property
    def control_token(self) -> Path:
        return self.sandbox / "control-token"

    @property
    def runner(self) -> Path:
        return self.home / "runner"

    @property
    def engine(self) -> Path:
        return self.home / "engine"

    @property
    def socket(self) -> Path:
        return self.engine / "docker.sock"

    @property
    def registries(self) -> Path:
        return self.engine / "registries.json"

    @property
    def snapshots(self) -> Path:
        """What was saved of sandbox and engine; see :mod:`labs_helpers.snapshots`."""
        return self.home / "snapshots"

    @property
    def progress(self) -> Path:
        """The journal of the learner's steps; see :mod:`labs_helpers.progress.journal`."""
        return self.home / "progress" / "events.jsonl"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    def work(self, number: str) -> Path:
        """A lab's folder, with the learner's copies of the lab's files.

        Beside the lab's notebook for a learner who works in the workbook, else in LABS_HOME.
        """
        if self.workbook is not None:
            return self.workbook / LABS[number].folder
        return self.home / "work" / number

    def was_entered(self, number: str) -> bool:
        """Whether a lab's work folder was ever made by a start of the lab."""
        return (self.home / "work" / number).is_dir()

    def enter(self, number: str) -> Path:
        """Make a lab's folder and return the folder; raises WorkspaceError."""
        try:
            # in LABS_HOME also for the workbook, whose folders are there before any start
            for folder in (self.home / "work" / number, self.work(number)):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.work(number), error) from error
        return self.work(number)

    def create(self) -> Self:
        """Make the folders, readable by nobody else; raises WorkspaceError saying why not."""
        self.check_socket_path()
        self._check_owner()
        private = (self.aws_config.parent, self.docker, self.bin)
        folders = (*private, self.sandbox, self.engine, self.runner)
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.sandbox.exists():
                self._create_sandbox()
            for folder in (self.home, *folders):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder.stat().st_mode & 0o077:
                    folder.chmod(0o700)
            ignore = self.home / ".gitignore"
            if not ignore.exists():
                # the folder holds keys and a token, which nobody should commit
                ignore.write_text("*\n")
            # without this file, the Docker SDK would read ~/.docker/config.json
            with (
                contextlib.suppress(FileExistsError),
                open(self.docker / "config.json", "x", opener=_private) as settings,
            ):
                settings.write("{}\n")
        except OSError as error:
            raise cannot_write(self.home, error) from error
        return self

    def _check_owner(self) -> None:
        """Raise WorkspaceError for root in somebody else's LABS_HOME (`labs` becomes its owner)."""
        if os.geteuid() == 0 and self.home.exists() and (owner := self.home.stat().st_uid) != 0:
            raise WorkspaceError(
                f"{self.home} belongs to user {owner}, and you are root. What root writes there, "
                "that user cannot change.\n"
                "Work as that user, or set LABS_HOME to another folder:\n"
                "  export LABS_HOME=/root/.labs"
            )

    def _create_sandbox(self) -> None:
        """Make the sandbox's folder together with its record, in which no lab is begun.

        The folder appears with the record in it, at once: a folder without one has lost it.
        """
        folder = Path(tempfile.mkdtemp(prefix=".sandbox.", dir=self.home))
        try:
            write_json(folder / self.begun.name, {"labs": {}})
            folder.rename(self.sandbox)
        except OSError:
            if not self.sandbox.is_dir():  # else another process has just made it
                raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def has_short_socket_path(self) -> bool:
        """Whether the path of the engine's socket is short enough for the system."""
        return len(os.fsencode(self.socket)) <= SOCKET_PATH_LIMIT

    def check_socket_path(self) -> None:
        """Raise WorkspaceError when the path of the engine's socket is too long."""
        if not self.has_short_socket_path():
            length = len(os.fsencode(self.socket))
            raise WorkspaceError(
                f"The path of the engine's socket is {length} bytes long, and this system allows "
                f"{SOCKET_PATH_LIMIT}:\n  {self.socket}\n"
                "Set LABS_HOME to a folder with a shorter path, for example:\n"
                "  export LABS_HOME=~/.labs"
            )

    def remembered(self) -> dict[str, Any]:
        """The choices in config.json, and the defaults for those that are not in the file.

        A file that is no JSON object is renamed, with a SetAside warning.
        """
        defaults: dict[str, Any] = {"account": ACCOUNT, "region": REGION}
        return defaults | read_json(self.choices)

    @property
    def own_names(self) -> OwnNames:
        """The account and the region that the learner chose, or the labs' usual ones."""
        found = self.remembered()
        second = str(found.get("second_account") or OTHER_ACCOUNT)
        return OwnNames(str(found["account"]), str(found["region"]), second)

    def remember(self, **choices: Any) -> None:
        """Write choices into config.json; the other choices in the file stay."""
        kept = read_json(self.choices)
        if kept != kept | choices:
            write_json(self.choices, kept | choices)


def _private(path: str, flags: int) -> int:
    """Open a file that other users may not read; an ``opener`` for :func:`open`."""
    return os.open(path, flags, 0o600)


def _is_project(folder: Path) -> bool:
    # not Path.is_file(), which raises in a folder that this user may not look into
    return os.path.isfile(folder / "pyproject.toml") and os.path.isdir(folder / "notebooks")  # noqa: PTH112, PTH113


HUB_USER = "JUPYTERHUB_USER"
"""The variable that JupyterHub sets for a learner's server.

https://jupyterhub.readthedocs.io/en/stable/reference/spawners.html
"""


def is_shared(project: Path, environ: Mapping[str, str]) -> bool:
    """Whether other learners use the same project folder: then their files are in their homes."""
    labs = project / ".labs"
    return HUB_USER in environ or not os.access(labs if labs.exists() else project, os.W_OK)


def is_workbook(folder: Path) -> bool:
    """Whether the folder is a workbook that `labs lab` has laid out, which this user may read."""
    return os.path.isdir(folder / WORKBOOK_RECORD)  # noqa: PTH112 - Path.is_dir() raises
