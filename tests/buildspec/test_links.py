"""Whoever runs a build may do more than the build: links that a build makes lead nowhere."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.buildspec.artifacts import BuiltFile, NoArtifacts
from labs_helpers.buildspec.model import Artifacts
from labs_helpers.runner import git, sources
from labs_helpers.runner.git_sources import Origin
from labs_helpers.runner.outputs import Outputs
from labs_helpers.runner.sources import SourceFailed
from tests.buildspec.builds import commands, prepare, run


@pytest.mark.parametrize(
    "link",
    [
        "rm $TMP_FOLDER/command/script.sh && ln -s $VICTIM $TMP_FOLDER/command/script.sh",
        "mv $TMP_FOLDER/command $TMP_FOLDER/c && ln -s $VICTIM_FOLDER $TMP_FOLDER/command",
        "mv $TMP_FOLDER $TMP_FOLDER.away && ln -s $VICTIM_FOLDER $TMP_FOLDER",
    ],
)
def test_no_command_is_written_through_a_link(tmp_path: Path, link: str) -> None:
    victim = tmp_path / "victim" / "script.sh"
    victim.parent.mkdir()
    victim.write_text("kept")
    (tmp_path / "victim" / "command").mkdir()
    given = {
        "VICTIM": str(victim),
        "VICTIM_FOLDER": str(victim.parent),
        "TMP_FOLDER": str(tmp_path / "scratch" / "tmp"),
        "PATH": os.environ["PATH"],
    }
    run(tmp_path, commands(link, "echo pwned"), environment=given)
    assert victim.read_text() == "kept"
    assert [*victim.parent.joinpath("command").iterdir()] == []


@pytest.mark.parametrize("place", ["ln -s $VICTIM", "mkfifo"])
def test_no_variables_are_read_from_a_link_or_a_pipe(tmp_path: Path, place: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"/\n\0SECRET=1234\0")
    state = tmp_path / "scratch" / "tmp" / "state"
    given = {"VICTIM": str(victim), "PATH": os.environ["PATH"]}
    # the shell ends before the frame's own state is written
    text = commands(f"rm -f {state}; {place} {state}; exit 0", "echo got $SECRET")
    ran = run(tmp_path, text, environment=given)
    assert "got 1234" not in ran.printed
    assert victim.read_bytes().endswith(b"1234\0")


@pytest.mark.parametrize(
    "swap", ["mv ../src ../away && ln -s $SECRETS ../src", "ln -s $SECRETS/key key"]
)
def test_no_artifact_is_a_file_outside_the_build(tmp_path: Path, swap: str) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text("secret")
    given = {"SECRETS": str(secrets), "PATH": os.environ["PATH"]}
    ran = run(tmp_path, commands(swap) + "artifacts: {files: '**/*'}\n", environment=given)
    assert ran.phases["UPLOAD_ARTIFACTS"] == "FAILED"
    assert ran.written == {}


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_a_file_that_is_replaced_after_the_list_was_made_is_not_read(
    tmp_path: Path, kind: str
) -> None:
    source, secrets = tmp_path / "src", tmp_path / "secrets"
    for each in (source / "a", secrets):
        each.mkdir(parents=True)
    (secrets / "key").write_text("secret")
    found = BuiltFile(source / "a" / "key", source)
    match kind:
        case "link":
            found.path.symlink_to(secrets / "key")
        case "folder":
            found.path.parent.rmdir()
            found.path.parent.symlink_to(secrets)
        case "pipe":
            os.mkfifo(found.path)
    with pytest.raises(NoArtifacts, match="no file of the build any longer"), found.open():
        pass


class Bucket:
    """S3, as far as artifacts are uploaded."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, Bucket: str, Key: str, Body: Any) -> None:
        self.objects[Key] = Body if isinstance(Body, bytes) else Body.read()


def test_the_zip_file_is_not_written_where_a_build_can_put_a_link(tmp_path: Path) -> None:
    folder, victim = tmp_path / "build", tmp_path / "victim"
    source = folder / "src"
    source.mkdir(parents=True)
    victim.write_text("kept")
    (folder / "artifacts.zip").symlink_to(victim)
    (source / "run.sh").write_text("echo x")
    (source / "run.sh").chmod(0o755)
    config = {
        **{"type": "S3", "packaging": "ZIP", "location": "b", "path": "", "name": "out.zip"},
        "namespaceType": "NONE",
    }
    bucket = Bucket()
    made = Outputs(config, (), "uuid", lambda service: bucket, folder.parent)
    files = {"run.sh": BuiltFile(source / "run.sh", source)}
    made.deliver("", Artifacts(("run.sh",)), files, {})
    assert victim.read_text() == "kept"
    with zipfile.ZipFile(io.BytesIO(bucket.objects["out.zip"])) as opened:
        assert opened.read("run.sh") == b"echo x"
        assert stat.S_IMODE(opened.getinfo("run.sh").external_attr >> 16) == 0o755
    assert len(made.facts["sha256sum"]) == 64
    assert {each.name for each in tmp_path.iterdir()} == {"build", "victim"}


def packed(**links: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name, target in links.items():
            entry = zipfile.ZipInfo(name.replace("__", "/"))
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            opened.writestr(entry, target)
    return content.getvalue()


class Source:
    """S3 with one object."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def get_object(self, **asked: Any) -> dict[str, Any]:
        body: Any = io.BytesIO(self.content)
        body.iter_chunks = lambda size: iter([self.content])
        return {"ContentLength": len(self.content), "Body": body}


@pytest.mark.parametrize("second", ["a__evil", "a__new__evil"])
def test_no_link_of_a_source_is_made_through_another_link(tmp_path: Path, second: str) -> None:
    outside, into = tmp_path / "outside", tmp_path / "source"
    outside.mkdir()
    into.mkdir()
    content = packed(**{"a": str(outside), second: "/etc/passwd"})
    wanted = {"type": "S3", "location": "bucket/source.zip"}
    with pytest.raises(SourceFailed, match="leads out of the source"):
        sources.fetch(wanted, "", lambda service: Source(content), into, Origin("", {}))
    assert [*outside.iterdir()] == []


def test_a_revision_is_no_option_of_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    job: Any = None
    body = {"folder": str(tmp_path), "commit": f"--output={tmp_path / 'victim'}"}
    with pytest.raises(git.GitFailed):
        git._source(job, job, body)
    assert not (tmp_path / "victim").exists()


def test_a_build_without_links_hands_on_its_variables(tmp_path: Path) -> None:
    build, log = prepare(tmp_path, commands("A=1", "echo got $A"))
    build.run()
    assert b"got 1" in log.printed
