"""A person with git and aws before a sandbox, as the labs' environment sets both up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.modes import environment
from labs_helpers.runtime.shims import place_aws
from labs_helpers.workspace import Workspace
from tests.sandbox.sandbox_process import Running

HOST = "git-codecommit.us-west-2.amazonaws.com"
URL = f"https://{HOST}/v1/repos"


@dataclass
class Person:
    """keys: as a boto3 client takes them; home: of git's own files, and where commands run.

    quick: a folder with an `aws` that starts fast (tests/labs/commands.py); None for the labs' own.
    extra_path: a folder of further programs.
    """

    sandbox: Running
    home: Path
    keys: Mapping[str, str]
    quick: Path | None = None
    extra_path: Path | None = None

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A command in the labs' environment, which decides which sandbox is asked, and how."""
        workspace = Workspace(self.sandbox.home).create()
        place_aws(workspace, self.sandbox.port)
        start = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LABS_MODE": "sandbox",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.com" for who in ("AUTHOR", "COMMITTER")},
        }
        given = environment(workspace, self.sandbox.port, start).applied(start)
        keys = {name.upper(): value for name, value in self.keys.items()}
        if self.quick:
            given["PATH"] = f"{self.quick}{os.pathsep}{given['PATH']}"
        if self.extra_path:
            given["PATH"] = f"{self.extra_path}{os.pathsep}{given['PATH']}"
        return subprocess.run(
            command,
            cwd=cwd or self.home,
            env={**given, **keys, "AWS_DEFAULT_REGION": "us-west-2"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """What git prints; a test fails where git does."""
        done = self.run("git", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, *arguments: str, cwd: Path | None = None) -> str:
        """What git says where git fails."""
        done = self.run("git", *arguments, cwd=cwd)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def commit(self, folder: Path, name: str, text: str) -> str:
        """A new commit with a file; returns the commit's id."""
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        self.git("add", ".", cwd=folder)
        self.git("commit", "-qm", f"write {name}", cwd=folder)
        return self.git("rev-parse", "HEAD", cwd=folder)


def learner(sandbox: Running, home: Path, quick: Path | None = None) -> Person:
    home.mkdir(exist_ok=True)
    keys = {
        "aws_access_key_id": sandbox.learner["access_key_id"],
        "aws_secret_access_key": sandbox.learner["secret_access_key"],
    }
    return Person(sandbox, home, keys, quick)
