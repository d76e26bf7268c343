"""The snapshots of one LABS_HOME: saved, listed, put back, deleted.

.labs/snapshots/<name>/snapshot.json     when and why it was made
.labs/snapshots/<name>/sandbox/ ...      the folders of FOLDERS
.labs/snapshots/<name>/work/<NN>/        a lab's files, as they were before a restart
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labs_helpers.engine import owners
from labs_helpers.files import LabsError, cannot_write, read_json, unused, write_json
from labs_helpers.snapshots.copying import copy_folders
from labs_helpers.workspace import Workspace

FOLDERS = ("sandbox", "engine", "aws", "docker")
"""The folders of LABS_HOME that a snapshot holds."""

AUTOMATIC = 5
"""How many snapshots that the labs made by themselves are kept."""

_RECORD = "snapshot.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SnapshotError(LabsError):
    """A snapshot cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True)
class Snapshot:
    """One snapshot; `made` is an aware datetime, `why` a phrase ("before lab 05 was restarted")."""

    name: str
    folder: Path
    made: datetime
    why: str
    automatic: bool

    @property
    def how_to_restore(self) -> str:
        """The line that puts the snapshot back."""
        return f"labs snapshot restore {self.name}"


def save(workspace: Workspace, name: str, why: str = "", lab: str = "") -> Snapshot:
    """Keep everything under a name; lab: whose files are kept too.

    The servers may run. Raises SnapshotError, Busy and WorkspaceError, and then nothing is kept.
    """
    return _save(workspace, name, why or "saved by you", lab, automatic=False)


def save_automatically(workspace: Workspace, about: str, why: str, lab: str = "") -> Snapshot:
    """Keep everything under a dated name, and no more than AUTOMATIC of these.

    Raises as `save` does.
    """
    made = _save(workspace, dated_name(workspace, about), why, lab, automatic=True)
    prune(workspace)
    return made


def dated_name(workspace: Workspace, about: str) -> str:
    """A free name that begins with the time of now: 2026-11-28-231500-lab05."""
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    return unused(workspace.snapshots / f"{stamp}-{about}").name


def listed(workspace: Workspace) -> list[Snapshot]:
    """Every snapshot, the oldest first."""
    if not workspace.snapshots.is_dir():
        return []
    found = [_read(path) for path in workspace.snapshots.iterdir() if (path / _RECORD).is_file()]
    return sorted(found, key=lambda each: (each.made, each.name))


def find(workspace: Workspace, name: str) -> Snapshot:
    """The snapshot of a name; raises SnapshotError."""
    for each in listed(workspace):
        if each.name == name:
            return each
    names = ", ".join(each.name for each in listed(workspace)) or "none"
    raise SnapshotError(f"There is no snapshot {name!r}. There are: {names}.")


def restore(workspace: Workspace, name: str) -> Snapshot:
    """Put a snapshot in the place of what is there; the snapshot of what was there.

    The servers must not run. Raises SnapshotError and WorkspaceError; before the folders are
    exchanged nothing is changed, and what was there is kept in any case.
    """
    wanted = find(workspace, name)
    before = save_automatically(workspace, "before-restore", f"before {name} was restored")
    new = Path(tempfile.mkdtemp(prefix=".restoring.", dir=workspace.home))
    try:
        copy_folders(FOLDERS, wanted.folder, new)
        old = new / "replaced"
        old.mkdir()
        for each in FOLDERS:
            if (workspace.home / each).exists():
                (workspace.home / each).rename(old / each)
            if (new / each).exists():
                (new / each).rename(workspace.home / each)
    except OSError as error:
        raise cannot_write(workspace.home, error) from error
    finally:
        if new.exists():
            with contextlib.suppress(OSError):  # it is hidden, and not the state any more
                owners.remove(new)
    return before


def delete(workspace: Workspace, name: str) -> None:
    """Remove a snapshot; raises SnapshotError and WorkspaceError."""
    found = find(workspace, name)
    try:
        # out of the list at once, whenever this process ends
        (found.folder / _RECORD).unlink()
        owners.remove(found.folder)
    except OSError as error:
        raise cannot_write(found.folder, error) from error


def keep_moved(folder: Path, why: str) -> Snapshot:
    """Make a folder that the state was moved into a snapshot; raises WorkspaceError."""
    _record(folder, why, automatic=True)
    return _read(folder)


def prune(workspace: Workspace) -> None:
    """Delete the oldest of the automatic snapshots, but for AUTOMATIC; raises WorkspaceError."""
    for each in [each for each in listed(workspace) if each.automatic][:-AUTOMATIC]:
        delete(workspace, each.name)


def _save(workspace: Workspace, name: str, why: str, lab: str, automatic: bool) -> Snapshot:
    if not _NAME.fullmatch(name):
        raise SnapshotError(
            f"{name!r} is no name of a snapshot. A name has up to 100 letters, digits, dots, "
            "hyphens and underscores, and begins with a letter or a digit."
        )
    target = workspace.snapshots / name
    if target.exists():
        raise SnapshotError(
            f"There is a snapshot {name} already. Choose another name, or delete that one first:\n"
            f"  labs snapshot delete {name}"
        )
    if not workspace.sandbox.is_dir():
        raise SnapshotError(f"Nothing to save: {workspace.home} holds no sandbox.")
    new = None
    try:
        workspace.snapshots.mkdir(mode=0o700, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".saving.", dir=workspace.snapshots))
        copy_folders(FOLDERS, workspace.home, new)
        if lab and workspace.work(lab).is_dir():
            shutil.copytree(workspace.work(lab), new / "work" / lab, symlinks=True)
        _record(new, why, automatic)
        new.rename(target)
    except sqlite3.Error as error:
        raise SnapshotError(
            f"A database below {workspace.home} cannot be copied: {error}.\n"
            "Run  labs stop  and try again; labs doctor says what is wrong."
        ) from error
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
    return _read(target)


def _record(folder: Path, why: str, automatic: bool) -> None:
    made = datetime.now(UTC).isoformat()
    write_json(folder / _RECORD, {"made": made, "why": why, "automatic": automatic})


def _read(folder: Path) -> Snapshot:
    found = read_json(folder / _RECORD, "the snapshot is listed without its date")
    try:
        made = datetime.fromisoformat(str(found.get("made", "")))
    except ValueError:
        made = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    why, automatic = str(found.get("why", "")), bool(found.get("automatic"))
    return Snapshot(folder.name, folder, made, why, automatic)
