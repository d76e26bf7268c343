"""What a laptop sends: after a yes only, under a chosen name, and no key, code or output."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from labs_helpers.classroom import journals, sending, server
from labs_helpers.cli import main as cli
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace
from tests.classroom.rooms import journal, stuck


@pytest.fixture
def laptop(workspace: Workspace) -> Workspace:
    journal(workspace.home, stuck())
    Journal(workspace).add("quiz", "05", "05.q1", "b")
    return workspace


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    return made


@pytest.fixture
def address(inbox: Path) -> Iterator[str]:
    serving = server.serving("127.0.0.1", 0, server.listener(inbox, "the-token"))
    thread = threading.Thread(target=serving.serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.bind_addr[1]}/the-token/"
    serving.stop()
    thread.join(30)


def room(capsys: pytest.CaptureFixture[str], inbox: Path) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.main(["class", "--inbox", str(inbox), "--json"]) == 0
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["learners"]}


def test_nothing_is_sent_without_a_yes(
    laptop: Workspace, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["progress", "--send", str(inbox)]) == 1
    assert "Under which name?" in capsys.readouterr().err
    assert cli.main(["progress", "--send", str(inbox), "--as", "Ada"]) == 1
    said = capsys.readouterr().err
    assert "No key, code, output or answer is sent." in said
    assert "Nothing was sent." in said
    assert list(inbox.iterdir()) == []
    assert sending.agreed(laptop) is None


def test_a_folder_gets_exactly_what_is_shown_before(
    laptop: Workspace, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["progress", "--send", str(inbox), "--as", "Ada L.", "--yes"]) == 0
    capsys.readouterr()
    assert cli.main(["class", "--show-what-is-sent"]) == 0
    shown = json.loads(capsys.readouterr().out)
    (file,) = inbox.iterdir()
    assert json.loads(file.read_text()) == shown
    assert shown["name"] == "Ada L."
    assert {key for event in shown["events"] for key in event} == {
        *("at", "lab", "event", "part", "outcome")
    }
    assert shown["events"][-1]["part"] == "05.q1"
    assert "outcome" not in shown["events"][-1]  # the letter of an answer stays here
    for secret in json.loads(laptop.learner.read_text()).values():
        assert secret not in file.read_text()
    assert room(capsys, inbox)["Ada L."]["exercise"] == "05.2"


def test_an_address_takes_it_and_gives_back_what_is_handed_out(
    laptop: Workspace, inbox: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["class", "--inbox", str(inbox), "--hint", "05.2"]) == 0
    assert cli.main(["progress", "--send", address, "--as", "Ada", "--yes"]) == 0
    agreement = sending.agreed(laptop)
    assert agreement is not None
    (handed_out,) = sending.send(agreement, Journal(laptop).events())
    assert (handed_out.kind, handed_out.part, handed_out.number) == ("hint", "05.2", 1)
    assert room(capsys, inbox)["Ada"]["exercise"] == "05.2"
    assert cli.main(["progress", "--stop-sending"]) == 0
    assert sending.agreed(laptop) is None


def test_two_learners_of_one_name_stay_two(
    laptop: Workspace, inbox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for home in ("one", "two"):
        agreement = sending.agree(Workspace(tmp_path / home), str(inbox), "Ada")
        sending.send(agreement, [])
    assert sorted(room(capsys, inbox)) == ["Ada", "Ada (2)"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/wrong/", b"{}", 403),
        ("/", b"{}", 403),
        ("/the-token/", b"{}", 400),
        ("/the-token/", b"[1]", 400),
        ("/the-token/", b"{not json", 400),
        ("/the-token/", b'{"id": "../../etc/passwd", "name": "x", "events": []}', 400),
        ("/the-token/", b'{"id": "%s", "name": 1, "events": []}' % (b"0" * 32), 400),
        ("/the-token/", None, 405),
    ],
)
def test_a_listener_takes_nothing_else(
    path: str, body: bytes | None, status: int, address: str, inbox: Path
) -> None:
    asked = urllib.request.Request(address.replace("/the-token/", path), data=body)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=30)
    assert refused.value.code == status
    assert list(inbox.iterdir()) == []


def test_a_listener_takes_no_more_than_a_learner_has(address: str, inbox: Path) -> None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.putrequest("POST", parts.path)
    connection.putheader("Content-Length", "2000001")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert list(inbox.iterdir()) == []


@pytest.mark.parametrize("limit", ["MOST_HOMES", "LARGEST_CLASS"])
def test_a_class_has_limits_that_no_single_learner_reaches(
    limit: str, address: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(learner: int, events: int) -> str:
        body = {"id": f"{learner:032x}", "name": "x", "events": ["e"] * events}
        asked = urllib.request.Request(address, data=json.dumps(body).encode())
        try:
            return str(urllib.request.urlopen(asked, timeout=30).status)
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"

    monkeypatch.setattr(server, limit, 2 if limit == "MOST_HOMES" else 1_000)
    assert [send(each, 50) for each in (1, 2)] == ["200", "200"]
    refused = send(3, 100)
    assert refused.startswith("507 The class is full: ")
    assert "Tell your instructor, who can remove files from the inbox." in refused
    assert send(1, 60) == "200"  # who is in the class already goes on
    assert len(list(inbox.glob("*.json"))) == 2


def test_a_page_reads_no_more_of_an_inbox_than_a_class_sends(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        document = {"name": f"learner {number}", "events": []}
        (inbox / f"{number:032x}.json").write_text(json.dumps(document))
    monkeypatch.setattr(journals, "LARGEST_CLASS", 60)
    monkeypatch.setattr(journals, "MOST_HOMES", 2)
    found = {one.name: one.notes for one in journals.of_inbox(inbox, datetime.now(UTC))}
    assert found == {
        "learner 0": (),
        f"{1:032x}.json": ("not read: an inbox has 0 MB at most",),
        "(1 more)": ("not read: an inbox has 2 files at most",),
    }


def test_what_strangers_put_into_the_inbox_is_said(
    inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inbox / f"{'0' * 32}.json").write_text("{")
    (inbox / f"{'1' * 32}.json").symlink_to("/etc/passwd")
    many = [{"at": "x", "lab": "05", "event": "opened"}, 7]
    (inbox / f"{'2' * 32}.json").write_text(json.dumps({"name": "<b>\n\x1b", "events": many}))
    found = room(capsys, inbox)
    assert found["<b>??"]["notes"] == ["2 damaged lines left out"]
    assert found["(nameless)"]["notes"] == ["what was sent cannot be read"]
    assert "symbolic link" in found["1" * 32 + ".json"]["notes"][0]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("/no/such/folder", "There is no folder /no/such/folder."),
        ("http:///x", "names no machine"),
        ("closed", "Your progress was not sent: 127.0.0.1:"),
    ],
)
def test_a_place_that_takes_nothing_is_said_and_not_kept(
    to: str, said: str, laptop: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens
        place = f"http://127.0.0.1:{unused.getsockname()[1]}/x/" if to == "closed" else to
        assert cli.main(["progress", "--send", place, "--as", "Ada", "-y"]) == 1
    assert said in capsys.readouterr().err
    assert sending.agreed(laptop) is None


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[2J", "x" * 41, "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(
    name: str, laptop: Workspace, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["progress", "--send", str(inbox), "--as", name, "-y"]) == 1
    assert list(inbox.iterdir()) == []
    assert "\x1b" not in capsys.readouterr().err


def test_the_command_listens_on_loopback_and_prints_what_learners_type(
    laptop: Workspace, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "labs_helpers.cli", "class"]
    command += ["--inbox", str(inbox), "--listen", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
        try:
            assert listening.stdout is not None
            *_, send, address, given, name = listening.stdout.readline().split()
            assert (send, given, name) == ("--send", "--as", "NAME")
            assert address.startswith("http://127.0.0.1:")
            assert cli.main(["progress", "--send", address, "--as", "Ada", "-y"]) == 0
        finally:
            listening.terminate()
            listening.wait(30)
    assert list(room(capsys, inbox)) == ["Ada"]
