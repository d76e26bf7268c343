"""Every command of the stand-in: what it takes and who does it."""

from __future__ import annotations

from collections.abc import Callable

from . import building, disk, images, login, manifest, system, transfer
from .daemon import Daemon
from .flags import LIST, SWITCH, VALUE, Given, Option, Usage

Command = tuple[Usage, Callable[[Given, Daemon], int]]

_FORMAT = Option("format", "", VALUE, "Format output using a custom template")
_SHORT_FORMAT = Option("format", "f", VALUE, "Format output using a custom template")
_QUIET = Option("quiet", "q", SWITCH, "Suppress verbose output")
_TRUST = Option("disable-content-trust")
_IMAGE_OR_ID = "IMAGE [IMAGE...]"

_BUILD = [
    Option("build-arg", "", LIST, "Set build-time variables"),
    Option("file", "f", VALUE, 'Name of the Dockerfile (Default is "PATH/Dockerfile")'),
    Option("iidfile", "", VALUE, "Write the image ID to the file"),
    Option("label", "", LIST, "Set metadata for an image"),
    Option("no-cache", "", SWITCH, "Do not use cache when building the image"),
    Option("platform", "", VALUE, "Set platform if server is multi-platform capable"),
    Option("pull", "", SWITCH, "Always attempt to pull a newer version of the image"),
    Option("quiet", "q", SWITCH, "Suppress the build output and print image ID on success"),
    Option("tag", "t", LIST, 'Name and optionally a tag in the "name:tag" format'),
    Option("target", "", VALUE, "Set the target build stage to build."),
    # accepted, without effect where nothing runs
    *(Option(name) for name in ("force-rm", "rm", "compress", "squash", "load")),
    *(Option(name, "", LIST) for name in ("cache-from", "add-host", "security-opt", "ulimit")),
    *(Option(name, "", VALUE) for name in ("network", "progress", "shm-size", "isolation")),
    Option("memory", "m", VALUE),
    Option("memory-swap", "", VALUE),
    _TRUST,
]
_IMAGES = [
    Option("all", "a", SWITCH, "Show all images (default hides intermediate images)"),
    Option("digests", "", SWITCH, "Show digests"),
    Option("filter", "f", LIST, "Filter output based on conditions provided"),
    _FORMAT,
    Option("no-trunc", "", SWITCH, "Don't truncate output"),
    Option("quiet", "q", SWITCH, "Only show image IDs"),
]
_HISTORY = [
    _FORMAT,
    Option("human", "H", SWITCH, "Print sizes and dates in human readable format"),
    Option("no-trunc", "", SWITCH, "Don't truncate output"),
    Option("quiet", "q", SWITCH, "Only show image IDs"),
]
_REMOVE = [
    Option("force", "f", SWITCH, "Force removal of the image"),
    Option("no-prune", "", SWITCH, "Do not delete untagged parents"),
]
_PUSH = [
    Option("all-tags", "a", SWITCH, "Push all tags of an image to the repository"),
    Option("platform", "", VALUE),
    _QUIET,
    _TRUST,
]
_PULL = [
    Option("all-tags", "a", SWITCH, "Download all tagged images in the repository"),
    Option("platform", "", VALUE, "Set platform if server is multi-platform capable"),
    _QUIET,
    _TRUST,
]
_LOGIN = [
    Option("password", "p", VALUE, "Password or Personal Access Token (PAT)"),
    Option("password-stdin", "", SWITCH, "Take the Password or PAT from stdin"),
    Option("username", "u", VALUE, "Username"),
]
_PRUNE = [
    Option("all", "a", SWITCH, "Remove all unused images, not just dangling ones"),
    Option("filter", "", LIST, 'Provide filter values (e.g. "until=<timestamp>")'),
    Option("force", "f", SWITCH, "Do not prompt for confirmation"),
]
_PS = [
    Option("all", "a", SWITCH, "Show all containers (default shows just running)"),
    Option("filter", "f", LIST, "Filter output based on conditions provided"),
    _FORMAT,
    Option("last", "n", VALUE),
    Option("latest", "l"),
    Option("no-trunc", "", SWITCH, "Don't truncate output"),
    Option("quiet", "q", SWITCH, "Only display container IDs"),
    Option("size", "s"),
]
_INSPECT = [
    _SHORT_FORMAT,
    Option("size", "s", SWITCH, "Display total file sizes if the type is container"),
    Option("type", "", VALUE, "Only inspect objects of the given type"),
]

BUILD: Command = (
    Usage("build", "[OPTIONS] PATH | -", "Build an image from a Dockerfile", 1, 1, _BUILD),
    building.build,
)
IMAGES: Command = (
    Usage("images", "[OPTIONS] [REPOSITORY[:TAG]]", "List images", 0, 1, _IMAGES),
    images.image_list,
)
_LOAD: Command = (
    Usage(
        "load",
        "[OPTIONS]",
        "Load an image from a tar archive or STDIN",
        0,
        0,
        [
            Option("input", "i", VALUE, "Read from tar archive file, instead of STDIN"),
            Option("quiet", "q", SWITCH, "Suppress the load output"),
        ],
    ),
    transfer.load,
)
_SAVE: Command = (
    Usage(
        "save",
        f"[OPTIONS] {_IMAGE_OR_ID}",
        "Save one or more images to a tar archive (streamed to STDOUT by default)",
        1,
        None,
        [Option("output", "o", VALUE, "Write to a file, instead of STDOUT")],
    ),
    transfer.save,
)

IMAGE_COMMANDS: dict[str, Command] = {
    "build": BUILD,
    "history": (
        Usage("history", "[OPTIONS] IMAGE", "Show the history of an image", 1, 1, _HISTORY),
        images.history,
    ),
    "inspect": (
        Usage(
            "image inspect",
            f"[OPTIONS] {_IMAGE_OR_ID}",
            "Display detailed information on one or more images",
            1,
            None,
            [_SHORT_FORMAT],
        ),
        images.inspect,
    ),
    "load": _LOAD,
    "ls": IMAGES,
    "prune": (
        Usage("image prune", "[OPTIONS]", "Remove unused images", 0, 0, _PRUNE),
        disk.prune_unused,
    ),
    "pull": (
        Usage(
            "pull", "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", 1, 1, _PULL
        ),
        transfer.pull,
    ),
    "push": (
        Usage("push", "[OPTIONS] NAME[:TAG]", "Upload an image to a registry", 1, 1, _PUSH),
        transfer.push,
    ),
    "rm": (
        Usage("rmi", f"[OPTIONS] {_IMAGE_OR_ID}", "Remove one or more images", 1, None, _REMOVE),
        images.remove,
    ),
    "save": _SAVE,
    "tag": (
        Usage(
            "tag",
            "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
            "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
            2,
            2,
        ),
        images.tag,
    ),
}
"""``docker image <name>``; "list" and "remove" are other names of "ls" and "rm"."""

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
        Usage("version", "[OPTIONS]", "Show the Docker version information", 0, 0, [_SHORT_FORMAT]),
        system.version,
    ),
    "info": (
        Usage("info", "[OPTIONS]", "Display system-wide information", 0, 0, [_SHORT_FORMAT]),
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
    "load": _LOAD,
    "rmi": IMAGE_COMMANDS["rm"],
    "save": _SAVE,
    "tag": IMAGE_COMMANDS["tag"],
}

_FORCE = Option("force", "f", SWITCH, "Do not prompt for confirmation")
_FILTER = Option("filter", "", LIST, 'Provide filter values (e.g. "label=<key>=<value>")')
_LIST = [Option("filter", "f", LIST), _FORMAT, Option("no-trunc"), Option("quiet", "q", SWITCH)]


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
            [_FORMAT, Option("verbose", "v", SWITCH, "Show detailed information on space usage")],
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
            [Option("filter", "f", LIST), _FORMAT]
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
