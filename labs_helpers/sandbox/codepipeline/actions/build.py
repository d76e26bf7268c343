"""CodeBuild for a pipeline: a build is started with the pipeline's artifacts, and looked at.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
On AWS the two services hand artifacts over in a way that has no public name; here StartBuild
overrides source and artifacts by objects of the artifact store, so that the build's own role has
to have the right to both, as on AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    refused,
    words,
)
from labs_helpers.sandbox.codepipeline.configurations import build_variables

RESOLVED = "CODEBUILD_RESOLVED_SOURCE_VERSION"
"""How the source revision is handed over: CodeBuild takes the variable out of a pipeline's call."""
_SERVICE = "AWSCodeBuild"


def codebuild(work: Work) -> Outcome:
    """Start the build at the first look; at the others say how the build goes."""
    if "build" not in work.memory:
        return _start(work)
    try:
        found = work.client("codebuild").batch_get_builds(ids=[work.memory["build"]])["builds"]
    except ClientError as error:
        raise _failed("batchGetBuilds", error) from error
    if not found:
        raise ActionFailed("JobFailed", f"The build {work.memory['build']} is no longer there")
    build = found[0]
    external = _external(work, build["id"])
    if not build["buildComplete"]:
        return Outcome("InProgress", external=external, memory=dict(work.memory))
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailed("JobFailed", _why(build))
    variables = {
        each["name"]: each["value"] for each in build.get("exportedEnvironmentVariables", [])
    }
    output = work.memory.get("output")
    return Outcome(
        "Succeeded",
        external=external,
        output=[output] if output else [],
        variables=variables,
    )


def _start(work: Work) -> Outcome:
    name = work.configuration["ProjectName"]
    given = work.inputs[0]
    artifacts: dict[str, Any] = {"type": "NO_ARTIFACTS"}
    output = None
    if work.action["outputArtifacts"]:
        output = work.place(work.action["outputArtifacts"][0]["name"])
        path, _, last = output["key"].rpartition("/")
        artifacts = {
            "type": "S3",
            "location": output["bucket"],
            "path": path,
            "name": last,
            "namespaceType": "NONE",
            "packaging": "ZIP",
        }
    variables = build_variables(
        work.action["name"], work.configuration.get("EnvironmentVariables", "[]")
    )
    if work.revision:
        variables = [*variables, {"name": RESOLVED, "value": work.revision}]
    try:
        build = work.client("codebuild").start_build(
            projectName=name,
            sourceTypeOverride="S3",
            sourceLocationOverride=f"{given['bucket']}/{given['key']}",
            artifactsOverride=artifacts,
            environmentVariablesOverride=variables,
        )["build"]
    except ClientError as error:
        raise _failed("startBuild", error) from error
    memory = {"build": build["id"], "output": output}
    return Outcome("InProgress", external=_external(work, build["id"]), memory=memory)


def _failed(operation: str, error: ClientError) -> ActionFailed:
    code = "PermissionError" if refused(error) else "JobFailed"
    return ActionFailed(code, f"Error calling {operation}: {words(error, _SERVICE)}")


def _external(work: Work, build: str) -> dict[str, str]:
    project = build.partition(":")[0]
    host = f"https://{work.region}.console.aws.amazon.com/codesuite/codebuild/{work.account}"
    return {"id": build, "url": f"{host}/projects/{project}/build/{build}/log"}


def _why(build: Mapping[str, Any]) -> str:
    """Users quote "Build terminated with state: FAILED", and then phase, code and message."""
    said = f"Build terminated with state: {build['buildStatus']}"
    for phase in build["phases"]:
        if phase.get("phaseStatus", "SUCCEEDED") != "SUCCEEDED":
            for context in phase.get("contexts", [])[:1]:
                if not context["statusCode"] and not context["message"]:
                    continue  # a phase that says nothing of how it ended; a later one does
                return (
                    f"{said}. Phase: {phase['phaseType']}, Code: {context['statusCode']}, "
                    f"Message: {context['message']}"
                )
    return said
