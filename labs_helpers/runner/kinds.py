"""What the runner can do: one row a kind of job.

A kind is named as the service submits it (sandbox/service/jobs.py). Its function is imported with
the first job of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from labs_helpers.runner.runner import Job, Kind
from labs_helpers.workspace import Workspace


def kinds(workspace: Workspace) -> Mapping[str, Kind]:
    """The kinds of jobs, by name, for a workspace."""

    def codebuild(job: Job) -> None:
        from labs_helpers.runner import build

        build.work(workspace, job)

    def git_source(job: Job) -> None:
        from labs_helpers.runner import git

        git.source(workspace, job)

    def git_watch(job: Job) -> None:
        from labs_helpers.runner import git_watch

        git_watch.watch(job)

    def ecs_task(job: Job) -> None:
        from labs_helpers.runner import task

        task.work(workspace, job)

    def load_balancing(job: Job) -> None:
        from labs_helpers.runner.balancer import job as balancer

        balancer.work(job)

    return {
        "codebuild": Kind(codebuild, most=4),
        "ecs-task": Kind(ecs_task, most=24),
        "git-source": Kind(git_source, most=4),
        # a watch ends with its connection only
        "git-watch": Kind(git_watch, most=32, lasts=True),
        # one event loop for all load balancers
        "load-balancing": Kind(load_balancing, most=1, lasts=True),
    }
