"""docker login and logout."""

from __future__ import annotations

import getpass
import os
import sys

from .client import EngineClient, Failure
from .command_line import SWITCH, VALUE, Arguments, Option, command
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


@command(
    "login",
    "[OPTIONS] [SERVER]",
    "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
    0,
    1,
    [
        Option("password", "p", VALUE, "Password or Personal Access Token (PAT)"),
        Option(
            "password-stdin",
            "",
            SWITCH,
            "Take the Password or Personal Access Token (PAT) from stdin",
        ),
        Option("username", "u", VALUE, "Username"),
    ],
)
def login(args: Arguments, engine: EngineClient) -> int:
    """docker login [OPTIONS] [SERVER]"""
    server = server_key(args.positional[0] if args.positional else "")
    username, password = args.text("username"), args.text("password")
    if password:
        sys.stderr.write(
            "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n"
        )
        if args.on("password-stdin"):
            raise Failure(
                "conflicting options: cannot specify both --password and --password-stdin"
            )
    if args.on("password-stdin"):
        if not username:
            raise Failure("the --password-stdin option requires --username to be set")
        password = sys.stdin.read().rstrip("\r\n")
        if not password:
            raise Failure("password is empty")
    logins = Logins()
    stored = logins.find(server)
    if not username and not password and stored.get("username"):
        sys.stderr.write(_EXISTING.format(username=stored["username"]))
        username, password = stored["username"], stored["password"]
    username, password = username or _ask("Username: "), password or _ask("Password: ", True)
    document = {"username": username, "password": password, "serveraddress": server}
    answer = engine.post("/auth", document) or {}
    is_stored = (username, password) == (stored.get("username"), stored.get("password"))
    if not is_stored and logins.store(server, username, password):
        where = "$DOCKER_CONFIG" if os.environ.get("DOCKER_CONFIG") else "~/.docker"
        sys.stderr.write(_UNENCRYPTED.format(where=f"{where}/config.json"))
        sys.stderr.flush()
    sys.stdout.write(f"{answer.get('Status') or 'Login Succeeded'}\n")
    return 0


def _ask(prompt: str, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        raise Failure("error: cannot perform an interactive login from a non-TTY device")
    text = getpass.getpass(prompt) if hidden else input(prompt)
    if not text.strip():
        raise Failure(f"error: {'password' if hidden else 'username'} is required")
    return text.strip()


@command("logout", "[SERVER]", "Log out from a registry", 0, 1)
def logout(args: Arguments, engine: EngineClient) -> int:
    """docker logout [SERVER]"""
    server = server_key(args.positional[0] if args.positional else "")
    sys.stdout.write(f"Removing login credentials for {server or HUB}\n")
    Logins().forget(server)
    return 0
