"""``python -m labs_helpers.runner --home FOLDER [--log FILE]``; 0 after SIGTERM or SIGINT.

What the jobs need is imported with the first job: a learner who delivers nothing pays a small
process that waits.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from labs_helpers.files import LabsError
from labs_helpers.runner.desk import Desk
from labs_helpers.runner.kinds import kinds
from labs_helpers.runner.runner import Runner
from labs_helpers.runtime import folders, isolated
from labs_helpers.runtime.folder_lock import FolderLock
from labs_helpers.runtime.lifetime import Lifetime
from labs_helpers.runtime.rotated_log import log_to
from labs_helpers.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Do jobs until told to end; 1 when the folder cannot be used."""
    parser = argparse.ArgumentParser(prog="labs_helpers.runner")
    parser.add_argument("--home", required=True, type=Path, help="the folder of the labs")
    parser.add_argument("--log", type=Path, help="the file that stdout and stderr are, to rotate")
    options = parser.parse_args(arguments)
    log_to(options.log)
    os.umask(0o077)
    workspace = Workspace(options.home.absolute())
    try:
        workspace.runner.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock.take(workspace.runner, "runner")
        tempfile.tempdir = str(_scratch(workspace))
        runner = Runner(Desk(workspace), kinds(workspace))
        lifetime = Lifetime(workspace.home, "runner", os.environ, runner.is_busy)
    except (LabsError, OSError) as error:
        print(f"The runner cannot use {workspace.runner}: {error}", file=sys.stderr)
        return 1
    _end_builds_below(workspace.home / "builds")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.close())
    lifetime.watch()
    logging.info("the runner waits for work")
    runner.run()
    logging.info("the runner has stopped")
    lock.release()
    return 0


def _scratch(workspace: Workspace) -> Path:
    """A folder for what git and the like write for a moment: nothing is to be left in /tmp."""
    scratch = workspace.runner / "scratch"
    scratch.mkdir(mode=0o700, exist_ok=True)
    folders.empty(scratch)
    return scratch


def _end_builds_below(folder: Path) -> None:
    """Kill what a runner that was killed left of its builds; those of `labs build` go on.

    The guard of a build (guard.py) has done so, unless the guard was killed, too.
    """
    isolated.end(*map(isolated.number_of, filter(Path.is_dir, isolated.abandoned(folder))))
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            variables = process.environ()
            source = variables.get("CODEBUILD_SRC_DIR", "")
            if "CODEBUILD_LOCAL_BUILD" not in variables and Path(source).is_relative_to(folder):
                process.kill()


if __name__ == "__main__":
    # not by sys.exit alone: the thread of a job that does not end must not keep the process
    code = main()
    logging.shutdown()
    os._exit(code)
