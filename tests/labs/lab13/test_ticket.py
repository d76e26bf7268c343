"""The ticket of lab 13 breaks what it is about, and leaves a learner's repair as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from labs_helpers.labs.delivery.names import SOURCES
from tests.labs.desk import PROJECT

FILES = PROJECT / "notebooks/files"
BREAK = "sed -i.bak 's/\\\\\"/\"/g' buildspec.yml; git commit -q -a -m 'Fewer backslashes'"
PRINTF = """printf '[{"name":"web","imageUri":"%s"}]' $IMAGE@$DIGEST > imagedefinitions.json"""
REPAIRS = {
    "the commit reverted": "git revert --no-edit HEAD",
    "other quotes": f"""
cat > line <<'END'
      - {PRINTF}
END
sed -i.bak -e '/> imagedefinitions/{{r line' -e 'd;}}' buildspec.yml; rm line""",
    "nothing": "",
}


@pytest.mark.parametrize("repair", REPAIRS)
def test_the_ticket_leaves_a_repair_whole(tmp_path: Path, repair: str) -> None:
    for name in (*SOURCES, "build-policy.json", "pipeline-policy.json"):
        shutil.copy(FILES / "09" / name, tmp_path)
    for name in ("buildspec.yml", "ticket.sh"):
        shutil.copy(FILES / "13" / name, tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aws").symlink_to(shutil.which("true") or "/bin/true")
    (tmp_path / ".gitignore").write_text("bin\n*.bak\n")
    script = "\n".join(
        (
            f"git init -q .\ngit add .\ngit commit -q -m First\n{BREAK}",
            REPAIRS[repair],
            "git commit -q -a --allow-empty -m Repair\nsh ticket.sh",
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
    assert done.stdout.endswith("Welcome the visitors\n")
    line = (PRINTF if repair == "other quotes" else _line(FILES / "13" / "buildspec.yml")).strip()
    assert _line(tmp_path / "buildspec.yml").strip().endswith(line)
    assert "<p>Welcome to demo-app.</p>" in (tmp_path / "index.html").read_text()


def _line(buildspec: Path) -> str:
    """The line that writes imagedefinitions.json."""
    (found,) = [one for one in buildspec.read_text().splitlines() if "> imagedefinitions" in one]
    return found
