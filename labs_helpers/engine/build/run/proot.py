"""The words that run a command under PRoot, where the machine forbids namespaces.

Source: https://github.com/proot-me/proot/blob/v5.1.0/doc/proot/manual.rst
"""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .accounts import Account
from .rootfs import RootFolder

FOLDER_VARIABLE = "PROOT_TMP_DIR"
"""The variable for the folder of PRoot's own files; the command sees this variable, too."""


def available() -> Path | None:
    """The path of PRoot, a program for Linux; None when it is not installed."""
    found = shutil.which("proot") if sys.platform == "linux" else None
    return Path(found) if found else None


@functools.cache
def reads_folder_variable(proot: Path) -> bool:
    """Whether this PRoot reads FOLDER_VARIABLE; version 5.1.0, of Debian 12, does not."""
    try:
        return FOLDER_VARIABLE.encode() in proot.read_bytes()
    except OSError:
        return True


def variables(root: RootFolder) -> Mapping[str, str]:
    """The variables that PRoot itself needs."""
    found = available()
    if found and reads_folder_variable(found):
        return {FOLDER_VARIABLE: str(root.spare)}
    return {}


def words(
    root: RootFolder,
    account: Account,
    folder: str,
    files: Sequence[str],
    command: Sequence[str],
) -> list[str]:
    """The words that run a command in a root folder, pretending the account's user and group.

    Args:
        files: names of the copies in ``spare/etc``, which the command sees in /etc.
    """
    identity = ["-0"] if account.uid == 0 else ["-i", f"{account.uid}:{account.gid}"]
    devices = (f"/dev/{name}" for name in root.foreign_devices)
    copies = (f"{root.spare}/etc/{name}:/etc/{name}" for name in files)
    return [
        *(str(available()), "-r", str(root.path), *identity, "-w", folder),
        *(word for path in ("/proc", *devices, *copies) for word in ("-b", path)),
        *command,
    ]
