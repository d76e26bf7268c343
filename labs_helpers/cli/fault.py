"""What the command says of an exception that nothing else has put into words.

A learner reads one line; whoever fixes the labs finds the traceback in a file of LABS_HOME.
"""

from __future__ import annotations

import errno
import traceback

from labs_helpers.files import LabsError, cannot_write, write_text
from labs_helpers.workspace import Workspace

FILE = "fault.txt"
"""The file in LABS_HOME that holds the traceback of the last fault."""
_NOT_WRITABLE = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT)


def told(error: Exception, command: str) -> str:
    """What to print on stderr. ``command`` is the subcommand, such as ``check``."""
    from labs_helpers import errors  # imports boto3 and docker

    if isinstance(error, errors.FOR_THE_LEARNER):
        return errors.said(error)
    home = Workspace.find().home
    if isinstance(error, OSError) and error.errno in _NOT_WRITABLE:
        return str(cannot_write(home, error))
    last = traceback.format_exception_only(error)[-1].strip()
    line = f"labs {command} ended by a fault of the labs themselves: {last}"
    trace = "".join(traceback.format_exception(error))
    try:
        write_text(home / FILE, f"labs {command}\n{trace}", mode=0o600)
    except (LabsError, OSError):  # without a folder for the file, the terminal gets the traceback
        return f"{trace}\n{line}"
    return f"{line}\nTo report it, send what is in {home / FILE}"
