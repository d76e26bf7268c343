"""What a project is made of: defaults, and what CodeBuild or the sandbox refuses.

Rules: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html. Where no
public source has CodeBuild's words, the message is the sandbox's; the code is CodeBuild's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codebuild import secondary
from labs_helpers.sandbox.codebuild.errors import InvalidInput
from labs_helpers.sandbox.service.errors import NotHere, not_here

Document = dict[str, Any]

ENVIRONMENTS = ("LINUX_CONTAINER", "ARM_CONTAINER")
"""The types of environment that the runner can stand in for."""

_CURATED = "aws/codebuild/"
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]+")
_CODECOMMIT = re.compile(r"https://git-codecommit\.[a-z0-9-]+\.amazonaws\.com/v1/repos/[\w.-]+")
_OTHER = "Builds run in a container or a folder of this machine. "
_ABSENT: Mapping[str, str] = {
    "badgeEnabled": "No page shows a badge here.",
    "buildBatchConfig": "The sandbox runs single builds only.",
    "fileSystemLocations": "The sandbox has no Amazon EFS.",
    "autoRetryLimit": "The sandbox repeats no build by itself. RetryBuild does.",
}
"""Members of a project that would be without effect, and why; a value that asks for nothing is
taken."""

FETCHED = ("S3", "CODECOMMIT", "GITHUB", "CODEPIPELINE", "NO_SOURCE")
"""Types of sources that builds have here; a project may name any, and its builds are refused."""

DEFAULTS: Mapping[str, Any] = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
}


def project(params: Mapping[str, Any], account: str, region: str, at: float) -> Document:
    """A new project; raises InvalidInput or NotHere."""
    name = params["name"]
    document = {**DEFAULTS, "encryptionKey": default_key(account, region), **params}
    document.pop("badgeEnabled", None)
    document |= {
        "arn": arn(account, region, name),
        "created": at,
        "lastModified": at,
        "badge": {"badgeEnabled": False},
        "projectVisibility": "PRIVATE",
        "source": _with_defaults(params["source"], insecureSsl=False, gitCloneDepth=None),
        "artifacts": with_defaults(params["artifacts"], name),
        "environment": environment(params["environment"]),
    }
    document.setdefault("tags", [])
    _complete(document)
    check(document, params, account)
    return document


def changed(before: Document, params: Mapping[str, Any], account: str, at: float) -> Document:
    """A project after UpdateProject: what the request has replaces what was.

    With another repository the webhook goes:
    https://github.com/hashicorp/terraform-provider-aws/issues/41938
    """
    made = {**before, **{name: value for name, value in params.items() if name != "badgeEnabled"}}
    if any(made["source"].get(name) != before["source"].get(name) for name in ("type", "location")):
        made.pop("webhook", None)
    made["lastModified"] = at
    made["artifacts"] = with_defaults(made["artifacts"], before["name"])
    _complete(made)
    made["environment"] = environment(made["environment"])
    check(made, params, account)
    return made


def _complete(project: Document) -> None:
    """Give the secondary artifacts AWS's defaults, and the lists of AWS's answers."""
    for name in ("secondarySources", "secondarySourceVersions", "secondaryArtifacts"):
        project.setdefault(name, [])
    project["secondaryArtifacts"] = [
        with_defaults(each, project["name"]) for each in project["secondaryArtifacts"]
    ]


def environment(given: Mapping[str, Any]) -> Document:
    """An environment with AWS's defaults."""
    return {
        "environmentVariables": [],
        "privilegedMode": False,
        "imagePullCredentialsType": "CODEBUILD",
        **given,
    } | {
        "environmentVariables": [
            {"type": "PLAINTEXT", **each} for each in given.get("environmentVariables", [])
        ]
    }


def arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:codebuild:{region}:{account}:project/{name}"


def default_key(account: str, region: str) -> str:
    """The key that AWS names where a project names none."""
    return f"arn:aws:kms:{region}:{account}:alias/aws/s3"


def check(project: Mapping[str, Any], params: Mapping[str, Any], account: str) -> None:
    """Raise InvalidInput for what CodeBuild refuses, NotHere for what the sandbox does.

    project: as it would be saved; params: of the request.
    """
    for name, why in _ABSENT.items():
        if params.get(name):
            raise not_here(name, why)
    if (params.get("vpcConfig") or {}).get("vpcId"):
        raise not_here("vpcConfig", _OTHER)
    if (project.get("logsConfig", {}).get("s3Logs") or {}).get("status") == "ENABLED":
        raise NotHere("The sandbox does not have s3Logs; they exist on AWS. Read the log in Logs.")
    check_role(project["serviceRole"], account)
    check_source(project["source"], project["artifacts"])
    check_artifacts(project["artifacts"])
    check_secondary(project)
    check_environment(project["environment"])


def check_secondary(found: Mapping[str, Any]) -> None:
    """The secondary sources and artifacts of a project or a build."""
    secondary.check_sources(
        found.get("secondarySources", []),
        found.get("secondarySourceVersions", []),
        lambda source: check_source(source, {"type": "NO_ARTIFACTS"}),
    )
    secondary.check_artifacts(found.get("secondaryArtifacts", []), check_artifacts)


def check_role(role: str, account: str) -> None:
    found = _ROLE.fullmatch(role)
    if found is None:
        raise InvalidInput("Invalid service role")
    if found[1] != account:
        said = "Service role account ID does not match caller's account"
        raise InvalidInput(f"Invalid service role: {said}")


def check_source(source: Mapping[str, Any], artifacts: Mapping[str, Any]) -> None:
    """The source's type, location and buildspec, and that source and artifacts fit."""
    kind, location = source["type"], source.get("location", "")
    if kind not in ("NO_SOURCE", "CODEPIPELINE") and not location:
        raise InvalidInput(f"Invalid source: a source of type {kind} needs a location")
    if (kind == "CODEPIPELINE") != (artifacts["type"] == "CODEPIPELINE"):
        raise InvalidInput(
            "Invalid artifacts: source and artifacts are both of type CODEPIPELINE, or neither is"
        )
    if kind == "S3":
        bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
        if not bucket or not key:
            raise InvalidInput(
                f"Invalid source location {location!r}: write bucket/path/to/source.zip, or "
                "bucket/path/to/folder/"
            )
    if kind == "CODECOMMIT" and not _CODECOMMIT.fullmatch(location):
        raise InvalidInput(
            f"Invalid source location {location!r}: write the cloneUrlHttp of a repository, "
            "https://git-codecommit.<region>.amazonaws.com/v1/repos/<name>"
        )
    if kind == "NO_SOURCE" and not source.get("buildspec"):
        raise InvalidInput("Invalid source: a project of type NO_SOURCE needs a buildspec")


def check_artifacts(artifacts: Mapping[str, Any]) -> None:
    if artifacts["type"] == "S3" and not artifacts.get("location"):
        raise InvalidInput("Invalid artifacts: artifacts of type S3 need a location")
    if artifacts["type"] == "NO_ARTIFACTS" and artifacts.get("location"):
        raise InvalidInput("Invalid artifacts: NO_ARTIFACTS have no location")


def check_environment(given: Mapping[str, Any]) -> None:
    kind = given["type"]
    if kind not in ENVIRONMENTS:
        raise NotHere(
            f"The sandbox does not have environments of type {kind}; they exist on AWS. {_OTHER}"
            f"Use {' or '.join(ENVIRONMENTS)}."
        )
    if given["imagePullCredentialsType"] == "SERVICE_ROLE" and given["image"].startswith(_CURATED):
        # https://github.com/aws/aws-codebuild-docker-images/issues/163
        raise InvalidInput(
            "Invalid input: cannot use a CodeBuild curated image with imagePullCredentialsType "
            "SERVICE_ROLE"
        )
    for name in ("fleet", "registryCredential", "certificate", "dockerServer"):
        if given.get(name):
            raise not_here(f"environment.{name}", _OTHER)
    names = [each["name"] for each in given["environmentVariables"]]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"Duplicate environment variable name: {name}")


def with_defaults(given: Mapping[str, Any], name: str) -> Document:
    """Artifacts of a project of this name, with AWS's defaults."""
    if given["type"] != "S3":
        return dict(given)
    return {
        "path": "",
        "namespaceType": "NONE",
        "name": name,
        "packaging": "NONE",
        "encryptionDisabled": False,
        **given,
    }


def _with_defaults(given: Mapping[str, Any], **defaults: Any) -> Document:
    return {**{name: value for name, value in defaults.items() if value is not None}, **given}
