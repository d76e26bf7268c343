"""botocore's models of the services, each loaded when it is first asked for.

A model says which operations a service has and how a request spells them; a request is read with
it so that what is decided is what will be done.
"""

from __future__ import annotations

from functools import cache

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

LISTED = {
    "iam": "iam",
    "sts": "sts",
    "s3": "s3",
    "ecs": "ecs",
    "eks": "eks",
    "codebuild": "codebuild",
    "codepipeline": "codepipeline",
    "codedeploy": "codedeploy",
    "ec2": "ec2",
    "logs": "logs",
    "events": "events",
    "cloudformation": "cloudformation",
}
"""The services whose resources and condition keys are known, with the prefix of their actions."""

_BOTOCORE = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
}
_PREFIX = {"s3control": "s3", "sesv2": "ses", "email": "ses"}


@cache
def model_of(service: str) -> ServiceModel | None:
    """The model of a service by its signing name; None for one that botocore does not have."""
    name = _BOTOCORE.get(service, service)
    if not name.replace("-", "").isalnum() or not name.isascii():
        return None
    try:
        return ServiceModel(Loader().load_service_model(name, "service-2"), name)
    except UnknownServiceError:
        return None


def prefix_of(service: str) -> str:
    """What the service's actions begin with; the signing name, but for a few."""
    return _PREFIX.get(service, service)
