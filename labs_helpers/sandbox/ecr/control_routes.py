"""What the labs ask about ECR beside AWS's operations: what a lifecycle policy does, and why."""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.ecr import documents, lifecycle_runs, repositories
from labs_helpers.sandbox.ecr.errors import RepositoryNotFound
from labs_helpers.sandbox.ecr.lifecycle import Outcome
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store


def routes(store: Store) -> Routes:
    """GET /_labs/lifecycle?account=&region=&repository= explains the policy of a repository.

    The answer: ``now`` and ``next_run`` (seconds since 1970; ``next_run`` is None without a
    policy), and ``images``, the oldest first, each with digest, tags, pushed_at, size (bytes),
    storage, action ("expire", "archive" or None), rule (its priority or None) and why.
    """

    def explained(asked: dict[str, Any]) -> dict[str, Any]:
        registry = Registry(asked.get("account", ""), asked.get("region", ""))
        try:
            repository = repositories.get(store, registry, asked.get("repository", ""))
        except RepositoryNotFound as error:
            raise ControlRefused(404, error.message) from error
        policy = documents.get(store, repository, lifecycle_runs.POLICY)
        text = policy or json.dumps({"rules": []})
        outcomes = lifecycle_runs.outcomes(store, repository, text)
        return {
            "now": store.clock.now().timestamp(),
            "next_run": lifecycle_runs.next_run(store, repository) if policy else None,
            "images": [_described(outcome) for outcome in outcomes],
        }

    return {("GET", "/_labs/lifecycle"): explained}


def _described(outcome: Outcome) -> dict[str, Any]:
    image, rule = outcome.image, outcome.rule
    action = None
    if outcome.taken and rule is not None:
        action = "expire" if rule.expires else "archive"
    return {
        "digest": image.digest,
        "tags": list(image.tags),
        "pushed_at": image.pushed_at,
        "size": image.size,
        "storage": image.storage,
        "action": action,
        "rule": rule.priority if rule else None,
        "why": outcome.why,
    }
