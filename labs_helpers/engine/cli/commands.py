"""The table of commands: ``docker <name>`` and ``docker <group> <name>``.

What a command accepts is declared at its function. A new command is a function with
``@command(...)`` in a module of this package, and a row here.
"""

from __future__ import annotations

from . import build, disk, image, images, login, system, transfer
from .command_line import Command

COMMANDS: dict[str, Command] = {
    "run": system.run,
    "ps": system.containers,
    "build": build.build,
    "pull": transfer.pull,
    "push": transfer.push,
    "images": images.image_list,
    "login": login.login,
    "logout": login.logout,
    "search": system.search,
    "version": system.version,
    "info": system.info,
    "history": images.history,
    "inspect": image.inspect_any,
    "load": transfer.load,
    "rmi": image.remove,
    "save": transfer.save,
    "tag": image.tag,
    "events": system.events,
}
"""``docker <name>``, in the order in which ``docker --help`` lists them."""

_IMAGE: dict[str, Command] = {
    "build": build.build,
    "history": images.history,
    "inspect": image.inspect,
    "load": transfer.load,
    "ls": images.image_list,
    "prune": disk.prune_unused,
    "pull": transfer.pull,
    "push": transfer.push,
    "rm": image.remove,
    "save": transfer.save,
    "tag": image.tag,
}
_CONTAINER: dict[str, Command] = {
    "ls": system.containers,
    "prune": disk.prune_nothing("container", "Remove all stopped containers"),
}
_SYSTEM: dict[str, Command] = {
    "df": disk.usage,
    "events": system.events,
    "info": system.info,
    "prune": disk.prune,
}
_NETWORKS = system.list_nothing(
    "network", "List networks", "NETWORK ID   NAME      DRIVER    SCOPE"
)
_VOLUME: dict[str, Command] = {
    "ls": system.list_nothing("volume", "List volumes", "DRIVER    VOLUME NAME"),
    "prune": disk.prune_nothing("volume", "Remove unused local volumes"),
}

GROUPS: dict[str, tuple[str, dict[str, Command]]] = {
    "builder": ("Manage builds", {"prune": disk.prune_nothing("builder", "Remove build cache")}),
    "container": ("Manage containers", _CONTAINER),
    "image": ("Manage images", _IMAGE),
    "manifest": (
        "Manage Docker image manifests and manifest lists",
        {"inspect": transfer.inspect_manifest},
    ),
    "network": ("Manage networks", {"ls": _NETWORKS}),
    "system": ("Manage Docker", _SYSTEM),
    "volume": ("Manage volumes", _VOLUME),
}
"""``docker <group> <name>``: the purpose of the group, and its commands."""

ALIASES = {"list": "ls", "remove": "rm"}
"""Other names of the commands of a group."""

CONTAINER_COMMANDS = frozenset(
    {"attach", "commit", "cp", "diff", "exec", "export", "kill", "logs", "pause", "port", "rename"}
    | {"restart", "rm", "start", "stats", "stop", "top", "unpause", "update", "wait"}
)
"""Commands about an existing container; the engine has no containers."""

REFUSED = frozenset(
    {"buildx", "checkpoint", "compose", "config", "context", "import", "node", "plugin"}
    | {"secret", "service", "stack", "swarm", "trust"}
)
"""Docker's commands that this stand-in does not have."""

_LISTS = (
    "the labs make and send no manifest lists by docker. Push each image, and put a list of them"
    " with `aws ecr put-image`"
)
REFUSED_IN_GROUPS = {f"manifest {name}": _LISTS for name in ("annotate", "create", "push", "rm")}
"""Commands of a group that this stand-in does not have, and what to do instead."""
