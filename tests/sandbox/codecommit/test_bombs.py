"""Small pushes that unpack to more than a machine holds."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from labs_helpers.sandbox.codecommit import bare, packs
from labs_helpers.sandbox.codecommit.operations import differences
from labs_helpers.sandbox.service.errors import NotHere

FOLDER = 0o040000


def header(kind: int, size: int) -> bytes:
    """The beginning of an object in a pack."""
    byte, size = kind << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes([*found, byte])


def pack(*objects: bytes) -> io.BytesIO:
    return io.BytesIO(b"PACK" + struct.pack(">II", 2, len(objects)) + b"".join(objects))


def blob(size: int) -> bytes:
    return header(3, size) + zlib.compress(bytes(size))


def delta(result: int) -> bytes:
    """A delta of another object, which says that it makes so many bytes."""
    number = bytearray()
    while result > 0x7F:
        number.append(result & 0x7F | 0x80)
        result >>= 7
    text = b"\x05" + bytes([*number, result]) + b"\x01x"
    return header(7, len(text)) + bytes(20) + zlib.compress(text)


def test_the_objects_of_a_pack_are_counted_unpacked() -> None:
    packs.check(pack(blob(400_000), blob(0), delta(500_000), blob(90_000)), 1_000_000)
    for large in (
        pack(blob(1_000_001)),
        pack(blob(600_000), blob(600_000)),
        pack(blob(5), delta(1 << 40)),
        # what the object says counts, and nothing of the object is unpacked
        pack(header(3, 1 << 50)),
    ):
        with pytest.raises(packs.TooLarge):
            packs.check(large, 1_000_000)


@pytest.mark.parametrize("objects", [blob(5)[:-2], header(3, 5), b"", header(7, 5)])
def test_a_damaged_pack_is_refused(objects: bytes) -> None:
    with pytest.raises(zlib.error):
        packs.check(pack(objects))


def test_packs_of_git_itself_are_read(tmp_path: Path) -> None:
    def git(*words: str, given: bytes = b"") -> bytes:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *who, *words], input=given, capture_output=True, check=True
        )
        return done.stdout

    git("init", "--quiet", "--initial-branch", "main")
    for number in range(20):
        (tmp_path / "words").write_text("one line\n" * 500 + f"{number}\n")
        git("add", "words")
        git("commit", "--quiet", "--message", str(number))
    ids = git("rev-list", "--objects", "--all")
    for option in ("--delta-base-offset", "--no-delta-base-offset"):
        found = io.BytesIO(git("pack-objects", "--stdout", "--quiet", option, given=ids))
        packs.check(found, 200_000)
        with pytest.raises(packs.TooLarge):
            packs.check(found, 50_000)


@contextmanager
def bomb(folder: Path) -> Iterator[tuple[Repo, Commit]]:
    """A commit of twelve folders with the same twelve folders in each, and so on: no file."""
    bare.make(folder)
    with bare.opened(folder) as repo:
        tree = Tree()
        repo.object_store.add_object(tree)
        for _ in range(12):
            above = Tree()
            for number in range(12):
                above.add(b"%d" % number, FOLDER, tree.id)
            repo.object_store.add_object(above)
            tree = above
        commit = Commit()
        commit.tree = tree.id
        commit.author = commit.committer = b"Ada <ada@example.com>"
        commit.author_time = commit.commit_time = commit.author_timezone = 0
        commit.commit_timezone = 0
        commit.message = b"Many"
        repo.object_store.add_object(commit)
        repo.refs[bare.Ref(b"refs/heads/main")] = ObjectID(commit.id)
        yield repo, commit


def test_a_commit_of_a_billion_folders_is_not_packed(tmp_path: Path) -> None:
    with bomb(tmp_path / "git") as (repo, commit), pytest.raises(bare.TooLarge, match="folders"):
        bare.packed(repo, commit)


def test_a_commit_of_a_billion_folders_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differences, "_MOST", 1000)  # the limit itself takes seconds

    class Call:
        """As much of a call as the operation asks for."""

        def __init__(self, repo: Repo) -> None:
            self.repositories, self._repo = self, repo

        def found(self, name: str) -> dict[str, Any]:
            return {"repositoryId": name}

        @contextmanager
        def reading(self, found: dict[str, Any]) -> Iterator[Repo]:
            yield self._repo

    asked = {"repositoryName": "bomb", "afterCommitSpecifier": "main"}
    with (
        bomb(tmp_path / "git") as (repo, _),
        pytest.raises(NotHere, match=r"1,000 files and folders"),
    ):
        differences.get_differences(Call(repo), asked)  # type: ignore[arg-type]


def test_a_push_of_a_gigabyte_in_a_megabyte_is_refused(tmp_path: Path) -> None:
    bare.make(tmp_path / "git")
    sent = io.BytesIO()
    large = Blob.from_string(b"x")
    sent.write(pack(header(3, 1 << 30) + zlib.compress(large.data)).getvalue() + bytes(20))
    sent.seek(0)
    with bare.opened(tmp_path / "git") as repo:
        store: Any = repo.object_store
        with pytest.raises(packs.TooLarge, match="256 MiB"):
            store.add_thin_pack(sent.read, sent.read, max_input_size=bare.LARGEST)
        assert list(store) == []
