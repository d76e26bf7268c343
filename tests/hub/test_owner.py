"""Root at a learner's LABS_HOME: `labs` acts as that learner, and a notebook of root's refuses."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.hub import machine

SCRIPT = r"""
set -eu
useradd --create-home anna
labs=/opt/labs/.venv/bin/labs
chmod 755 /home
mkdir -m 700 /srv/of-root
cd /srv/of-root
export LABS_ENGINE=embedded LABS_HOME=/home/anna/.labs
$labs start >/tmp/said 2>&1
record=/home/anna/.labs/sandbox/server.json
pid=$(sed -n 's/^ *"pid": \([0-9]*\).*/\1/p' $record)
owner=$(stat -c %U "/proc/$pid")
make="from labs_helpers.workspace import Workspace; Workspace.find().create()"
refused=$("$1" -P -c "$make" 2>&1 | tail -4 || true)
$labs reset -y >>/tmp/said 2>&1
roots=$(find /home/anna -user root | wc -l)
$labs stop >>/tmp/said 2>&1
unset LABS_HOME
unable=$(runuser -u anna -- $labs status 2>&1)
"$1" -c 'import json, sys; print(json.dumps(sys.argv[1:]))' \
  "$owner" "$refused" "$roots" "$(cat /tmp/said)" "$unable"
"""


@pytest.fixture(scope="module")
def found() -> list[Any]:
    result: list[Any] = machine.run(["bash", "-c", SCRIPT, "bash", sys.executable])
    return result


def test_servers_that_root_starts_there_are_the_learners(found: list[Any]) -> None:
    assert found[0] == "anna"


def test_a_notebook_of_root_refuses_in_words(found: list[Any]) -> None:
    assert "and you are root" in found[1]
    assert "LABS_HOME" in found[1]


def test_a_reset_by_root_leaves_no_file_of_root(found: list[Any]) -> None:
    assert found[2] == "0"


def test_it_is_said(found: list[Any]) -> None:
    assert "acts as anna" in found[3]


def test_a_learner_in_a_folder_of_root_has_the_labs_of_the_own_home(found: list[Any]) -> None:
    assert "/home/anna/.labs" in found[4]
