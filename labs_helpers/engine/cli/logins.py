"""Docker's store of logins: ``config.json`` in DOCKER_CONFIG, or a credential helper.

Source: https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from labs_helpers.oci.reference import DEFAULT_DOMAIN, Reference

from .client import Failure

HUB = "https://index.docker.io/v1/"
Login = dict[str, str]


def folder() -> Path:
    """The folder of config.json: DOCKER_CONFIG, or ~/.docker."""
    named = os.environ.get("DOCKER_CONFIG")
    return Path(named) if named else Path.home() / ".docker"


def key_of(reference: Reference) -> str:
    """The key of the login for an image's registry."""
    return HUB if reference.domain == DEFAULT_DOMAIN else reference.domain


def server_key(server: str) -> str:
    """The key of the login for a SERVER argument: its host name, or the Hub's URL."""
    bare = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return HUB if bare in {"", "docker.io", "index.docker.io", "registry-1.docker.io"} else bare


class Logins:
    """The logins of one config.json."""

    def __init__(self, config: Path | None = None) -> None:
        """Read the file, if it exists. Raises Failure when the file is not JSON."""
        self._path = (config or folder()) / "config.json"
        self._document: dict[str, Any] = {}
        try:
            self._document = json.loads(self._path.read_bytes() or b"{}")
        except FileNotFoundError:
            pass  # nobody has logged in yet
        except ValueError as error:
            raise Failure(f"parsing config file ({self._path}): {error}") from error

    def helper(self, server: str) -> str:
        """The credential helper for a registry; "" when the file stores the login."""
        helpers = self._document.get("credHelpers") or {}
        return str(helpers.get(server) or self._document.get("credsStore") or "")

    def find(self, server: str) -> Login:
        """The login: ``{"username", "password", "serveraddress"}``; empty when there is none."""
        helper = self.helper(server)
        if helper:
            found = _run_helper(helper, "get", server)
            if not found:
                return {}
            if found["Username"] == "<token>":
                return {"identitytoken": found["Secret"], "serveraddress": server}
            return _login(found["Username"], found["Secret"], server)
        entries = self._document.get("auths") or {}
        for name, entry in entries.items():
            if server in {name, server_key(name)} and isinstance(entry, dict):
                return _decode(entry, server)
        return {}

    def all(self) -> dict[str, Login]:
        """Every login, by registry, for X-Registry-Config."""
        names = {*(self._document.get("auths") or {}), *(self._document.get("credHelpers") or {})}
        found = {name: self.find(name) for name in sorted(names)}
        return {name: login for name, login in found.items() if login}

    def store(self, server: str, username: str, password: str) -> bool:
        """Store a login; True when the file stores it, unencrypted."""
        helper = self.helper(server)
        if helper:
            secret = {"ServerURL": server, "Username": username, "Secret": password}
            _run_helper(helper, "store", json.dumps(secret))
            self._document.setdefault("auths", {})[server] = {}
        else:
            text = base64.b64encode(f"{username}:{password}".encode()).decode()
            self._document.setdefault("auths", {})[server] = {"auth": text}
        self._write()
        return not helper

    def forget(self, server: str) -> None:
        """Remove a login."""
        helper = self.helper(server)
        if helper:
            _run_helper(helper, "erase", server)
        entries = self._document.get("auths") or {}
        for name in [name for name in entries if server in {name, server_key(name)}]:
            del entries[name]
            self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes the file readable by its owner alone
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix="config.json")
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._document, file, indent="\t")
            Path(name).replace(self._path.resolve())
        finally:
            Path(name).unlink(missing_ok=True)


def header(document: object) -> str:
    """Encode a document for X-Registry-Auth or X-Registry-Config."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def _login(username: str, password: str, server: str) -> Login:
    return {"username": username, "password": password, "serveraddress": server}


def _decode(entry: dict[str, Any], server: str) -> Login:
    if entry.get("identitytoken"):
        return {"identitytoken": str(entry["identitytoken"]), "serveraddress": server}
    try:
        text = base64.b64decode(str(entry.get("auth") or "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return {}
    username, colon, password = text.partition(":")
    return _login(username, password.strip("\0"), server) if colon else {}


def _run_helper(helper: str, action: str, text: str) -> dict[str, str]:
    """Run ``docker-credential-<helper>``; the result is empty when it has no login.

    Source: https://github.com/docker/docker-credential-helpers#development
    """
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, action], input=text, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Failure(
            f'error getting credentials - err: exec: "{program}": executable file not found in'
            " $PATH, out: ``"
        ) from error
    if done.returncode:
        out = done.stdout.strip()
        if "credentials not found" in out:
            return {}
        raise Failure(
            f"error getting credentials - err: exit status {done.returncode}, out: `{out}`"
        )
    return dict(json.loads(done.stdout)) if action == "get" else {}
