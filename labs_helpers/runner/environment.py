"""The variables and the home folder that a build begins with.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from labs_helpers.defaults import CLOCK_AHEAD
from labs_helpers.files import write_json
from labs_helpers.runner import sources
from labs_helpers.workspace import Workspace

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NO_DAEMON = Path("/var/run/docker.sock")
"""Where CodeBuild's docker looks; without privileged mode nothing listens there."""


def variables(
    workspace: Workspace, body: Mapping[str, Any], endpoint: str, home: Path, tmp: Path
) -> dict[str, str]:
    """The variables of the machine, CodeBuild's that do not change, and the role's session.

    body: of the job; endpoint: the sandbox's; home, tmp: folders of the build's own.
    """
    build = body["build"]
    found = {
        # the labs' commands first; then what runs the labs, for `python` and `aws`
        "PATH": os.pathsep.join([str(workspace.bin), str(Path(sys.executable).parent), _PATH]),
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "LANG": "C.UTF-8",
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "BOTO_CONFIG": str(home / ".boto"),
        "AWS_PAGER": "",
        **_labs(body, home),
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        **_docker(workspace, build["environment"]["privilegedMode"], home),
        **_everywhere(body, endpoint),
    }
    return {name: value for name, value in found.items() if value or name == "AWS_PAGER"}


def in_container(
    image: Mapping[str, str], body: Mapping[str, Any], endpoint: str
) -> dict[str, str]:
    """The variables of the image, then as `variables`, for commands in a container.

    image: the image's variables. Programs of the labs are not in the container.
    """
    found = {
        "PATH": _PATH,
        **image,
        "HOME": "/root",
        **_everywhere(body, endpoint),
    }
    return {name: value for name, value in found.items() if value}


def _everywhere(body: Mapping[str, Any], endpoint: str) -> dict[str, str]:
    """The role's session, the way to the sandbox, and CodeBuild's variables."""
    return {
        "CI": "true",
        **body["credentials"],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **_of_build(body["build"]),
    }


def versions(build: Mapping[str, Any]) -> dict[str, str]:
    """The versions of secondary sources, by their identifiers."""
    return {
        each["sourceIdentifier"]: each["sourceVersion"]
        for each in build.get("secondarySourceVersions", [])
    }


def _of_build(build: Mapping[str, Any]) -> dict[str, str]:
    """CodeBuild's variables that do not change, "" for one that a build does not have."""
    of_version = versions(build)
    beside = {}
    for each in build.get("secondarySources", []):
        name = each["sourceIdentifier"]
        beside[f"CODEBUILD_SOURCE_REPO_URL_{name}"] = sources.url(each)
        beside[f"CODEBUILD_SOURCE_VERSION_{name}"] = of_version.get(name, "")
    return {
        **beside,
        "CODEBUILD_BUILD_IMAGE": build["environment"]["image"],
        "CODEBUILD_KMS_KEY_ID": build["encryptionKey"],
        "CODEBUILD_LOG_PATH": build["logs"].get("streamName", ""),
        "CODEBUILD_PROJECT_ARN": _project_arn(build),
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.get("resolvedSourceVersion", ""),
        "CODEBUILD_SOURCE_REPO_URL": sources.url(build["source"]),
        "CODEBUILD_SOURCE_VERSION": build.get("sourceVersion", ""),
    }


def secrets(workspace: Workspace) -> tuple[Path, ...]:
    """The folders that a build does not read: the labs' own, and the learner's home.

    Keys and tokens are there: of AWS, of ssh, of the running JupyterLab.
    """
    homes = {Path.home()}
    with suppress(KeyError):  # a user without an account, as in some containers
        homes.add(Path(pwd.getpwuid(os.geteuid()).pw_dir))
    kept = [each.resolve() for each in homes if each.is_dir()]
    return (workspace.home, *(each for each in kept if each != Path(each.anchor)))


def readable(workspace: Workspace, secrets: tuple[Path, ...]) -> tuple[Path, ...]:
    """What a build reads in those folders: what runs the labs, and the labs' commands."""
    programs = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path}
    code = [Path(each) for each in programs if each] + [Path(__file__).parents[1]]
    closed = [each.resolve() for each in secrets]
    kept = [each for each in code if not any(one.is_relative_to(each.resolve()) for one in closed)]
    own = (workspace.bin, workspace.docker / "cli-plugins", workspace.sandbox / "server.json")
    return (*own, *kept)


def sockets(workspace: Workspace, body: Mapping[str, Any]) -> tuple[Path, ...]:
    """The sockets that a build connects to: with privileged mode that of the labs' engine."""
    privileged = body["build"]["environment"]["privilegedMode"]
    return (workspace.socket,) if privileged else ()


def _labs(body: Mapping[str, Any], home: Path) -> dict[str, str]:
    """What `labs gate` and others read: a folder of the build's own, with the names that hold here.

    The learner's folder of the labs holds keys, and no command of a build may read the folder.
    """
    own = home / ".labs"
    own.mkdir(mode=0o700, exist_ok=True)
    write_json(own / "config.json", {"account": body["account"], "region": body["region"]})
    ahead = str(body["clock_offset"])
    return {"LABS_HOME": str(own), "LABS_MODE": "sandbox", CLOCK_AHEAD: ahead}


def _docker(workspace: Workspace, privileged: bool, home: Path) -> dict[str, str]:
    """With privileged mode the labs' engine; else no daemon, also where the machine has one."""
    if not privileged:
        nobody = home / "docker.sock" if _NO_DAEMON.exists() else _NO_DAEMON
        return {"DOCKER_HOST": f"unix://{nobody}", "DOCKER_CONFIG": str(home / ".docker")}
    config = home / ".docker"
    config.mkdir(exist_ok=True)
    plugins = config / "cli-plugins"
    if not plugins.is_symlink():
        plugins.symlink_to(workspace.docker / "cli-plugins")
    return {"DOCKER_HOST": f"unix://{workspace.socket}", "DOCKER_CONFIG": str(config)}


def _project_arn(build: Mapping[str, Any]) -> str:
    head, _, _ = build["arn"].partition(":build/")
    return f"{head}:project/{build['projectName']}"
