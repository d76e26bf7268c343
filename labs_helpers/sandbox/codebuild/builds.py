"""What a build is: made of the project and of StartBuild's overrides, then phase after phase.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codebuild import projects
from labs_helpers.sandbox.codebuild.errors import InvalidInput
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.errors import NotHere, not_here

Document = dict[str, Any]

PIPELINE = "codepipeline="
"""How the name of CodePipeline's role session begins; the pipeline's name follows.

On AWS CodePipeline hands a build its artifacts in a way that has no public name. Here the pipeline
calls StartBuild with sourceTypeOverride S3 and artifactsOverride of type S3, in such a session.
"""
_RESOLVED = "CODEBUILD_RESOLVED_SOURCE_VERSION"
"""The variable in which a pipeline hands over the source revision.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

CONNECTION = re.compile(r"arn:aws:(?:codeconnections|codestar-connections):[^:]*:\d*:connection/.+")

_OF_SOURCE: Mapping[str, str] = {
    "sourceTypeOverride": "type",
    "sourceLocationOverride": "location",
    "sourceAuthOverride": "auth",
    "buildspecOverride": "buildspec",
    "gitCloneDepthOverride": "gitCloneDepth",
    "insecureSslOverride": "insecureSsl",
}
_OF_ENVIRONMENT: Mapping[str, str] = {
    "environmentTypeOverride": "type",
    "imageOverride": "image",
    "computeTypeOverride": "computeType",
    "privilegedModeOverride": "privilegedMode",
    "imagePullCredentialsTypeOverride": "imagePullCredentialsType",
}
_OF_BUILD: Mapping[str, str] = {
    "cacheOverride": "cache",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "encryptionKeyOverride": "encryptionKey",
}
_SECONDARY: Mapping[str, str] = {
    "secondarySourcesOverride": "secondarySources",
    "secondarySourcesVersionOverride": "secondarySourceVersions",
    "secondaryArtifactsOverride": "secondaryArtifacts",
}
_NOT_HERE = (
    "gitSubmodulesConfigOverride",
    "certificateOverride",
    "registryCredentialOverride",
    "debugSessionEnabled",
    "fleetOverride",
    "autoRetryLimitOverride",
    "buildStatusConfigOverride",
    "hostKernelOverride",
)
"""Overrides that would be without effect here."""


def initiator(caller: Principal) -> str:
    """Who started a build: a user's name, "role/session", or "codepipeline/<name>".

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html#CodeBuild-Type-Build-initiator
    """
    kind, _, name = caller.arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return name.rpartition("/")[2] or kind
    session = name.partition("/")[2]
    if session.startswith(PIPELINE):
        return f"codepipeline/{session.removeprefix(PIPELINE)}"
    return name


def start(
    project: Mapping[str, Any], params: Mapping[str, Any], caller: Principal, region: str, at: float
) -> Document:
    """A new build, submitted and queued; raises InvalidInput or NotHere for its overrides."""
    for name in _NOT_HERE:
        if params.get(name):
            raise not_here(name)
    name, number = project["name"], str(uuid.uuid4())
    build_id = f"{name}:{number}"
    source = {**project["source"], **_renamed(params, _OF_SOURCE)}
    given = params.get("environmentVariablesOverride", [])
    resolved = ""
    if initiator(caller).startswith("codepipeline/"):
        resolved = next((each["value"] for each in given if each["name"] == _RESOLVED), "")
        given = [each for each in given if each["name"] != _RESOLVED]
    variables = {each["name"]: each for each in project["environment"]["environmentVariables"]}
    variables |= {each["name"]: each for each in given}
    environment = projects.environment(
        {
            **project["environment"],
            **_renamed(params, _OF_ENVIRONMENT),
            "environmentVariables": [*variables.values()],
        }
    )
    artifacts = params.get("artifactsOverride") or project["artifacts"]
    _check(project, source, artifacts, environment)
    group, stream = _log(
        params.get("logsConfigOverride") or project.get("logsConfig"), name, number
    )
    build: Document = {
        "id": build_id,
        "arn": f"arn:aws:codebuild:{region}:{caller.account}:build/{build_id}",
        "startTime": at,
        "currentPhase": "QUEUED",
        "buildStatus": "IN_PROGRESS",
        "projectName": name,
        "phases": [],
        "source": source,
        "artifacts": {"location": ""},
        "environment": environment,
        "buildComplete": False,
        "initiator": initiator(caller),
        **{each: project[each] for each in _OF_BUILD.values()},
        **_renamed(params, _OF_BUILD),
        "logs": _logs(group, stream, caller.account, region),
    }
    projects.check_role(build["serviceRole"], caller.account)
    version = params.get("sourceVersion") or project.get("sourceVersion")
    if version:
        build["sourceVersion"] = version
    if resolved:
        build["resolvedSourceVersion"] = resolved
    beside = {each: project.get(each, []) for each in _SECONDARY.values()}
    beside |= _renamed(params, _SECONDARY)
    _check_fetched(beside["secondarySources"])
    projects.check_secondary(beside)
    build |= {each: value for each, value in beside.items() if value}
    build["output"] = projects.with_defaults(artifacts, name)
    build["secondaryOutput"] = [
        projects.with_defaults(each, name) for each in beside["secondaryArtifacts"]
    ]
    if beside["secondaryArtifacts"]:
        build["secondaryArtifacts"] = [
            {"location": "", "artifactIdentifier": each["artifactIdentifier"]}
            for each in beside["secondaryArtifacts"]
        ]
    begin(build, "SUBMITTED", at)
    end(build, "SUCCEEDED", at)
    begin(build, "QUEUED", at)
    return build


def begin(build: Document, phase: str, at: float) -> None:
    """A phase begins; one that has begun goes on."""
    if build["currentPhase"] == phase and build["phases"] and "endTime" not in build["phases"][-1]:
        return
    end(build, "SUCCEEDED", at)
    build["currentPhase"] = phase
    build["phases"].append({"phaseType": phase, "startTime": at})


def end(
    build: Document, status: str, at: float, contexts: Sequence[Mapping[str, str]] = ()
) -> Document | None:
    """The running phase ends; returns the phase, None where none was running.

    A phase that succeeded has one empty context, as answers of AWS show from DOWNLOAD_SOURCE on.
    """
    if not build["phases"] or "endTime" in build["phases"][-1]:
        return None
    phase: Document = build["phases"][-1]
    phase |= {
        "phaseStatus": status,
        "endTime": at,
        "durationInSeconds": int(at - phase["startTime"]),
    }
    if contexts:
        phase["contexts"] = [dict(each) for each in contexts]
    return phase


def complete(build: Document, status: str, at: float) -> None:
    """The build ends: FINALIZING is over, and COMPLETED has no end."""
    end(build, status if status != "SUCCEEDED" else "SUCCEEDED", at)
    build |= {
        "buildStatus": status,
        "buildComplete": True,
        "endTime": at,
        "currentPhase": "COMPLETED",
    }
    build["phases"].append({"phaseType": "COMPLETED", "startTime": at})


def shown(build: Mapping[str, Any]) -> Document:
    """A build as an answer has it."""
    return {name: value for name, value in build.items() if name not in _OWN}


_OWN = ("output", "secondaryOutput")
"""What only the sandbox knows of a build: where its artifacts go."""


def _renamed(params: Mapping[str, Any], names: Mapping[str, str]) -> Document:
    return {ours: params[theirs] for theirs, ours in names.items() if theirs in params}


def _check(
    project: Mapping[str, Any],
    source: Mapping[str, Any],
    artifacts: Mapping[str, Any],
    environment: Mapping[str, Any],
) -> None:
    if source["type"] == "CODEPIPELINE":
        raise InvalidInput(
            f"The project {project['name']} takes its source from a pipeline: start the pipeline, "
            "or override the type and the location of the source"
        )
    _check_fetched([source])
    if project["source"]["type"] == "CODEPIPELINE" and artifacts["type"] == "CODEPIPELINE":
        artifacts = {"type": "NO_ARTIFACTS"}
    projects.check_source(source, artifacts)
    projects.check_artifacts(artifacts)
    projects.check_environment(environment)


def _check_fetched(sources: Sequence[Mapping[str, Any]]) -> None:
    """Raise NotHere for a source that the sandbox cannot fetch."""
    for source in sources:
        if source["type"] not in projects.FETCHED:
            raise NotHere(
                f"The sandbox fetches no sources of type {source['type']}; they exist on AWS. Put "
                "the source into a bucket as a ZIP file, and start the build with "
                "--source-type-override S3 --source-location-override bucket/source.zip."
            )
        auth = source.get("auth") or {}
        if source["type"] == "GITHUB" and not CONNECTION.fullmatch(auth.get("resource", "")):
            raise NotHere(
                "The sandbox reaches no GitHub, and fetches sources of type GITHUB over a "
                "connection to the stand-in GitHub only: give the source the auth "
                "type=CODECONNECTIONS,resource=<ARN of the connection>. labs connect names the git "
                "folder that stands for the repository."
            )


def _log(config: Mapping[str, Any] | None, project: str, number: str) -> tuple[str, str]:
    """Log group and stream; empty for a build without a log.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CloudWatchLogsConfig.html
    """
    given = (config or {}).get("cloudWatchLogs") or {"status": "ENABLED"}
    if given["status"] != "ENABLED":
        return "", ""
    group = given.get("groupName") or f"/aws/codebuild/{project}"
    prefix = given.get("streamName")
    return group, f"{prefix}/{number}" if prefix else number


def _logs(group: str, stream: str, account: str, region: str) -> Document:
    if not group:
        return {"cloudWatchLogs": {"status": "DISABLED"}, "s3Logs": {"status": "DISABLED"}}
    link = f"https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups"
    parts = [part.replace("/", "$252F") for part in (group, stream)]
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{stream}"
    return {
        "groupName": group,
        "streamName": stream,
        "deepLink": f"{link}/log-group/{parts[0]}/log-events/{parts[1]}",
        "cloudWatchLogsArn": arn,
        "cloudWatchLogs": {"status": "ENABLED", "groupName": group, "streamName": stream},
        "s3Logs": {"status": "DISABLED"},
    }
