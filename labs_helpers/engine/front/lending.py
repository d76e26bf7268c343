"""Lends programs to containers of stand-in images that a real daemon runs.

The stand-ins of the labs' hub hold no programs (containers/lent.py says why). The request that
creates a container of one gets read-only mounts of the lent programs, which the daemon, on this
machine, shows in an inspection.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..containers.lent import PREFIX, TEMPORARY, Lent, is_stand_in, static_busybox
from .daemon import DaemonError, FrontDaemonClient

_NGINX = "/usr/sbin/nginx"
_TITLE = "org.opencontainers.image.title"
_SHELL = ("/bin/busybox", "/bin/sh")


def with_lent_programs(body: bytes, daemon: FrontDaemonClient, folder: Path) -> bytes:
    """The body of ``POST /containers/create``, with mounts for a container of a stand-in.

    Args:
        folder: where the lent programs are laid out.
    """
    try:
        settings = json.loads(body)
        image = daemon.inspect(str(settings["Image"]))
    except (ValueError, KeyError, TypeError, DaemonError):
        return body  # the daemon says what is wrong
    config = (image or {}).get("Config") or {}
    if not is_stand_in(config):
        return body
    lent = Lent(folder)
    title = str((config.get("Labels") or {}).get(_TITLE))
    shell = static_busybox() if "Alpine" in title else None
    words = lent.words(_words(settings, config), has_shell=shell is not None, has_scripts=False)
    mounts: list[dict[str, Any]] = []
    host = settings.setdefault("HostConfig", {})
    if "nginx" in title and (nginx := lent.nginx()):
        mounts += [
            _mount(nginx / _NGINX.lstrip("/"), _NGINX),
            _mount(nginx / PREFIX.lstrip("/"), PREFIX),
        ]
        folders = {f"{PREFIX}/{name}": "mode=1777" for name in TEMPORARY}
        folders["/var/run"] = "mode=755"  # which the stand-in lacks
        host["Tmpfs"] = {**folders, **(host.get("Tmpfs") or {})}
    if shell:
        mounts += [_mount(shell.resolve(), target) for target in _SHELL]
    host["Mounts"] = [*(host.get("Mounts") or []), *mounts]
    if words:
        settings["Entrypoint"], settings["Cmd"] = words[:1], words[1:]
    return json.dumps(settings).encode()


def _words(settings: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Entrypoint and command of the container, as the daemon merges them."""
    entrypoint, command = settings.get("Entrypoint"), settings.get("Cmd")
    if entrypoint is None:
        entrypoint = config.get("Entrypoint")
        command = command or config.get("Cmd")
    if isinstance(entrypoint, str):
        entrypoint = [entrypoint]
    return [word for word in (*(entrypoint or []), *(command or [])) if word]


def _mount(source: Path, target: str) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": True}
