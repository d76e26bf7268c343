"""Lab 03 starts from an empty repository, no login and no rule of its own."""

from contextlib import suppress
from dataclasses import replace

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import logged_out
from labs_helpers.prepare.repositories import empty_repository, no_repository
from labs_helpers.prepare.step import Place, Step

RULES = ("labs-public", "docker-hub", "k8s")


def _no_rules(place: Place) -> None:
    ecr = place.client("ecr")
    for prefix in RULES:
        with suppress(ecr.exceptions.PullThroughCacheRuleNotFoundException):
            ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)
            place.removed.append(f"pull-through cache rule {prefix}")


STEPS = (
    configured(),
    empty_repository(),
    # on AWS this name may be in use, and its images are not the lab's to delete
    replace(no_repository("mirror/nginx"), on_aws=False),
    Step(f"no pull-through cache rule for {', '.join(RULES)}", _no_rules, on_aws=False),
    logged_out(),
)
