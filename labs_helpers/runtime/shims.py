"""The commands in the labs' ``bin/``, which is first on the PATH: `docker` and `aws`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.files import LabsError, cannot_write, write_text
from labs_helpers.workspace import Workspace

STANDIN_MODULE = "labs_helpers.engine.cli"
"""The module that is the `docker` command where none is installed."""

_PLUGIN = (
    '{"SchemaVersion":"0.1.0","Vendor":"the labs","Version":"v0.1.0",'
    '"ShortDescription":"docker build on the labs engine"}'
)
"""The metadata with which a plugin answers Docker; https://github.com/docker/cli/issues/1534"""

NOT_RUNNING = (
    "The labs' engine does not run: `labs start` starts it, and so does the first cell of a lab."
)
"""What to do when nothing answers on the engine's socket; one line."""

_FIRST_WORD = """\
# The command is the first word that is neither an option nor the value of one.
first=
value=
for word do
  if [ "$value" ]; then
    value=
    continue
  fi
  case $word in
    {with_value}) value=next ;;
    -*) ;;
    *) first=$word; break ;;
  esac
done
"""

_CHOSEN = f"""\
#!/bin/sh
if [ "$DOCKER_HOST" = "unix://{{socket}}" ] && [ ! -S "{{socket}}" ]; then
  echo '{{not_running}}' >&2
fi
{_FIRST_WORD}\
case $first in
  manifest) {{ours}} ;;
esac
exec "{{chosen}}" "$@"
"""

_OLD_HOST_NAMES = ("docdb", "emr", "health", "neptune", "rds", "sqs")
"""Commands of `aws` 1 whose endpoint is an old host name (overridesslcommonname.py)."""

_AWS_WITH_VALUE = (
    "--ca-bundle",
    "--cli-binary-format",
    "--cli-connect-timeout",
    "--cli-error-format",
    "--cli-read-timeout",
    "--color",
    "--endpoint-url",
    "--output",
    "--profile",
    "--query",
    "--region",
)
"""Options of `aws` itself whose value is the next word.

https://docs.aws.amazon.com/cli/latest/reference/#options
"""

_NO_KUBERNETES = (
    "An error occurred (NotInSandbox): aws eks update-kubeconfig has nothing to write. The sandbox "
    "keeps the record of a cluster and runs no Kubernetes API, so that kubectl has nothing to talk "
    "to. lab.pods does what a node does with a manifest."
)

_AWS = f"""\
#!/bin/sh
# What needs no sandbox runs without one.
case " $1 $* " in
  *" configure "*|*" help "*|*" --version "*|"  ") ;;
  *)
    pid=$(sed -n 's/^ *"pid": \\([0-9]*\\).*/\\1/p' "{{record}}" 2>/dev/null)
    # a build may signal no process but its own, and sees the sandbox's nevertheless
    if ! kill -0 "${{{{pid:-none}}}}" 2>/dev/null && ! [ -d "/proc/${{{{pid:-none}}}}" ]; then
      echo "{{down}}" >&2
      exit 255
    fi ;;
esac
# the CLI would write a file by which kubectl finds nothing; version 1 does not say who asks
case " $* " in
  *" help "*) ;;
  *" eks update-kubeconfig "*)
    echo "{{no_kubernetes}}" >&2
    exit 255 ;;
esac
endpoint=
for word do
  case $word in
    --endpoint-url | --endpoint-url=*) endpoint=given ;;
  esac
done
{_FIRST_WORD}\
# a terminal of this LABS_HOME may be older than the sandbox's port
case "$LABS_HOME $AWS_ENDPOINT_URL" in
  "{{home}} http://127.0.0.1:"*) export AWS_ENDPOINT_URL={{proxy}} ;;
esac
case $endpoint$first in
  {{old_names}}) set -- --endpoint-url {{proxy}} "$@" ;;
esac
{{run}}
"""


@dataclass(frozen=True)
class Docker:
    """The `docker` command on the labs' PATH, and why this one.

    ``kind`` is "installed", "standin" or "chosen" (by a path in LABS_DOCKER); ``path`` is the
    program that runs.
    """

    kind: str
    path: Path
    why: str


def choose_docker(workspace: Workspace, environ: Mapping[str, str] | None = None) -> Docker:
    """Choose by LABS_DOCKER: auto, standin or a path. With auto, an installed `docker` wins.

    Raises LabsError for a path that is no executable.
    """
    environ = os.environ if environ is None else environ
    ours = workspace.bin / "docker"
    wanted = environ.get("LABS_DOCKER") or "auto"
    if wanted == "standin":
        return Docker("standin", ours, "LABS_DOCKER=standin")
    if wanted != "auto":
        found = shutil.which(Path(wanted).expanduser())
        if found is None:
            raise LabsError(
                f"LABS_DOCKER names {wanted}, which is not a command.\n"
                "It can be auto, standin, or the path of a docker command."
            )
        return Docker("chosen", Path(found).absolute(), f"LABS_DOCKER={wanted}")
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    elsewhere = os.pathsep.join(entry for entry in path if entry != str(workspace.bin))
    if installed := shutil.which("docker", path=elsewhere):
        return Docker("installed", Path(installed), "the first docker on the PATH")
    return Docker("standin", ours, "no docker command is installed")


def place_docker(
    workspace: Workspace,
    choice: Docker,
    with_value: Sequence[str],
    python: str = sys.executable,
) -> None:
    """Write a script into the labs' ``bin/`` that runs the chosen `docker`.

    The chosen program is unmodified. `docker manifest` bypasses the engine and would contact real
    AWS, so the stand-in handles this one command. ``with_value`` are the options of `docker` itself
    whose value is the next word.
    """
    ours = f'exec "{python}" -m {STANDIN_MODULE} "$@"'
    script = f"#!/bin/sh\n{ours}\n"
    if choice.kind != "standin":
        script = _CHOSEN.format(
            ours=ours,
            chosen=choice.path,
            with_value="|".join(with_value),
            socket=workspace.socket,
            not_running=NOT_RUNNING.replace("'", "'\\''"),
        )
    _place(workspace.bin / "docker", script)
    builder = f"""\
#!/bin/sh
# Docker 23 and later pass `docker build` to the plugin buildx, which works with BuildKit only.
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{_PLUGIN}'
  exit
fi
exec "{python}" -m {STANDIN_MODULE}.buildx "$@"
"""
    _place(workspace.docker / "cli-plugins" / "docker-buildx", builder)


def place_aws(
    workspace: Workspace,
    port: int,
    environ: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> None:
    """Write a script into the labs' ``bin/`` that runs the installed `aws`, if there is one.

    The installed program is unmodified. The script sets what no setting of `aws` can:

    - HOME, because aliases, models and caches are in ``~/.aws/`` whatever AWS_CONFIG_FILE says;
    - --endpoint-url for a few services, where version 1 passes over AWS_ENDPOINT_URL for an old
      host name unless the option is given:
      https://github.com/aws/aws-cli/blob/1.46.3/awscli/customizations/overridesslcommonname.py
    - a proxy, for whatever passes over both. The proxy is the sandbox, which refuses the request.

    When the sandbox's process is gone, the script says so at once: `aws` itself would try for
    seconds, and end with an address that says nothing to a learner.

    LABS_AWS names another `aws` than the one beside ``python`` or on the PATH: version 2, say, in a
    workbook that pip installed with version 1. Raises LabsError for a path that is no executable.
    """
    installed = _installed_aws(workspace, os.environ if environ is None else environ, python)
    script = None
    if installed:
        proxy = f"http://127.0.0.1:{port}"
        variables = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), proxy)
        variables |= {name.lower(): proxy for name in variables}
        exports = " ".join(f"{name}={value}" for name, value in variables.items())
        script = _AWS.format(
            record=workspace.sandbox / "server.json",
            down=SANDBOX_DOWN,
            proxy=proxy,
            home=workspace.home,
            with_value="|".join(_AWS_WITH_VALUE),
            no_kubernetes=_NO_KUBERNETES,
            old_names="|".join(_OLD_HOST_NAMES),
            run=f'HOME="{workspace.aws_config.parent}" {exports} exec "{installed}" "$@"',
        )
    _place(workspace.bin / "aws", script)


def place_aws_on_aws(
    workspace: Workspace, environ: Mapping[str, str] | None = None, python: str = sys.executable
) -> None:
    """Write a script into the labs' ``bin/`` that runs the installed `aws` against real AWS.

    The installed program is unmodified. The script sets HOME: caches of role credentials are in
    ``~/.aws/cli/cache`` whatever AWS_CONFIG_FILE says, and the learner's home stays as it is.
    """
    installed = _installed_aws(workspace, os.environ if environ is None else environ, python)
    home = workspace.aws_config.parent
    script = f'#!/bin/sh\nHOME="{home}" exec "{installed}" "$@"\n' if installed else None
    _place(workspace.bin / "aws", script)


def _installed_aws(workspace: Workspace, environ: Mapping[str, str], python: str) -> str | None:
    if wanted := environ.get("LABS_AWS"):
        if found := shutil.which(Path(wanted).expanduser()):
            return str(Path(found).absolute())
        raise LabsError(
            f"LABS_AWS names {wanted}, which is not a command.\n"
            "It is the path of an aws command; unset, the labs take the one that they came with."
        )
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    places = [str(Path(python).parent), *(one for one in path if one != str(workspace.bin))]
    return shutil.which("aws", path=os.pathsep.join(places))


def _place(command: Path, script: str | None) -> None:
    try:
        if script is None:
            command.unlink(missing_ok=True)
        elif not command.is_file() or command.read_text() != script:
            command.parent.mkdir(mode=0o700, exist_ok=True)
            write_text(command, script, mode=0o700)
    except OSError as error:
        raise cannot_write(command, error) from error
