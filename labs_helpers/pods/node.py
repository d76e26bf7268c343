"""A node of a Kubernetes cluster: pulls with the rights of the node's role, and runs containers.

The kubelet asks ECR for a token with the node's role, and containerd pulls. The words of a failed
pull are those of containerd, as `kubectl describe pod` shows them; see
https://github.com/aws/eks-charts/issues/1044 and https://github.com/kubernetes/kops/issues/16762.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import docker.errors
from botocore.exceptions import ClientError

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

POD = "io.kubernetes.pod.name"
"""The label that the kubelet gives containers:
https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubelet/pkg/types/labels.go"""
_CONTAINER = "io.kubernetes.container.name"
_PREFIX = "k8s_"
"""How the names of a pod's containers begin, as the kubelet named them for Docker."""
_OF_ECR = ".dkr.ecr."


class PullFailed(Exception):
    """An image could not be had; the message is the kubelet's."""


class InvalidName(PullFailed):
    """What the manifest names is no reference of an image."""


class CannotRun(Exception):
    """The engine takes no such container, or can start none."""


@dataclass(frozen=True)
class Node:
    """client: the Docker SDK's low-level client of the engine in which the node's containers run.

    session: the variables of a session of the node's role; endpoint: where AWS is asked.
    """

    client: Any
    session: Mapping[str, str]
    region: str
    endpoint: str

    def pull(self, image: str) -> tuple[str, bool]:
        """The name by which the engine has the image now, and whether it had the image before.

        Raises PullFailed.
        """
        try:
            reference = references.parse(image)
        except InvalidReference as error:
            raise InvalidName(
                f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}"'
                f": {error}"
            ) from error
        login = self._login(reference)
        try:
            found = self.client.inspect_distribution(str(reference), auth_config=login)
            digest = str(found["Descriptor"]["digest"])
            name = f"{reference.name}@{digest}"
            had = self.has(name)
            self.client.pull(reference.name, tag=digest, auth_config=login)
        except docker.errors.APIError as error:
            raise PullFailed(_failed(reference, error, bool(login))) from error
        return name, had

    def run(self, pod: str, container: Mapping[str, Any], image: str) -> str:
        """Create and start a container of a pod; its ID. Raises CannotRun."""
        ports = [each["containerPort"] for each in container.get("ports") or []]
        host = self.client.create_host_config(
            port_bindings=dict.fromkeys(ports, ("127.0.0.1", None))
        )
        try:
            made = self.client.create_container(
                image,
                name=f"{_PREFIX}{container['name']}_{pod}_default",
                entrypoint=container.get("command"),
                command=container.get("args"),
                environment={
                    each["name"]: each.get("value", "") for each in container.get("env") or []
                },
                labels={POD: pod, _CONTAINER: container["name"]},
                ports=ports,
                host_config=host,
            )
            self.client.start(made["Id"])
        except docker.errors.APIError as error:
            raise CannotRun(str(error.explanation or error)) from error
        return str(made["Id"])

    def state(self, container_id: str) -> tuple[bool, int]:
        """Whether a container runs, and its exit code; 137 for one that is gone."""
        try:
            found = self.client.inspect_container(container_id)["State"]
        except docker.errors.NotFound:
            return False, 137
        return bool(found["Running"]), int(found["ExitCode"])

    def has(self, image: str) -> bool:
        """Whether the engine has an image of this name."""
        try:
            self.client.inspect_image(image)
        except docker.errors.APIError:
            return False
        return True

    def remove(self, pod: str, container: str = "") -> None:
        """End and remove the containers of a pod, or the one of this name.

        An image can bring the labels, too: the name of a container comes from who made it.
        """
        labels = [f"{POD}={pod}", *([f"{_CONTAINER}={container}"] if container else [])]
        for each in self.client.containers(all=True, filters={"label": labels}):
            if any(name.startswith(f"/{_PREFIX}") for name in each["Names"]):
                self.client.remove_container(each["Id"], force=True, v=True)

    def forget(self, image: str) -> None:
        """Remove an image, unless a container or a name of the learner's still needs it."""
        try:
            self.client.remove_image(image)
        except docker.errors.APIError:
            return

    def _login(self, reference: Reference) -> dict[str, str]:
        """The login for ECR; empty for another registry, and for a role that gets no token.

        Without a token the kubelet goes on, and pulls as nobody. With None for a login, the SDK
        would take the learner's.
        """
        if _OF_ECR not in reference.domain:
            return {}
        keys = self.session
        ecr = boto3.Session(
            keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"]
        ).client("ecr", region_name=self.region, endpoint_url=self.endpoint)
        try:
            data = ecr.get_authorization_token()["authorizationData"][0]
        except ClientError:
            return {}
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return {"username": user, "password": password, "serveraddress": reference.domain}


def _failed(reference: Reference, error: docker.errors.APIError, logged_in: bool) -> str:
    where = f'"{reference}"'
    resolving = f"failed to pull and unpack image {where}: failed to resolve reference {where}: "
    status = error.response.status_code if error.response is not None else 0
    text = str(error.explanation or error)
    name = reference.digest or reference.tag
    code = "Unknown"
    if status == 404 or "not found" in text or "manifest unknown" in text:
        code, why = "NotFound", f"{reference}: not found"
    elif not logged_in and (status in (401, 403) or "no basic auth" in text):
        why = (
            "pull access denied, repository does not exist or may require authorization: "
            "authorization failed: no basic auth credentials"
        )
    elif status in (401, 403):
        phrase = {401: "401 Unauthorized", 403: "403 Forbidden"}[status]
        why = (
            "unexpected status from HEAD request to "
            f"https://{reference.domain}/v2/{reference.path}/manifests/{name}: {phrase}"
        )
    else:
        why = text
    return f"Failed to pull image {where}: rpc error: code = {code} desc = {resolving}{why}"
