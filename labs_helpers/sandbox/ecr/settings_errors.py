"""Errors about what a registry or a repository is set to: policies, rules and templates.

Codes and texts as ECR answers them, where they are known from public reports; else the sentence
with which the API reference describes the error.
"""

from labs_helpers.sandbox.ecr.errors import EcrError


class RegistryPolicyNotFound(EcrError):
    """The registry has no policy."""

    code = "RegistryPolicyNotFoundException"

    def __init__(self, account: str) -> None:
        super().__init__(f"Registry policy does not exist in the registry with id '{account}'")


class RepositoryPolicyNotFound(EcrError):
    """The repository has no policy."""

    code = "RepositoryPolicyNotFoundException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"Repository policy does not exist for the repository with name '{name}' "
            f"in the registry with id '{account}'"
        )


class LifecyclePolicyNotFound(EcrError):
    """The repository has no lifecycle policy."""

    code = "LifecyclePolicyNotFoundException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"Lifecycle policy does not exist for the repository with name '{name}' "
            f"in the registry with id '{account}'"
        )


class PullThroughCacheRuleAlreadyExists(EcrError):
    """The prefix has a rule."""

    code = "PullThroughCacheRuleAlreadyExistsException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"A pull through cache rule with prefix '{prefix}' already exists "
            f"in the registry with id '{account}'"
        )


class PullThroughCacheRuleNotFound(EcrError):
    """The prefix has no rule."""

    code = "PullThroughCacheRuleNotFoundException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"The pull through cache rule with prefix '{prefix}' does not exist "
            f"in the registry with id '{account}'"
        )


class UnsupportedUpstreamRegistry(EcrError):
    """ECR caches nothing from there."""

    code = "UnsupportedUpstreamRegistryException"

    def __init__(self, url: str) -> None:
        super().__init__(f"The specified upstream registry isn't supported: '{url}'")


class TemplateAlreadyExists(EcrError):
    """The prefix has a template."""

    code = "TemplateAlreadyExistsException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' already exists "
            f"in the registry with id '{account}'"
        )


class TemplateNotFound(EcrError):
    """The prefix has no template."""

    code = "TemplateNotFoundException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' does not exist "
            f"in the registry with id '{account}'"
        )
