"""Operations on pull through cache rules; `registry/cache.py` follows them."""

from labs_helpers.defaults import registry, registry_of
from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.cache_rules import KIND
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

#: Upstream registries by host name; whether they need a secret with credentials.
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
_NOT_VALIDATED = ("createdAt", "updatedAt", "upstreamRegistry")
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
    """The prefix has a rule already."""

    code = "PullThroughCacheRuleAlreadyExistsException"
    words = (
        "A pull through cache rule with prefix '{prefix}' already exists in the registry with "
        "id '{registryId}'"
    )


class PullThroughCacheRuleNotFound(ServiceError):
    """The prefix has no rule."""

    code = "PullThroughCacheRuleNotFoundException"
    words = (
        "The pull through cache rule with prefix '{prefix}' does not exist in the registry with "
        "id '{registryId}'"
    )


class UnsupportedUpstreamRegistry(ServiceError):
    """ECR caches nothing from that registry."""

    code = "UnsupportedUpstreamRegistryException"
    # https://github.com/goharbor/harbor/issues/20174
    words = (
        "The upstream registry URL {url} is invalid. Specify a valid upstream registry URL and "
        "try again"
    )


class UpstreamNeedsSecret(UnsupportedUpstreamRegistry):
    """The upstream registry wants a user name and password, and the rule names no secret."""

    # https://github.com/aws-controllers-k8s/community/issues/2589
    words = (
        "The specified upstream registry requires authentication. Specify a valid Secrets Manager "
        "ARN containing the upstream registry credentials."
    )


def create_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Stores a rule: a prefix of repository names stands for an upstream registry."""
    prefix = params["ecrRepositoryPrefix"]
    url = params["upstreamRegistryUrl"].removeprefix("https://").rstrip("/")
    upstream, needs_secret = _upstream(url)
    if params.get("upstreamRegistry", upstream) != upstream:
        raise UnsupportedUpstreamRegistry(url=url)
    if needs_secret and "credentialArn" not in params:
        raise UpstreamNeedsSecret()
    if documents.get(call.store, call.registry, KIND, prefix) is not None:
        raise PullThroughCacheRuleAlreadyExists(prefix=prefix, registryId=call.account)
    now = call.now
    rule = {
        **params,
        "upstreamRegistryUrl": url,
        "upstreamRegistry": upstream,
        "registryId": call.account,
        "createdAt": now,
        "updatedAt": now,
    }
    _check_secret(call, rule)
    documents.put(call.store, call.registry, KIND, rule, prefix)
    return _without(_description(rule), "updatedAt")


def describe_pull_through_cache_rules(call: Call, params: Members) -> Members:
    """All rules, or those of the requested prefixes."""
    prefixes = params.get("ecrRepositoryPrefixes")
    if prefixes is not None:
        rules = [_rule(call, prefix) for prefix in prefixes]
        return {"pullThroughCacheRules": [_description(rule) for rule in rules]}
    items = [
        ([prefix], _description(rule))
        for prefix, rule in documents.list_all(call.store, call.registry, KIND).items()
    ]
    rules, token = call.page(items, params)
    return {"pullThroughCacheRules": rules, "nextToken": token}


def update_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Changes a rule's credentials or role."""
    rule = _rule(call, params["ecrRepositoryPrefix"])
    rule = {**rule, **params, "updatedAt": call.now}
    _check_secret(call, rule)
    documents.put(call.store, call.registry, KIND, rule, params["ecrRepositoryPrefix"])
    return _without(_description(rule), "createdAt", "upstreamRegistryUrl", "upstreamRegistry")


def delete_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Removes a rule and answers with it."""
    rule = _rule(call, params["ecrRepositoryPrefix"])
    documents.delete(call.store, call.registry, KIND, params["ecrRepositoryPrefix"])
    description = _description(rule)
    return {name: description[name] for name in _DELETED if name in description}


def validate_pull_through_cache_rule(call: Call, params: Members) -> Members:
    """Logs in to the rule's upstream with the rule's secret, and says whether that worked.

    AWS publishes no words for ``failure``; those here are the sandbox's.
    """
    rule = _rule(call, params["ecrRepositoryPrefix"])
    failure = call.elsewhere.upstream_failure(rule, call.registry.account, call.registry.region)
    return {
        **_without(_description(rule), *_NOT_VALIDATED),
        "isValid": not failure,
        "failure": failure or None,
    }


def _check_secret(call: Call, rule: Members) -> None:
    """Raise SecretNotFound for a rule whose secret there is not."""
    if arn := rule.get("credentialArn"):
        call.elsewhere.secret(call.account, call.region, arn)


def _upstream(url: str) -> tuple[str, bool]:
    if url in _UPSTREAMS:
        return _UPSTREAMS[url]
    if url.endswith(".azurecr.io"):
        return "azure-container-registry", True
    found = registry_of(url)
    if found is not None and url == registry(*found):
        return "ecr", False
    raise UnsupportedUpstreamRegistry(url=url)


def _rule(call: Call, prefix: str) -> Members:
    missing = PullThroughCacheRuleNotFound(prefix=prefix, registryId=call.account)
    return dict(documents.get(call.store, call.registry, KIND, prefix, missing))


def _description(rule: Members) -> Members:
    """A rule as ECR's answers describe it."""
    return {"upstreamRepositoryPrefix": "ROOT", **documents.with_times(rule)}


def _without(answer: Members, *names: str) -> Members:
    return {name: value for name, value in answer.items() if name not in names}
