"""What a lab shows of a pipeline and of a service of ECS, followed while they change."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import boto3

from labs_helpers.display import ecs_service, page
from labs_helpers.display import pipeline as pipelines
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import LabError
from labs_helpers.prepare.ecs import newest_reason, tasks_of
from labs_helpers.runtime import git

_PAUSE = 0.5
"""Seconds between two looks at a pipeline or a service."""
PATIENCE = 90.0
"""Seconds in which a commit starts a pipeline in the sandbox, if it starts the pipeline at all."""
_EXECUTIONS = 20
"""Of a pipeline, the newest, among which a commit's is looked for."""
_ID = re.compile("the commit [0-9a-f]{7}")


def pipeline(
    name: str,
    wait: float,
    commit: str = "",
    show: Callable[[Rendering], object] | None = None,
    patience: float = PATIENCE,
) -> Rendering:
    """A pipeline as it is, or once nothing happens by itself any more, or `wait` seconds are over.

    commit: a name that git knows in this folder; the commit's own execution is followed, and the
    newest otherwise. show: told of every change meanwhile. On AWS, too. Raises LabError where there
    is no such pipeline, for a commit that is none, and where the commit starts no execution within
    `patience` seconds.
    """
    client, began = boto3.client("codepipeline"), time.monotonic()
    wanted = _commit(commit) if commit else ""
    before, targets = "", _Targets(client, name)
    while True:
        executions = _executions(client, name)
        if not executions:
            return paragraph(f"The pipeline {name} has had no execution.")
        state = client.get_pipeline_state(name=name)
        known = {each["pipelineExecutionId"]: _delivered(each) for each in executions}
        followed = _of(executions, wanted)
        chosen = executions[0] if followed is None else followed
        words = {one: said for one, said in known.items() if said}
        found = pipelines.drawn(state, chosen, words, chosen is executions[0])
        if why := targets.why_tasks_stop(state):
            found = _followed_by(found, why)
        going = chosen["status"] in ("InProgress", "Stopping")
        waited = time.monotonic() - began
        if followed is None:
            if waited >= min(wait, patience):
                raise LabError(
                    f"The commit {wanted[:7]} has not started the pipeline {name} in "
                    f"{waited:.0f} seconds. Is the commit on the pipeline's branch, and the "
                    "connection AVAILABLE? This starts the pipeline by hand:\n"
                    f"  aws codepipeline start-pipeline-execution --name {name}"
                )
            found = _waiting(found, wanted)
        elif not going or pipelines.waits_for_someone(state, chosen) or waited >= wait:
            return found
        if show is not None and found.text != before:
            before = found.text
            show(found)
        time.sleep(_PAUSE)


def _executions(client: Any, name: str) -> Sequence[Mapping[str, Any]]:
    """The newest executions of a pipeline; raises LabError where there is no such pipeline."""
    try:
        listed = client.list_pipeline_executions(pipelineName=name, maxResults=_EXECUTIONS)
    except client.exceptions.PipelineNotFoundException:
        raise LabError(
            f"There is no pipeline {name}. `aws codepipeline list-pipelines` lists the pipelines "
            "there are."
        ) from None
    return list(listed["pipelineExecutionSummaries"])


def _of(executions: Sequence[Mapping[str, Any]], commit: str) -> Mapping[str, Any] | None:
    """The execution of a commit, or the newest where its source was not fetched.

    executions: the newest first. The newest, where no commit is wanted; None where none is the
    commit's.
    """
    for each in executions:
        fetched = [one["revisionId"] for one in each.get("sourceRevisions", [])]
        if not commit or commit in fetched:
            return each
    return None if executions[0].get("sourceRevisions") else executions[0]


class _Targets:
    """The services of ECS to which a pipeline deploys; the definition is read when first needed."""

    def __init__(self, pipelines_api: Any, name: str) -> None:
        self._pipelines, self._name = pipelines_api, name

    def why_tasks_stop(self, state: Mapping[str, Any]) -> str:
        """Why the tasks stop that a deployment under way has started; empty where none does.

        The action says nothing of them until the deployment has ended, which may take many minutes.
        """
        for action in _under_way(state):
            if action in self._places:
                cluster, name = self._places[action]
                if why := self._newest_reason(cluster, name):
                    return (
                        f"New tasks of the service {name} stop: {why}\n"
                        f'lab.service("{name}", cluster="{cluster}") shows the service.'
                    )
        return ""

    @cached_property
    def _places(self) -> dict[str, tuple[str, str]]:
        """Action -> (cluster, service)."""
        stages = self._pipelines.get_pipeline(name=self._name)["pipeline"]["stages"]
        return {
            each["name"]: (
                each["configuration"]["ClusterName"],
                each["configuration"]["ServiceName"],
            )
            for stage in stages
            for each in stage["actions"]
            if each["actionTypeId"]["provider"] == "ECS"
        }

    @cached_property
    def _ecs(self) -> Any:
        return boto3.client("ecs")

    def _newest_reason(self, cluster: str, name: str) -> str:
        """Why a task of the newest deployment of a service stopped last; empty where none has."""
        try:
            found = self._ecs.describe_services(cluster=cluster, services=[name])["services"]
        except self._ecs.exceptions.ClusterNotFoundException:
            return ""
        if not found:
            return ""
        newest = [each["id"] for each in found[0]["deployments"][:1]]
        tasks = tasks_of(self._ecs, found[0], cluster)
        return newest_reason([each for each in tasks if each.get("startedBy") in newest])


def _under_way(state: Mapping[str, Any]) -> list[str]:
    """The names of the actions that work now; an approval, which has a token, waits."""
    return [
        each["actionName"]
        for stage in state["stageStates"]
        for each in stage["actionStates"]
        if each.get("latestExecution", {}).get("status") == "InProgress"
        and not each["latestExecution"].get("token")
    ]


def _followed_by(found: Rendering, text: str) -> Rendering:
    last = paragraph(text)
    return Rendering(f"{found.text}\n\n{last.text}", found.html + last.html)


def _waiting(found: Rendering, commit: str) -> Rendering:
    first = paragraph(f"Waiting for {commit[:7]} to start the pipeline. Until then:")
    return Rendering(f"{first.text}\n{found.text}", first.html + found.html)


def _delivered(execution: Mapping[str, Any]) -> str:
    """What an execution delivers; the same in each run where a program compares the outputs."""
    said = pipelines.named(execution)
    if not os.environ.get("LABS_START"):
        return said
    return _ID.sub("the commit", said)


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


def service(
    name: str,
    cluster: str,
    environ: Mapping[str, str],
    wait: float = 0,
    show: Callable[[Rendering], object] | None = None,
) -> Rendering:
    """A service of ECS as it is, or once its deployment has ended, or `wait` seconds are over.

    A deployment of which no task runs and that nothing ends is not waited for any longer, once
    tasks fail to start again and again for one reason. show: told of every change meanwhile. Raises
    LabError where there is no such service.
    """
    ecs, until = boto3.client("ecs"), time.monotonic() + wait
    before, known = "", None
    while True:
        found = described(ecs, name, cluster)
        tasks = tasks_of(ecs, found, cluster)
        if known is None:
            known = {each["taskArn"] for each in tasks}
        in_vain = ecs_service.fails_to_start(found, tasks, known)
        compared = environ.get("LABS_START")  # a program runs the notebook
        settled = ecs_service.has_settled(found, tasks)
        over = in_vain or time.monotonic() >= until
        drawn = ecs_service.service(
            found,
            tasks,
            None if compared else partial(page.address, environ=environ),
            "" if settled or in_vain or not (over or show) else _stage(ecs, name, cluster),
        )
        if in_vain and wait:
            return _followed_by(drawn, ecs_service.IN_VAIN)
        if settled or over:
            return drawn
        if show is not None and drawn.text != before:
            before = drawn.text
            show(drawn)
        time.sleep(_PAUSE)


def _stage(ecs: Any, name: str, cluster: str) -> str:
    """The stage of a deployment that goes on; empty where deployments have no stages.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    """
    found = ecs.list_service_deployments(
        cluster=cluster, service=name, status=["PENDING", "IN_PROGRESS"]
    )["serviceDeployments"]
    arns = [each["serviceDeploymentArn"] for each in found[:1]]
    if not arns:
        return ""
    more = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    return str(more[0].get("lifecycleStage", "")) if more else ""


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
