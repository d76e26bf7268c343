"""A learner's session with real clients, in a home that holds traps.

The home has credentials, configuration and Docker settings that nothing may read, and the
environment names addresses that nothing may reach (203.0.113.0/24 is for documentation,
https://www.rfc-editor.org/rfc/rfc5737).
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.trap import syscalls

ELSEWHERE = "203.0.113.9"
POISON = {
    ".aws/credentials": "[default]\naws_access_key_id = AKIAPOISONPOISONPOIS\n"
    "aws_secret_access_key = poison\n[poison]\ncredential_process = /bin/false\n",
    ".aws/config": f"[default]\nregion = eu-north-1\nendpoint_url = https://{ELSEWHERE}\n"
    "[profile poison]\nregion = eu-north-1\n",
    ".docker/config.json": '{"credsStore": "poison", "currentContext": "poison"}',
    ".docker/contexts/meta/poison.json": "{}",
}
POISONED = {
    "AWS_ACCESS_KEY_ID": "AKIAPOISONPOISONPOIS",
    "AWS_SECRET_ACCESS_KEY": "poison",
    "AWS_PROFILE": "poison",
    "AWS_ENDPOINT_URL_ECR": f"https://{ELSEWHERE}",
    "DOCKER_CONTEXT": "poison",
    "HTTP_PROXY": f"http://{ELSEWHERE}:3128",
    "HTTPS_PROXY": f"http://{ELSEWHERE}:3128",
    "http_proxy": f"http://{ELSEWHERE}:3128",
    "https_proxy": f"http://{ELSEWHERE}:3128",
}

DOCKERFILE = "FROM nginx:alpine\nLABEL maintainer=learner\nCOPY index.html /usr/share/nginx/html/\n"

BEGIN = """
set -eu -o pipefail
trap "labs stop" EXIT
labs start
eval "$(labs env)"
labs configure
aws ecr create-repository --repository-name demo-app-repo
"""

AWS = """
labs status
aws sts get-caller-identity
aws iam list-users
aws s3 mb s3://trap-bucket
aws ec2 describe-regions --region-names us-west-2
"""

DOCKER = """
aws ecr get-login-password --region us-west-2 |
    docker login --username AWS --password-stdin "$REGISTRY"
docker build -t demo-app .
docker tag demo-app:latest "$REGISTRY/demo-app-repo:latest"
docker push "$REGISTRY/demo-app-repo:latest"
docker pull ubuntu:latest
docker images
docker history demo-app
docker rmi "$REGISTRY/demo-app-repo:latest"
docker pull "$REGISTRY/demo-app-repo:latest"
aws ecr describe-images --repository-name demo-app-repo
"""

PYTHON = """
python sdk.py
"""

NOTEBOOKS = """
set -eu
trap "labs stop" EXIT
labs start
labs run 00 05
"""

SDK = """
import boto3, docker

print(boto3.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"])
print(boto3.resource("s3").Bucket("trap-bucket").creation_date)
engine = docker.from_env()
print(engine.version()["ApiVersion"], len(engine.images.list()))
engine.images.pull("alpine", tag="3.15")
"""


@dataclass(frozen=True)
class Session:
    """Where a session takes place; `labs` is its LABS_HOME, `log` holds strace's files.

    `docker` is LABS_DOCKER: an installed docker (auto) or the labs' own (standin); `engine` is
    LABS_ENGINE.
    """

    root: Path
    docker: str = "auto"
    engine: str = "embedded"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def labs(self) -> Path:
        return self.root / "labs"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def log(self) -> Path:
        return self.root / "log"

    def prepare(self) -> None:
        """Lay out the home with its traps and the folder that the learner works in."""
        for folder in (self.home, self.work, self.log):
            folder.mkdir(parents=True)
        for name, content in POISON.items():
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (self.work / "Dockerfile").write_text(DOCKERFILE)
        (self.work / "index.html").write_text("<h1>Hello</h1>\n")
        (self.work / "sdk.py").write_text(SDK)

    def environment(self) -> dict[str, str]:
        here = Path(sys.executable).parent
        return {
            "PATH": f"{here}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LABS_HOME": str(self.labs),
            "LABS_PORT": str(free_port()),
            "LABS_DOCKER": self.docker,
            # `auto` would look whether the machine has a daemon, which is a test of its own
            "LABS_ENGINE": self.engine,
            # what Python compiles belongs to the installation, not to the session
            "PYTHONDONTWRITEBYTECODE": "1",
            **POISONED,
        }

    def run(self, steps: str, *, traced: bool) -> subprocess.CompletedProcess[str]:
        """Run a script as the learner's terminal would; with `traced`, under strace."""
        strace = ("strace", *syscalls.OPTIONS, "-o", str(self.log / "calls"))
        return subprocess.run(
            [*(strace if traced else ()), "bash", "-c", steps],
            cwd=self.work,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
