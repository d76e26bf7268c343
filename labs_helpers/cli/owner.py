"""Root who acts on somebody else's LABS_HOME acts as that person.

What root wrote there, its owner could not change any more, and servers that root started would run
as root.
"""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

from labs_helpers.cli import apart
from labs_helpers.cli.terminal import say
from labs_helpers.files import LabsError


def become(home: Path) -> None:
    """Give up root for the owner of LABS_HOME, or of the folder that it would be made in.

    The rest of the command runs in a process without root's terminal (apart.py), and in the owner's
    home where the owner may not be in the current folder. Changes nothing where the owner is root.
    Raises LabsError where root cannot become the owner.
    """
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    owner = there.stat().st_uid
    if owner == 0:
        return
    try:
        person = pwd.getpwuid(owner)
    except KeyError:
        if there != home:
            return  # somebody of another machine, whose folder is mounted here
        raise LabsError(
            f"{home} belongs to user {owner}, whom this machine does not know, and you are root.\n"
            "Work as that user, or set LABS_HOME to another folder:\n"
            "  export LABS_HOME=/root/.labs"
        ) from None
    apart.stand_apart()
    os.initgroups(person.pw_name, person.pw_gid)
    os.setgid(person.pw_gid)
    os.setuid(owner)
    os.environ.update(HOME=person.pw_dir, USER=person.pw_name, LOGNAME=person.pw_name)
    os.umask(0o077)
    if not (os.access(sys.executable, os.X_OK) and os.access(os.__file__, os.R_OK)):
        raise LabsError(
            f"{home} belongs to {person.pw_name}, who may not run {sys.executable}.\n"
            "Install the labs where everybody may read them, such as /opt/labs."
        )
    say(f"{home} is of {person.pw_name}; this command acts as {person.pw_name}.")
    if not os.access(".", os.R_OK | os.X_OK):  # such as /root
        os.environ["LABS_HOME"] = str(home.absolute())
        os.chdir(person.pw_dir if os.access(person.pw_dir, os.R_OK | os.X_OK) else "/")
