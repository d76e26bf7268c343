"""Tags need an action of their own: in the tagging API, and where a resource is made with tags.

"you must have permission to use the service's own tagging operation":
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from labs_helpers.sandbox.authorization.arns import account_of, values
from labs_helpers.sandbox.authorization.exact import fits, kinds_by_arn, refusal
from labs_helpers.sandbox.authorization.iam import tag_keys
from labs_helpers.sandbox.authorization.known import Known
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

ACTIONS: Mapping[str, tuple[str, str]] = {
    "cloudwatch": ("TagResource", "UntagResource"),
    "codedeploy": ("TagResource", "UntagResource"),
    "codepipeline": ("TagResource", "UntagResource"),
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

_KINDS: Mapping[str, tuple[str, ...]] = {
    "ecr": ("repository",),
    "kms": ("key",),
    "s3": ("bucket",),
    "secretsmanager": ("Secret",),
    "sns": ("topic",),
    "sqs": ("queue",),
    "ssm": ("parameter",),
}
"""Prefix -> the types of resource that have tags in the sandbox, where there are others."""

_OF_IAM: Mapping[str, str] = {
    "CreateInstanceProfile": "TagInstanceProfile",
    "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
    "CreatePolicy": "TagPolicy",
    "CreateRole": "TagRole",
    "CreateSAMLProvider": "TagSAMLProvider",
    "CreateUser": "TagUser",
    "CreateVirtualMFADevice": "TagMFADevice",
    "UploadServerCertificate": "TagServerCertificate",
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""

_MAKES = ("Allocate", "Create", "Import", "Put", "Register", "Upload")


def on_creation(asked: ApiRequest, found: Iterable[Permission]) -> Iterator[Permission]:
    """The action that tags, on each resource that a request makes with tags.

    "you must have the sqs:CreateQueue and sqs:TagQueue permissions":
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    EC2 has the key ec2:CreateAction:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    names = ACTIONS.get(asked.prefix)
    name = names[0] if names else _OF_IAM.get(asked.operation) if asked.prefix == "iam" else None
    if name is None or not asked.operation.startswith(_MAKES):
        return
    for each in found:
        keys = {key: values for key, values in each.keys.items() if key.startswith("aws:")}
        if "aws:tagkeys" not in keys or each.action != f"{asked.prefix}:{asked.operation}":
            continue
        if asked.prefix == "ec2":
            if not each.resource.endswith("/*"):
                continue  # a resource that is there before
            keys["ec2:createaction"] = (asked.operation,)
        yield Permission(f"{asked.prefix}:{name}", each.resource, each.account, keys)


def needed(asked: ApiRequest, known: Known) -> Iterator[Permission]:
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
        kinds = _KINDS.get(parts[2]) or kinds_by_arn(parts[2], name)
        meant = known.meant(kinds[0], arn) if parts[2] == "secretsmanager" else None
        # a secret without the six characters of its ARN would be found by its name
        if not fits(arn, parts[2], kinds) or meant not in (None, [arn]):
            raise refusal(asked.service, arn, parts[2])
        yield Permission(f"{parts[2]}:{name}", arn, account_of(arn), keys)
