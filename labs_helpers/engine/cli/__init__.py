"""The ``docker`` that stands in when no real one is installed.

Same arguments, output on stdout and exit codes as Docker's own command line (28) for what the labs
use. It talks HTTP to the engine's socket with the standard library alone: importing the Docker
SDK takes 0.4 s, a whole command here 0.15 s.

Differences, on purpose:

- ``docker login`` names the file of the credentials as ``$DOCKER_CONFIG/config.json``, not by its
  path, and ``docker build`` does not print that the classic builder is deprecated, so that a
  notebook's output is the same everywhere;
- containers, networks, volumes, contexts, plugins and Docker Hub search are refused by name.
"""
