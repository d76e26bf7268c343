"""Nothing that an earlier process left behind keeps the sandbox from starting."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox import sandbox_process


def deep_folder(home: Path) -> None:
    where = Path.cwd()
    scratch = home / "sandbox" / "tmp"
    os.chdir(scratch)
    try:
        for _ in range(1100):
            os.mkdir("d")  # noqa: PTH102
            os.chdir("d")
    finally:
        os.chdir(where)


def scratch_is_a_file(home: Path) -> None:
    (home / "sandbox" / "tmp").rmdir()
    (home / "sandbox" / "tmp").write_text("a file")


def scratch_leads_nowhere(home: Path) -> None:
    (home / "sandbox" / "tmp").rmdir()
    (home / "sandbox" / "tmp").symlink_to("/nowhere/at/all")


def locked_folder(home: Path) -> None:
    (home / "sandbox" / "tmp" / "locked" / "inside").mkdir(parents=True)
    (home / "sandbox" / "tmp" / "locked").chmod(0)


def garbled_token(home: Path) -> None:
    (home / "sandbox" / "control-token").write_bytes(bytes(range(128, 160)))


def lock_of_nobody(home: Path) -> None:
    (home / "sandbox" / "running.lock").write_bytes(b"\xff" * 100)


LEFT = [
    deep_folder,
    scratch_is_a_file,
    scratch_leads_nowhere,
    locked_folder,
    garbled_token,
    lock_of_nobody,
]


@pytest.mark.parametrize("leave", LEFT)
def test_the_sandbox_starts_after(tmp_path: Path, leave: Callable[[Path], None]) -> None:
    """Reported as D4."""
    (tmp_path / "sandbox" / "tmp").mkdir(parents=True)
    leave(tmp_path)
    running = sandbox_process.start(tmp_path)
    try:
        assert running.ask("GET", "/_labs/health")[0] == 200
        assert running.control("GET", "status")[0] == 200
    finally:
        running.stop()
        remove(tmp_path / "sandbox" / "tmp")


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    scratch = tmp_path / "sandbox" / "tmp"
    (scratch / "folder" / "inner").mkdir(parents=True)
    (scratch / "file").write_text("left")
    (scratch / "link").symlink_to(tmp_path)
    running = sandbox_process.start(tmp_path)
    left = list(scratch.iterdir())
    running.stop()
    assert left == []


def test_nothing_is_written_outside_the_home(tmp_path: Path) -> None:
    """Reported as D15."""
    elsewhere = tmp_path / "tmp"
    elsewhere.mkdir()
    given = {"TMPDIR": str(elsewhere), "HOME": str(elsewhere)}
    running = sandbox_process.start(tmp_path / "home", **given)
    s3 = running.client("s3")
    place = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket="large", CreateBucketConfiguration=place)
    s3.put_object(Bucket="large", Key="k", Body=b"x" * 20_000_000)
    running.client("iam").create_user(UserName="any")
    running.process.kill()
    running.process.wait()
    assert list(elsewhere.iterdir()) == []


def remove(folder: Path) -> None:
    """What pytest's own clean-up may not be able to remove."""
    if (folder / "locked").exists():
        (folder / "locked").chmod(0o700)
    subprocess.run(["rm", "-rf", str(folder)], check=True)
