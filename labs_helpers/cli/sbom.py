"""Write the bill of materials of an image in ECR as CycloneDX JSON, read from the layers.

--push attaches it to the image as an OCI referrer: `aws ecr list-image-referrers` shows it."""

from __future__ import annotations

import argparse
from pathlib import Path

from labs_helpers.cli import clients
from labs_helpers.cli.terminal import say
from labs_helpers.gate import parse
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs sbom demo:v1", "labs sbom demo:v1 --push", "labs sbom demo:v1 --output sbom.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """IMAGE, --push, --output, --region."""
    parser.add_argument(
        "image", metavar="IMAGE", help="repository:tag, repository@digest, or the whole name"
    )
    parser.add_argument("--push", action="store_true", help="attach it to the image in ECR")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to a file")
    parser.add_argument("--region", help="of the registry, where IMAGE does not say it")


def run(arguments: argparse.Namespace) -> int:
    """Print the document, or say where it is."""
    from labs_helpers import sbom

    workspace = Workspace.find()
    image = parse(arguments.image)
    with clients.ecr(workspace, image.region or arguments.region) as ecr:
        pulled, found = sbom.inventory(ecr, image)
        bom = sbom.document(image, pulled, found, clients.now(workspace))
        for path, reason in found.unread:
            say(f"Not in it: {path} ({reason}).")
        if arguments.output:
            arguments.output.write_bytes(bom + b"\n")
            say(f"{len(found.packages)} packages written to {arguments.output}.")
        if arguments.push:
            digest = sbom.attach(ecr, image, pulled, bom)
            print(f"{len(found.packages)} packages, attached to {image} as {digest}")
        elif not arguments.output:
            print(bom.decode())
    return 0
