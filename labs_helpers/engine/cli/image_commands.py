"""``docker image <name>``, and the shorter ways to say the same: what each takes, who does it."""

from __future__ import annotations

from collections.abc import Callable

from . import build, disk, images, transfer
from .client import Daemon
from .command_line import LIST, SWITCH, VALUE, Given, Option, Usage

Command = tuple[Usage, Callable[[Given, Daemon], int]]

FORMAT = Option("format", "", VALUE, "Format output using a custom template")
SHORT_FORMAT = Option("format", "f", VALUE, "Format output using a custom template")
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
    FORMAT,
    Option("no-trunc", "", SWITCH, "Don't truncate output"),
    Option("quiet", "q", SWITCH, "Only show image IDs"),
]
_HISTORY = [
    FORMAT,
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
_PRUNE = [
    Option("all", "a", SWITCH, "Remove all unused images, not just dangling ones"),
    Option("filter", "", LIST, 'Provide filter values (e.g. "until=<timestamp>")'),
    Option("force", "f", SWITCH, "Do not prompt for confirmation"),
]
BUILD: Command = (
    Usage("build", "[OPTIONS] PATH | -", "Build an image from a Dockerfile", 1, 1, _BUILD),
    build.build,
)
IMAGES: Command = (
    Usage("images", "[OPTIONS] [REPOSITORY[:TAG]]", "List images", 0, 1, _IMAGES),
    images.image_list,
)
LOAD: Command = (
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
SAVE: Command = (
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
            [SHORT_FORMAT],
        ),
        images.inspect,
    ),
    "load": LOAD,
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
    "save": SAVE,
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
