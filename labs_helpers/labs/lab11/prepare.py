"""Lab 11 starts from the pipeline of lab 09, which has brought a first commit to the service."""

from __future__ import annotations

from labs_helpers.labs.delivery import with_pipeline

STEPS = with_pipeline.steps(
    "11",
    written=(".gitignore", "Dockerfile.bak", "buildspec.yml.bak", "gate.yml.bak", "index.html.bak"),
)
