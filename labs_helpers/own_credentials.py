"""Print the learner's own AWS credentials, for the labs' profile in AWS mode.

    python -m labs_helpers.own_credentials SESSION [PROFILE]

The AWS CLI and boto3 run this for `credential_process` whenever they need credentials. SESSION is
the file of :mod:`labs_helpers.aws_session`. The learner's own files are read where they are, and
nothing is kept. The form of the answer:
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sourcing-external.html
"""

from __future__ import annotations

import configparser
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labs_helpers.aws_session import OWN_FILES, read_file

_ID, _SECRET, _TOKEN = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
_OTHER_SOURCES = ("role_arn", "web_identity_token_file", "sso_", "login_session", "source_profile")
"""How the settings of a profile begin that get credentials from elsewhere."""


def main(arguments: Sequence[str]) -> int:
    """Print the credentials as JSON; 1 and words on stderr where there are none."""
    session = read_file(Path(arguments[0]))
    profile = arguments[1] if len(arguments) > 1 else None
    for name in OWN_FILES:
        os.environ.pop(name, None)
    os.environ.update(session.files)
    answer = _written_down(profile) if profile else None
    if answer is None:
        try:
            answer = _found(profile)
        except LookupError as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps({"Version": 1, **answer}))
    return 0


def _written_down(profile: str) -> dict[str, str] | None:
    """A key that stands in the learner's credentials file; None for everything else.

    This runs at every command of a lesson, and importing botocore takes half a second.
    """
    home = Path.home() / ".aws"
    kept = _section("AWS_SHARED_CREDENTIALS_FILE", home / "credentials", profile)
    named = profile if profile == "default" else f"profile {profile}"
    settings = _section("AWS_CONFIG_FILE", home / "config", named)
    if not (kept.get(_ID) and kept.get(_SECRET)):
        return None
    if any(name.startswith(_OTHER_SOURCES) for name in (*kept, *settings)):
        return None
    return _answer(kept[_ID], kept[_SECRET], kept.get(_TOKEN, ""))


def _section(variable: str, usual: Path, name: str) -> Mapping[str, str]:
    """A section of one of AWS's files; empty where botocore has to read it."""
    parser = configparser.RawConfigParser(default_section="\0")
    try:
        parser.read(Path(os.environ.get(variable) or usual).expanduser(), encoding="utf-8")
        return dict(parser.items(name))
    except (OSError, ValueError, configparser.Error):
        return {}


def _found(profile: str | None) -> dict[str, str]:
    """The credentials that botocore finds. Raises LookupError, in words, where there are none."""
    import botocore.exceptions
    import botocore.session

    try:
        own = botocore.session.Session(profile=profile).get_credentials()
        if own is None:
            raise LookupError(
                "Your own AWS profile has no credentials now. Log in as you usually do, for "
                "example with `aws login` or `aws sso login`, and try again."
            )
        frozen = own.get_frozen_credentials()
    except botocore.exceptions.BotoCoreError as error:
        raise LookupError(f"Your own AWS profile {profile or 'default'}: {error}") from error
    answer = _answer(frozen.access_key, frozen.secret_key, frozen.token or "")
    expires = getattr(own, "_expiry_time", None)
    return answer | ({"Expiration": expires.isoformat()} if expires is not None else {})


def _answer(key: str, secret: str, token: str) -> dict[str, str]:
    answer = {"AccessKeyId": key, "SecretAccessKey": secret}
    return answer | ({"SessionToken": token} if token else {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
