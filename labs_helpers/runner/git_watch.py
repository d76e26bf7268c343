"""Looks for pushes to a learner's git folder, which stands for a repository on GitHub.

sandbox/codeconnections submits "git-watch". What differs between two looks at the branches and tags
counts as pushed: a push of a branch changed the files that its new commits changed, as the `push`
event of GitHub lists them for each commit (at most 2,048 commits, and 3,000 files of each):
https://docs.github.com/en/webhooks/webhook-events-and-payloads#push. New are the commits that the
branch did not have before. The commits of a new branch, and of one whose commit before is gone, are
those that no branch and no tag had before; a new branch at a known commit has none. The files of a
merge are those in which it differs from all its parents. Of pushes between the same two looks,
those of known branches count as the first, so that a new branch does not have their commits.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labs_helpers.runner.desk import Event
from labs_helpers.runner.git import GitFailed, git
from labs_helpers.runner.runner import Job
from labs_helpers.runtime import git as git_program

_PAUSE = 0.5
"""Seconds between two looks at a folder."""
_AGAIN = 10.0
"""Seconds before a look where git failed."""
_SECONDS = 60.0
"""For one call of git."""
_REFS = 5000
"""Branches and tags of a folder that are watched, the newest commits first."""
_COMMITS, _FILES = 2048, 3000
"""Of a push; GitHub's bounds, but that of files is for all commits here."""
_BRANCHES = 50
"""Branches pushed at once whose files are looked up."""
_BYTES = 1024 * 1024
"""Of the names of changed files, for all branches of one look."""
_PIECE = 40_000
"""Characters of a look that one event has. A report has 100,000 bytes, and JSON of a text of JSON
has up to twice as many."""

_NONE: Mapping[str, str] = {}
Refs = dict[str, str]
"""{"refs/heads/main": commit, "refs/tags/v1": commit}; an annotated tag has its commit's id too."""


def watch(job: Job) -> None:
    """Report pushes until the job has to end; raises Lost.

    body: "folder", and "refs" as the sandbox knows them, null before the first look. Events:
    {"type": "look", "text": piece, "more": bool}, whose pieces are the JSON text of a look:
    {"refs": those new or changed, "gone": [ref], "paths": {ref of a branch: [path], or null where
    nobody knows}}. A folder that is no repository has neither branches nor tags.
    """
    folder = Path(job.body["folder"])
    known: Refs | None = job.body.get("refs")
    first = known is None
    seen: Refs = dict(known or {})
    mark: object = None
    while True:
        now, pause = _mark(folder), _PAUSE
        if now != mark:
            mark = now
            found = _refs(folder)
            if found is None:
                mark, pause = None, _AGAIN
            elif first or found != seen:
                job.report(*events(_look(folder, seen, found, first)))
                seen, first = found, False
        if job.wait(pause):
            job.ended()
            return


def _look(folder: Path, before: Refs, now: Refs, first: bool) -> dict[str, Any]:
    """What differs; the first look at a folder finds no pushes."""
    changed = {ref: commit for ref, commit in now.items() if before.get(ref) != commit}
    paths: dict[str, list[str] | None] = {}
    left = _BYTES
    branches = [] if first else [ref for ref in changed if ref.startswith("refs/heads/")]
    for number, ref in enumerate(branches):
        found = None
        if number < _BRANCHES and left > 0:
            found = changed_paths(folder, before, ref, changed[ref], left, now)
        paths[ref] = found
        left -= sum(len(path.encode(errors="replace")) for path in found or ())
    return {"refs": changed, "gone": sorted(before.keys() - now.keys()), "paths": paths}


def changed_paths(
    folder: Path, before: Refs, ref: str, commit: str, most: int, now: Mapping[str, str] = _NONE
) -> list[str] | None:
    """The files that a push of a branch changed, from at most so many bytes; None when git fails.

    before: the branches and tags before the push, whose commits may be gone; now: after it, of
    which the others that were known count as pushed first.
    """
    if own := before.get(ref):
        found = _paths(folder, most, commit, "--not", own)
        if found is not None:
            return found
    others = {now[name] for name in before.keys() & now.keys() if name != ref}
    known = sorted(others | set(before.values()))
    return _paths(folder, most, "--ignore-missing", commit, "--not", *known)


def _paths(folder: Path, most: int, *commits: str) -> list[str] | None:
    """commits: as `git log` takes them."""
    try:
        found = git_program.first_bytes(
            folder,
            *("log", "--format=", "--name-only", "-z", "--no-renames", "-c", f"-n{_COMMITS}"),
            *(*commits, "--"),
            most=most,
            seconds=_SECONDS,
        )
    except (git_program.NoGit, OSError, subprocess.CalledProcessError):
        return None
    names = [name.decode(errors="replace") for name in found.split(b"\0")[:-1]]
    return list(dict.fromkeys(names))[:_FILES]


def events(look: dict[str, Any]) -> Iterator[Event]:
    """The events of a look."""
    text = json.dumps(look)
    for place in range(0, len(text), _PIECE):
        piece = text[place : place + _PIECE]
        yield {"type": "look", "text": piece, "more": place + _PIECE < len(text)}


def _refs(folder: Path) -> Refs | None:
    """The branches and tags; none where the folder is no repository, None when git fails.

    A tag of what is no commit is left out, and a second name of a branch (git symbolic-ref), which
    nobody pushes. So is a tag of a tag by a git before 2.45, which follows
    a tag only once: https://git-scm.com/docs/git-for-each-ref
    """
    form = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(symref) %(refname)"
    kinds = ("refs/heads", "refs/tags")
    try:
        text = git(
            folder,
            *(
                "for-each-ref",
                "--sort=-creatordate",
                f"--count={_REFS}",
                f"--format={form}",
                *kinds,
            ),
        )
    except GitFailed as error:
        return {} if isinstance(error.__cause__, git_program.NoGit) else None
    found = {}
    for line in text.split("\n")[:-1]:  # a name may have other ends of lines
        kind, own, peeled, tagged, leads_to, ref = line.split(" ", 5)
        if "commit" in (kind, peeled) and not leads_to:
            found[ref] = own if kind == "commit" else tagged
    return found


def _mark(folder: Path) -> object:
    """Changes with every push, so that git need not be asked all the time."""
    place = folder / ".git"
    if place.is_file():
        return _refs(folder)  # a worktree, whose branches are elsewhere
    found = []
    listed = (place / "packed-refs", place / "reftable" / "tables.list")
    for path in (
        *listed,
        *sorted(place.glob("refs/heads/**/*")),
        *sorted(place.glob("refs/tags/**/*")),
    ):
        try:
            told = path.stat()
        except OSError:
            continue
        found.append((str(path), told.st_mtime_ns, told.st_size, told.st_ino))
    return found
