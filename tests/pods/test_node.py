"""A node pulls with the rights of its role, and runs what it pulled in the labs' engine."""

import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from labs_helpers.control_client import Control
from labs_helpers.errors import LabError
from labs_helpers.pods import look
from labs_helpers.pods.node import Node
from tests.policies import allow
from tests.sandbox.ecs.task_room import ACCOUNT, EXECUTION, REGION, REGISTRY, TRUST, Room, running

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - {{name: app, image: "{image}", ports: [{{containerPort: 8080}}]}}
"""
OF_A_NODE = TRUST.replace("ecs-tasks", "ec2")


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with running() as made:
        yield made


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_text(MANIFEST.format(image=f"{REGISTRY}/web:one"))
    return path


def pods(
    room: Room, role: str, manifest: Path, describe: bool = False, delete: bool = False
) -> str:
    client = room.docker
    try:
        control = Control(room.workspace)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        now = datetime.fromisoformat(control.ask("GET", "clock")["now"])
        shown = look.pods(
            control, client.api, arn, REGION, now, manifest, describe=describe, delete=delete
        )
        return shown.text
    finally:
        client.close()


@pytest.mark.parametrize(
    ("role", "rights", "why"),
    [
        ("idle", (), "authorization failed: no basic auth credentials"),
        (
            "token",
            (allow("ecr:GetAuthorizationToken"),),
            f"unexpected status from HEAD request to https://{REGISTRY}/v2/web/manifests/one: "
            "403 Forbidden",
        ),
    ],
)
def test_a_pull_without_rights_says_which_are_missing(
    room: Room, manifest: Path, role: str, rights: tuple[dict[str, str], ...], why: str
) -> None:
    room.role(role, *rights, trust=OF_A_NODE)
    assert "ErrImagePull" in pods(room, role, manifest)
    said = pods(room, role, manifest, describe=True)
    assert f'desc = failed to pull and unpack image "{REGISTRY}/web:one"' in said
    assert why in said
    assert pods(room, role, manifest, delete=True) == 'deployment.apps "web" deleted'


def test_a_node_that_may_pull_runs_the_image_and_leaves_nothing(room: Room, manifest: Path) -> None:
    room.role("node", EXECUTION, trust=OF_A_NODE)
    assert " Running " in pods(room, "node", manifest)
    client = room.docker
    (container,) = client.containers.list(filters={"label": "io.kubernetes.pod.name"})
    port = container.ports["8080/tcp"][0]["HostPort"]
    container.exec_run("true")  # the program listens soon after its start
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                page = answer.read().decode().strip()
            break
        except OSError:
            container.exec_run("sleep 0.05")
    assert page == "one"

    manifest.write_text(MANIFEST.format(image=f"{REGISTRY}/web:none"))
    assert f"{REGISTRY}/web:none: not found" in pods(room, "node", manifest, describe=True)
    assert pods(room, "node", manifest).count(" Running ") == 1

    pods(room, "node", manifest, delete=True)
    assert client.containers.list(all=True, filters={"label": "io.kubernetes.pod.name"}) == []
    client.close()


def test_a_role_that_a_machine_cannot_have_is_named(room: Room, manifest: Path) -> None:
    room.role("of-tasks", EXECUTION)
    for role in ("of-tasks", "nobody-made-this"):
        with pytest.raises(LabError, match=f"No node can have the role .*{role}"):
            pods(room, role, manifest)


def test_the_label_of_an_image_makes_no_container_a_pod_s() -> None:
    removed = []

    class Engine:
        def containers(self, **_: object) -> list[dict[str, object]]:
            return [{"Id": "1", "Names": ["/k8s_app_web"]}, {"Id": "2", "Names": ["/mine"]}]

        def remove_container(self, name: str, **_: object) -> None:
            removed.append(name)

    Node(Engine(), {}, REGION, "").remove("web")
    assert removed == ["1"]
