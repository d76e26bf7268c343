"""A bare git repository, by dulwich, in the sandbox's own process.

git's http-backend would be a program, which the sandbox may not start. dulwich runs none: a
repository is opened without hooks, and without the configuration of whoever runs the labs.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dulwich.config import StackedConfig
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from labs_helpers.sandbox.codecommit import packs

HEADS, TAGS = b"refs/heads/", b"refs/tags/"
LARGEST = 256 * 1024 * 1024
"""Bytes of a push, and of a packed commit."""
MOST_FILES = MOST_FOLDERS = 10_000

_EARLIEST, _LATEST = 315532800, 4354819199
"""What a ZIP file can write as a time: 1980 to 2107."""


class TooLarge(Exception):
    """A commit that is not packed; the message says why."""


class _Bare(Repo):
    """A repository whose own configuration is the only one."""

    def get_config_stack(self) -> StackedConfig:
        return StackedConfig([self.get_config()])


def make(folder: Path) -> None:
    """A new repository without commits; raises OSError."""
    folder.mkdir(parents=True)
    with Repo.init_bare(folder, default_branch=b"main") as repo:
        config = repo.get_config()
        config.set(b"receive", b"maxInputSize", str(LARGEST).encode())
        config.write_to_path()


@contextmanager
def opened(folder: Path) -> Iterator[Repo]:
    """The repository of a folder that `make` made."""
    repo = _Bare(str(folder), bare=True)
    repo.hooks.clear()
    packs.bound(repo.object_store)
    try:
        yield repo
    finally:
        repo.close()


def references(repo: Repo) -> dict[str, str]:
    """Full name -> id, of branches and tags."""
    found = repo.refs.as_dict(Ref(b"refs/"))
    return {f"refs/{name.decode(errors='replace')}": sha.decode() for name, sha in found.items()}


def branches(repo: Repo) -> dict[str, str]:
    """Name of a branch -> commit."""
    found = repo.refs.as_dict(Ref(HEADS[:-1]))
    return {name.decode(errors="replace"): sha.decode() for name, sha in sorted(found.items())}


def branch_reference(name: str) -> Ref | None:
    """The reference of a branch's name; None for a name that git does not take."""
    found = Ref(HEADS + name.encode())
    return found if check_ref_format(found) else None


def commit_of(repo: Repo, specifier: str) -> Commit | None:
    """The commit of a full id, a branch, a tag or a full reference; None for nothing of these."""
    name = specifier.encode(errors="replace")
    for each in (name, HEADS + name, TAGS + name):
        reference = Ref(each)
        if check_ref_format(reference) and reference in repo.refs:
            return _peeled(repo, repo.refs[reference])
    return _peeled(repo, ObjectID(name)) if is_id(specifier) else None


def is_id(text: str) -> bool:
    return len(text) == 40 and not text.strip("0123456789abcdef")


def found_object(repo: Repo, wanted: str) -> ShaFile | None:
    """An object by its full id."""
    if not is_id(wanted):
        return None
    try:
        return repo.object_store[ObjectID(wanted.encode())]
    except KeyError:
        return None


def _peeled(repo: Repo, sha: ObjectID) -> Commit | None:
    found: ShaFile | None = found_object(repo, sha.decode())
    while isinstance(found, Tag):
        found = found_object(repo, found.object[1].decode())
    return found if isinstance(found, Commit) else None


def entry(repo: Repo, commit: Commit, path: str) -> tuple[int, ObjectID] | None:
    """Mode and id of what is at a path of a commit ("" for its root); None for nothing."""
    mode, sha = stat.S_IFDIR, ObjectID(commit.tree)
    for part in path.encode().split(b"/") if path else ():
        found = repo.object_store[sha] if stat.S_ISDIR(mode) else None
        if not isinstance(found, Tree) or part not in found:
            return None
        mode, sha = found[part]
    return mode, sha


def packed(repo: Repo, commit: Commit) -> bytes:
    """The files of a commit as a ZIP file, as `git archive` packs them; raises TooLarge."""
    at = datetime.fromtimestamp(min(max(commit.commit_time, _EARLIEST), _LATEST), UTC)
    content, size = io.BytesIO(), 0
    files = _files(repo, ObjectID(commit.tree), "", [MOST_FOLDERS])
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (path, mode, blob) in enumerate(files):
            size += len(blob)
            if size > LARGEST or number >= MOST_FILES:
                raise TooLarge(
                    f"the commit has more than {LARGEST >> 20} MiB, or more than {MOST_FILES} files"
                )
            info = zipfile.ZipInfo(path, at.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, blob)
    return content.getvalue()


def _files(
    repo: Repo, tree: ObjectID, under: str, left: list[int]
) -> Iterator[tuple[str, int, bytes]]:
    """Path, mode and content; without submodules, and without names that lead elsewhere.

    Raises TooLarge: some folders in each other, each of them ten times, make a billion.
    """
    found = repo.object_store[tree]
    if not isinstance(found, Tree):
        return
    left[0] -= 1
    if left[0] < 0:
        raise TooLarge(f"the commit has more than {MOST_FOLDERS} folders")
    for each in found.iteritems():
        name, mode, sha = each.path.decode(errors="replace"), each.mode, each.sha
        if name in ("", ".", "..") or name.lower() == ".git" or "/" in name:
            continue
        if stat.S_ISDIR(mode):
            yield from _files(repo, ObjectID(sha), f"{under}{name}/", left)
        elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            blob = repo.object_store[ObjectID(sha)]
            if isinstance(blob, Blob):
                yield f"{under}{name}", mode, blob.data
