"""The Resource Groups Tagging API needs each service's own action beside `tag:*`.

"you must have permission to use the service's own tagging operation":
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labs_helpers.sandbox.authorization.arns import account_of, values
from labs_helpers.sandbox.authorization.iam import tag_keys
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

ACTIONS: Mapping[str, tuple[str, str]] = {
    "cloudwatch": ("TagResource", "UntagResource"),
    "codedeploy": ("TagResource", "UntagResource"),
    "dynamodb": ("TagResource", "UntagResource"),
    "ec2": ("CreateTags", "DeleteTags"),
    "ecr": ("TagResource", "UntagResource"),
    "ecs": ("TagResource", "UntagResource"),
    "elasticloadbalancing": ("AddTags", "RemoveTags"),
    "events": ("TagResource", "UntagResource"),
    "kms": ("TagResource", "UntagResource"),
    "logs": ("TagResource", "UntagResource"),
    "s3": ("PutBucketTagging", "PutBucketTagging"),
    "secretsmanager": ("TagResource", "UntagResource"),
    "sns": ("TagResource", "UntagResource"),
    "sqs": ("TagQueue", "UntagQueue"),
    "ssm": ("AddTagsToResource", "RemoveTagsFromResource"),
}
"""Prefix -> the actions that tag and untag a resource of the service."""


def needed(asked: ApiRequest) -> Iterator[Permission]:
    """The action of the service that owns each resource; raises Refusal for another service."""
    if asked.operation not in ("TagResources", "UntagResources"):
        return
    given = asked.params.get("Tags")
    tags = {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
    removed = values(asked.params, "TagKeys")
    keys = tag_keys(tags) or ({"aws:tagkeys": tuple(removed)} if removed else {})
    for arn in dict.fromkeys(values(asked.params, "ResourceARNList")):
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[:2] != ["arn", "aws"]:
            raise Refusal("InvalidParameterException", f"'{arn[:200]}' is not a valid ARN.")
        names = ACTIONS.get(parts[2])
        if names is None:
            raise not_implemented(f"tags of a resource of {parts[2][:40]} by the tagging API")
        name = names[asked.operation == "UntagResources"]
        yield Permission(f"{parts[2]}:{name}", arn, account_of(arn), keys)
