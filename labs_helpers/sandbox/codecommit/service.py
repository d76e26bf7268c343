"""CodeCommit over its store.

AWS closed CodeCommit to new customers in July 2024 and opened it again in November 2025:
https://aws.amazon.com/blogs/devops/aws-codecommit-returns-to-general-availability/
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codecommit import operations
from labs_helpers.sandbox.codecommit.call import CodeCommitCall
from labs_helpers.sandbox.codecommit.errors import (
    InvalidBranchName,
    InvalidParameter,
    InvalidRepositoryName,
)
from labs_helpers.sandbox.codecommit.repositories import Pushed, Repositories
from labs_helpers.sandbox.codecommit.store import SCHEMA
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.validation import Invalid

_NAMES = ("repositoryName", "oldName", "newName", "repositoryNames")
_BRANCHES = ("branchName", "defaultBranchName")


class CodeCommitService(DecidedService[CodeCommitCall]):
    """CodeCommit for every account and region. repositories: for git, and for pipelines."""

    def __init__(
        self, root: Path, clock: Clock, authorize: Authorize, emit: Emit, pushed: Pushed
    ) -> None:
        self.store = Store(root, "CodeCommit", SCHEMA, beside=[root / "git"])
        self.repositories = Repositories(root / "git", self.store, clock, emit, pushed)
        call: Any = partial(CodeCommitCall, repositories=self.repositories)
        super().__init__("codecommit", operations, call, self.store, clock, authorize)

    def invalid(self, error: Invalid) -> ServiceError:
        """CodeCommit's code for a name that breaks the model."""
        problem = error.problems[0]
        first = problem.path.partition(".")[0]
        if first in _NAMES:
            return InvalidRepositoryName()
        if first in _BRANCHES:
            return InvalidBranchName(name=problem.value)
        return InvalidParameter(str(error))
