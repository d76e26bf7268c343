"""Every command of the stand-in: what it takes and who does it."""

from __future__ import annotations

from . import disk, images, login, manifest, system
from .command_line import LIST, SWITCH, VALUE, Option, Usage
from .image_commands import (
    BUILD,
    FORMAT,
    IMAGE_COMMANDS,
    IMAGES,
    LOAD,
    SAVE,
    SHORT_FORMAT,
    Command,
)

_LOGIN = [
    Option("password", "p", VALUE, "Password or Personal Access Token (PAT)"),
    Option("password-stdin", "", SWITCH, "Take the Password or PAT from stdin"),
    Option("username", "u", VALUE, "Username"),
]
_PS = [
    Option("all", "a", SWITCH, "Show all containers (default shows just running)"),
    Option("filter", "f", LIST, "Filter output based on conditions provided"),
    FORMAT,
    Option("last", "n", VALUE),
    Option("latest", "l"),
    Option("no-trunc", "", SWITCH, "Don't truncate output"),
    Option("quiet", "q", SWITCH, "Only display container IDs"),
    Option("size", "s"),
]
_INSPECT = [
    SHORT_FORMAT,
    Option("size", "s", SWITCH, "Display total file sizes if the type is container"),
    Option("type", "", VALUE, "Only inspect objects of the given type"),
]

COMMANDS: dict[str, Command] = {
    "run": (
        Usage("run", "IMAGE", "Create and run a new container from an image", 1),
        system.run,
    ),
    "ps": (Usage("ps", "[OPTIONS]", "List containers", 0, 0, _PS), system.containers),
    "build": BUILD,
    "pull": IMAGE_COMMANDS["pull"],
    "push": IMAGE_COMMANDS["push"],
    "images": IMAGES,
    "login": (
        Usage(
            "login",
            "[OPTIONS] [SERVER]",
            "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
            0,
            1,
            _LOGIN,
        ),
        login.login,
    ),
    "logout": (Usage("logout", "[SERVER]", "Log out from a registry.", 0, 1), login.logout),
    "search": (
        Usage("search", "[OPTIONS] TERM", "Search Docker Hub for images", 1, 1),
        system.search,
    ),
    "version": (
        Usage("version", "[OPTIONS]", "Show the Docker version information", 0, 0, [SHORT_FORMAT]),
        system.version,
    ),
    "info": (
        Usage("info", "[OPTIONS]", "Display system-wide information", 0, 0, [SHORT_FORMAT]),
        system.info,
    ),
    "history": IMAGE_COMMANDS["history"],
    "inspect": (
        Usage(
            "inspect",
            "[OPTIONS] NAME|ID [NAME|ID...]",
            "Return low-level information on Docker objects",
            1,
            None,
            _INSPECT,
        ),
        images.inspect_any,
    ),
    "load": LOAD,
    "rmi": IMAGE_COMMANDS["rm"],
    "save": SAVE,
    "tag": IMAGE_COMMANDS["tag"],
}

_FORCE = Option("force", "f", SWITCH, "Do not prompt for confirmation")
_FILTER = Option("filter", "", LIST, 'Provide filter values (e.g. "label=<key>=<value>")')
_LIST = [Option("filter", "f", LIST), FORMAT, Option("no-trunc"), Option("quiet", "q", SWITCH)]


def _none_to_prune(kind: str, text: str) -> Command:
    options = [Option("all", "a"), Option("filter", "", LIST), _FORCE]
    return Usage(f"{kind} prune", "[OPTIONS]", text, 0, 0, options), disk.prune_nothing


SYSTEM_COMMANDS: dict[str, Command] = {
    "df": (
        Usage(
            "system df",
            "[OPTIONS]",
            "Show docker disk usage",
            0,
            0,
            [FORMAT, Option("verbose", "v", SWITCH, "Show detailed information on space usage")],
        ),
        disk.usage,
    ),
    "events": (
        Usage(
            "system events",
            "[OPTIONS]",
            "Get real time events from the server",
            0,
            0,
            [Option("filter", "f", LIST), FORMAT]
            + [Option(name, "", VALUE) for name in ("since", "until")],
        ),
        system.events,
    ),
    "info": COMMANDS["info"],
    "prune": (
        Usage(
            "system prune",
            "[OPTIONS]",
            "Remove unused data",
            0,
            0,
            [
                Option("all", "a", SWITCH, "Remove all unused images not just dangling ones"),
                _FILTER,
                _FORCE,
                Option("volumes", "", SWITCH, "Prune anonymous volumes"),
            ],
        ),
        disk.prune,
    ),
}
MANIFEST_COMMANDS: dict[str, Command] = {
    "inspect": (
        Usage(
            "manifest inspect",
            "[OPTIONS] [MANIFEST_LIST] MANIFEST",
            "Display an image manifest, or manifest list",
            1,
            2,
            [Option("insecure"), Option("verbose", "v")],
        ),
        manifest.inspect,
    ),
}
CONTAINER_GROUP: dict[str, Command] = {
    "ls": COMMANDS["ps"],
    "prune": _none_to_prune("container", "Remove all stopped containers"),
}

GROUPS: dict[str, tuple[str, dict[str, Command]]] = {
    "builder": ("Manage builds", {"prune": _none_to_prune("builder", "Remove build cache")}),
    "container": ("Manage containers", CONTAINER_GROUP),
    "image": ("Manage images", IMAGE_COMMANDS),
    "manifest": ("Manage Docker image manifests and manifest lists", MANIFEST_COMMANDS),
    "network": (
        "Manage networks",
        {"ls": (Usage("network ls", "[OPTIONS]", "List networks", 0, 0, _LIST), system.networks)},
    ),
    "system": ("Manage Docker", SYSTEM_COMMANDS),
    "volume": (
        "Manage volumes",
        {
            "ls": (Usage("volume ls", "[OPTIONS]", "List volumes", 0, 0, _LIST), system.volumes),
            "prune": _none_to_prune("volume", "Remove unused local volumes"),
        },
    ),
}
"""``docker <group> <name>``: what the group is for, and its commands."""

COMMANDS["events"] = SYSTEM_COMMANDS["events"]

CONTAINER_COMMANDS = frozenset(
    {"attach", "commit", "cp", "diff", "exec", "export", "kill", "logs", "pause", "port", "rename"}
    | {"restart", "rm", "start", "stats", "stop", "top", "unpause", "update", "wait"}
)
"""Commands about a container that exists: none does."""

REFUSED = frozenset(
    {"buildx", "checkpoint", "compose", "config", "context", "import", "node", "plugin"}
    | {"secret", "service", "stack", "swarm", "trust"}
)
"""Commands of Docker that this stand-in does not have."""

_LISTS = (
    "the labs make and send no manifest lists by docker. Push each image, and put a list of them"
    " with `aws ecr put-image`"
)
REFUSED_IN_GROUPS = {f"manifest {name}": _LISTS for name in ("annotate", "create", "push", "rm")}
"""Commands of a group that there are not, and what to do instead."""
