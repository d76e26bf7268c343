"""What a learner's home has of AWS, Docker, git and Kubernetes before the labs come.

The files stand where the programs look by default. The credential helpers are programs that leave a
trace in the home when somebody asks them, so that an answer is seen as well as a change.
"""

from __future__ import annotations

import json
import os
import stat
from hashlib import sha256
from pathlib import Path

_TOKEN = {
    "startUrl": "https://planted.awsapps.com/start",
    "region": "us-east-1",
    "accessToken": "planted",
    "expiresAt": "2099-01-01T00:00:00Z",
}
_DOCKER = {
    "auths": {"registry.example": {}, "444455556666.dkr.ecr.eu-central-1.amazonaws.com": {}},
    "credsStore": "planted",
    "credHelpers": {"444455556666.dkr.ecr.eu-central-1.amazonaws.com": "planted"},
    "currentContext": "planted",
}
_CONTEXT = {"Name": "planted", "Endpoints": {"docker": {"Host": "unix:///planted.sock"}}}
_GIT = """[user]
\tname = Planted
\temail = planted@example.com
[credential]
\thelper = planted
[credential "https://git-codecommit.eu-central-1.amazonaws.com"]
\thelper = planted
[core]
\thooksPath = ~/hooks
[init]
\ttemplateDir = ~/template
"""
_KUBE = "apiVersion: v1\nkind: Config\ncurrent-context: planted\n"
_HELPER = """#!/bin/sh
echo "$0 $*" >> "{home}/asked"
"""

FILES = {
    ".aws/sso/cache/planted.json": json.dumps(_TOKEN),
    ".aws/cli/cache/planted.json": json.dumps({"Credentials": {"AccessKeyId": "ASIAPLANTED"}}),
    ".aws/login/cache/planted.json": json.dumps({"accessToken": "planted"}),
    ".aws/models/planted/2020-01-01/service-2.json": "{}",
    ".boto": "[Credentials]\naws_access_key_id = AKIAPLANTED\naws_secret_access_key = planted\n",
    ".docker/config.json": json.dumps(_DOCKER),
    ".docker/contexts/meta/planted/meta.json": json.dumps(_CONTEXT),
    ".docker/buildx/current": "{}",
    ".gitconfig": _GIT,
    ".config/git/config": "[alias]\n\tplanted = status\n",
    ".git-credentials": "https://planted:planted@git-codecommit.eu-central-1.amazonaws.com\n",
    ".netrc": "machine planted.example login planted password planted\n",
    ".kube/config": _KUBE,
    ".kube/cache/discovery/planted.json": "{}",
    "template/description": "planted\n",
}
FOLDERS = ("hooks",)
HELPERS = ("docker-credential-planted", "git-credential-planted")


def plant(home: Path) -> None:
    """Lay out the files, and the helpers in ``bin``."""
    for name, text in FILES.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    for name in FOLDERS:
        (home / name).mkdir()
    for name in HELPERS:
        path = home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(_HELPER.format(home=home), encoding="utf-8")
        path.chmod(0o755)


def look(home: Path) -> dict[str, str]:
    """Each path in the home, the home too: what it is, its rights, when it changed, its content.

    The time of a folder tells of a file that was there for a moment only.
    """
    return {str(path.relative_to(home)): _told(path) for path in sorted([home, *home.rglob("*")])}


def _told(path: Path) -> str:
    found = path.lstat()
    content = ""
    if stat.S_ISLNK(found.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(found.st_mode):
        content = sha256(path.read_bytes()).hexdigest()
    return f"{stat.filemode(found.st_mode)} {found.st_mtime_ns} {content}"


def path_with_helpers(home: Path) -> str:
    """PATH with the helpers first."""
    return f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
