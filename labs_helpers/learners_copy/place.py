"""Where the learner's workbook is, and where git stops looking for the project's own repository."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from labs_helpers.aws_session import FOLDER
from labs_helpers.workspace import HUB_USER, Workspace

NAME = "my-labs"
NAME_ON_AWS = "my-labs-aws"
"""The workbook for AWS mode: its texts name the account and the region of the learner's own."""


def folder(
    workspace: Workspace, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Path:
    """The folder of the workbook, which may not exist yet.

    LABS_WORKBOOK if set; else the workbook that the process works in; else ``my-labs`` beside
    ``notebooks/``. ``my-labs`` in the learner's home where the project is shared: on a hub
    (JUPYTERHUB_USER is set), where the project folder cannot be written, and without a project.
    https://jupyterhub.readthedocs.io/en/stable/reference/spawners.html
    """
    environ = os.environ if environ is None else environ
    if named := environ.get("LABS_WORKBOOK"):
        return (Path.cwd() if cwd is None else cwd) / Path(named).expanduser()
    if workspace.workbook is not None:
        return workspace.workbook
    project = workspace.project
    shared = project is None or HUB_USER in environ or not os.access(project, os.W_OK)
    name = NAME_ON_AWS if workspace.home.name == FOLDER else NAME
    return (Path.home() if shared or project is None else project) / name


def git_ceilings(workspace: Workspace, environ: Mapping[str, str] | None = None) -> list[str]:
    """Folders for GIT_CEILING_DIRECTORIES: git looks for no repository in them or above them.

    `git log` in a lab's folder then says that there is no repository, instead of listing the
    commits of this project, in which the folder lies. `git init` there works.
    https://git-scm.com/docs/git#Documentation/git.txt-codeGITCEILINGDIRECTORIEScode
    """
    return [str(workspace.home / "work"), str(folder(workspace, environ))]
