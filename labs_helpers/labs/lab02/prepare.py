"""Lab 02 starts from an intern with too many rights, and from nothing else of its own."""

from labs_helpers.defaults import OTHER_ACCOUNT
from labs_helpers.prepare.configuration import configured, no_profile, profile_of_account
from labs_helpers.prepare.docker import built, logged_out, tagged
from labs_helpers.prepare.people import no_group, no_policy, no_role, no_user, user_with
from labs_helpers.prepare.repositories import empty_repository

STEPS = (
    configured(),
    no_profile("labs-dev"),
    profile_of_account("labs-partner", OTHER_ACCOUNT),
    no_user("labs-dev"),
    no_user("labs-ci"),
    user_with("labs-intern", "AmazonEC2ContainerRegistryFullAccess"),
    no_group("labs-pushers"),
    no_group("labs-readers"),
    no_role("labs-deployer"),
    no_policy("labs-push-demo-app"),
    empty_repository(),
    built(),
    tagged(),
    logged_out(),
)
