"""Pull through cache rules, as settings: the sandbox keeps them and caches nothing by them yet."""

from datetime import datetime
from typing import Any

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.validation import invalid
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "ValidatePullThroughCacheRule": "The sandbox does not reach upstream registries.",
}

KIND = "pull-through-cache-rule"

#: Upstreams by host name, and whether they need a secret with credentials.
#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
_UPSTREAMS = {
    "public.ecr.aws": ("ecr-public", False),
    "registry.k8s.io": ("k8s", False),
    "quay.io": ("quay", False),
    "registry-1.docker.io": ("docker-hub", True),
    "ghcr.io": ("github-container-registry", True),
    "registry.gitlab.com": ("gitlab-container-registry", True),
    "cgr.dev": ("chainguard", True),
}
_DELETED = (
    "ecrRepositoryPrefix",
    "upstreamRegistryUrl",
    "createdAt",
    "registryId",
    "credentialArn",
    "customRoleArn",
    "upstreamRepositoryPrefix",
)


class PullThroughCacheRuleAlreadyExists(ServiceError):
    """The prefix has a rule."""

    code = "PullThroughCacheRuleAlreadyExistsException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"A pull through cache rule with prefix '{prefix}' already exists "
            f"in the registry with id '{account}'"
        )


class PullThroughCacheRuleNotFound(ServiceError):
    """The prefix has no rule."""

    code = "PullThroughCacheRuleNotFoundException"

    def __init__(self, prefix: str, account: str) -> None:
        super().__init__(
            f"The pull through cache rule with prefix '{prefix}' does not exist "
            f"in the registry with id '{account}'"
        )


class UnsupportedUpstreamRegistry(ServiceError):
    """ECR caches nothing from there."""

    code = "UnsupportedUpstreamRegistryException"

    def __init__(self, url: str) -> None:
        super().__init__(f"The specified upstream registry isn't supported: '{url}'")


def create_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Keeps a rule: a prefix of repository names stands for an upstream registry."""
    prefix = params["ecrRepositoryPrefix"]
    url = params["upstreamRegistryUrl"].removeprefix("https://").rstrip("/")
    upstream, needs_secret = _upstream(url)
    if params.get("upstreamRegistry", upstream) != upstream:
        raise UnsupportedUpstreamRegistry(url)
    if needs_secret and "credentialArn" not in params:
        raise invalid("credentialArn", f"Must be specified for upstream registry {url}")
    if documents.get(call.store, call.registry, KIND, prefix) is not None:
        raise PullThroughCacheRuleAlreadyExists(prefix, call.account)
    now = call.clock.now().timestamp()
    rule = {
        **params,
        "upstreamRegistryUrl": url,
        "upstreamRegistry": upstream,
        "registryId": call.account,
        "createdAt": now,
        "updatedAt": now,
    }
    documents.put(call.store, call.registry, KIND, rule, prefix)
    return _without(_shown(call, rule), "updatedAt")


def describe_pull_through_cache_rules(call: Call, params: Members) -> Members:
    """The rules, all or those of the prefixes asked for."""
    prefixes = params.get("ecrRepositoryPrefixes")
    if prefixes is not None:
        rules = [_found(call, prefix) for prefix in prefixes]
        return {"pullThroughCacheRules": [_shown(call, rule) for rule in rules]}
    keyed = [
        ([prefix], _shown(call, rule))
        for prefix, rule in documents.list_all(call.store, call.registry, KIND).items()
    ]
    rules, token = call.page(keyed, params)
    return {"pullThroughCacheRules": rules, "nextToken": token}


def update_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Changes a rule's credentials or role."""
    rule = _found(call, params["ecrRepositoryPrefix"])
    rule = {**rule, **params, "updatedAt": call.clock.now().timestamp()}
    documents.put(call.store, call.registry, KIND, rule, params["ecrRepositoryPrefix"])
    shown = _shown(call, rule)
    return _without(shown, "createdAt", "upstreamRegistryUrl", "upstreamRegistry")


def delete_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Removes a rule and answers what it was."""
    rule = _found(call, params["ecrRepositoryPrefix"])
    documents.delete(call.store, call.registry, KIND, params["ecrRepositoryPrefix"])
    shown = _shown(call, rule)
    return {name: shown[name] for name in _DELETED if name in shown}


def _upstream(url: str) -> tuple[str, bool]:
    if url in _UPSTREAMS:
        return _UPSTREAMS[url]
    if url.endswith(".azurecr.io"):
        return "azure-container-registry", True
    if ".dkr.ecr." in url and url.endswith(".amazonaws.com"):
        return "ecr", False
    raise UnsupportedUpstreamRegistry(url)


def _found(call: Call, prefix: str) -> dict[str, Any]:
    rule: dict[str, Any] | None = documents.get(call.store, call.registry, KIND, prefix)
    if rule is None:
        raise PullThroughCacheRuleNotFound(prefix, call.account)
    return rule


def _shown(call: Call, rule: dict[str, Any]) -> dict[str, Any]:
    times = {name: _moment(call, rule[name]) for name in ("createdAt", "updatedAt")}
    return {
        **rule,
        "upstreamRepositoryPrefix": rule.get("upstreamRepositoryPrefix", "ROOT"),
    } | times


def _moment(call: Call, seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, call.clock.now().tzinfo)


def _without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}
