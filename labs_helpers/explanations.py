"""What a lab shows of a token, a decision, an image, the registry and what is left."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
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
from labs_helpers.display import bars, lifecycle, registry, why
from labs_helpers.display.rendering import Rendering, paragraph, table
from labs_helpers.errors import LabError

_OF_TASKS = "com.amazonaws.ecs.task-arn"
"""The label that ECS gives the containers of tasks.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-metadata.html"""
_OF_PODS = "io.kubernetes.pod.name"
"""The label that the kubelet gives the containers of pods."""


def token(now: datetime) -> Rendering:
    """A fresh authorization token of ECR: whose it is and when it ends, without the secret in it.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    ecr = boto3.client("ecr")
    data = ecr.get_authorization_token()["authorizationData"][0]
    user = base64.b64decode(data["authorizationToken"]).decode().partition(":")[0]
    owner = boto3.client("sts").get_caller_identity()["Arn"]
    remaining = data["expiresAt"] - now
    endpoint, region = data["proxyEndpoint"], ecr.meta.region_name
    return registry.token(registry.Token(user, owner, remaining, endpoint, region))


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
    role, by default the learner. Raises LabError for an action that names no service.
    """
    if action is None:
        last = control.ask("GET", "why")["refusal"]
        return why.why(last) if last else why.nothing()
    asked = {
        "action": _whole_action(action),
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
    return why.why(iam_simulator.explained(principal, _whole_action(action), target))


def _whole_action(action: str) -> str:
    """The action as it is; raises LabError for one that names no service."""
    if not re.fullmatch(r"[\w-]+:[\w*?]+", action):
        raise LabError(
            f"{action!r} is no action. An action names its service, too, as "
            f'"ecr:{action if action.isalnum() else "PutImage"}".'
        )
    return action


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


def _open_ports(container: Any) -> int:
    """How many ports of this machine lead into a container of the Docker SDK's."""
    places = (one for listed in container.ports.values() for one in listed or ())
    return len({one["HostPort"] for one in places})


def ports_of_balancers(control: Control) -> int:
    """How many ports of this machine lead to listeners of load balancers."""
    return sum(len(one["listeners"]) for one in control.ask("GET", "balancing")["balancers"])


def receipt(found: Survey, client: Any | None, listening: int = 0) -> Rendering:
    """What is there of the labs, and what it costs; client: the Docker SDK's, in the sandbox.

    There, tasks are containers of this machine, which are counted as well, with their ports.
    listening: how many ports are open for load balancers there.
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
        tasks, pods = (
            client.containers.list(filters={"label": label}) for label in (_OF_TASKS, _OF_PODS)
        )
        said.append(
            f"Containers on this machine: {len(tasks)} of tasks, {len(pods)} of pods. Ports that "
            f"are open for them: {sum(map(_open_ports, (*tasks, *pods)))}; for load balancers: "
            f"{listening}."
        )
    parts = [paragraph("Nothing of the labs is left.")]
    if rows:
        parts = [table(("kind", "name", "while it stays"), rows)]
    parts += [paragraph(one) for one in said]
    text = "\n\n".join(each.text for each in parts)
    return Rendering(text, "".join(each.html for each in parts))
