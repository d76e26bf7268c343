"""The sources and artifacts of a project beside its primary ones.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-multi-in-out.html. The words on
CODEPIPELINE: https://github.com/hashicorp/terraform-provider-aws/issues/36987; the words on an
identifier: https://github.com/aws/aws-cdk/issues/18710. The other messages are the sandbox's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codebuild.errors import InvalidInput

Document = Mapping[str, Any]

_IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,127}")
_BAD_IDENTIFIER = (
    "Invalid input: identifier must contain only alphanumeric characters and underscores and be "
    "less than 128 characters in length"
)


def check_sources(
    sources: Sequence[Document], versions: Sequence[Document], check: Callable[[Document], None]
) -> None:
    """Raise InvalidInput for what CodeBuild refuses; check: a source by itself."""
    for each in sources:
        if each["type"] in ("CODEPIPELINE", "NO_SOURCE"):
            raise InvalidInput(
                f"Invalid input: sourceType {each['type']} is not allowed for secondarySources"
            )
        check(each)
    known = _identifiers(sources, "sourceIdentifier", "secondarySources")
    for name in _identifiers(versions, "sourceIdentifier", "secondarySourceVersions"):
        if name not in known:
            raise InvalidInput(
                f"Invalid input: secondarySourceVersions has the sourceIdentifier {name}, and no "
                "secondary source has that identifier"
            )


def check_artifacts(artifacts: Sequence[Document], check: Callable[[Document], None]) -> None:
    """Raise InvalidInput for what CodeBuild refuses; check: artifacts by themselves."""
    for each in artifacts:
        if each["type"] != "S3":
            raise InvalidInput(
                f"Invalid input: artifactType {each['type']} is not allowed for secondaryArtifacts"
            )
        check(each)
    _identifiers(artifacts, "artifactIdentifier", "secondaryArtifacts")


def _identifiers(items: Sequence[Document], key: str, where: str) -> list[str]:
    found: list[str] = []
    for each in items:
        name = each.get(key, "")
        if not _IDENTIFIER.fullmatch(name):
            raise InvalidInput(_BAD_IDENTIFIER)
        if name in found:
            raise InvalidInput(f"Invalid input: {where} has the {key} {name} twice")
        found.append(name)
    return found
