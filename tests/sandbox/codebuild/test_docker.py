"""A build that builds and pushes an image, by the labs' engine and with the role's rights."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import boto3
import pytest

from labs_helpers import servers
from labs_helpers.workspace import Workspace
from tests.policies import allow
from tests.ports import free_port
from tests.sandbox.codebuild.build_room import LINUX, LOGS, Room, packed
from tests.sandbox.sandbox_process import Running

pytestmark = pytest.mark.soak

REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
COMMANDS = [
    "aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY",
    "docker build -q -t $REGISTRY/demo-app:$CODEBUILD_BUILD_NUMBER .",
    "docker push -q $REGISTRY/demo-app:$CODEBUILD_BUILD_NUMBER",
    "aws ecr describe-images --repository-name demo-app --query 'length(imageDetails)'",
    "labs gate demo-app:$CODEBUILD_BUILD_NUMBER || echo gate ended with $?",
    "labs sbom demo-app:$CODEBUILD_BUILD_NUMBER > bom.json && grep -c alpine bom.json",
]


class Started(Running):
    """The sandbox that `labs start` started."""

    def client(self, service: str, **changed: object) -> object:
        key = self.learner
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name="us-west-2",
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
        )


def test_a_build_at_any_port_pushes_and_judges_an_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    workspace = Workspace(folder / "h")
    port = free_port()
    started = servers.start(workspace, environ={**os.environ, "LABS_PORT": str(port)})
    assert started.sandbox.port == port
    try:
        process: object = None
        room = Room(Started(process, workspace.home, started.sandbox.port))  # type: ignore[arg-type]
        pusher = room.role("pusher", LOGS, allow("ecr:*"), allow("s3:GetObject"))
        room.client("ecr").create_repository(
            repositoryName="demo-app", imageScanningConfiguration={"scanOnPush": True}
        )
        s3 = room.client("s3")
        s3.create_bucket(
            Bucket="sources", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        spec = json.dumps({"version": 0.2, "phases": {"build": {"commands": COMMANDS}}})
        files = {
            "buildspec.yml": spec,
            "Dockerfile": "FROM public.ecr.aws/docker/library/alpine:3\nCOPY buildspec.yml /\n",
        }
        s3.put_object(Bucket="sources", Key="app.zip", Body=packed(files))
        variables = [{"name": "REGISTRY", "value": REGISTRY}]
        room.project(
            "pushes",
            source={"type": "S3", "location": "sources/app.zip"},
            environment={**LINUX, "privilegedMode": True, "environmentVariables": variables},
            serviceRole=pusher,
        )
        build = room.run("pushes")
        assert build["buildStatus"] == "SUCCEEDED", room.log(build["id"])
        images = room.client("ecr").describe_images(repositoryName="demo-app")["imageDetails"]
        assert [each["imageTags"] for each in images] == [["1"]]
        log = room.log(build["id"])
        assert "belongs to the labs" not in log
        assert "demo-app:1 passes" in log or "gate ended with 3" in log, log
    finally:
        servers.stop(workspace)
        shutil.rmtree(folder)
