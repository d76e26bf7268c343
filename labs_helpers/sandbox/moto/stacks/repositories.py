"""AWS::ECR::Repository: a repository of our ECR, as `aws ecr` and `docker` see it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import (
    Kind,
    Made,
    Properties,
    is_true,
    kind,
    lowered,
    tags_of,
    text_of,
    undone_on_failure,
)


def _create(calls: Calls, name: str, properties: Properties) -> Made:
    found = calls(
        "ecr",
        "CreateRepository",
        repositoryName=properties.get("RepositoryName", name.lower()),
        imageTagMutability=properties.get("ImageTagMutability"),
        imageTagMutabilityExclusionFilters=_filters(properties),
        imageScanningConfiguration=lowered(properties.get("ImageScanningConfiguration")),
        encryptionConfiguration=lowered(properties.get("EncryptionConfiguration")),
        tags=tags_of(calls, properties) or None,
    )["repository"]
    attributes = {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]}
    made = Made(found["repositoryName"], attributes, {})
    with undone_on_failure(calls, made, _delete):
        _set_policies(calls, made, properties)
    return made


def _set_policies(calls: Calls, made: Made, properties: Properties) -> None:
    """Set the repository's policy and its lifecycle policy, where they have changed."""
    named = {"repositoryName": made.physical_id}
    was, now = made.properties, properties
    policy = now.get("RepositoryPolicyText")
    if policy != was.get("RepositoryPolicyText"):
        if policy is None:
            calls("ecr", "DeleteRepositoryPolicy", **named)
        else:
            calls("ecr", "SetRepositoryPolicy", **named, policyText=text_of(policy))
    lifecycle = (now.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
    if lifecycle != (was.get("LifecyclePolicy") or {}).get("LifecyclePolicyText"):
        if lifecycle is None:
            calls("ecr", "DeleteLifecyclePolicy", **named)
        else:
            calls("ecr", "PutLifecyclePolicy", **named, lifecyclePolicyText=text_of(lifecycle))


def _update(calls: Calls, made: Made, properties: Properties) -> None:
    named = {"repositoryName": made.physical_id}
    was = made.properties
    mutability = ("ImageTagMutability", "ImageTagMutabilityExclusionFilters")
    if [was.get(name) for name in mutability] != [properties.get(name) for name in mutability]:
        calls(
            "ecr",
            "PutImageTagMutability",
            **named,
            imageTagMutability=properties.get("ImageTagMutability", "MUTABLE"),
            imageTagMutabilityExclusionFilters=_filters(properties),
        )
    scanning = "ImageScanningConfiguration"
    if was.get(scanning) != properties.get(scanning):
        wanted = lowered(properties.get(scanning, {"ScanOnPush": False}))
        calls("ecr", "PutImageScanningConfiguration", **named, imageScanningConfiguration=wanted)
    _set_policies(calls, made, properties)
    old, new = tags_of(calls, was), tags_of(calls, properties)
    on = {"resourceArn": made.attributes["Arn"]}
    gone = sorted({tag["Key"] for tag in old} - {tag["Key"] for tag in new})
    if gone:
        calls("ecr", "UntagResource", **on, tagKeys=gone)
    if added := [tag for tag in new if tag not in old]:
        calls("ecr", "TagResource", **on, tags=added)


def _delete(calls: Calls, made: Made) -> None:
    """Fails for a repository with images, unless EmptyOnDelete is true."""
    force = is_true(made.properties.get("EmptyOnDelete", False))
    calls("ecr", "DeleteRepository", repositoryName=made.physical_id, force=force)


def _filters(properties: Properties) -> list[dict[str, Any]] | None:
    given = properties.get("ImageTagMutabilityExclusionFilters")
    if given is None:
        return None
    name = "ImageTagMutabilityExclusionFilter"
    return [
        {"filterType": each.get(f"{name}Type"), "filter": each.get(f"{name}Value")}
        for each in given
    ]


_CHANGES = (
    "EmptyOnDelete ImageScanningConfiguration ImageTagMutability LifecyclePolicy "
    "ImageTagMutabilityExclusionFilters RepositoryPolicyText Tags"
)

KINDS: dict[str, Kind] = {
    "AWS::ECR::Repository": kind(
        f"RepositoryName EncryptionConfiguration {_CHANGES}",
        _create,
        _delete,
        attributes="Arn RepositoryUri",
        update=_update,
        changes=_CHANGES,
        replaces="RepositoryName EncryptionConfiguration",
    )
}
