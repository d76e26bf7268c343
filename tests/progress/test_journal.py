"""The journal: lines that are added, in the form of jupyter-events, whatever happens meanwhile."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from labs_helpers.files import WorkspaceError
from labs_helpers.progress import journal as module
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace

SCHEMA = Path(module.__file__).with_name("schema.yaml")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".labs")


def test_what_is_added_is_read_back_in_order(workspace: Workspace) -> None:
    journal = Journal(workspace)
    journal.add("opened", "05")
    journal.add("check", "05", "05.1", "passed")
    found = [(one.event, one.lab, one.part, one.outcome) for one in journal.events()]
    assert found == [("opened", "05", "", ""), ("check", "05", "05.1", "passed")]


def test_an_empty_workspace_has_no_events(workspace: Workspace) -> None:
    assert Journal(workspace).events() == []


def test_every_line_is_an_event_of_jupyter_events(workspace: Workspace) -> None:
    from jupyter_events.schema import EventSchema

    schema = EventSchema(SCHEMA)
    journal = Journal(workspace)
    journal.add("opened", "05")
    for event in ("check", "hint", "solution", "quiz", "predict", "shown"):
        journal.add(event, "05", "05.p1" if event == "predict" else "05.1", "b")
    for line in workspace.progress.read_text().splitlines():
        event = json.loads(line)
        data = {name: value for name, value in event.items() if not name.startswith("__")}
        schema.validate(data)
        assert (event["__schema__"], event["__schema_version__"]) == (schema.id, schema.version)


def test_a_torn_line_loses_nothing_else(workspace: Workspace) -> None:
    journal = Journal(workspace)
    journal.add("opened", "05")
    with workspace.progress.open("ab") as file:
        file.write(b'{"__schema__": "urn:labs:pro')
    journal.add("opened", "06")
    assert [event.lab for event in journal.events()] == ["05", "06"]


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"__schema__": "urn:labs:progress", "__schema_version__": "1"}',
        b"\xff\xfe",
        b'{"__schema__": "urn:labs:progress", "__schema_version__": "1", "__timestamp__": "soon",'
        b' "lab": "05", "event": "opened"}',
        b'{"__schema__": "urn:labs:progress", "__schema_version__": "2", "lab": 5}',
        b'{"__schema__": "urn:labs:progress", "__schema_version__": "1", "event": {}, "lab": [],'
        b' "__timestamp__": "2026-11-28T00:00:00Z"}',
    ],
)
def test_a_line_of_something_else_is_passed_over(workspace: Workspace, line: bytes) -> None:
    journal = Journal(workspace)
    journal.add("opened", "05")
    with workspace.progress.open("ab") as file:
        file.write(line + b"\n")
    assert [event.lab for event in journal.events()] == ["05"]


def test_two_writers_do_not_mix_their_lines(workspace: Workspace) -> None:
    def write(lab: str) -> None:
        for _ in range(100):
            Journal(workspace).add("active", lab)

    threads = [threading.Thread(target=write, args=(f"0{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Journal(workspace).events()) == 400


def test_the_journal_is_the_learners_alone(workspace: Workspace) -> None:
    Journal(workspace).add("opened", "05")
    assert workspace.progress.stat().st_mode & 0o077 == 0


def test_a_folder_in_the_journals_place_is_told(workspace: Workspace) -> None:
    workspace.progress.mkdir(parents=True)
    with pytest.raises(WorkspaceError, match=r"Cannot write .*events.jsonl"):
        Journal(workspace).add("opened", "05")
    with pytest.raises(WorkspaceError, match=r"Cannot read .*events.jsonl"):
        Journal(workspace).events()
