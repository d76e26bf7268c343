"""Operations on templates: what a repository made by a push or a cache rule starts with."""

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.creation import TEMPLATE as KIND
from labs_helpers.sandbox.ecr.lifecycle_text import check_lifecycle_policy
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.policy_text import check_repository_policy
from labs_helpers.sandbox.ecr.validation import check_exclusions
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

_DEFAULTS = {
    "encryptionConfiguration": {"encryptionType": "AES256"},
    "imageTagMutability": "MUTABLE",
}


class TemplateAlreadyExists(ServiceError):
    """The prefix has a template already."""

    code = "TemplateAlreadyExistsException"
    words = (
        "The repository creation template with prefix '{prefix}' already exists in the registry "
        "with id '{registryId}'"
    )


class TemplateNotFound(ServiceError):
    """The prefix has no template."""

    code = "TemplateNotFoundException"
    words = (
        "The repository creation template with prefix '{prefix}' does not exist in the registry "
        "with id '{registryId}'"
    )


def create_repository_creation_template(call: Call, params: Members) -> Members:
    """Stores a template for the repositories under a prefix."""
    prefix = params["prefix"]
    if documents.get(call.store, call.registry, KIND, prefix) is not None:
        raise TemplateAlreadyExists(prefix=prefix, registryId=call.account)
    now = call.now
    return _store(call, {**_DEFAULTS, **params, "createdAt": now, "updatedAt": now})


def update_repository_creation_template(call: Call, params: Members) -> Members:
    """Changes the members that the request has."""
    template = {**_template(call, params["prefix"]), **params}
    if "imageTagMutability" in params and "imageTagMutabilityExclusionFilters" not in params:
        template.pop("imageTagMutabilityExclusionFilters", None)
    return _store(call, {**template, "updatedAt": call.now})


def describe_repository_creation_templates(call: Call, params: Members) -> Members:
    """All templates, or those that exist of the requested prefixes."""
    wanted = params.get("prefixes")
    items = [
        ([prefix], documents.with_times(template))
        for prefix, template in documents.list_all(call.store, call.registry, KIND).items()
        if not wanted or prefix in wanted
    ]
    templates, token = call.page(items, params)
    return {
        "registryId": call.account,
        "repositoryCreationTemplates": templates,
        "nextToken": token,
    }


def delete_repository_creation_template(call: Call, params: Members) -> Members:
    """Removes a template and answers with it."""
    template = _template(call, params["prefix"])
    documents.delete(call.store, call.registry, KIND, params["prefix"])
    return _answer(call, template)


def _store(call: Call, template: Members) -> Members:
    check_exclusions(
        template["imageTagMutability"], template.get("imageTagMutabilityExclusionFilters")
    )
    if template.get("repositoryPolicy"):
        check_repository_policy(template["repositoryPolicy"])
    if template.get("lifecyclePolicy"):
        check_lifecycle_policy(template["lifecyclePolicy"])
    documents.put(call.store, call.registry, KIND, template, template["prefix"])
    return _answer(call, template)


def _template(call: Call, prefix: str) -> Members:
    missing = TemplateNotFound(prefix=prefix, registryId=call.account)
    return dict(documents.get(call.store, call.registry, KIND, prefix, missing))


def _answer(call: Call, template: Members) -> Members:
    described = documents.with_times(template)
    return {"registryId": call.account, "repositoryCreationTemplate": described}
