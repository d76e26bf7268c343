"""The commands of Docker that the stand-in does not have: what each one is, and what to do instead.

Names and purposes: https://docs.docker.com/reference/cli/docker/, read 2026-11-28.
"""

from __future__ import annotations

_NOT_HERE = "the labs' engine has no {}. Install Docker for that"
_PLUGIN = "{}; it is a plugin of Docker's own command, and the labs do not have it"
_SWARM = "Docker Swarm runs containers on several machines; the labs have one. {}"
_ECS = "Amazon ECS or EKS runs what you push"
REFUSED: dict[str, str] = {
    **{name: _SWARM.format(_ECS) for name in ("config", "node", "secret", "service", "stack")},
    "swarm": _SWARM.format(_ECS),
    "checkpoint": _NOT_HERE.format("checkpoints, which keep the state of a container"),
    **{
        name: _NOT_HERE.format(what)
        for name, what in (
            ("commit", "images made of containers: write a Dockerfile"),
            ("diff", "list of a container's changes"),
            ("export", "archives of containers"),
            ("pause", "pause, which needs a cgroup"),
            ("stats", "statistics, which need a cgroup"),
            ("unpause", "pause, which needs a cgroup"),
            ("update", "limits to update, which need a cgroup"),
        )
    },
    "context": "the labs have one context, default: DOCKER_HOST names the labs' engine",
    "plugin": _NOT_HERE.format("plugins of the engine"),
    "trust": "nothing here is signed with Docker Content Trust, whose support Docker has removed;"
    " Amazon ECR signs images with AWS Signer",
    **{
        name: _PLUGIN.format(what)
        for name, what in (
            ("ai", "Gordon is Docker's AI assistant"),
            ("bake", "buildx bake builds several images at once"),
            ("compose", "Docker Compose runs several containers together"),
            ("debug", "Docker Debug opens a shell in a container or an image"),
            ("desktop", "docker desktop starts and stops Docker Desktop"),
            ("extension", "Docker Extensions add to Docker Desktop"),
            ("init", "Docker Init writes a first Dockerfile for a project"),
            ("mcp", "the MCP Toolkit connects AI agents with tools"),
            ("model", "Docker Model Runner runs AI models"),
            ("offload", "Docker Offload builds and runs in Docker's cloud"),
            ("sandbox", "Docker Sandboxes run AI agents in isolation"),
            ("sbom", "docker sbom lists the packages of an image"),
            ("scan", "docker scan looked for vulnerabilities, until Docker Scout replaced it"),
            ("scout", "Docker Scout looks for vulnerabilities in an image"),
        )
    },
}
"""Docker's commands that the stand-in does not have, and why; for a plugin, what it is."""

INSTEAD = {
    "sbom": "The labs have `labs sbom IMAGE`",
    "scan": "The labs have Amazon ECR's scan: `aws ecr start-image-scan`",
    "scout": "The labs have Amazon ECR's scan: `aws ecr start-image-scan`",
    "init": "The labs' Dockerfiles are in notebooks/files",
}
"""What the labs have in place of a refused command."""

_LISTS = (
    "the labs make and send no manifest lists by docker. Push each image, and put a list of them"
    " with `aws ecr put-image`"
)
REFUSED_IN_GROUPS = {f"manifest {name}": _LISTS for name in ("annotate", "create", "push", "rm")}
"""Commands of a group that this stand-in does not have, and what to do instead."""
