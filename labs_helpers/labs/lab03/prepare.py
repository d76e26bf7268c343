"""Lab 03 starts from an empty repository, no login and no rule of its own."""

from contextlib import suppress
from dataclasses import replace

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import logged_out
from labs_helpers.prepare.repositories import empty_repository, no_repository
from labs_helpers.prepare.step import Place, Step

RULES = ("labs-public", "docker-hub", "k8s")
CACHED = ("labs-public/docker/library/nginx", "docker-hub/library/nginx")
SECRET = "ecr-pullthroughcache/docker-hub"


def _no_rules(place: Place) -> None:
    ecr = place.client("ecr")
    for prefix in RULES:
        with suppress(ecr.exceptions.PullThroughCacheRuleNotFoundException):
            ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)
            place.removed.append(f"pull-through cache rule {prefix}")


def _no_secret(place: Place) -> None:
    secrets = place.client("secretsmanager")
    with suppress(secrets.exceptions.ResourceNotFoundException):
        secrets.describe_secret(SecretId=SECRET)
        secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
        place.removed.append(f"the secret {SECRET}")


STEPS = (
    configured(),
    empty_repository(),
    # on AWS this name may be in use, and its images are not the lab's to delete
    replace(no_repository("mirror/nginx"), on_aws=False),
    Step(f"no pull-through cache rule for {', '.join(RULES)}", _no_rules, on_aws=False),
    *(replace(no_repository(name), on_aws=False) for name in CACHED),
    Step(f"no secret {SECRET}", _no_secret, on_aws=False),
    logged_out(),
)
