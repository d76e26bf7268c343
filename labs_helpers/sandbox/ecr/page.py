"""Writes docs/ecr.md, the table of ECR's operations: `python -m labs_helpers.sandbox.ecr.page`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.service import EcrService

PAGE = "docs/ecr.md"

RECORDED = {
    "PutReplicationConfiguration": "The rules are kept and handed back; no image is copied.",
}
"""Operations that keep a record on which nothing acts, each with what does not happen."""

NOTES = {
    "BatchDeleteImage": (
        "Artifacts that refer to the image go when the lifecycle policy runs next."
    ),
    "CreatePullThroughCacheRule": (
        "A pull follows rules for the stand-ins of Docker Hub and ECR Public;"
        " with LABS_HUB=online, those for every upstream but a private registry of ECR."
    ),
    "CreateRepositoryCreationTemplate": (
        "Templates act for PULL_THROUGH_CACHE and CREATE_ON_PUSH; nothing is replicated."
    ),
    "PutLifecyclePolicy": "Policies run once a day of the sandbox's clock.",
    "StartLifecyclePolicyPreview": "The preview is complete at once.",
    "UpdateImageStorageClass": "An archived image comes back on the sandbox's clock.",
}
"""What there is to know of an operation that is done."""

_HEAD = """# The operations of Amazon ECR

Written by `python -m labs_helpers.sandbox.ecr.page` from botocore's model and the functions of
`labs_helpers/sandbox/ecr/operations`; do not edit this page by hand.

- "True": the sandbox does what the operation says, and pushes and pulls show the effect.
- "Recorded": the sandbox keeps what was put, and nothing acts on it.
- "Refused": the answer is the error `NotInSandbox`.

"""


def page() -> str:
    """The page as Markdown."""
    # the store is asked for by a call only, and nobody calls
    service = EcrService(cast(Any, None), Clock(), lambda *_, **__: None)
    kinds = {name: _kind(service, name) for name in service.model.operation_names}
    counted = ", ".join(
        f"{sum(kind == one for kind in kinds.values())} {one}"
        for one in ("true", "recorded", "refused")
    )
    rows = [
        f"| {name} | {kind} | {_note(name, service.reasons)} |"
        for name, kind in sorted(kinds.items())
    ]
    head = ["| operation | here | what there is to know |", "|---|---|---|"]
    return _HEAD + f"{len(kinds)} operations: {counted}.\n\n" + "\n".join([*head, *rows, ""])


def _kind(service: EcrService, name: str) -> str:
    if name not in service.operations:
        return "refused"
    return "recorded" if name in RECORDED else "true"


def _note(name: str, reasons: Mapping[str, str]) -> str:
    return RECORDED.get(name) or NOTES.get(name) or reasons.get(name, "")


def main() -> None:
    """Write the page into the repository that this file is in."""
    place = Path(__file__).parents[3] / PAGE
    place.write_text(page(), encoding="utf-8")
    print(place)


if __name__ == "__main__":
    main()
