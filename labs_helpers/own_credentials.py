"""Print the learner's own AWS credentials, for the labs' profile in AWS mode.

    python -m labs_helpers.own_credentials SESSION [PROFILE]

The AWS CLI and boto3 run this for `credential_process` whenever they need credentials. SESSION is
the file of :mod:`labs_helpers.aws_session`. The learner's own files are read where they are, and
nothing is kept. The form of the answer:
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sourcing-external.html
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import botocore.exceptions
import botocore.session

from labs_helpers.aws_session import OWN_FILES, read_file


def main(arguments: Sequence[str]) -> int:
    """Print the credentials as JSON; 1 and words on stderr where there are none."""
    session = read_file(Path(arguments[0]))
    profile = arguments[1] if len(arguments) > 1 else None
    for name in OWN_FILES:
        os.environ.pop(name, None)
    os.environ.update(session.files)
    try:
        own = botocore.session.Session(profile=profile).get_credentials()
        if own is None:
            print(
                "Your own AWS profile has no credentials now. Log in as you usually do, for "
                "example with `aws login` or `aws sso login`, and try again.",
                file=sys.stderr,
            )
            return 1
        frozen = own.get_frozen_credentials()
    except botocore.exceptions.BotoCoreError as error:
        print(f"Your own AWS profile {profile or 'default'}: {error}", file=sys.stderr)
        return 1
    answer = {"Version": 1, "AccessKeyId": frozen.access_key, "SecretAccessKey": frozen.secret_key}
    if frozen.token:
        answer["SessionToken"] = frozen.token
    expires = getattr(own, "_expiry_time", None)
    if expires is not None:
        answer["Expiration"] = expires.isoformat()
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
