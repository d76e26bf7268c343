"""Labs in AWS mode, played against a second sandbox that has AWS's delays; then cleaned up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import modes, workbook
from labs_helpers.cli import main
from labs_helpers.curriculum import LABS
from labs_helpers.engine import process as engine
from labs_helpers.jupyter import folders
from labs_helpers.learners_copy import opening
from labs_helpers.learners_copy.layout import in_workbook
from labs_helpers.workspace import Workspace
from tests.aws_mode import account
from tests.aws_mode.test_agreement import agree
from tests.labs.commands import Commands
from tests.sandbox.sandbox_process import Running

PLAYED = ("00", "01")
# lab 04 moves the clock, and on AWS nobody can


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("delayed") / "h"
    with account.account(home, LABS_AWS_DELAYS="2,40") as running:
        # the learner's own Docker, which pushes to and pulls from the account's registry
        workspace = Workspace(home)
        engine.start(workspace, running.port, print, {**os.environ, "LABS_ENGINE": "embedded"})
        yield running
        engine.stop(workspace, print)


def kernels(place: Workspace, commands: Commands) -> dict[str, str]:
    """The environment of the kernels of JupyterLab, as `labs lab --aws` gives it."""
    environ = {**os.environ, "LABS_MODE": "aws", "LABS_HOME": str(place.home)}
    folders.place(place)
    given = modes.environment(place, 0, environ).applied(environ)
    return commands.for_bash({**given, **folders.environment(place)})


def outputs(notebook: workbook.Notebook) -> str:
    return "\n".join(
        str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


def test_labs_are_played_on_aws_and_nothing_is_left(
    learner: account.Learner, there: Running, commands: Commands, tmp_path: Path
) -> None:
    before = account.everything(there)
    os.environ["LABS_WORKBOOK"] = str(tmp_path / "my-labs")
    os.environ["DOCKER_HOST"] = f"unix://{Workspace(there.home).socket}"
    place = agree(learner)
    copy = opening.up_to_date(place, lambda line: None)
    environ = kernels(place, commands)
    for number in PLAYED:
        lab = LABS[number]
        executed = workbook.execute(copy / in_workbook(lab, lab.notebook), environ)
        shown = outputs(executed)
        assert f"REAL AWS · lab {number}" in shown
        assert account.ACCOUNT in shown
        assert "123456789012" not in shown
        assert ("this cell makes or changes things" in shown) == (number != "00")
    subprocess.run(
        ["bash", "-c", "aws ecr create-repository --repository-name hello-labs"],
        env=environ,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    made = account.everything(there)
    assert f"labs-cli-{account.ACCOUNT}" in made["buckets"]
    assert "hello-labs" in made["repositories"]

    # the learner went away; another terminal, which has none of the kernel's variables
    assert main.main(["clean-up", "--delete", "--agree", account.ACCOUNT]) == 0

    assert account.everything(there) == before
