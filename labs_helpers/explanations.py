"""What a lab shows of a token, a decision, an image and the registry: asked, and drawn."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import docker.errors

from labs_helpers import gate, iam_simulator
from labs_helpers.clean_up.found import Survey
from labs_helpers.control_client import Control, Refused
from labs_helpers.defaults import USER
from labs_helpers.display import bars, ecs_service, lifecycle, page, registry, why
from labs_helpers.display import pipeline as pipelines
from labs_helpers.display.rendering import Rendering, paragraph, table
from labs_helpers.errors import LabError

_PAUSE = 0.5
"""Seconds between two looks at a pipeline or a service."""
_OF_TASKS = "com.amazonaws.ecs.task-arn"
"""The label that ECS gives the containers of tasks.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-metadata.html"""
_OF_PODS = "io.kubernetes.pod.name"
"""The label that the kubelet gives the containers of pods."""
_MOST_TASKS = 100
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""


def token(now: datetime) -> Rendering:
    """A fresh authorization token of ECR: whose it is and when it ends, without the secret in it.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    data = boto3.client("ecr").get_authorization_token()["authorizationData"][0]
    user = base64.b64decode(data["authorizationToken"]).decode().partition(":")[0]
    owner = boto3.client("sts").get_caller_identity()["Arn"]
    remaining = data["expiresAt"] - now
    return registry.token(registry.Token(user, owner, remaining, data["proxyEndpoint"]))


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
    done = subprocess.run(
        ["git", "rev-parse", "--verify", f"{name}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"git knows no commit {name} in {Path.cwd()}: {done.stderr.strip()}")
    return done.stdout.strip()


def _is_of_another(execution: Mapping[str, Any], commit: str) -> bool:
    """Whether an execution has fetched its source, and the source is not the commit."""
    fetched = [each["revisionId"] for each in execution.get("sourceRevisions", [])]
    return bool(fetched) and commit not in fetched


def trace(control: Control, clear: bool) -> Rendering:
    """The requests that the registry has answered since they were last cleared."""
    seen = control.ask("GET", "trace")
    if clear:
        control.ask("DELETE", "trace")
    return registry.trace(seen["requests"])


def refusal_in_sandbox(
    control: Control,
    account: str,
    region: str,
    action: str | None,
    resource: str | None,
    who: str | None,
) -> Rendering:
    """Why IAM refused the last refused request; with an action, how IAM would decide now.

    resource: an ARN, "*", or the name of a repository; who: a user's name or the ARN of a user or
    role, by default the learner.
    """
    if action is None:
        last = control.ask("GET", "why")["refusal"]
        return why.why(last) if last else why.nothing()
    asked = {
        "action": action,
        "resource": _arn_of_resource(resource, account, region),
        "principal": _arn_of_user(who or USER, account),
    }
    return why.why(control.ask("POST", "why", asked)["verdict"])


def decision_on_aws(
    account: str, region: str, action: str | None, resource: str | None, who: str | None
) -> Rendering:
    """How IAM's simulator would decide; AWS keeps no refusal that could be shown without an action.

    The arguments are those of `refusal_in_sandbox`; by default the simulator is asked about the
    caller. Raises NotSimulated and ClientError.
    """
    if action is None:
        return why.not_kept()
    principal = _arn_of_user(who, account) if who else None
    target = _arn_of_resource(resource, account, region)
    return why.why(iam_simulator.explained(principal, action, target))


def _arn_of_resource(resource: str | None, account: str, region: str) -> str:
    if resource is None or resource == "*" or resource.startswith("arn:"):
        return resource or "*"
    return f"arn:aws:ecr:{region}:{account}:repository/{resource}"


def _arn_of_user(who: str, account: str) -> str:
    return who if who.startswith("arn:") else f"arn:aws:iam::{account}:user/{who}"


def expiry(control: Control, account: str, region: str, repository: str, prices: Path) -> Rendering:
    """What the repository's lifecycle policy takes today, what that saves, and why the rest stays.

    prices: the labs' file of prices. Raises LabError for a name that is no repository's.
    """
    if not isinstance(repository, str) or not repository:
        raise LabError(
            f'{repository!r} is not the name of a repository: give a text such as "demo-app-repo".'
        )
    asked = {"account": account, "region": region, "repository": repository}
    try:
        found = control.ask("GET", f"lifecycle?{urlencode(asked)}")
    except Refused as refused:
        if refused.status != 404:
            raise
        raise LabError(
            f"There is no repository {repository} in {region}. "
            "aws ecr describe-repositories lists those there are."
        ) from refused
    return lifecycle.explained(repository, found, _price(prices, "ecr_storage"))


def _price(prices: Path, name: str) -> float:
    """A price in USD of the labs' file of prices. Raises LabError without the file or the price."""
    try:
        listed = json.loads(prices.read_text(encoding="utf-8"))["prices"]
        return float(next(one["price"] for one in listed if one["name"] == name))
    except (OSError, ValueError, KeyError, StopIteration):
        raise LabError(
            f"The labs' file of prices, {prices.name} of lab {prices.parent.name}, cannot be read "
            f"or has no price {name}. `labs update` brings the file back."
        ) from None


def layers(client: Any, image: str) -> Rendering:
    """The layers of a local image and their sizes; client: the Docker SDK's."""
    try:
        return bars.layers(client.images.get(image).history())
    except docker.errors.ImageNotFound:
        raise LabError(
            f"There is no image {image} on this machine. Build or pull it first; docker images "
            "lists those there are."
        ) from None


def gate_verdict(
    image: str, rules: gate.Rules, accept: str | Path | None, now: datetime
) -> Rendering:
    """The verdict of `labs gate` on ECR's scan of an image; accept: a file of accepted risks."""
    named = gate.parse(image)
    accepted = gate.load(Path(accept)) if accept else ()
    scan = gate.fetch(boto3.client("ecr", region_name=named.region), named, wait=300)
    text = gate.table(gate.judge(scan, rules, accepted, now.date()))
    return Rendering(text, f"<pre>{escape(text)}</pre>")


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
        found = _service(ecs, name, cluster)
        tasks = _tasks_of(ecs, name, cluster)
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


def service_page(name: str, cluster: str, environ: Mapping[str, str]) -> Rendering:
    """A link to the page that a running task of a service serves on its first port.

    Raises LabError where there is no such service, and where no task of it serves a port here.
    """
    ecs = boto3.client("ecs")
    _service(ecs, name, cluster)
    bindings = [
        port
        for task in _tasks_of(ecs, name, cluster)
        if task["lastStatus"] == "RUNNING"
        for container in task["containers"]
        for port in container.get("networkBindings", ())
    ]
    if not bindings:
        raise LabError(
            f"No running task of the service {name} has a port on this machine. "
            f'lab.service("{name}", "{cluster}") shows its tasks, and why tasks stopped.'
        )
    port = bindings[0]
    where = page.address(port["hostPort"], environ)
    drawn = page.page(f"a task of the service {name}", port["containerPort"], where)
    # the port is another at each start, and a program compares the outputs
    return paragraph(drawn.text) if environ.get("LABS_START") else drawn


def _service(ecs: Any, name: str, cluster: str) -> Mapping[str, Any]:
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


def _tasks_of(ecs: Any, name: str, cluster: str) -> list[Mapping[str, Any]]:
    """The tasks of a service, stopped ones too."""
    asked = {"cluster": cluster, "serviceName": name}
    arns = [
        *ecs.list_tasks(**asked)["taskArns"],
        *ecs.list_tasks(**asked, desiredStatus="STOPPED")["taskArns"],
    ][:_MOST_TASKS]
    return list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []


def receipt(found: Survey, client: Any | None) -> Rendering:
    """What is there of the labs, and what it costs; client: the Docker SDK's, in the sandbox.

    There, tasks are containers of this machine, which are counted as well.
    """
    rows = [
        (
            thing.kind,
            thing.name,
            thing.costs if thing.ours else f"stays: {thing.why}",
        )
        for thing in found.things
    ]
    said = [f"Not looked at: every {kind}. {reason}" for kind, reason in found.unread]
    if client is not None:
        counted = [
            f"{len(client.containers.list(filters={'label': label}))} of {what}"
            for label, what in ((_OF_TASKS, "tasks"), (_OF_PODS, "pods"))
        ]
        said.append(f"Containers on this machine: {', '.join(counted)}.")
    parts = [paragraph("Nothing of the labs is left.")]
    if rows:
        parts = [table(("kind", "name", "while it stays"), rows)]
    parts += [paragraph(one) for one in said]
    text = "\n\n".join(each.text for each in parts)
    return Rendering(text, "".join(each.html for each in parts))


def container_page(client: Any, name: str, environ: Mapping[str, str]) -> Rendering:
    """A link to the page that a running container serves on its first published port.

    Raises LabError for a container that does not run, or publishes no port.
    """
    try:
        found = client.containers.get(name)
    except docker.errors.NotFound:
        raise LabError(
            f"There is no container {name}. Run one first: docker run -d --name {name} -p 8080:80"
            " IMAGE; docker ps -a lists those there are."
        ) from None
    published = [
        (int(inside.partition("/")[0]), int(places[0]["HostPort"]))
        for inside, places in sorted(found.ports.items())
        if places
    ]
    if found.status != "running":
        raise LabError(f"The container {name} does not run. docker logs {name} may say why.")
    if not published:
        raise LabError(f"The container {name} publishes no port: run it with -p 8080:80.")
    inside, outside = published[0]
    drawn = page.page(name, inside, page.address(outside, environ))
    # the port is another at each start, and a program compares the outputs
    return paragraph(drawn.text) if environ.get("LABS_START") else drawn


def has_container(client: Any, name: str) -> bool:
    """Whether a container has the name."""
    try:
        client.containers.get(name)
    except docker.errors.NotFound:
        return False
    return True


def balancer_page(
    name: str, port: int | None, control: Control | None, environ: Mapping[str, str]
) -> Rendering | None:
    """A link to what a load balancer serves; None where there is no load balancer of the name.

    port: of a listener, by default the lowest; control: of the sandbox, None on AWS. Raises
    LabError for a load balancer without such a listener.
    """
    elb = boto3.client("elbv2")
    try:
        found = elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    except elb.exceptions.LoadBalancerNotFoundException:
        return None
    arn = found["LoadBalancerArn"]
    listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    ports = sorted(each["Port"] for each in listeners)
    if not ports or port not in (None, *ports):
        listed = ", ".join(map(str, ports)) or "none"
        raise LabError(
            f"The load balancer {name} has no such listener; its ports are: {listed}. "
            "aws elbv2 create-listener adds one."
        )
    inside = port or ports[0]
    if control is None:
        return page.page(name, inside, f"http://{found['DNSName']}:{inside}/")
    here = {
        each["port"]: int(each["address"].rpartition(":")[2])
        for balancer in control.ask("GET", "balancing")["balancers"]
        if balancer["arn"] == arn
        for each in balancer["listeners"]
    }
    drawn = page.page(name, inside, page.address(here[inside], environ))
    # the port is another in each sandbox, and a program compares the outputs
    return paragraph(drawn.text) if environ.get("LABS_START") else drawn
