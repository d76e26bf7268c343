"""One request about repositories."""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.sandbox.codecommit.repositories import Repositories
from labs_helpers.sandbox.codecommit.store import Document
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Call, Members
from labs_helpers.sandbox.service.store import Store


@dataclass(frozen=True, kw_only=True)
class CodeCommitCall(Call[Store]):
    """repositories: rows and git folders."""

    repositories: Repositories

    def check_empty_folders(self, params: Members) -> None:
        """Refuse keepEmptyFolders, which adds a file .gitkeep on AWS."""
        if params.get("keepEmptyFolders"):
            raise not_here(
                f"the operation codecommit:{self.operation} with keepEmptyFolders",
                "Put a file .gitkeep into the folder.",
            )

    def found(self, name: str) -> Document:
        """A repository of the caller's account and region; raises RepositoryDoesNotExist."""
        return self.repositories.require(self.place, name)
