"""Builds images from Dockerfiles; RUN needs PRoot (see run/)."""

from .builder import Pull, build
from .errors import BuildError, DockerfileError
from .options import BuildOptions

__all__ = ["BuildError", "BuildOptions", "DockerfileError", "Pull", "build"]
