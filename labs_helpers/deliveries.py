"""What a lab shows of a pipeline and of a service of ECS, followed while they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from labs_helpers.display import ecs_service, page
from labs_helpers.display import pipeline as pipelines
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import LabError
from labs_helpers.prepare.ecs import tasks_of
from labs_helpers.runtime import git

_PAUSE = 0.5
"""Seconds between two looks at a pipeline or a service."""


def pipeline(
    name: str, wait: float, commit: str = "", show: Callable[[Rendering], object] | None = None
) -> Rendering:
    """A pipeline as it is, or once nothing happens by itself any more, or `wait` seconds are over.

    commit: a name that git knows in this folder; an execution of an earlier commit is passed over.
    show: told of every change meanwhile. On AWS, too. Raises LabError for a commit that is none,
    and where the commit starts no execution within `wait` seconds.
    """
    client, until = boto3.client("codepipeline"), time.monotonic() + wait
    wanted = _commit(commit) if commit else ""
    before = ""
    while True:
        listed = client.list_pipeline_executions(pipelineName=name, maxResults=1)
        newest = listed["pipelineExecutionSummaries"]
        if not newest:
            return paragraph(f"The pipeline {name} has had no execution.")
        state = client.get_pipeline_state(name=name)
        found = pipelines.drawn(state, newest[0])
        going = newest[0]["status"] in ("InProgress", "Stopping")
        over = time.monotonic() >= until
        if wanted and _is_of_another(newest[0], wanted):
            if over:
                raise LabError(
                    f"The commit {wanted[:7]} has not started the pipeline {name}. Is the commit "
                    "on the pipeline's branch, and the connection AVAILABLE?"
                )
        elif not going or pipelines.waits_for_someone(state, newest[0]) or over:
            return found
        if show is not None and found.text != before:
            before = found.text
            show(found)
        time.sleep(_PAUSE)


def _commit(name: str) -> str:
    """The id of a commit in this folder's repository; raises LabError."""
    arguments = ("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    try:
        done = git.run(Path.cwd(), *arguments)
    except git.NoGit as error:
        raise LabError(str(error)) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise LabError(f"git knows no commit {name} in {Path.cwd()}: {said}")
    return done.stdout.decode().split()[-1]


def _is_of_another(execution: Mapping[str, Any], commit: str) -> bool:
    """Whether an execution has fetched its source, and the source is not the commit."""
    fetched = [each["revisionId"] for each in execution.get("sourceRevisions", [])]
    return bool(fetched) and commit not in fetched


def service(
    name: str,
    cluster: str,
    environ: Mapping[str, str],
    wait: float = 0,
    show: Callable[[Rendering], object] | None = None,
) -> Rendering:
    """A service of ECS as it is, or once its deployment has ended, or `wait` seconds are over.

    show: told of every change meanwhile. Raises LabError where there is no such service.
    """
    ecs, until = boto3.client("ecs"), time.monotonic() + wait
    before = ""
    while True:
        found = described(ecs, name, cluster)
        tasks = tasks_of(ecs, found, cluster)
        compared = environ.get("LABS_START")  # a program runs the notebook
        drawn = ecs_service.service(
            found, tasks, None if compared else partial(page.address, environ=environ)
        )
        if ecs_service.has_settled(found, tasks) or time.monotonic() >= until:
            return drawn
        if show is not None and drawn.text != before:
            before = drawn.text
            show(drawn)
        time.sleep(_PAUSE)


def described(ecs: Any, name: str, cluster: str) -> Mapping[str, Any]:
    """DescribeServices' answer on one service; raises LabError where there is no such service."""
    try:
        found = ecs.describe_services(cluster=cluster, services=[name])["services"]
    except ecs.exceptions.ClusterNotFoundException:
        raise LabError(
            f"There is no cluster {cluster}. `aws ecs list-clusters` lists the clusters there are."
        ) from None
    if not found:
        raise LabError(
            f"There is no service {name} in the cluster {cluster}. `aws ecs list-services "
            f"--cluster {cluster}` lists the services there are."
        )
    return dict(found[0])
