"""The pods of a manifest: made, looked at, tried again, replaced; kept in a file between looks.

Nothing happens between two looks. A look does what the time since then has made due, by the
sandbox's clock: https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff and
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from labs_helpers.files import read_json, write_json
from labs_helpers.pods.manifest import Manifest
from labs_helpers.pods.node import CannotRun, InvalidName, Node, PullFailed

FIRST_WAIT, LONGEST_WAIT = 10, 300
"""Seconds before the second try, and the most between two tries: ten, then twice as long each time.
"""
RUNNING = "Running"
_PULL, _RUN = "pull", "run"

Pod = dict[str, Any]


class Pods:
    """The pods of one cluster with one node, in a file."""

    def __init__(self, path: Path, node: Node, now: datetime) -> None:
        self._path = path
        self._node = node
        self._now = now
        kept = read_json(path)
        self._pods: list[Pod] = list(kept.get("pods", []))
        self._images: list[str] = list(kept.get("images", []))

    def apply(self, manifest: Manifest) -> list[Pod]:
        """Bring what is there to what the manifest wants, as far as that goes now; its pods.

        A Deployment makes one pod more than it wants, and takes an old pod away when a new one
        runs (maxSurge 25%, rounded up; maxUnavailable 25%, rounded down, is none for three pods or
        fewer): https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
        """
        for pod in self._of(manifest):
            self._look(pod)
        while True:
            old = [pod for pod in self._of(manifest) if pod["hash"] != manifest.hash]
            new = [pod for pod in self._of(manifest) if pod["hash"] == manifest.hash]
            # a pod that serves nobody is in nobody's way
            for pod in [each for each in old if each["status"] != RUNNING]:
                self._end(pod)
                old.remove(pod)
            for pod in new[manifest.replicas :]:
                self._end(pod)
            wanted = manifest.replicas - len(new)
            most = manifest.replicas + max(1, -(-manifest.replicas // 4)) if old else None
            room = wanted if most is None else min(wanted, most - len(old) - len(new))
            for _ in range(max(room, 0)):
                new.append(self._begin(manifest))
            up = sum(pod["status"] == RUNNING for pod in new)
            spare = old[: max(len(old) + up - manifest.replicas, 0)]
            if not spare:
                break
            for pod in spare:
                self._end(pod)
        self._keep()
        return self._of(manifest)

    def delete(self, manifest: Manifest) -> bool:
        """End the pods of a manifest; False where there is none."""
        found = self._of(manifest)
        for pod in found:
            self._end(pod)
        if not self._pods:
            for image in self._images:
                self._node.forget(image)
            self._images = []
        self._keep()
        return bool(found)

    def _of(self, manifest: Manifest) -> list[Pod]:
        owner = f"{manifest.kind}/{manifest.name}"
        return [pod for pod in self._pods if pod["owner"] == owner]

    def _begin(self, manifest: Manifest) -> Pod:
        taken = {pod["name"] for pod in self._pods}
        number = 0
        while (name := manifest.pod(number)) in taken:
            number += 1
        pod: Pod = {
            "name": name,
            "owner": f"{manifest.kind}/{manifest.name}",
            "hash": manifest.hash,
            "made": self._now.isoformat(),
            "status": "ContainerCreating",
            "restarts": 0,
            "containers": [
                {"spec": dict(each), "id": "", "image": "", "tries": 0, "failed": "", "next": ""}
                for each in manifest.containers
            ],
            "events": [],
        }
        self._say(pod, "Normal", "Scheduled", f"Successfully assigned default/{name} to the node")
        self._pods.append(pod)
        self._look(pod)
        return pod

    def _look(self, pod: Pod) -> None:
        states = [self._container(pod, each) for each in pod["containers"]]
        pod["status"] = next((each for each in states if each != RUNNING), RUNNING)

    def _container(self, pod: Pod, container: dict[str, Any]) -> str:
        if container["id"]:
            runs, code = self._node.state(container["id"])
            if runs:
                return RUNNING
            self._ended(pod, container, code)
        if container["next"] and self._now < datetime.fromisoformat(container["next"]):
            return self._waits(pod, container)
        return self._try(pod, container)

    def _try(self, pod: Pod, container: dict[str, Any]) -> str:
        image, name = container["spec"]["image"], container["spec"]["name"]
        self._say(pod, "Normal", "Pulling", f'Pulling image "{image}"')
        try:
            container["image"] = self._pull(image)
            self._say(pod, "Normal", "Pulled", f'Successfully pulled image "{image}"')
        except InvalidName as error:
            self._say(pod, "Warning", "InspectFailed", str(error))
            return self._failed(pod, container, _PULL, "InvalidImageName")
        except PullFailed as error:
            self._say(pod, "Warning", "Failed", str(error))
            return self._failed(pod, container, _PULL, "ErrImagePull")
        if container["failed"] == _PULL:
            container |= {"tries": 0, "failed": ""}
        try:
            self._node.remove(pod["name"], name)
            container["id"] = self._node.run(pod["name"], container["spec"], container["image"])
        except CannotRun as error:
            self._say(pod, "Warning", "Failed", f"Error: {error}")
            return self._failed(pod, container, _RUN, "RunContainerError")
        container["next"] = ""
        self._say(pod, "Normal", "Started", f"Started container {name}")
        return RUNNING

    def _pull(self, image: str) -> str:
        name, had = self._node.pull(image)
        if not had and name not in self._images:
            self._images.append(name)
        return name

    def _failed(self, pod: Pod, container: dict[str, Any], what: str, status: str) -> str:
        container["tries"] += 1
        container["failed"] = what
        wait = min(FIRST_WAIT * 2 ** (container["tries"] - 1), LONGEST_WAIT)
        container["next"] = (self._now + timedelta(seconds=wait)).isoformat()
        self._say(pod, "Warning", "Failed", f"Error: {status}")
        return status

    def _waits(self, pod: Pod, container: dict[str, Any]) -> str:
        if container["failed"] == _PULL:
            image = container["spec"]["image"]
            self._say(pod, "Normal", "BackOff", f'Back-off pulling image "{image}"')
            self._say(pod, "Warning", "Failed", "Error: ImagePullBackOff")
            return "ImagePullBackOff"
        name = container["spec"]["name"]
        self._say(pod, "Warning", "BackOff", f"Back-off restarting failed container {name}")
        return "CrashLoopBackOff"

    def _ended(self, pod: Pod, container: dict[str, Any], code: int) -> None:
        container["id"] = ""
        pod["restarts"] += 1
        name = container["spec"]["name"]
        self._say(pod, "Normal", "Killing", f"Container {name} ended with exit code {code}")
        self._failed(pod, container, _RUN, "CrashLoopBackOff")
        if container["tries"] == 1:
            container["next"] = ""  # the first restart comes at once

    def _end(self, pod: Pod) -> None:
        self._node.remove(pod["name"])
        self._pods.remove(pod)

    def _say(self, pod: Pod, kind: str, reason: str, message: str) -> None:
        """An event; one that was said before is counted."""
        for event in pod["events"]:
            if (event["reason"], event["message"]) == (reason, message):
                event["count"] += 1
                event["last"] = self._now.isoformat()
                return
        pod["events"].append(
            {
                "type": kind,
                "reason": reason,
                "message": message,
                "count": 1,
                "first": self._now.isoformat(),
                "last": self._now.isoformat(),
            }
        )

    def _keep(self) -> None:
        write_json(self._path, {"pods": self._pods, "images": self._images})


def waits(pod: Mapping[str, Any], now: datetime) -> int:
    """Seconds until the next try of a pod; 0 where none is due."""
    found = [each["next"] for each in pod["containers"] if each["next"] and not each["id"]]
    return max(
        (int((datetime.fromisoformat(one) - now).total_seconds()) for one in found), default=0
    )
