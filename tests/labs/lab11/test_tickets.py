"""The tickets of lab 11 break what they are about, and leave a learner's repair as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.labs.desk import PROJECT

FILES = PROJECT / "notebooks/files"
REPAIRS = {
    "the names of before": (
        "sed -i.bak 's/sh tests.sh/sh test.sh/' buildspec.yml\n"
        "sed -i.bak 's/$VERSION/$TAG/' gate.yml"
    ),
    "the names of the colleague": (
        "git mv test.sh tests.sh\nsed -i.bak 's/TAG/VERSION/g' buildspec.yml"
    ),
    "nothing": "",
}


@pytest.mark.parametrize("repair", REPAIRS)
def test_the_second_ticket_leaves_a_repair_whole(tmp_path: Path, repair: str) -> None:
    for name in ("Dockerfile", "buildspec.yml", "gate.yml", "index.html", "test.sh"):
        shutil.copy(FILES / "09" / name, tmp_path)
    for name in ("build-policy.json", "pipeline-policy.json"):
        shutil.copy(FILES / "09" / name, tmp_path)
    for name in ("ticket-1.sh", "ticket-2.sh"):
        shutil.copy(FILES / "11" / name, tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aws").symlink_to(shutil.which("true") or "/bin/true")
    (tmp_path / ".gitignore").write_text("bin\n*.bak\n")
    script = "\n".join(
        (
            "git init -q .\ngit add .\ngit commit -q -m First\nsh ticket-1.sh",
            REPAIRS[repair],
            "git commit -q -a --allow-empty -m Repair\nsh ticket-2.sh",
        )
    )
    who = {f"GIT_{one}_NAME": "ada" for one in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{one}_EMAIL": "ada@example.com" for one in ("AUTHOR", "COMMITTER")}
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path), **who},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    buildspec = (tmp_path / "buildspec.yml").read_text()
    (test,) = [line.split()[-1] for line in buildspec.splitlines() if " sh test" in line]
    assert (tmp_path / test).exists()
    (variable,) = [
        name for name in ("TAG", "VERSION") if f"${name}" in (tmp_path / "gate.yml").read_text()
    ]
    assert f"- {variable}\n" in buildspec
