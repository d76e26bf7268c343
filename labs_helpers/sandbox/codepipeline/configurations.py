"""Values of an action's configuration: which values its keys take.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html has a page for each
provider. CreatePipeline checks values that are written out, and an action checks them once more
when it runs, with the values of variables in them. The codes are CodePipeline's, the sentences the
sandbox's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline.errors import InvalidAction
from labs_helpers.sandbox.codepipeline.references import REFERENCE
from labs_helpers.sandbox.service.errors import NotHere

_CONNECTION = re.compile(r"arn:aws(-[\w]+)*:.+:.+:[0-9]{12}:.+", re.ASCII)
"""https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_Connection.html"""
_LONGEST_CONNECTION = 256
_REPOSITORY = re.compile(r"[^/\s]+(/[^/\s]+)+")
"""Owner and name; a repository of GitLab may stand in groups:
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html"""
_LONGEST_DEPLOYMENT = 60
"""Minutes: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html"""
_FORMATS = ("CODE_ZIP", "CODEBUILD_CLONE_REF")

Says = Callable[[str], str]
"""What is wrong with a value, "" for nothing."""


def check(action: Mapping[str, Any], configuration: Mapping[str, str]) -> None:
    """Raise InvalidAction or NotHere.

    configuration: the action's; a value in which a variable stands is left for later.
    """
    name, provider = action["name"], action["actionTypeId"]["provider"]
    given = {key: text for key, text in configuration.items() if not REFERENCE.search(text)}
    for key, text in given.items():
        if said := _WRONG[key](text) if key in _WRONG else "":
            raise InvalidAction(f"Action configuration for action '{name}': {key} {said}")
    if given.get("OutputArtifactFormat", "CODE_ZIP") != "CODE_ZIP":
        raise NotHere(
            f"The sandbox hands the files of a commit on (CODE_ZIP), and no repository: {name}."
        )
    if given.get("BatchEnabled", "false").lower() == "true":
        raise NotHere("The sandbox runs single builds only, no batches.")
    if provider == "CodeBuild":
        build_variables(name, configuration.get("EnvironmentVariables", "[]"))
    if given.get("Extract") == "false" and not configuration.get("ObjectKey"):
        raise InvalidAction(
            f"Action configuration for action '{name}' is missing required configuration "
            "'ObjectKey', which Extract=false needs"
        )


def build_variables(action: str, text: str) -> list[dict[str, str]]:
    """EnvironmentVariables of an action of CodeBuild; raises InvalidAction.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
    """
    try:
        found = json.loads(text)
        if not isinstance(found, list):
            raise ValueError("no list")
        return [
            {"name": each["name"], "value": each["value"], "type": each.get("type", "PLAINTEXT")}
            for each in found
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidAction(
            f"Action configuration for action '{action}': EnvironmentVariables is a JSON list of "
            'objects such as {"name": "STAGE", "value": "test", "type": "PLAINTEXT"}'
        ) from None


def minutes(text: str, most: int, least: int = 0) -> int | None:
    """A whole number of minutes between two bounds, written in the digits 0 to 9."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return None
    return int(text) if least <= int(text) <= most else None


def _truth(text: str) -> str:
    return "" if text.lower() in ("true", "false") else f"is true or false, not {text!r}"


def _exact_truth(text: str) -> str:
    return "" if text in ("true", "false") else f"is true or false, not {text!r}"


def _format(text: str) -> str:
    return "" if text in _FORMATS else f"is {' or '.join(_FORMATS)}, not {text!r}"


def _connection(text: str) -> str:
    fits = _CONNECTION.fullmatch(text) and len(text) <= _LONGEST_CONNECTION
    return "" if fits else f"is the ARN of a connection, not {text!r}"


def _repository(text: str) -> str:
    if _REPOSITORY.fullmatch(text):
        return ""
    return f"is owner and name, as some-user/my-repo, not {text!r}"


def _deployment(text: str) -> str:
    if minutes(text, _LONGEST_DEPLOYMENT, least=1) is not None:
        return ""
    return f"is a number of minutes from 1 to {_LONGEST_DEPLOYMENT}, not {text!r}"


_WRONG: Mapping[str, Says] = {
    **dict.fromkeys(
        (
            *("PollForSourceChanges", "AllowOverrideForS3ObjectKey", "DetectChanges"),
            *("BatchEnabled", "CombineArtifacts"),
        ),
        _truth,
    ),
    "Extract": _exact_truth,
    "OutputArtifactFormat": _format,
    "ConnectionArn": _connection,
    "FullRepositoryId": _repository,
    "DeploymentTimeout": _deployment,
}
"""By key, whatever the provider: no two providers have one key for two things."""
