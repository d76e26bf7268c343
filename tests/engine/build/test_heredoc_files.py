"""Heredocs that become files: no name and no link leads their content out of the build."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.engine.build import dockerfile
from labs_helpers.engine.build.errors import DockerfileError
from labs_helpers.engine.build.run import command, instruction


def step(name: str, content: str) -> dockerfile.Instruction:
    found = dockerfile.read(f'FROM x\nRUN <<"{name}"\n{content}\n{name}\n')
    return found.stages[0].instructions[0]


@pytest.mark.parametrize("name", ["../../victim", "/victim", "a/../../../victim", ".."])
def test_a_scripts_name_is_no_path(name: str) -> None:
    with pytest.raises(DockerfileError, match="needs a name, not a path"):
        instruction._invocation(step(name, "#!/bin/sh"), ["/bin/sh", "-c"])


def test_a_document_of_the_shell_may_have_any_name() -> None:
    made = instruction._invocation(step("a/b", "echo x"), ["/bin/sh", "-c"])
    assert made.words == ["/bin/sh", "-c", "echo x\n"]


@pytest.mark.parametrize("link", ["dev", "dev/pipes", "dev/pipes/EOF"])
def test_a_script_is_not_written_through_a_link_of_an_earlier_command(
    tmp_path: Path, link: str
) -> None:
    root, victim = tmp_path / "root", tmp_path / "victim"
    (victim / "pipes").mkdir(parents=True)
    (victim / "EOF").write_text("kept")
    place = root / link
    place.parent.mkdir(parents=True)
    place.symlink_to(victim / "EOF" if link.endswith("EOF") else victim)
    try:
        command._write_script(root, "/dev/pipes/EOF", "#!/bin/sh")
    except OSError:
        assert not link.endswith("EOF")
    else:
        assert (root / "dev" / "pipes" / "EOF").read_text() == "#!/bin/sh"
    assert (victim / "EOF").read_text() == "kept"
    assert [*(victim / "pipes").iterdir()] == []


def test_a_script_is_written_again_over_one_of_before(tmp_path: Path) -> None:
    for content in ("one", "two"):
        command._write_script(tmp_path, "/dev/pipes/EOF", content)
    made = tmp_path / "dev" / "pipes" / "EOF"
    assert made.read_text() == "two"
    assert made.stat().st_mode & 0o777 == 0o755
