"""The table of commands: ``docker <name>`` and ``docker <group> <name>``.

What a command accepts is declared at its function. A new command is a function with
``@command(...)`` in a module of this package, and a row here.
"""

from __future__ import annotations

from . import (
    absent,
    archives,
    build,
    containers,
    copy,
    disk,
    image,
    images,
    login,
    manifest,
    run,
    system,
    transfer,
    volumes,
)
from .command_line import Command

COMMANDS: dict[str, Command] = {
    "run": run.run,
    "exec": run.execute,
    "ps": containers.containers,
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
    "import": archives.import_archive,
    "inspect": image.inspect_any,
    "load": archives.load,
    "rmi": image.remove,
    "save": archives.save,
    "tag": image.tag,
    "events": system.events,
    "attach": run.attach,
    "cp": copy.copy,
    "create": run.create,
    "kill": containers.kill,
    "logs": containers.logs,
    "port": containers.port,
    "rename": containers.rename,
    "restart": containers.restart,
    "rm": containers.remove,
    "start": run.start,
    "stop": containers.stop,
    "top": containers.top,
    "wait": containers.wait,
}
"""``docker <name>``, in the order in which ``docker --help`` lists them."""

_IMAGE: dict[str, Command] = {
    "build": build.build,
    "history": images.history,
    "import": archives.import_archive,
    "inspect": image.inspect,
    "load": archives.load,
    "ls": images.image_list,
    "prune": disk.prune_unused,
    "pull": transfer.pull,
    "push": transfer.push,
    "rm": image.remove,
    "save": archives.save,
    "tag": image.tag,
}
_CONTAINER: dict[str, Command] = {
    **{name: COMMANDS[name] for name in ("attach", "cp", "create", "exec", "kill", "logs", "port")},
    **{name: COMMANDS[name] for name in ("rename", "restart", "rm", "run", "start", "stop", "top")},
    "inspect": containers.inspect,
    "ls": containers.containers,
    "prune": absent.prune_containers,
    "wait": containers.wait,
}
_SYSTEM: dict[str, Command] = {
    "df": disk.usage,
    "events": system.events,
    "info": system.info,
    "prune": disk.prune,
}
_VOLUME: dict[str, Command] = {
    "create": volumes.create,
    "inspect": volumes.inspect,
    "ls": volumes.volume_list,
    "prune": absent.prune_volumes,
    "rm": volumes.remove,
}

GROUPS: dict[str, tuple[str, dict[str, Command]]] = {
    "builder": ("Manage builds", {"build": build.build, "prune": absent.prune_builder}),
    "container": ("Manage containers", _CONTAINER),
    "image": ("Manage images", _IMAGE),
    "manifest": (
        "Manage Docker image manifests and manifest lists",
        {"inspect": manifest.inspect_manifest},
    ),
    "network": ("Manage networks", {"ls": absent.networks}),
    "system": ("Manage Docker", _SYSTEM),
    "volume": ("Manage volumes", _VOLUME),
}
"""``docker <group> <name>``: the purpose of the group, and its commands."""

ALIASES = {"list": "ls", "remove": "rm"}
"""Other names of the commands of a group."""

WORDS_FOLLOW = frozenset(
    {"run", "create", "exec", "container run", "container create"} | {"container exec"}
)
"""Commands whose options end at the first word that is none: the rest is the container's."""
