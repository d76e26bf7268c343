"""Changing the account and the region that a learner works in: `labs configure --account --region`.

What was made under the earlier names stays, and is there again when the learner goes back to them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from labs_helpers import servers
from labs_helpers.engine import process as engine_process
from labs_helpers.files import LabsError, cannot_write, write_json
from labs_helpers.learners_copy import opening
from labs_helpers.learners_copy.place import folder
from labs_helpers.own_names import OwnNames, regions
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace


def chosen(workspace: Workspace, account: str | None, region: str | None) -> OwnNames:
    """The names that the learner asks for; what is not named stays. Raises LabsError."""
    now = workspace.own_names
    if account is not None and not (len(account) == 12 and account.isascii() and account.isdigit()):
        raise LabsError(
            f"An account id has 12 digits, and {account!r} is none.\n"
            "For example: labs configure --account 210987654321"
        )
    if region is not None and region not in (known := regions()):
        near = [one for one in known if region and one[:2] == region[:2].lower()] or list(known)
        raise LabsError(
            f"There is no region {region!r} in the partition aws, for which the labs are written.\n"
            f"There are: {', '.join(sorted(near))}"
        )
    return OwnNames(account or now.account, region or now.region)


def change(workspace: Workspace, names: OwnNames, say: Callable[[str], None]) -> None:
    """Make ``names`` the learner's account and region, in the sandbox, in files, in the workbook.

    Each account keeps its own learner with that learner's key, and each pair of account and region
    its own record of begun labs. A file of a lab that the learner changed stays. Servers that ran
    are started again. Raises LabsError.
    """
    before = workspace.own_names
    if names == before:
        return
    ran = sandbox_process.running(workspace) or engine_process.running(workspace)
    if ran:
        servers.stop(workspace, say)
    workspace.create()
    try:
        if names.account != before.account:
            _exchange(workspace.learner, before.account, names.account)
        _exchange(workspace.begun, _pair(before), _pair(names))
        if not workspace.begun.exists():  # a record that is missing would count as lost
            write_json(workspace.begun, {"labs": {}})
        workspace.remember(account=names.account, region=names.region)
        if workspace.project is not None:
            _rewrite_files(workspace, before, names)
    except OSError as error:
        raise cannot_write(workspace.home, error) from error
    if ran:
        servers.start(workspace, say)
    if workspace.project is not None and folder(workspace).is_dir():
        opening.up_to_date(workspace, say)


def _pair(names: OwnNames) -> str:
    return f"{names.account}-{names.region}"


def _exchange(path: Path, mine: str, theirs: str) -> None:
    """Keep a file beside its place as ``<stem>-<mine>``, and put ``<stem>-<theirs>`` there."""
    if path.exists():
        path.rename(path.with_stem(f"{path.stem}-{mine}"))
    kept = path.with_stem(f"{path.stem}-{theirs}")
    if kept.exists():
        kept.rename(path)


def _rewrite_files(workspace: Workspace, before: OwnNames, names: OwnNames) -> None:
    """Give the labs' files in the work folders of LABS_HOME the new names, where they are as laid.

    The files of a workbook are brought up to date with the workbook.
    """
    files = workspace.notebooks / "files"
    for original in files.rglob("*"):
        copy = workspace.home / "work" / original.relative_to(files)
        if original.is_file() and copy.is_file():
            content = original.read_bytes()
            if copy.read_bytes() == before.in_file(content):
                copy.write_bytes(names.in_file(content))
