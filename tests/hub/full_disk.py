"""The disk of a hub fills while a learner works, and has room again later."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.hub.guide import end, hub, processes, root, until
from tests.hub.learner import Learner

SIZE = "300m"
"""Of the disk: `labs doctor` finds room for all labs, and it is quickly full."""
FILLER = Path("/home/filler")
NOTEBOOK = "00-start-here.ipynb"
START = 'from labs_helpers import start\nlab = start("00")'
ASKED = "!aws ecr describe-repositories --query repositories[].repositoryName --output text"


def mount() -> None:
    """Put a small disk where the homes will be."""
    root(f"mount -t tmpfs -o size={SIZE},mode=755 disk /home")


def fill() -> None:
    """Leave no block of the disk free."""
    with FILLER.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))


def played(learner: Learner, options: Sequence[str]) -> dict[str, Any]:
    """A learner works, finds the disk full, comes back to the full disk, and then has room."""
    server = hub(*options)
    learner.log_in()
    learner.spawn()
    found: dict[str, Any] = {"before": doctor(learner)}
    learner.execute(NOTEBOOK, [START, made("kept")])
    saved = Path(f"/home/{learner.name}/my-labs/{NOTEBOOK}")
    content = learner.api("GET", f"contents/{NOTEBOOK}")["content"]
    as_saved = saved.read_bytes()
    content["cells"][0]["source"] = "# Changed, and " + "long " * 2000
    fill()
    found["full"] = doctor(learner)
    found["cells"] = learner.execute(NOTEBOOK, [START, made("refused"), ASKED])
    found["opened"] = said(lambda: learner.api("GET", f"contents/{NOTEBOOK}"))
    found["saved"] = said(lambda: save(learner, content))
    found["as it was"] = saved.read_bytes() == as_saved
    learner.stop()
    until("the learner's processes end", lambda: not processes(learner.name))
    fill()
    learner.spawn()
    found["again"] = [said(lambda: learner.execute(NOTEBOOK, [START])), doctor(learner)]
    found["terminal"] = learner.terminal("pwd")
    FILLER.unlink()
    found["room"] = learner.execute(NOTEBOOK, [START, made("after"), ASKED])
    save(learner, content)
    (first, *_) = json.loads(saved.read_bytes())["cells"]
    found["saved then"] = "".join(first["source"]) == content["cells"][0]["source"]
    end(server)
    return found


def made(repository: str) -> str:
    """The cell that makes a repository."""
    return f"!aws ecr create-repository --repository-name {repository} --output text"


def save(learner: Learner, content: dict[str, Any]) -> None:
    """Save the notebook, as JupyterLab does."""
    document = {"type": "notebook", "format": "json", "content": content}
    learner.api("PUT", f"contents/{NOTEBOOK}", document)


def doctor(learner: Learner) -> dict[str, Any]:
    """What `labs doctor` tells the learner: the exit code, and the needs that are not met."""
    command = "cd && /opt/labs/.venv/bin/labs doctor --json; echo $?"
    said = root(f"runuser -u {learner.name} -- bash -c '{command}'")
    needs, _, code = said.strip().rpartition("\n")
    return {
        "code": int(code),
        "needs": {each["name"]: each for each in json.loads(needs) if each["state"] != "ok"},
    }


def said(do: Callable[[], Any]) -> str:
    """The words of what failed, or "" where nothing did."""
    try:
        do()
    except AssertionError as error:
        return str(error)
    return ""
