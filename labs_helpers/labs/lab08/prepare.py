"""Lab 08 starts from no repository, a login and no scanning rule."""

from dataclasses import replace

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import logged_in
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.repositories import no_repository, no_scanning_rules

STEPS = (
    configured(),
    # on AWS a repository of this name, and the registry's rules, may be in use: the lab's own
    # commands say so, or show what is there before they replace it
    replace(no_repository("myapp"), on_aws=False),
    no_scanning_rules(),
    # the exercise edits the Dockerfile, and the lab builds it before
    as_they_came(
        "08",
        "the lab's files are as they came, nothing is accepted",
        ("**/*",),
        ("accepted.yaml",),
    ),
    logged_in(),
)
