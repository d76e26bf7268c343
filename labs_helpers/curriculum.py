"""The labs of the workbook, in order, and the parts of a lab's folder ``labs/labNN/``."""

from __future__ import annotations

import importlib
import importlib.util
import json
from dataclasses import dataclass
from importlib import resources
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One lab of the workbook; ``notebook`` is its file name in ``notebooks/``."""

    number: str
    name: str
    slug: str
    minutes: int

    @property
    def notebook(self) -> str:
        return f"{self.number}-{self.slug}.ipynb"


LABS = {
    entry.number: entry
    for entry in (
        Entry("00", "Start here", "start-here", 10),
        Entry("01", "Set up the AWS CLI", "aws-cli", 25),
        Entry("02", "Who may do what: IAM", "iam", 40),
        Entry("03", "Amazon ECR and Docker Hub", "ecr-and-docker-hub", 20),
        Entry("04", "Create a repository", "create-a-repository", 20),
        Entry("05", "Log Docker in to ECR", "log-in", 15),
        Entry("06", "Build an image", "build", 25),
        Entry("07", "Push and pull", "push-and-pull", 30),
        Entry("08", "Scan an image", "scan", 30),
        Entry("09", "Build and deploy by pipeline", "ci-cd", 30),
        Entry("10", "Deploy and clean up", "clean-up", 30),
    )
}


def module(number: str, name: str) -> ModuleType | None:
    """The module ``labs/labNN/<name>.py`` of a lab; None when the lab has none."""
    package = f"labs_helpers.labs.lab{number}"
    if number not in LABS or importlib.util.find_spec(f"{package}.{name}") is None:
        return None
    return importlib.import_module(f"{package}.{name}")


def data(number: str, name: str) -> list[dict[str, Any]]:
    """The entries of ``labs/labNN/<name>.json``; empty when the lab has none."""
    if number not in LABS:
        return []
    file = resources.files("labs_helpers.labs") / f"lab{number}" / f"{name}.json"
    if not file.is_file():
        return []
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return entries
