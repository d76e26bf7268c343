"""What can go wrong in a build; the messages are dockerd's where dockerd has one."""

from __future__ import annotations


class BuildError(Exception):
    """A build that has begun cannot go on: reported inside the message stream.

    ``line`` is that of the Dockerfile (1 is the first), None when no line is to blame;
    ``exit_code`` is what a client ends with.
    """

    def __init__(self, message: str, line: int | None = None, exit_code: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.exit_code = exit_code


class DockerfileError(BuildError):
    """The request or its Dockerfile is not well formed: HTTP 400, before anything is built."""


def parse_error(line: int, message: str) -> DockerfileError:
    """The error for one line, in dockerd's words."""
    return DockerfileError(f"dockerfile parse error line {line}: {message}", line)


def cannot_run(instruction: str, line: int) -> BuildError:
    """The error for RUN, which needs containers and this engine has none."""
    return BuildError(
        f"Dockerfile line {line}: {instruction}: this engine has no way to run commands. "
        "It builds from FROM, COPY, ADD and the instructions that set metadata. "
        "To have what the command makes, either start from a base image that already holds it, "
        "or make it outside and COPY it in, or build with a real Docker daemon "
        "(LABS_ENGINE=docker, in a later version of the labs).",
        line,
    )
