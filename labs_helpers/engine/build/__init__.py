"""Builds images from Dockerfiles; RUN needs namespaces or PRoot (see run/)."""

from .builder import Pull, build
from .errors import BuildError, DockerfileError
from .import_archive import import_archive
from .options import BuildOptions

__all__ = ["BuildError", "BuildOptions", "DockerfileError", "Pull", "build", "import_archive"]
