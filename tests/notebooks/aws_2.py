"""An `aws` that prints the errors and times of version 2, over version 1, which PyPI has.

Version 2 is not on PyPI, so the tests cannot install it. What is rewritten here was read in the
source of 2.36.7 and compared with what 2.36.7 prints:
https://github.com/aws/aws-cli/blob/2.36.7/awscli/errorhandler.py
https://docs.aws.amazon.com/cli/latest/userguide/cliv2-migration-changes.html
"""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PREFIX = "aws: [ERROR]: "
_REGION = re.compile(r"^You must specify a region\.", re.MULTILINE)
_CREDENTIALS = re.compile(
    r'^Unable to locate credentials\. You can configure credentials by running "aws configure"\.',
    re.MULTILINE,
)
_OTHER = re.compile(r"^(?=An error occurred \(|The config profile \()", re.MULTILINE)
_TIP = (
    "\nTip: You can deliver temporary credentials to the AWS CLI using your AWS Console session by "
    "running the command 'aws login'.\n\n"
)
_QUESTION = re.compile(r"^(?=AWS Access Key ID \[None\])")
_SECONDS = re.compile(r"(?<=: )1[78]\d{8}\.\d+(?=,?$)", re.MULTILINE)


def errors(text: str) -> str:
    """What version 2 prints on stderr where version 1 prints ``text``."""
    text = _OTHER.sub(PREFIX, text)
    text = _REGION.sub(f"\n{PREFIX}An error occurred (NoRegion): You must specify a region.", text)
    return _CREDENTIALS.sub(
        f"\n{PREFIX}An error occurred (NoCredentials): Unable to locate credentials. "
        'You can configure credentials by running "aws login".',
        text,
    )


def output(text: str) -> str:
    """What version 2 prints on stdout where version 1 prints ``text``.

    It writes times in ISO 8601, where version 1 prints seconds, and has a tip for a first key.
    """
    return _SECONDS.sub(
        lambda found: f'"{datetime.fromtimestamp(float(found[0]), UTC).isoformat()}"',
        _QUESTION.sub(_TIP, text),
    )


def place(folder: Path, version_1: Path) -> Path:
    """Write the command ``aws``, over that of version 1, into ``folder``; returns its path.

    A build of CodeBuild is isolated, and reaches no server of quick commands: there the program
    itself runs.
    """
    command = folder / "aws"
    over = f'exec "{sys.executable}" "{Path(__file__).absolute()}"'
    command.write_text(
        f'#!/bin/sh\n[ -z "$CODEBUILD_BUILD_ID" ] || {over} "{sys.executable}" -m awscli "$@"\n'
        f'{over} "{version_1}" "$@"\n'
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return command


def main() -> int:
    """Run the command in the arguments and print what version 2 would."""
    ran = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=False)
    sys.stdout.write(output(ran.stdout))
    sys.stderr.write(errors(ran.stderr))
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
