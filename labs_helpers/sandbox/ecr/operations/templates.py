"""Repository creation templates: what a repository made by a push or a cache rule starts with."""

from datetime import datetime
from typing import Any

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.lifecycle_text import check_lifecycle_policy
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.policy_text import check_repository_policy
from labs_helpers.sandbox.ecr.validation import check_exclusions
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

KIND = "repository-creation-template"
_DEFAULTS = {
    "encryptionConfiguration": {"encryptionType": "AES256"},
    "imageTagMutability": "MUTABLE",
}


class TemplateAlreadyExists(ServiceError):
    """The prefix has a template."""

    code = "TemplateAlreadyExistsException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' already exists "
            f"in the registry with id '{account}'"
        )


class TemplateNotFound(ServiceError):
    """The prefix has no template."""

    code = "TemplateNotFoundException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' does not exist "
            f"in the registry with id '{account}'"
        )


def create_repository_creation_template(call: Call, params: Members) -> Members:
    """Keeps a template for the repositories under a prefix."""
    prefix = params["prefix"]
    if documents.get(call.store, call.registry, KIND, prefix) is not None:
        raise TemplateAlreadyExists(prefix, call.account)
    now = call.clock.now().timestamp()
    return _keep(call, {**_DEFAULTS, **params, "createdAt": now, "updatedAt": now})


def update_repository_creation_template(call: Call, params: Members) -> Members:
    """Changes the members that are given."""
    template = {**_found(call, params["prefix"]), **params}
    if "imageTagMutability" in params and "imageTagMutabilityExclusionFilters" not in params:
        template.pop("imageTagMutabilityExclusionFilters", None)
    return _keep(call, {**template, "updatedAt": call.clock.now().timestamp()})


def describe_repository_creation_templates(call: Call, params: Members) -> Members:
    """The templates, all or those of the prefixes asked for that exist."""
    wanted = params.get("prefixes")
    keyed = [
        ([prefix], _shown(call, template))
        for prefix, template in documents.list_all(call.store, call.registry, KIND).items()
        if not wanted or prefix in wanted
    ]
    templates, token = call.page(keyed, params)
    return {
        "registryId": call.account,
        "repositoryCreationTemplates": templates,
        "nextToken": token,
    }


def delete_repository_creation_template(call: Call, params: Members) -> Members:
    """Removes a template and answers what it was."""
    template = _found(call, params["prefix"])
    documents.delete(call.store, call.registry, KIND, params["prefix"])
    return {"registryId": call.account, "repositoryCreationTemplate": _shown(call, template)}


def _keep(call: Call, template: dict[str, Any]) -> dict[str, Any]:
    check_exclusions(
        template["imageTagMutability"], template.get("imageTagMutabilityExclusionFilters")
    )
    if template.get("repositoryPolicy"):
        check_repository_policy(template["repositoryPolicy"])
    if template.get("lifecyclePolicy"):
        check_lifecycle_policy(template["lifecyclePolicy"])
    documents.put(call.store, call.registry, KIND, template, template["prefix"])
    return {"registryId": call.account, "repositoryCreationTemplate": _shown(call, template)}


def _found(call: Call, prefix: str) -> dict[str, Any]:
    template: dict[str, Any] | None = documents.get(call.store, call.registry, KIND, prefix)
    if template is None:
        raise TemplateNotFound(prefix, call.account)
    return template


def _shown(call: Call, template: dict[str, Any]) -> dict[str, Any]:
    zone = call.clock.now().tzinfo
    times = {
        name: datetime.fromtimestamp(template[name], zone) for name in ("createdAt", "updatedAt")
    }
    return {**template, **times}
