"""What checks of labs 09, 11 and 13 read out of a buildspec: the test, the push and the gate."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from labs_helpers.labs.delivery.buildspec import Spec, load

PUSH = "docker push -q $IMAGE:$TAG"
GATE = "labs gate demo-app-repo:$TAG --fail-on CRITICAL"


def spec(
    build: Sequence[str], post_build: Sequence[str] = (PUSH,), last: Sequence[str] = ()
) -> Spec:
    phases = {
        "build": {"on-failure": "ABORT", "commands": [*build], "finally": [*last]},
        "post_build": {"commands": [*post_build]},
    }
    found = load(json.dumps({"version": 0.2, "phases": phases}).encode())
    assert isinstance(found, Spec), found
    return found


HOLDS = [
    "{}",
    "{} || exit 1",
    "{} || false",
    "{} || {{ echo broken; exit 1; }}",
    "{} && echo well",
    "{} 2>&1",
    "{} > said.txt 2>&1",
    "{};",
    "if ! {}; then exit 1; fi",
    "set -e; {}; echo well",
    "set -eu\n{}\necho well",
    "said=$({})",
    'said="$({})"',
    "said=`{}`",
    "echo 'a | b; c & d' && {}",
    'echo "$(echo a | tr a b)" && {}',
    'bash -c "{}"',
    "bash -c 'cd .; {}'",
    "said=$(cd . && {})",
]
FORGETS = [
    "{} || true",
    "{} || echo broken",
    "{} || exit 0",
    "{}; exit 0",
    "{}; echo well",
    "{}\necho well",
    "{} | tee said.txt",
    "{} &",
    "! {}",
    "if {}; then echo well; fi",
    "# {}",
    "echo {}",
    "echo $({})",
    'echo "$({})"',
    "export said=$({})",
    "said=$({} | tee said.txt)",
    "said=$({}; echo well)",
    "said=$({}) || true",
    "said=`{} || true`",
    "bash -c '{}; exit 0'",
    'sh -c "{} || true"',
]
ODD_GATES = [
    "labs gate demo-app-repo:$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7) "
    "--fail-on CRITICAL",
    "labs gate demo-app-repo:`git log -1 --format=%h | head -n 1` --fail-on=HIGH",
    'labs gate "demo-app-repo:$(cut -c 1-7 < commit; true)" --accept gate.yml --fail-on CRITICAL',
]


@pytest.mark.parametrize("command", HOLDS)
def test_bash_fails_with_the_part(command: str, tmp_path: Path) -> None:
    assert subprocess.run(["bash", "-c", command.format("false")], cwd=tmp_path).returncode


@pytest.mark.parametrize("command", FORGETS)
def test_bash_forgets_the_failure(command: str, tmp_path: Path) -> None:
    assert not subprocess.run(["bash", "-c", command.format("false")], cwd=tmp_path).returncode


@pytest.mark.parametrize("command", ODD_GATES)
def test_a_gate_of_an_image_that_a_command_names(command: str) -> None:
    assert spec([command]).gates
    assert not spec([f"{command} || true"]).gates


@pytest.mark.parametrize("command", HOLDS)
def test_a_test_that_stops_the_build(command: str) -> None:
    assert "test.sh" in spec([command.format("sh test.sh")]).stops_before_the_push


@pytest.mark.parametrize("command", HOLDS)
def test_a_test_in_the_build_itself(command: str) -> None:
    quote = '"' if "'{}" in command or "'cd" in command else "'"
    line = command.format(f"grep -q {quote}</html>{quote} index.html")
    nested = line.count(quote) > 2 and "-c" in line
    assert nested or spec([line]).looks_before_the_push


@pytest.mark.parametrize("command", FORGETS)
def test_a_test_whose_failure_is_forgotten(command: str) -> None:
    assert "test.sh" not in spec([command.format("sh test.sh")]).stops_before_the_push


@pytest.mark.parametrize("command", HOLDS)
def test_a_gate_that_stops_the_build(command: str) -> None:
    assert spec([command.format(GATE)]).gates


@pytest.mark.parametrize("command", FORGETS)
def test_a_gate_whose_failure_is_forgotten(command: str) -> None:
    assert not spec([command.format(GATE)]).gates


@pytest.mark.parametrize(
    ("build", "post_build"),
    [
        (["sh test.sh && docker push -q $IMAGE:$TAG"], ["echo done"]),
        (["sh test.sh", PUSH], ["echo done"]),
        (["sh test.sh"], ["docker image push -q $IMAGE:$TAG"]),
    ],
)
def test_a_push_after_the_test(build: list[str], post_build: list[str]) -> None:
    assert "test.sh" in spec(build, post_build).stops_before_the_push


@pytest.mark.parametrize(
    ("build", "post_build", "last"),
    [
        ([f"{PUSH} && sh test.sh"], [PUSH], []),
        ([f"{PUSH} || true", "sh test.sh"], [PUSH], []),
        (["sh test.sh"], ["echo done"], [PUSH]),
        (["sh test.sh"], ["echo nothing is pushed"], []),
    ],
)
def test_a_push_that_does_not_wait_for_the_test(
    build: list[str], post_build: list[str], last: list[str]
) -> None:
    assert "test.sh" not in spec(build, post_build, last).stops_before_the_push
