"""docker manifest inspect.

Source of the output: https://github.com/docker/cli/blob/v28.2.2/cli/command/manifest/inspect.go
and https://github.com/docker/cli/blob/v28.2.2/cli/manifest/types/types.go
"""

from __future__ import annotations

import base64
import json
import sys
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.reference import Reference

from .client import EngineClient, Failure, ResponseError
from .command_line import SWITCH, Arguments, Option, command
from .transfer import auth_header, parse_reference


@command(
    "manifest inspect",
    "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    "Display an image manifest, or manifest list",
    1,
    2,
    [
        Option(
            "insecure",
            refused="the labs' engine decides by the host name how a registry is reached",
            harmless=frozenset({"false", "0", "f"}),
        ),
        Option("verbose", "v", SWITCH, "Output additional info including layers and platform"),
    ],
)
def inspect_manifest(args: Arguments, engine: EngineClient) -> int:
    """docker manifest inspect MANIFEST

    Docker's command asks the registry itself; this one asks the engine, which knows the way to the
    sandbox's registries.
    """
    reference = parse_reference(args.positional[-1], default_tag=True)
    if len(args.positional) > 1:
        # Docker looks for a list that `docker manifest create` made, which the labs refuse
        raise Failure(f"No such manifest: {reference}")
    body = _manifest(reference, engine)
    document = json.loads(body)
    if args.on("verbose"):
        is_index = document.get("mediaType") in media_types.INDEXES or "manifests" in document
        document = (
            [_entry(reference, descriptor, engine) for descriptor in document["manifests"]]
            if is_index
            else _described(reference, body, engine)
        )
    sys.stdout.write(json.dumps(document, indent="\t", ensure_ascii=False) + "\n")
    return 0


def _manifest(reference: Reference, engine: EngineClient) -> bytes:
    """The bytes of a manifest in its registry. Raises Failure."""
    try:
        return engine.content(_path(reference, "manifest"), auth_header(reference))
    except ResponseError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        raise Failure(error.reason) from error


def _path(reference: Reference, what: str) -> str:
    return f"/distribution/{quote(reference.familiar, safe='/:@')}/{what}"


def _entry(reference: Reference, descriptor: dict[str, Any], engine: EngineClient) -> Any:
    """The description of one manifest of an index; the index says for which platform it is."""
    child = Reference(reference.domain, reference.path, None, descriptor["digest"])
    found = _described(child, _manifest(child, engine), engine, descriptor.get("platform") or {})
    return {**found, "Ref": f"{reference}@{descriptor['digest']}"}


def _described(
    reference: Reference,
    body: bytes,
    engine: EngineClient,
    platform: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A manifest as ``-v`` shows it: Ref, Descriptor, Raw (base64) and the manifest itself.

    ``platform`` is that of the index; without it, the configuration of the image has the platform.
    """
    document = json.loads(body)
    media_type = document.get("mediaType") or media_types.OCI_MANIFEST
    if platform is None:
        answer = engine.json(_path(reference, "json"), headers=auth_header(reference))
        platform = next(iter(answer["Platforms"]), {})
    names = ("architecture", "os", "os.version", "os.features", "variant")
    descriptor = {
        "mediaType": media_type,
        "digest": digests.of_bytes(body),
        "size": len(body),
        "platform": {name: platform[name] for name in names if platform.get(name)},
    }
    kind = "SchemaV2Manifest" if media_type == media_types.DOCKER_MANIFEST else "OCIManifest"
    return {
        "Ref": str(reference),
        "Descriptor": descriptor,
        "Raw": base64.b64encode(body).decode(),
        kind: document,
    }
