"""What `podman --remote` is told where there is no Podman: this API is Docker's.

Its client first asks ``/libpod/_ping``, and of any answer but 200 shows only the number; so that is
answered, without the header that would claim a version, and what it asks next says why not.
Source: pingNewConnection of
https://github.com/containers/podman/blob/v5.4.2/pkg/bindings/connection.go
"""

from __future__ import annotations

import re

from .http import Answer, json_answer

_PATH = re.compile(r"(?:/v[0-9.]+)?/libpod/(?P<rest>.*)")
_MESSAGE = (
    "this engine has Docker's API, not Podman's own: use the docker command. `podman --remote`"
    " works where the labs stand in front of a Podman: start podman system service --time=0, then"
    " LABS_ENGINE=podman labs start"
)


def no_libpod(method: str, path: str) -> Answer | None:
    """The answer to a request of Podman's own API; None to another request."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    if found["rest"] == "_ping" and method in ("GET", "HEAD"):
        return Answer(200, [b"OK"], "text/plain; charset=utf-8")
    return json_answer({"cause": _MESSAGE, "message": _MESSAGE, "response": 501}, 501)
