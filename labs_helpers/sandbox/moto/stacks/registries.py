"""What a stack may say of a private registry of our ECR: policy, cache rules, templates, scanning.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ECR.html
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import (
    Kind,
    Made,
    Properties,
    kind,
    lowered,
    text_of,
)


def _create_policy(calls: Calls, name: str, properties: Properties) -> Made:
    found = calls("ecr", "PutRegistryPolicy", policyText=text_of(properties["PolicyText"]))
    return Made(found["registryId"], {"RegistryId": found["registryId"]}, {})


def _update_policy(calls: Calls, made: Made, properties: Properties) -> None:
    calls("ecr", "PutRegistryPolicy", policyText=text_of(properties["PolicyText"]))


def _delete_policy(calls: Calls, made: Made) -> None:
    calls("ecr", "DeleteRegistryPolicy")


def _create_rule(calls: Calls, name: str, properties: Properties) -> Made:
    found = calls("ecr", "CreatePullThroughCacheRule", **lowered(properties))
    return Made(found["ecrRepositoryPrefix"], {}, {})


def _delete_rule(calls: Calls, made: Made) -> None:
    calls("ecr", "DeletePullThroughCacheRule", ecrRepositoryPrefix=made.physical_id)


def _template(properties: Properties) -> dict[str, Any]:
    """The parameters of a repository creation template; tags keep their own names."""
    tags = properties.get("ResourceTags")
    filters = properties.get("ImageTagMutabilityExclusionFilters")
    name = "ImageTagMutabilityExclusionFilter"
    return {
        **lowered(properties),
        "repositoryPolicy": text_of(properties.get("RepositoryPolicy")),
        "lifecyclePolicy": text_of(properties.get("LifecyclePolicy")),
        "resourceTags": tags,
        "imageTagMutabilityExclusionFilters": filters
        and [
            {"filterType": each[f"{name}Type"], "filter": each[f"{name}Value"]} for each in filters
        ],
    }


def _create_template(calls: Calls, name: str, properties: Properties) -> Made:
    made = calls("ecr", "CreateRepositoryCreationTemplate", **_template(properties))
    return _with_times(made["repositoryCreationTemplate"])


def _update_template(calls: Calls, made: Made, properties: Properties) -> None:
    """Set the new properties; those that are gone are set to their defaults."""
    defaults = {name: default for name, default in _DEFAULTS.items() if name in made.properties}
    wanted = _template({**defaults, **properties})
    found = calls("ecr", "UpdateRepositoryCreationTemplate", **wanted)
    made.attributes |= _with_times(found["repositoryCreationTemplate"]).attributes


def _delete_template(calls: Calls, made: Made) -> None:
    calls("ecr", "DeleteRepositoryCreationTemplate", prefix=made.physical_id)


def _with_times(found: dict[str, Any]) -> Made:
    times = {name: str(found[name[:1].lower() + name[1:]]) for name in ("CreatedAt", "UpdatedAt")}
    return Made(found["prefix"], times, {})


_DEFAULTS: dict[str, Any] = {
    "Description": "",
    "EncryptionConfiguration": {"EncryptionType": "AES256"},
    "ImageTagMutability": "MUTABLE",
    "LifecyclePolicy": "",
    "RepositoryPolicy": "",
    "ResourceTags": [],
}
"""What a template's property is when a new version of the stack no longer has the property."""


def _scanning(properties: Properties) -> dict[str, Any]:
    return {
        "scanType": properties.get("ScanType", "BASIC"),
        "rules": lowered(properties.get("Rules", [])),
    }


def _create_scanning(calls: Calls, name: str, properties: Properties) -> Made:
    calls("ecr", "PutRegistryScanningConfiguration", **_scanning(properties))
    return Made(calls.account, {"RegistryId": calls.account}, {})


def _update_scanning(calls: Calls, made: Made, properties: Properties) -> None:
    calls("ecr", "PutRegistryScanningConfiguration", **_scanning(properties))


def _delete_scanning(calls: Calls, made: Made) -> None:
    """Set the registry back to what a new registry has, since there is no call that deletes."""
    calls("ecr", "PutRegistryScanningConfiguration", **_scanning({}))


_RULE = (
    "CredentialArn CustomRoleArn EcrRepositoryPrefix UpstreamRegistry UpstreamRegistryUrl "
    "UpstreamRepositoryPrefix"
)
_TEMPLATE = (
    "AppliedFor CustomRoleArn Description EncryptionConfiguration ImageTagMutability "
    "ImageTagMutabilityExclusionFilters LifecyclePolicy RepositoryPolicy ResourceTags"
)

KINDS: dict[str, Kind] = {
    "AWS::ECR::RegistryPolicy": kind(
        "PolicyText",
        _create_policy,
        _delete_policy,
        attributes="RegistryId",
        update=_update_policy,
        changes="PolicyText",
    ),
    "AWS::ECR::PullThroughCacheRule": kind(_RULE, _create_rule, _delete_rule, replaces=_RULE),
    "AWS::ECR::RepositoryCreationTemplate": kind(
        f"Prefix {_TEMPLATE}",
        _create_template,
        _delete_template,
        attributes="CreatedAt UpdatedAt",
        update=_update_template,
        changes=_TEMPLATE,
        replaces="Prefix",
    ),
    "AWS::ECR::RegistryScanningConfiguration": kind(
        "Rules ScanType",
        _create_scanning,
        _delete_scanning,
        attributes="RegistryId",
        update=_update_scanning,
        changes="Rules ScanType",
    ),
}
