"""The git history of the lab's folder, as the checks of labs 09, 11 and 13 ask."""

from __future__ import annotations

from pathlib import Path

from labs_helpers.runtime import git


def commits() -> dict[str, str]:
    """Id -> subject of the commits of the branch, the newest first; empty without a repository."""
    text = _git("log", "--format=%H %s")
    return dict(line.split(" ", 1) for line in (text or b"").decode().splitlines())


def file(name: str, commit: str = "HEAD") -> bytes | None:
    """A file as a commit has it, by default the last one; None where it has no such file."""
    return _git("show", f"{commit}:./{name}")


def names(commit: str) -> set[str]:
    """The names of the files of a commit."""
    listed = _git("ls-tree", "-r", "-z", "--name-only", commit) or b""
    return set(listed.decode(errors="replace").split("\0")) - {""}


def are_alike(one: str, other: str) -> bool:
    """Whether two commits hold the same files with the same content."""
    trees = [_git("rev-parse", "--verify", "-q", f"{each}^{{tree}}") for each in (one, other)]
    return trees[0] is not None and trees[0] == trees[1]


def is_changed(name: str) -> bool:
    """Whether a file differs from the last commit."""
    try:
        now = Path(name).read_bytes()
    except OSError:
        now = None
    return now != file(name)


def _git(*arguments: str) -> bytes | None:
    """What git prints; None where git refuses."""
    try:
        done = git.run(Path.cwd(), *arguments)
    except (git.NoGit, OSError):
        return None
    return done.stdout if done.returncode == 0 else None
