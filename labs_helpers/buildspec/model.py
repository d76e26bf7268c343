"""A buildspec as plain, typed data.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PHASES = ("install", "pre_build", "build", "post_build")
"""The phases that have commands, in the order in which they run."""


@dataclass(frozen=True)
class Command:
    """One entry of `commands` or `finally`, with its line in the buildspec."""

    text: str
    line: int


@dataclass(frozen=True)
class OnFailure:
    """What follows a failed phase. retries: how often RETRY runs the phase again (0 to 100).

    pattern: the regular expression that the error must match for a retry.
    """

    action: Literal["ABORT", "CONTINUE", "RETRY"]
    retries: int = 0
    pattern: str = ".*"


@dataclass(frozen=True)
class Phase:
    """The commands of a phase; ``last`` are those of `finally`."""

    name: str
    line: int
    commands: tuple[Command, ...] = ()
    last: tuple[Command, ...] = ()
    on_failure: OnFailure | None = None
    run_as: str = ""
    run_as_line: int = 0


@dataclass(frozen=True)
class SecretReference:
    """`secret-id:json-key:version-stage:version-id` of env/secrets-manager; id may be an ARN."""

    secret: str
    json_key: str = ""
    stage: str = ""
    version: str = ""


@dataclass(frozen=True)
class Environment:
    """`env`, or `environment_variables` of version 0.1."""

    shell: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    exported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artifacts:
    """Files that a build hands on: patterns below the base directory, without those excluded."""

    files: tuple[str, ...]
    base_directory: str = "."
    exclude: tuple[str, ...] = ()
    discard_paths: bool = False
    name: str = ""


@dataclass(frozen=True)
class Report:
    """Files with the results of tests. format: in capital letters, as JUNITXML."""

    files: Artifacts
    format: str
    line: int


@dataclass(frozen=True)
class NotDone:
    """A key that CodeBuild would act on and `Build` does not, and why."""

    line: int
    path: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.why}"


@dataclass(frozen=True)
class Buildspec:
    """A whole buildspec. run_as: each phase without a `run-as` of its own runs as this user."""

    version: Literal["0.1", "0.2"]
    phases: Mapping[str, Phase]
    environment: Environment = Environment()
    artifacts: Artifacts | None = None
    secondary: Mapping[str, Artifacts] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    run_as: str = ""
    run_as_line: int = 0
    batch_line: int = 0
    """The line of `batch`; 0 without one."""
    not_done: tuple[NotDone, ...] = ()
