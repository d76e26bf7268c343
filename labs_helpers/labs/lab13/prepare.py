"""Lab 13 starts from the pipeline of lab 09, whose buildspec is repaired as exercise 09.1 asks."""

from __future__ import annotations

from labs_helpers.labs.delivery import with_pipeline

STEPS = with_pipeline.steps(
    "13",
    written=(
        *(".gitignore", "buildspec.yml.bak", "index.html.bak"),
        *("build-policy-new.json", "pipeline-policy-new.json"),
    ),
    own=("buildspec.yml",),
    more=("tag.sh",),
)
