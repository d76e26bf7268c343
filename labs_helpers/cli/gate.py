"""Judge an image in ECR by its scan: fail on findings of a severity, on a scan that did not end,
and on packages that were not judged. The command works on AWS as in the sandbox.

Exit codes: 0 the image passes; 1 AWS or the sandbox could not be asked; 2 wrong arguments;
3 findings at or above the threshold; 4 no complete scan; 5 packages that were not judged."""

from __future__ import annotations

import argparse
from pathlib import Path

from labs_helpers import gate
from labs_helpers.cli import clients
from labs_helpers.gate.formats import FORMATS
from labs_helpers.gate.verdict import LEVELS
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs gate demo:v1",
    "labs gate demo:v1 --fail-on CRITICAL --only-fixable",
    "labs gate demo:v1 --accept accepted.yaml --format sarif > gate.sarif",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """IMAGE, --fail-on, --only-fixable, --accept, --format, --wait, --region."""
    parser.add_argument(
        "image", metavar="IMAGE", help="repository:tag, repository@digest, or the whole name"
    )
    parser.add_argument(
        "--fail-on",
        default="HIGH",
        type=str.upper,
        choices=LEVELS,
        help="the lowest severity that fails (default HIGH); an unknown severity always fails",
    )
    parser.add_argument(
        "--only-fixable", action="store_true", help="pass findings for which ECR knows no fix"
    )
    parser.add_argument(
        "--accept", type=Path, metavar="FILE", help="accepted risks: id, reason, expires (YAML)"
    )
    parser.add_argument("--format", default="table", choices=sorted(FORMATS), help="how to print")
    parser.add_argument(
        "--wait", default=300.0, type=float, metavar="SECONDS", help="for the scan (default 300)"
    )
    parser.add_argument("--region", help="of the registry, where IMAGE does not say it")


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict; the exit code is the verdict's."""
    workspace = Workspace.find()
    image = gate.parse(arguments.image)
    accepted = gate.load(arguments.accept) if arguments.accept else ()
    with clients.ecr(workspace, image.region or arguments.region) as ecr:
        scan = gate.fetch(ecr, image, wait=arguments.wait)
    rules = gate.Rules(arguments.fail_on, arguments.only_fixable)
    verdict = gate.judge(scan, rules, accepted, clients.now(workspace).date())
    print(FORMATS[arguments.format](verdict))
    return verdict.exit_code
