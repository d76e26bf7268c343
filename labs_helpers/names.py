"""The names the labs use, and the labs themselves.

Registry host names follow
https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
REGION = "us-west-2"
USER = "learner"
REPOSITORY = "demo-app-repo"
IMAGE = "demo-app"

FRESH_START = {"LABS_START": "fresh"}
"""The environment in which every `start` makes the lab's beginning, and its card does not say what
was removed. For programs that run notebooks: what a notebook prints must not depend on what ran
before.
"""


@dataclass(frozen=True)
class Title:
    """One lab of the workbook; ``notebook`` is its file name in ``notebooks/``."""

    number: str
    name: str
    slug: str
    minutes: int

    @property
    def notebook(self) -> str:
        return f"{self.number}-{self.slug}.ipynb"


TITLES = {
    title.number: title
    for title in (
        Title("00", "Start here", "start-here", 10),
        Title("01", "Set up the AWS CLI", "aws-cli", 25),
        Title("02", "Who may do what: IAM", "iam", 40),
        Title("03", "Amazon ECR and Docker Hub", "ecr-and-docker-hub", 20),
        Title("04", "Create a repository", "create-a-repository", 20),
        Title("05", "Log Docker in to ECR", "log-in", 15),
        Title("06", "Build an image", "build", 25),
        Title("07", "Push and pull", "push-and-pull", 30),
        Title("08", "Scan an image", "scan", 30),
        Title("09", "Build and deploy by pipeline", "ci-cd", 30),
        Title("10", "Deploy and clean up", "clean-up", 30),
    )
}


def registry(account: str, region: str) -> str:
    """The host name of an account's private registry in a region."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}"


def region_of(host: str) -> str | None:
    """The region in a private registry's host name, None for any other host."""
    parts = host.split(".")
    if len(parts) >= 6 and parts[1:3] == ["dkr", "ecr"]:
        return parts[3]
    return None
