"""docker manifest inspect: what a registry has under a name."""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from urllib.parse import quote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from .client import Daemon
from .command_line import Given
from .failure import DaemonError, Failure
from .logins import Logins, header, key_of


def inspect(given: Given, daemon: Daemon) -> int:
    """docker manifest inspect MANIFEST

    Docker's command asks the registry itself. This one has the engine ask, which knows the way to
    the sandbox's registries.
    """
    try:
        reference = references.parse(given.arguments[-1])
    except InvalidReference as error:
        raise Failure(str(error)) from error
    path = f"/distribution/{quote(reference.familiar, safe='/:@')}/manifest"
    headers = {"X-Registry-Auth": header(Logins().find(key_of(reference)))}
    try:
        document = daemon.json(path, headers=headers)
    except DaemonError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        raise Failure(error.reason) from error
    sys.stdout.write(json.dumps(document, indent="\t", ensure_ascii=False) + "\n")
    return 0
