"""A running kernel follows its own sandbox to another port, and asks no other sandbox.

A sandbox that starts again takes another port where another program has taken its port meanwhile,
which may be the sandbox of another LABS_HOME.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from botocore import handlers

from labs_helpers.defaults import is_sandbox
from labs_helpers.errors import someone_listens
from labs_helpers.modes import SANDBOX, endpoint
from labs_helpers.runtime import background_process
from labs_helpers.workspace import Workspace

_ENDPOINT = "AWS_ENDPOINT_URL"
NOWHERE = endpoint(1)
"""An address that no sandbox has, since ordinary users get no port below 1024."""
_EARLIER: set[str] = set()
"""Where this process has found its sandbox before."""


def install(workspace: Workspace) -> None:
    """From now on the kernel looks before each cell where its sandbox is. For any `start` again.

    boto3's clients that are made from now on follow as well, also after they have been made.
    Outside IPython nothing is done.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        return
    if _BEFORE_SIGN not in handlers.BUILTIN_HANDLERS:
        handlers.BUILTIN_HANDLERS.append(_BEFORE_SIGN)

    def before(_: Any) -> None:
        follow(workspace)

    before.follows_the_sandbox = True  # type: ignore[attr-defined]
    for one in list(shell.events.callbacks["pre_run_cell"]):
        if hasattr(one, "follows_the_sandbox"):
            shell.events.unregister("pre_run_cell", one)
    shell.events.register("pre_run_cell", before)


def follow(workspace: Workspace) -> None:
    """Let this process's environment name the port of the workspace's own sandbox.

    While that sandbox does not run, and another program listens on its port, the environment names
    a port where nothing listens. An environment of another sandbox or of AWS stays as it is.
    """
    now = os.environ.get(_ENDPOINT, "")
    ours = os.environ.get("LABS_HOME") == str(workspace.home)
    if not (ours and os.environ.get("LABS_MODE") == SANDBOX and is_sandbox(now)):
        return
    found = background_process.running(workspace.sandbox / "server.json")
    if found is not None:
        wanted = endpoint(int(found.facts["port"]))
    elif someone_listens(now):
        wanted = NOWHERE
    else:
        return
    if wanted == now:
        return
    for name, value in list(os.environ.items()):
        if value == now:  # git's settings have it, too
            os.environ[name] = wanted
    _EARLIER.add(now)


def to_the_own_sandbox(request: Any, **_: Any) -> None:
    """Send a request of a client that was made for an earlier port to the port of today.

    For botocore's event before-sign, in which a request may still be changed:
    https://github.com/boto/botocore/blob/1.44.5/botocore/signers.py
    """
    parts = urlsplit(request.url)
    address = f"{parts.scheme}://{parts.netloc}"
    now = os.environ.get(_ENDPOINT, "")
    if address in _EARLIER and address != now and is_sandbox(now):
        request.url = now + request.url[len(address) :]


_BEFORE_SIGN = ("before-sign", to_the_own_sandbox)
