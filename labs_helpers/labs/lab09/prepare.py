"""Lab 09 starts from sources and a service of ECS that runs release 1.0.0; no pipeline is there."""

from __future__ import annotations

from labs_helpers.labs.delivery import beginning
from labs_helpers.labs.delivery.names import ON_AWS
from labs_helpers.prepare.files import as_they_came, no_git_history

STEPS = (
    *beginning.BEFORE,
    # the lab edits some of them
    as_they_came(
        "09",
        "the lab's files are as they came",
        made=(".gitignore", "Dockerfile.bak", "buildspec.yml.bak", "index.html.bak"),
        on_aws=ON_AWS,
    ),
    no_git_history("09"),
    *beginning.AFTER,
)
