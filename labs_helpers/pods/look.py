"""`lab.pods`: a manifest applied, described or deleted, on a node with a role."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from labs_helpers.control_client import Control, Refused
from labs_helpers.display import pods as drawings
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import LabError
from labs_helpers.pods import manifest as manifests
from labs_helpers.pods.kubelet import RUNNING, Pods, waits
from labs_helpers.pods.node import Node

FILE = "pods.json"
"""In the sandbox's folder, which `labs reset` empties."""


def pods(
    control: Control,
    client: Any,
    role: str,
    region: str,
    now: datetime,
    path: Path,
    describe: bool = False,
    delete: bool = False,
) -> Rendering:
    """client: the Docker SDK's low-level client; role: an ARN; path: of the manifest.

    Raises LabError for a manifest that kubectl refuses, and for a role that no node can have.
    """
    wanted = manifests.read(path)
    kept, endpoint = control.workspace.sandbox / FILE, f"http://127.0.0.1:{control.port}"
    if delete:
        group = {"Pod": "pod", "Deployment": "deployment.apps"}[wanted.kind]
        if not Pods(kept, Node(client, {}, region, endpoint), now).delete(wanted):
            kind = {"Pod": "pods", "Deployment": "deployments.apps"}[wanted.kind]
            return paragraph(f'Error from server (NotFound): {kind} "{wanted.name}" not found')
        return paragraph(f'{group} "{wanted.name}" deleted')
    try:
        session = control.ask("POST", "eks/node", {"role": role, "region": region})
    except Refused as refused:
        raise LabError(
            f"No node can have the role {role}: {refused.reason}\n"
            "A role of a node exists and trusts ec2.amazonaws.com."
        ) from refused
    found = Pods(kept, Node(client, session, region, endpoint), now).apply(wanted)
    if not describe or not found:
        return drawings.listed(found, now)
    shown = next((pod for pod in found if pod["status"] != RUNNING), found[0])
    return drawings.described(shown, now, waits(shown, now))
