"""Errors of a build, in dockerd's words where dockerd has the error."""

from __future__ import annotations


class BuildError(Exception):
    """A build failed after its start; the error is reported in the message stream.

    ``line`` is the line of the Dockerfile, from 1, or None; ``exit_code`` is the exit status of a
    failed RUN, which the client takes over, or None.
    """

    def __init__(self, message: str, line: int | None = None, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.exit_code = exit_code


class DockerfileError(BuildError):
    """The request or its Dockerfile is malformed: HTTP 400, before anything is built."""


def parse_error(line: int, message: str) -> DockerfileError:
    """The error for a line of the Dockerfile, in dockerd's words."""
    return DockerfileError(f"dockerfile parse error on line {line}: {message}", line)


def cannot_run(instruction: str, line: int) -> BuildError:
    """The error for RUN where there are no namespaces, and PRoot is not installed."""
    return BuildError(
        f"Dockerfile line {line}: {instruction}: this engine has no way to run commands here. "
        "It builds from FROM, COPY, ADD and the instructions that set metadata; with PRoot "
        "installed (on Debian and Ubuntu: apt install proot) it does RUN as well. "
        f"{_ADVICE}",
        line,
    )


def no_program(reason: str) -> BuildError:
    """The error for RUN of a program that the image lacks; ``reason`` is in runc's words."""
    return BuildError(
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start"
        " container process: "
        f"{reason}: the image does not have this program, as the labs' stand-ins of Docker Hub's "
        f"images have none. {_ADVICE}"
    )


_ADVICE = (
    "To have what the command makes, either start from a base image that already holds it, "
    "or make it outside and COPY it in, or build with a real Docker daemon (LABS_ENGINE=docker)."
)
