"""docker login and logout."""

from __future__ import annotations

import getpass
import os
import sys

from .client import Daemon
from .command_line import Given
from .failure import Failure
from .logins import HUB, Logins, server_key

_UNENCRYPTED = """
WARNING! Your credentials are stored unencrypted in '{where}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

"""

_EXISTING = """\
Authenticating with existing credentials... [Username: {username}]

 Info -> To login with a different account, run 'docker logout' followed by 'docker login'


"""


def login(given: Given, daemon: Daemon) -> int:
    """docker login [OPTIONS] [SERVER]"""
    server = server_key(given.arguments[0] if given.arguments else "")
    username, password = given.text("username"), given.text("password")
    if password:
        sys.stderr.write(
            "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n"
        )
        if given.on("password-stdin"):
            raise Failure("--password and --password-stdin are mutually exclusive")
    if given.on("password-stdin"):
        if not username:
            raise Failure("the --password-stdin option requires --username to be set")
        password = sys.stdin.read().rstrip("\r\n")
        if not password:
            raise Failure("password is empty")
    logins = Logins()
    kept = logins.find(server)
    if not username and not password and kept.get("username"):
        sys.stderr.write(_EXISTING.format(username=kept["username"]))
        username, password = kept["username"], kept["password"]
    username, password = username or _asked("Username: "), password or _asked("Password: ", True)
    document = {"username": username, "password": password, "serveraddress": server}
    answer = daemon.post("/auth", document) or {}
    known = (username, password) == (kept.get("username"), kept.get("password"))
    if not known and logins.keep(server, username, password):
        where = "$DOCKER_CONFIG" if os.environ.get("DOCKER_CONFIG") else "~/.docker"
        sys.stderr.write(_UNENCRYPTED.format(where=f"{where}/config.json"))
        sys.stderr.flush()
    sys.stdout.write(f"{answer.get('Status') or 'Login Succeeded'}\n")
    return 0


def _asked(prompt: str, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        raise Failure("Error: Cannot perform an interactive login from a non TTY device")
    text = getpass.getpass(prompt) if hidden else input(prompt)
    if not text.strip():
        raise Failure("Error: Password Required" if hidden else "Error: Non-null Username Required")
    return text.strip()


def logout(given: Given, daemon: Daemon) -> int:
    """docker logout [SERVER]"""
    server = server_key(given.arguments[0] if given.arguments else "")
    sys.stdout.write(f"Removing login credentials for {server or HUB}\n")
    Logins().forget(server)
    return 0
