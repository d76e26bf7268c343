"""Operations on repositories: create, describe, delete, and their settings."""

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.ecr import repositories
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.repositories import DEFAULT_ENCRYPTION, Repository
from labs_helpers.sandbox.ecr.validation import (
    check_exclusions,
    invalid,
    refuse_paging,
    tags_by_key,
)
from labs_helpers.sandbox.service.service import Members


def create_repository(call: Call, params: Members) -> Members:
    """Creates an empty repository."""
    mutability = params.get("imageTagMutability", "MUTABLE")
    exclusions = params.get("imageTagMutabilityExclusionFilters")
    check_exclusions(mutability, exclusions)
    encryption = _encryption(call, params.get("encryptionConfiguration", DEFAULT_ENCRYPTION))
    made = repositories.create(
        call.store,
        call.registry,
        params["repositoryName"],
        mutability=mutability,
        mutability_exclusions=exclusions or (),
        scan_on_push=_scan_on_push(params.get("imageScanningConfiguration", {})),
        encryption=encryption,
        tags=tags_by_key(params.get("tags", [])),
    )
    return {"repository": _description(made)}


def describe_repositories(call: Call, params: Members) -> Members:
    """The repositories of the requested names, else all of the registry in pages."""
    names = params.get("repositoryNames")
    if names:
        refuse_paging(params, "repositoryNames")
        found = [call.repository(name) for name in dict.fromkeys(names)]
        return {"repositories": [_description(repository) for repository in found]}
    items = [
        ([repository.name], _description(repository))
        for repository in repositories.list_all(call.store, call.registry)
    ]
    part, token = call.page(items, params)
    return {"repositories": part, "nextToken": token}


def delete_repository(call: Call, params: Members) -> Members:
    """Removes a repository; with ``force`` also one that holds images."""
    repository = call.repository(params["repositoryName"])
    repositories.delete(call.store, repository, force=params.get("force", False))
    return {"repository": _description(repository)}


def put_image_tag_mutability(call: Call, params: Members) -> Members:
    """Changes whether image tags can be moved."""
    exclusions = params.get("imageTagMutabilityExclusionFilters")
    check_exclusions(params["imageTagMutability"], exclusions)
    repository = call.repository(params["repositoryName"])
    now = repositories.set_mutability(
        call.store, repository, params["imageTagMutability"], exclusions or ()
    )
    return {
        **now.names,
        "imageTagMutability": now.mutability,
        "imageTagMutabilityExclusionFilters": list(now.mutability_exclusions) or None,
    }


def put_image_scanning_configuration(call: Call, params: Members) -> Members:
    """Sets whether an image is scanned when it is pushed."""
    repository = call.repository(params["repositoryName"])
    now = repositories.set_scan_on_push(
        call.store, repository, _scan_on_push(params["imageScanningConfiguration"])
    )
    return {
        **now.names,
        "imageScanningConfiguration": {"scanOnPush": now.scan_on_push},
    }


def _encryption(call: Call, wanted: Mapping[str, str]) -> Mapping[str, str]:
    if wanted["encryptionType"] == "AES256" and "kmsKey" in wanted:
        raise invalid("encryptionConfiguration", "KMS key cannot be specified with AES256")
    return call.elsewhere.encryption(call.registry, wanted)


def _description(repository: Repository) -> dict[str, Any]:
    """A repository in the shape of the API's ``Repository``."""
    return {
        "repositoryArn": repository.arn,
        **repository.names,
        "repositoryUri": repository.uri,
        "createdAt": repository.created_at,
        "imageTagMutability": repository.mutability,
        "imageTagMutabilityExclusionFilters": list(repository.mutability_exclusions) or None,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": dict(repository.encryption),
    }


def _scan_on_push(configuration: dict[str, Any]) -> bool:
    return bool(configuration.get("scanOnPush", False))
