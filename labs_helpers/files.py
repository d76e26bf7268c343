"""The files that the labs keep: read, replaced in one step, set aside; and the errors in words."""

from __future__ import annotations

import errno
import json
import os
import shlex
import tempfile
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class LabsError(Exception):
    """Something stops the labs. The message says what, where, and what to do about it."""


class WorkspaceError(LabsError):
    """The folder of the labs cannot be used."""


class SetAside(UserWarning):
    """A file could not be read. The file was renamed, and a new file takes its place."""


def cannot_read(path: Path, error: OSError) -> WorkspaceError:
    """The error for a file or folder that cannot be read, with what to do about that error.

    Nobody is told to change the owner of more than this one: a path may have a typing error.
    """
    said = f"Cannot read {path}: {error.strerror or error}.\n"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return WorkspaceError(said + "Nothing is there. Is there a typing error in the path?")
    if isinstance(error, IsADirectoryError):
        return WorkspaceError(said + "A file was expected there. Move the folder elsewhere.")
    if isinstance(error, PermissionError):
        said += (
            "Was it made with sudo? If it is yours, take it back:\n"
            f'  sudo chown "$USER" {shlex.quote(str(path))}\n'
        )
    return WorkspaceError(said + "Or set LABS_HOME to a folder of your own: LABS_HOME=~/.labs")


def cannot_write(path: Path, error: OSError) -> WorkspaceError:
    """The error for a folder or file that the labs cannot write; the message says what to do."""
    if is_full(error):
        return WorkspaceError(
            f"Cannot write {error.filename or path}: {error.strerror or error}.\n"
            "Free some space on that disk, and try again: what you made is kept. "
            "Or set LABS_HOME to a folder on another disk."
        )
    return WorkspaceError(
        f"Cannot write {error.filename or path}: {error.strerror or error}.\n"
        "The labs keep their files there. Make it writable, or set LABS_HOME "
        "to a folder of your own:\n  export LABS_HOME=~/.labs"
    )


def unused(path: Path) -> Path:
    """``path``, or the first of ``path``-2, ``path``-3 ... that does not exist yet."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


NO_ROOM = "The sandbox has no room left on its disk; free some and try again."
"""What every part of the sandbox says of a full disk, in the form of each protocol."""


def is_full(error: BaseException) -> bool:
    """Whether an error, or an error that it came from, says that the disk is full."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        if _says_full(each):
            return True
        seen.add(id(each))
        each = each.__cause__ or each.__context__
    return False


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # SQLite gives the second code when the index of its write-ahead log cannot grow
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")


def read_json(path: Path, then: str = "the labs go on with their defaults") -> dict[str, Any]:
    """The JSON object in a file; empty when there is no file.

    A file that is no JSON object (half-written, or edited) is renamed to ``<name>.broken-<date>``
    and counts as empty. A SetAside warning says so and ends with ``then``, what follows from the
    loss. Raises WorkspaceError when the file cannot be opened.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise cannot_read(path, error) from error
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    set_aside(path, f"is not readable as JSON. It is kept as {{kept}}; {then}.")
    return {}


def set_aside(path: Path, what: str) -> None:
    """Rename a damaged file to ``<name>.broken-<date>``, and say so in a SetAside warning.

    ``what`` is the rest of the warning's sentence, which begins with the file's path; ``{kept}``
    in it stands for the new name. Raises WorkspaceError when the file cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    try:
        path.rename(aside)
    except FileNotFoundError:  # another process has just renamed the file
        return
    except OSError as error:
        raise cannot_write(path, error) from error
    warnings.warn(f"{path} {what.replace('{kept}', aside.name)}", SetAside, stacklevel=3)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a JSON file, mode 0600. A reader sees the old document or the new one."""
    write_text(path, json.dumps(document, indent=2) + "\n", mode=0o600)


def write_text(path: Path, text: str, mode: int) -> None:
    """Replace a text file in one step, or raise WorkspaceError and leave the file as it was."""
    try:
        replace_file(path, text.encode(), mode)
    except OSError as error:
        raise cannot_write(path, error) from error


def replace_file(path: Path, content: bytes, mode: int, sync: bool = False) -> None:
    """Replace a file in one step: a reader sees the old content or the new one.

    sync: wait until the content is on the disk, so that the name is never there before it. Raises
    OSError, and leaves the file as it was.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if sync:
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
