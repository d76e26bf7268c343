"""The stand-in ``docker``, for machines without Docker's own command.

For the commands of the labs, arguments, output and exit codes are those of Docker's command (28).
The stand-in talks HTTP to the engine's socket with the standard library alone: importing the Docker
SDK takes 0.4 s, a whole command here 0.15 s.

Deliberate differences:

- a notebook's output must be the same everywhere. So ``docker login`` prints
  ``$DOCKER_CONFIG/config.json`` instead of that file's path, and ``docker build`` does not print
  that the classic builder is deprecated;
- containers, networks, volumes, contexts, plugins and Docker Hub search are refused by name.
"""
