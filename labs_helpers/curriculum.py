"""The labs of the workbook, in order, and the parts of a lab's folder ``labs/labNN/``.

``make contents`` writes the tables of labs in README and in notebook 00 from this list.
"""

from __future__ import annotations

import importlib
import json
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from types import ModuleType
from typing import Any

FIRST = "00"
"""The number of the lab that a learner begins with, whose notebook has the map of all labs."""


@dataclass(frozen=True)
class Entry:
    """One lab of the workbook.

    ``number`` has two digits. ``minutes`` is the time that a learner takes. ``goal`` completes
    the sentence "you will ...". ``sandbox`` and ``aws`` say what the lab does not do there, or
    "full". The texts are Markdown.
    """

    number: str
    name: str
    slug: str
    minutes: int
    goal: str
    sandbox: str = "full"
    aws: str = "full"

    @property
    def notebook(self) -> str:
        """The file name in ``notebooks/``."""
        return f"{self.number}-{self.slug}.ipynb"

    @property
    def folder(self) -> str:
        """The lab's folder in a learner's workbook, relative to the workbook.

        The first lab, with the map of all others, is in the workbook itself: JupyterLab, which
        shows the folder of the notebook that is open, then shows all labs.
        """
        return "." if self.number == FIRST else f"{self.number}-{self.slug}"

    def link(self, name: str, here: Entry) -> str:
        """A link to a file of this lab's folder, for the notebook of lab ``here`` in a workbook."""
        return posixpath.relpath(posixpath.join(self.folder, name), here.folder)


LABS = {
    entry.number: entry
    for entry in (
        Entry(
            "00",
            "Start here",
            "start-here",
            minutes=15,
            goal="find your way, and make a first repository",
        ),
        Entry(
            "01",
            "Set up the AWS CLI",
            "aws-cli",
            minutes=40,
            goal="configure `aws`, and ask it precise questions",
            aws="keeps your own configuration",
        ),
        Entry(
            "02",
            "Who may do what: IAM",
            "iam",
            minutes=80,
            goal="give people and programs the rights they need, and read a denial",
            aws="needs a second account for one part",
        ),
        Entry(
            "03",
            "Amazon ECR and Docker Hub",
            "ecr-and-docker-hub",
            minutes=45,
            goal="choose a registry, and say what it costs",
            sandbox="Docker Hub is a stand-in with nine images",
        ),
        Entry(
            "04",
            "Create a repository",
            "create-a-repository",
            minutes=45,
            goal="make a repository, set its rules, and keep a policy off production's image",
            sandbox="lifecycle policies run on a clock that you move",
            aws="no clock to move, and no key of your own",
        ),
        Entry(
            "05",
            "Log Docker in to ECR",
            "log-in",
            minutes=30,
            goal="log in, and fix the three errors people meet",
            aws="no clock to move",
        ),
        Entry(
            "06",
            "Build an image",
            "build",
            minutes=40,
            goal="write a Dockerfile, and see its layers, cache and digests",
            sandbox="containers run; `RUN` needs a base that has programs",
        ),
        Entry(
            "07",
            "Push and pull",
            "push-and-pull",
            minutes=45,
            goal="push and pull an image, and know what goes over the wire",
            aws="no trace to read",
        ),
        Entry(
            "08",
            "Scan an image",
            "scan",
            minutes=50,
            goal="have an image scanned, fix it, and write a gate",
            aws="no clock to move; enhanced scanning costs money",
        ),
        Entry(
            "09",
            "Build and deploy by pipeline",
            "ci-cd",
            minutes=45,
            goal="let a commit become a page by a pipeline, and deploy by digest",
            sandbox="a git folder stands for GitHub",
            aws="CodeCommit stands for GitHub; tasks and builds cost",
        ),
        Entry(
            "10",
            "Deploy on ECS",
            "deploy-on-ecs",
            minutes=45,
            goal="run an image on ECS, replace it without a break, and fix a pull that fails",
            sandbox="tasks run as containers on this machine",
            aws="the page has a public address; tasks cost by the hour",
        ),
        Entry(
            "11",
            "Repair a pipeline",
            "repair-a-pipeline",
            minutes=40,
            goal="find out from the log why a pipeline stopped, and repair stage by stage",
            sandbox="a git folder stands for GitHub",
            aws="CodeCommit stands for GitHub; tasks and builds cost",
        ),
        Entry(
            "12",
            "Release step by step",
            "release",
            minutes=30,
            goal="show a release to a tenth of the visitors, take it back, and read a pod",
            sandbox="tasks and pods run as containers on this machine",
            aws="no clock to move, no Kubernetes; tasks and a load balancer cost by the hour",
        ),
        Entry(
            "13",
            "On call",
            "on-call",
            minutes=40,
            goal="take a bad release back, and find faults that show only late",
            sandbox="a git folder stands for GitHub",
            aws="CodeCommit stands for GitHub; tasks and builds cost",
        ),
        Entry(
            "14",
            "Clean up",
            "clean-up",
            minutes=30,
            goal="say what you made and what it costs, delete it, and leave nothing behind",
            sandbox="tasks run as containers on this machine",
            aws="deletes by the labs' names; tasks cost by the hour until then",
        ),
    )
}


class UnknownPart(Exception):
    """A lab has no such check, question, exercise or hint; the message lists those it has."""

    @classmethod
    def among(cls, kind: str, part_id: str, known: Iterable[str]) -> UnknownPart:
        """``kind`` is the part's name in a sentence, such as "check"; ``known`` are ids."""
        listed = ", ".join(known) or "none"
        return cls(f"There is no {kind} {part_id!r}. This lab has: {listed}.")


def chosen(given: Iterable[str]) -> list[str]:
    """The numbers of labs that somebody named, as "4" or "04", in order; without a name, all.

    Raises UnknownPart with the list of all labs.
    """
    named = list(given)
    if unknown := [one for one in named if not one or one.zfill(2) not in LABS]:
        raise UnknownPart(
            f"There is no lab {', '.join(map(repr, unknown))}. The labs, by number:\n"
            + "\n".join(f"  {lab.number}  {lab.name}" for lab in LABS.values())
        )
    return sorted({one.zfill(2) for one in named} or LABS)


def module(number: str, name: str) -> ModuleType | None:
    """The module ``labs/labNN/<name>.py`` of a lab; None when the lab has none."""
    if number not in LABS or not _file(number, f"{name}.py").is_file():
        return None
    return importlib.import_module(f"labs_helpers.labs.lab{number}.{name}")


def data(number: str, name: str) -> list[dict[str, Any]]:
    """The entries of ``labs/labNN/<name>.json``; empty when the lab has none."""
    file = _file(number, f"{name}.json")
    if number not in LABS or not file.is_file():
        return []
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return entries


def _file(number: str, name: str) -> Traversable:
    """A file of a lab's folder, which may not be there."""
    return resources.files("labs_helpers.labs") / f"lab{number}" / name
