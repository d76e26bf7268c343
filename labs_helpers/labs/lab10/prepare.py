"""Lab 10 starts from two versions of the application in the registry, and deploys them."""

from dataclasses import replace

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.deployment import beginning
from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import logged_out
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.repositories import empty_repository
from labs_helpers.prepare.step import Step

STEPS = (
    configured(),
    beginning.NOTHING_DEPLOYED,
    beginning.NO_PODS,
    replace(empty_repository(), passing=True),
    Step(
        f"repository {REPOSITORY} exists, with the images 1.0.0 and 1.1.0 only",
        beginning.push_versions,
        beginning.lacks_a_version,
    ),
    beginning.NO_LOCAL_IMAGES,
    logged_out(),
    as_they_came(
        "10",
        "the lab's files are as they came",
        made=("my-network.json", "no-such-image.json", "no-such-repository.json"),
    ),
    beginning.reachable("10"),
)
