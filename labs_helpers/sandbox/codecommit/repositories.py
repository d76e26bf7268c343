"""Repositories: their rows, their git folders, and what follows from a change of references.

Events: https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codecommit import store
from labs_helpers.sandbox.codecommit.errors import RepositoryDoesNotExist, RepositoryNameExists
from labs_helpers.sandbox.codecommit.store import Document, Place
from labs_helpers.sandbox.service.events import Emit, event
from labs_helpers.sandbox.service.store import Store

if TYPE_CHECKING:
    from dulwich.repo import Repo

Pushed = Callable[[str], None]
"""Called with the ARN of a repository whose references changed."""


class Repositories:
    """The repositories of every account and region. Thread-safe."""

    def __init__(self, root: Path, state: Store, clock: Clock, emit: Emit, pushed: Pushed) -> None:
        """root: of the git folders. Folders that no row names are removed."""
        self.store = state
        self._root = root
        self._clock = clock
        self._emit = emit
        self._pushed = pushed
        self._guard = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._sweep()

    def _sweep(self) -> None:
        """A repository whose making or deletion was cut short has a folder and no row."""
        with self.store.read() as db:
            kept = store.ids(db)
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if folder.stem not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def require(self, place: Place, name: str) -> Document:
        """A repository by its name; raises RepositoryDoesNotExist."""
        with self.store.read() as db:
            found = store.find(db, place, name)
        if found is None:
            raise RepositoryDoesNotExist(name=name)
        return found

    def create(self, place: Place, name: str, **members: Any) -> Document:
        """A new repository; raises RepositoryNameExists."""
        # not at the start of the sandbox, which nobody should wait for
        from labs_helpers.sandbox.codecommit import bare

        account, region = place
        now = self._clock.now().timestamp()
        host = f"git-codecommit.{region}.amazonaws.com/v1/repos/{name}"
        made = {
            "accountId": account,
            "repositoryId": str(uuid.uuid4()),
            "repositoryName": name,
            "lastModifiedDate": now,
            "creationDate": now,
            "cloneUrlHttp": f"https://{host}",
            "cloneUrlSsh": f"ssh://{host}",
            "Arn": f"arn:aws:codecommit:{region}:{account}:{name}",
            **members,
        }
        bare.make(self._folder(made))
        with self.store.write() as db:
            if store.find(db, place, name) is not None:
                shutil.rmtree(self._folder(made), ignore_errors=True)
                raise RepositoryNameExists(name=name)
            store.save(db, place, made)
        return made

    def change(self, place: Place, name: str, members: Mapping[str, Any]) -> Document:
        """Change members of a repository's row; raises RepositoryDoesNotExist."""
        with self.store.write() as db:
            found = store.find(db, place, name)
            if found is None:
                raise RepositoryDoesNotExist(name=name)
            changed = {**found, **members, "lastModifiedDate": self._clock.now().timestamp()}
            store.save(db, place, changed)
        return changed

    def delete(self, place: Place, name: str) -> str | None:
        """Delete a repository and its folder; the id, None where there is none."""
        with self.store.read() as db:
            found = store.find(db, place, name)
        if found is None:
            return None
        with self._lock(found):
            with self.store.write() as db:
                store.delete(db, found["repositoryId"])
            shutil.rmtree(self._folder(found), ignore_errors=True)
        return str(found["repositoryId"])

    @contextmanager
    def reading(self, found: Document) -> Iterator[Repo]:
        """The git repository, to read; raises RepositoryDoesNotExist when it was just deleted."""
        from dulwich.errors import NotGitRepository

        from labs_helpers.sandbox.codecommit import bare

        try:
            with bare.opened(self._folder(found)) as repo:
                yield repo
        except NotGitRepository as error:
            raise RepositoryDoesNotExist(name=found["repositoryName"]) from error

    def archive(self, place: Place, name: str, commit: str) -> bytes:
        """The files of a commit as a ZIP file; raises LookupError."""
        from labs_helpers.sandbox.codecommit import bare

        try:
            with self.reading(self.require(place, name)) as repo:
                found = bare.commit_of(repo, commit)
                if found is None:
                    raise LookupError(f"{name} has no commit {commit}")
                return bare.packed(repo, found)
        except (RepositoryDoesNotExist, bare.TooLarge) as error:
            raise LookupError(str(error)) from error

    @contextmanager
    def changing(
        self, found: Document, caller: str, prepare: Callable[[Repo], None] | None = None
    ) -> Iterator[Repo]:
        """The git repository, to change its references, one caller at a time.

        caller: the ARN that the events name; prepare: is called with the repository first.
        """
        from labs_helpers.sandbox.codecommit import bare

        with self._lock(found), self.reading(found) as repo:
            if prepare:
                prepare(repo)
            before = bare.references(repo)
            try:
                yield repo
            finally:
                after = bare.references(repo)
                if before != after:
                    self._changed(found, caller, before, after, repo)

    def _changed(
        self,
        found: Document,
        caller: str,
        before: Mapping[str, str],
        after: Mapping[str, str],
        repo: Repo,
    ) -> None:
        """Keep the time and the first default branch; tell the rules and the pipelines."""
        account, region = found["Arn"].split(":")[4], found["Arn"].split(":")[3]
        now = self._clock.now()
        with self.store.write() as db:
            row = store.by_id(db, found["repositoryId"])
            if row is None:
                return
            row["lastModifiedDate"] = now.timestamp()
            heads = [each for each in after if each.startswith("refs/heads/")]
            if "defaultBranch" not in row and heads:
                row["defaultBranch"] = heads[0].removeprefix("refs/heads/")
                self.point_head(repo, row["defaultBranch"])
            store.save(db, (account, region), row)
            for name in sorted({*before, *after}):
                if before.get(name) != after.get(name):
                    detail = _detail(row, caller, name, before.get(name), after.get(name))
                    title = "CodeCommit Repository State Change"
                    made = event(
                        "aws.codecommit", title, account, region, now, detail, [row["Arn"]]
                    )
                    self.store.after_commit(partial(self._emit, made))
            self.store.after_commit(partial(self._pushed, row["Arn"]))

    @staticmethod
    def point_head(repo: Repo, branch: str) -> None:
        """Let HEAD, which a clone checks out, be a branch."""
        from dulwich.refs import HEADREF, Ref

        repo.refs.set_symbolic_ref(HEADREF, Ref(f"refs/heads/{branch}".encode()))

    def _folder(self, found: Mapping[str, Any]) -> Path:
        return self._root / f"{found['repositoryId']}.git"

    def _lock(self, found: Mapping[str, Any]) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(found["repositoryId"], threading.RLock())


def _detail(
    row: Document, caller: str, name: str, old: str | None, new: str | None
) -> dict[str, Any]:
    tag = name.startswith("refs/tags/")
    detail = {
        "callerUserArn": caller,
        "event": "referenceCreated" if old is None else "referenceUpdated",
        "repositoryName": row["repositoryName"],
        "repositoryId": row["repositoryId"],
        "referenceType": "tag" if tag else "branch",
        "referenceName": name.split("/", 2)[-1],
        "referenceFullName": name,
    }
    if new is None:
        return {**detail, "event": "referenceDeleted", "oldCommitId": old}
    return {**detail, "commitId": new} | ({"oldCommitId": old} if old else {})
