"""Which labs the learner has begun in this sandbox: a second start leaves these as they are.

The record is a file in the sandbox's folder, so `labs reset`, which moves that folder away, also
forgets which labs were begun. `Workspace.create` makes folder and record together. A record that
is missing or damaged is therefore lost, and every lab that has a work folder then counts as begun:
nothing that the learner made may depend on this file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from labs_helpers.curriculum import LABS
from labs_helpers.files import cannot_read, set_aside, write_json
from labs_helpers.runtime.background_process import only_one
from labs_helpers.workspace import Workspace


@dataclass(frozen=True)
class Entry:
    """One lab's preparation.

    ``finished`` is False from its first step until its last one has succeeded. ``stopped_at``
    says where and why it stopped. ``removed`` is what it had removed until then. ``assumed`` is
    True where the record was lost. ``since`` is what the preparations of other labs have removed
    after this one: "lab 04: repository demo-app-repo ...".
    """

    finished: bool
    stopped_at: str = ""
    removed: tuple[str, ...] = ()
    assumed: bool = False
    since: tuple[str, ...] = ()

    @classmethod
    def parse(cls, found: Any) -> Entry:
        """Raises ValueError for what :meth:`Record.write` does not write."""
        if not isinstance(found, dict) or not isinstance(found.get("removed"), list):
            raise ValueError(f"no entry of a lab: {found!r}")
        since = found.get("since", [])
        if not isinstance(since, list):
            raise ValueError(f"no entry of a lab: {found!r}")
        entry = cls(**{**found, "removed": tuple(found["removed"]), "since": tuple(since)})
        if not (
            isinstance(entry.finished, bool)
            and isinstance(entry.assumed, bool)
            and all(
                isinstance(one, str) for one in (entry.stopped_at, *entry.removed, *entry.since)
            )
        ):
            raise ValueError(f"no entry of a lab: {found!r}")
        return entry


class Record:
    """The record of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def entry(self, number: str) -> Entry | None:
        """A lab's entry, None for a lab that was not begun.

        A lost record is made anew first. Ask before the lab's work folder is made. Raises
        WorkspaceError when the file cannot be read or written.
        """
        with self._locked():
            return self._read().get(number)

    def write(self, number: str, entry: Entry, removed: Sequence[str] = ()) -> None:
        """Put a lab's entry in place of an earlier one. Raises WorkspaceError.

        ``removed``: what the lab's preparation took away; other begun labs are told of it.
        """
        since = tuple(f"lab {number}: {one}" for one in removed)
        with self._locked():
            entries = {
                other: replace(found, since=tuple(dict.fromkeys((*found.since, *since))))
                for other, found in self._read().items()
            }
            self._write({**entries, number: entry})

    def _locked(self) -> Any:
        # two kernels may start two labs at once
        return only_one(self._workspace.begun.with_suffix(".lock"), lambda line: None)

    def _read(self) -> dict[str, Entry]:
        path = self._workspace.begun
        try:
            return _parse(path.read_bytes())
        except FileNotFoundError:
            pass
        except OSError as error:
            raise cannot_read(path, error) from error
        except ValueError:
            set_aside(
                path,
                "is damaged. It is kept as {kept}; the labs that have a work folder count as "
                "begun, and nothing that you made is removed.",
            )
        entries = {
            number: Entry(finished=True, assumed=True)
            for number in LABS
            if self._workspace.was_entered(number)
        }
        self._write(entries)
        return entries

    def _write(self, entries: dict[str, Entry]) -> None:
        document = {number: asdict(entry) for number, entry in entries.items()}
        write_json(self._workspace.begun, {"labs": document})


def _parse(text: bytes) -> dict[str, Entry]:
    try:
        labs = json.loads(text)["labs"]
        return {str(number): Entry.parse(found) for number, found in labs.items()}
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no record of labs: {error}") from error
