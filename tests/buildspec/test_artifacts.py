"""Artifacts: which files they are, where they go, and what stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.buildspec.patterns import matches
from tests.buildspec.builds import commands, run

FILES = {
    "a.txt": "a",
    ".hidden": "h",
    "my-build1/my-file1.txt": "1",
    "my-build2/my-file2.txt": "2",
    "my-build2/my-subdirectory/my-file3.txt": "3",
    "my-build2/my-subdirectory/.x/y.txt": "y",
}


@pytest.mark.parametrize(
    ("artifacts", "written"),
    [
        ("{files: a.txt}", {"a.txt"}),
        ("{files: [a.txt, ./a.txt]}", {"a.txt"}),
        ("{files: '**/*'}", {*FILES}),
        ("{files: '*'}", {"a.txt", ".hidden"}),
        ("{files: '*.txt'}", {"a.txt"}),
        ("{files: my-build2/*}", {"my-build2/my-file2.txt"}),
        ("{files: my-build2/**/*}", {name for name in FILES if name.startswith("my-build2/")}),
        # the two examples of the reference for base-directory
        (
            "{files: '*/my-file3.txt', base-directory: my-build2}",
            {"my-subdirectory/my-file3.txt"},
        ),
        (
            "{files: '**/my*', base-directory: 'my-build*', discard-paths: yes}",
            {"my-file1.txt", "my-file2.txt", "my-file3.txt"},
        ),
        ("{files: '**/*', exclude-paths: 'my-build*/**/*'}", {"a.txt", ".hidden"}),
        ("{files: '**/*', exclude-paths: [my-build1, my-build2, .*]}", {"a.txt"}),
        ("{files: '*', base-directory: $CODEBUILD_SRC_DIR/my-build1}", {"my-file1.txt"}),
        ("{files: ['${NAME}.txt', none]}", {"a.txt"}),
        ("{files: '[ab].t?t'}", {"a.txt"}),
        (
            "{files: a.txt, secondary-artifacts: {one: {files: '*', base-directory: my-build1}}}",
            {"a.txt", "one/my-file1.txt"},
        ),
    ],
)
def test_the_files_that_are_copied(tmp_path: Path, artifacts: str, written: set[str]) -> None:
    """Reported as F2."""
    ran = run(tmp_path, commands("NAME=a") + f"artifacts: {artifacts}\n", FILES)
    assert {*ran.written} == written
    assert {path.as_posix() for path in ran.result.artifacts} == written
    assert ran.result.status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("artifacts", "message"),
    [
        ("{files: imagedefinitions.json}", "no matching artifact paths found"),
        ("{files: my-build1}", "no matching artifact paths found"),
        ("{files: '*', base-directory: out}", "no matching base directory path found for out"),
        ("{files: ../source/a.txt}", "leads out of the build's folder"),
        ("{files: /etc/passwd}", "leads out of the build's folder"),
        ("{files: '*', base-directory: ..}", "leads out of the build's folder"),
        ("{files: ['a/x', 'b/x'], discard-paths: yes}", "two files would be x"),
    ],
)
def test_artifacts_that_cannot_be_had_fail_the_build(
    tmp_path: Path, artifacts: str, message: str
) -> None:
    lines = ("mkdir a b; touch a/x b/x", "echo done")
    ran = run(tmp_path, commands(*lines) + f"artifacts: {artifacts}\n", FILES)
    assert message in ran.messages["UPLOAD_ARTIFACTS"]
    assert (ran.phases["BUILD"], ran.phases["UPLOAD_ARTIFACTS"]) == ("SUCCEEDED", "FAILED")
    assert ran.result.status == "FAILED"
    assert ran.written == {}


def test_the_log_of_a_missing_artifact_is_codebuilds(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("true") + "artifacts: {files: imagedefinitions.json}\n")
    assert ran.log.endswith(
        """\
[Container] Expanding base directory path: .
[Container] Assembling file list
[Container] Expanding .
[Container] Expanding file paths for base directory .
[Container] Assembling file list
[Container] Expanding imagedefinitions.json
[Container] Skipping invalid file path imagedefinitions.json
[Container] Phase complete: UPLOAD_ARTIFACTS State: FAILED
[Container] Phase context status code: CLIENT_ERROR Message: no matching artifact paths found
"""
    )


def test_no_command_and_no_artifact_changes_the_source_or_what_else_is_there(
    tmp_path: Path,
) -> None:
    kept = {"i": "one letter", "m": "one letter", "imagedefinitions.json": "old", **FILES}
    out = tmp_path / "out"
    out.mkdir()
    (out / "older.txt").write_text("older")
    (out / "new.txt").write_text("before")
    text = commands("rm -rf -- * .hidden", "echo new > new.txt") + "artifacts: {files: new.txt}\n"
    ran = run(tmp_path, text, kept)
    source = tmp_path / "source"
    assert {name: (source / name).read_text() for name in kept} == kept
    assert ran.written == {"new.txt": "new\n", "older.txt": "older"}


def test_an_old_artifact_in_the_source_is_no_artifact_of_this_build(tmp_path: Path) -> None:
    out = tmp_path / "source" / "artifacts"
    text = commands("ls artifacts || true") + "artifacts: {files: artifacts/a.txt}\n"
    ran = run(tmp_path, text, {"artifacts/a.txt": "old"}, leave_out=(out,))
    assert ran.messages["UPLOAD_ARTIFACTS"] == "no matching artifact paths found"


def test_links_that_lead_out_are_no_artifacts(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    lines = ("ln -s ../../secret out", "ln -s a.txt in; ln -s nowhere dangling; ln -s . loop")
    ran = run(tmp_path, commands(*lines) + "artifacts: {files: '**/*'}\n", {"a.txt": "a"})
    assert ran.written == {"a.txt": "a", "in": "a"}


def test_a_folder_in_the_way_of_an_artifact_is_told(tmp_path: Path) -> None:
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    ran = run(tmp_path, commands("true") + "artifacts: {files: a.txt}\n", {"a.txt": "a"})
    assert "is a folder" in ran.messages["UPLOAD_ARTIFACTS"]


def test_artifacts_of_a_failed_build_phase_are_copied(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("exit 1") + "artifacts: {files: a.txt}\n", {"a.txt": "a"})
    assert ran.written == {"a.txt": "a"}
    assert ran.result.status == "FAILED"


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("**/*", "a", True),
        ("**/*", "a/b/.c", True),
        ("**", "a/b", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "ax/b", False),
        ("*/b", "a/b", True),
        ("*/b", "a/x/b", False),
        ("a.c", "abc", False),
        ("a[!b]c", "axc", True),
        ("a[!b]c", "abc", False),
        ("a[!b]c", "a/c", False),
        ("a[b", "a[b", True),
        ("a(b|c)", "a(b|c)", True),
        ("a\nb", "a\nb", True),
        ("***", "abc", True),
        ("a/**", "a", False),
        ("a[z-y]", "az", False),
        ("a[^z-y]", "az", True),
        # a matcher that goes back would take years for these
        ("*a" * 60 + "b", "a" * 250, False),
        ("**/a/" * 60 + "b", "a/" * 120 + "c", False),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert matches(pattern, path) is fits
