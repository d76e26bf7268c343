"""Reading and replacing files of a workbook, without a moment at which a file is half-written."""

from __future__ import annotations

from pathlib import Path

from labs_helpers.files import WorkspaceError, is_full, replace_file


class InTheWay(WorkspaceError):
    """A folder is where a file belongs, or a file where a folder belongs."""


def read(path: Path) -> bytes | None:
    """A file's content; None when there is no file. Raises InTheWay and WorkspaceError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError) as error:
        raise InTheWay(f"something else has the place of {path}") from error
    except OSError as error:
        raise cannot("read", path, error) from error


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file in one step, with its folders: a reader sees the old content or the new one.

    Raises InTheWay when a folder cannot be made because a file has its place, and WorkspaceError
    for whatever else cannot be written. The file is then as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content, mode, sync=True)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise InTheWay(f"something else has the place of {path}") from error
    except OSError as error:
        raise cannot("write", path, error) from error


def free(path: Path) -> Path:
    """``path``, or the first of "name-2.ipynb", "name-3.ipynb" ... that does not exist yet."""
    found, number = path, 1
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found


def cannot(verb: str, path: Path, error: OSError) -> WorkspaceError:
    """The error for a file of the workbook, with what to do."""
    if is_full(error):
        return WorkspaceError(
            f"Cannot {verb} {path}: {error.strerror or error}.\n"
            "Your workbook stays as it is. Free some space, or name a folder on another disk:\n"
            "  export LABS_WORKBOOK=~/my-labs"
        )
    return WorkspaceError(
        f"Cannot {verb} {path}: {error.strerror or error}.\n"
        "Your workbook is there. Make the folder yours and writable, or name another folder:\n"
        "  export LABS_WORKBOOK=~/my-labs"
    )
