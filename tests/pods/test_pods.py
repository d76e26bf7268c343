"""Pods over time: tried again, replaced and ended, as the kubelet and a Deployment do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.display.pods import age, described, listed
from labs_helpers.pods.kubelet import Pod, Pods, waits
from labs_helpers.pods.manifest import Manifest
from labs_helpers.pods.node import Node, PullFailed

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Pretended(Node):
    """A node whose registry has some images and whose engine runs everything."""

    there: set[str]
    ended: dict[str, int]
    running: dict[str, str]

    def pull(self, image: str) -> tuple[str, bool]:
        if image not in self.there:
            raise PullFailed(f'Failed to pull image "{image}": not found')
        return f"{image}@sha256:0", False

    def run(self, pod: str, container: Mapping[str, Any], image: str) -> str:
        self.running[f"{pod}/{container['name']}"] = image
        return f"{pod}/{container['name']}"

    def state(self, container_id: str) -> tuple[bool, int]:
        code = self.ended.pop(container_id, None)
        return code is None, code or 0

    def remove(self, pod: str, container: str = "") -> None:
        for one in [name for name in self.running if name.startswith(f"{pod}/{container}")]:
            del self.running[one]

    def forget(self, image: str) -> None:
        self.there.discard(image)


class Cluster:
    """Looks at the same pods again and again, at a time that the test moves."""

    def __init__(self, path: Path) -> None:
        self.node = Pretended(None, {}, "us-west-2", "")
        for name, value in (("there", {"app:1"}), ("ended", {}), ("running", {})):
            object.__setattr__(self.node, name, value)
        self.now = START
        self._path = path

    def look(self, wanted: Manifest, seconds: int = 0) -> list[Pod]:
        self.now += timedelta(seconds=seconds)
        return Pods(self._path, self.node, self.now).apply(wanted)

    def delete(self, wanted: Manifest) -> bool:
        return Pods(self._path, self.node, self.now).delete(wanted)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path / "pods.json")


def wanted(image: str = "app:1", replicas: int = 2, hash: str = "") -> Manifest:
    container = {"name": "app", "image": image}
    return Manifest("Deployment", "web", replicas, (container,), hash or image.replace(":", ""))


def statuses(pods: list[Pod]) -> list[str]:
    return [each["status"] for each in pods]


def test_pods_run_and_are_listed_as_kubectl_lists_them(cluster: Cluster) -> None:
    pods = cluster.look(wanted())
    cluster.look(wanted(), seconds=130)
    name = pods[0]["name"]
    lines = listed(pods, cluster.now).text.splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert lines[1].split() == [name, "1/1", "Running", "0", "2m10s"]
    assert len(lines) == 3


def test_a_pod_waits_longer_each_time_and_recovers_by_itself(cluster: Cluster) -> None:
    missing = wanted("app:9", replicas=1)
    assert statuses(cluster.look(missing)) == ["ErrImagePull"]
    assert statuses(cluster.look(missing)) == ["ImagePullBackOff"]
    waited = []
    for _ in range(7):
        (pod,) = cluster.look(missing)
        waited.append(waits(pod, cluster.now))
        assert statuses(cluster.look(missing, seconds=waited[-1] - 1)) == ["ImagePullBackOff"]
        assert statuses(cluster.look(missing, seconds=1)) == ["ErrImagePull"]
    assert waited == [10, 20, 40, 80, 160, 300, 300]
    cluster.node.there.add("app:9")
    assert statuses(cluster.look(missing)) == ["ImagePullBackOff"]
    assert statuses(cluster.look(missing, seconds=300)) == ["Running"]


BACK_OFF = "ImagePullBackOff"


def test_describe_shows_the_reason_and_counts_what_happened_again(cluster: Cluster) -> None:
    missing = wanted("app:9", replicas=1)
    cluster.look(missing)
    cluster.look(missing, seconds=5)
    (pod,) = cluster.look(missing, seconds=2)
    text = described(pod, cluster.now, waits(pod, cluster.now)).text
    lines = [line.split() for line in text.splitlines()]
    assert [*lines[2:5]] == [["Status:", "Pending"], ["State:", "Waiting"], ["Reason:", BACK_OFF]]
    assert 'Warning  Failed     7s               Failed to pull image "app:9": not found' in text
    assert '0s (x2 over 2s)  Back-off pulling image "app:9"' in text
    assert "(the next try is in 3s)" in text


def test_a_deployment_keeps_old_pods_until_new_ones_run(cluster: Cluster) -> None:
    old = [each["name"] for each in cluster.look(wanted())]
    pods = cluster.look(wanted("app:9"))
    assert [each["name"] for each in pods][:2] == old
    assert statuses(pods) == ["Running", "Running", "ErrImagePull"]
    cluster.node.there.add("app:2")
    pods = cluster.look(wanted("app:2"))
    assert statuses(pods) == ["Running", "Running"]
    assert set(cluster.node.running.values()) == {"app:2@sha256:0"}


def test_replicas_are_added_and_taken_away(cluster: Cluster) -> None:
    assert len(cluster.look(wanted(replicas=3))) == 3
    assert len(cluster.look(wanted(replicas=1))) == 1
    assert cluster.look(wanted(replicas=0)) == []
    assert cluster.node.running == {}


def test_a_program_that_ends_is_restarted_at_once_and_then_later(cluster: Cluster) -> None:
    (pod,) = cluster.look(wanted(replicas=1))
    name = f"{pod['name']}/app"
    cluster.node.ended[name] = 1
    (pod,) = cluster.look(wanted(replicas=1))
    assert (pod["status"], pod["restarts"]) == ("Running", 1)
    cluster.node.ended[name] = 1
    (pod,) = cluster.look(wanted(replicas=1))
    assert (pod["status"], pod["restarts"]) == ("CrashLoopBackOff", 2)
    (pod,) = cluster.look(wanted(replicas=1), seconds=20)
    assert (pod["status"], pod["restarts"]) == ("Running", 2)


def test_deleted_pods_leave_nothing(cluster: Cluster) -> None:
    cluster.look(wanted())
    assert cluster.delete(wanted())
    assert cluster.node.running == {}
    assert not cluster.delete(wanted())
    assert listed([], START).text == "No resources found in default namespace."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (130, "2m10s"), (3600, "60m"), (4 * 3600, "4h")],
)
def test_ages_are_kubectl_s(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text
