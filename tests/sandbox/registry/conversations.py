"""Conversations of a client with a registry, as the OCI conformance suite holds them.

One table: what the client sends, and what the specification wants of the answer. The suite is a Go
program whose modules are not among the packages that CI can install, so its conversations are told
here; test_conformance.py pushes and pulls every kind of content besides. Sources:
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md and
https://github.com/opencontainers/distribution-spec/tree/v1.1.1/conformance
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.oci import digest, media_types

BLOB, FIRST, SECOND = b"first half second half", b"first half ", b"second half"
CONFIG, LAYER = b'{"author": "conformance"}', b"a layer"
EMPTY = b"{}"


def described(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest.of_bytes(data), "size": len(data)}


def manifest(**changes: Any) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": described(CONFIG, media_types.OCI_CONFIG),
        "layers": [described(LAYER, media_types.OCI_LAYER_GZIP)],
        **changes,
    }
    return json.dumps(document).encode()


MANIFEST = manifest()
ANNOTATED = manifest(annotations={"org.opencontainers.conformance.test": "another"})
REFERRER = manifest(
    artifactType="application/vnd.example.sbom",
    subject=described(MANIFEST, media_types.OCI_MANIFEST),
    annotations={"of": "the image"},
)
SIGNATURE = manifest(
    config=described(EMPTY, "application/vnd.example.signature"),
    subject=described(MANIFEST, media_types.OCI_MANIFEST),
)
NAMES = {
    "repo": "/v2/conformance/repo",
    "other": "/v2/conformance/other",
    "blob": digest.of_bytes(BLOB),
    "config": digest.of_bytes(CONFIG),
    "layer": digest.of_bytes(LAYER),
    "empty": digest.of_bytes(EMPTY),
    "manifest": digest.of_bytes(MANIFEST),
    "annotated": digest.of_bytes(ANNOTATED),
    "referrer": digest.of_bytes(REFERRER),
    "signature": digest.of_bytes(SIGNATURE),
    "nothing": f"sha256:{'0' * 64}",
}
OF_MANIFEST = {"Content-Type": media_types.OCI_MANIFEST}


@dataclass(frozen=True)
class Step:
    """A request, and what its answer must be.

    line: method and path, with names of NAMES and of kept locations in braces; chunked: send the
    body in chunks; status: the answers that are right; headers: values that the answer's headers
    have; gives: the body, or what its JSON must hold; keep: the name for the answer's Location.
    """

    line: str
    status: int | tuple[int, ...]
    body: bytes | None = None
    sends: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    gives: bytes | dict[str, Any] | None = None
    keep: str = ""


def blob_in(name: str, data: bytes) -> list[Step]:
    start = Step("POST {repo}/blobs/uploads/", 202, keep="upload")
    return [start, Step(f"PUT {{upload}}?digest={{{name}}}", 201, data)]


IMAGE = [
    *blob_in("config", CONFIG),
    *blob_in("layer", LAYER),
    Step("PUT {repo}/manifests/tag1", 201, MANIFEST, OF_MANIFEST, keep="pushed"),
]

PULL = {
    "a blob that is not there": [
        Step("HEAD {repo}/blobs/{nothing}", 404),
        Step("GET {repo}/blobs/{nothing}", 404, gives={"errors": ...}),
    ],
    "a blob": [
        *blob_in("blob", BLOB),
        Step("HEAD {repo}/blobs/{blob}", 200, headers={"content-length": str(len(BLOB))}),
        Step("GET {repo}/blobs/{blob}", 200, gives=BLOB),
        Step("GET {repo}/blobs/{blob}", 206, sends={"Range": "bytes=0-9"}, gives=BLOB[:10]),
    ],
    "a manifest that is not there": [
        Step("HEAD {repo}/manifests/.INVALID_MANIFEST_NAME", 404),
        Step("GET {repo}/manifests/.INVALID_MANIFEST_NAME", 404, gives={"errors": ...}),
        Step("GET {repo}/manifests/{nothing}", 404),
    ],
    "a manifest by digest and by tag": [
        *IMAGE,
        *[
            Step(f"{method} {{repo}}/manifests/{name}", 200, gives=gives)
            for method, gives in (("HEAD", None), ("GET", MANIFEST))
            for name in ("{manifest}", "tag1")
        ],
    ],
    "errors in the specification's form": [
        Step("GET {repo}/manifests/sha256:totallywrong", (400, 404), gives={"errors": ...}),
        Step("PUT {repo}/manifests/sha256:totallywrong", 400, MANIFEST, OF_MANIFEST),
    ],
}

PUSH = {
    "streamed": [
        Step("POST {repo}/blobs/uploads/", 202, keep="upload"),
        Step("PATCH {upload}", 202, BLOB, chunked=True, keep="upload"),
        Step("PUT {upload}?digest={blob}", 201, keep="stored"),
        Step("GET {stored}", 200, gives=BLOB),
    ],
    "in one POST": [
        Step("POST {repo}/blobs/uploads/?digest={blob}", (201, 202), BLOB, keep="stored"),
        Step("GET {stored}", 200, gives=BLOB),
    ],
    "by POST and PUT": [
        *blob_in("blob", BLOB),
        Step("GET {repo}/blobs/{blob}", 200, gives=BLOB),
    ],
    "in chunks": [
        Step("POST {repo}/blobs/uploads/", 202, keep="upload"),
        Step(
            "PATCH {upload}",
            202,
            FIRST,
            {"Content-Range": f"0-{len(FIRST) - 1}"},
            headers={"range": f"0-{len(FIRST) - 1}"},
            keep="upload",
        ),
        Step("GET {upload}", 204, headers={"range": f"0-{len(FIRST) - 1}"}),
        Step("PATCH {upload}", 202, SECOND, keep="upload"),
        Step("PUT {upload}?digest={blob}", 201, keep="stored"),
        Step("GET {stored}", 200, gives=BLOB),
    ],
    "chunks out of order": [
        Step("POST {repo}/blobs/uploads/", 202, keep="upload"),
        Step("PATCH {upload}", 416, SECOND, {"Content-Range": f"{len(FIRST)}-{len(BLOB) - 1}"}),
        Step("PATCH {upload}", 202, FIRST, {"Content-Range": f"0-{len(FIRST) - 1}"}),
        Step("PATCH {upload}", 416, FIRST, {"Content-Range": f"0-{len(FIRST) - 1}"}),
        Step("GET {upload}", 204, headers={"range": f"0-{len(FIRST) - 1}"}),
        Step(
            "PUT {upload}?digest={blob}",
            201,
            SECOND,
            {"Content-Range": f"{len(FIRST)}-{len(BLOB) - 1}"},
        ),
    ],
    "other bytes than the digest's": [
        Step("POST {repo}/blobs/uploads/", 202, keep="upload"),
        Step("PUT {upload}?digest={nothing}", 400, BLOB, gives={"errors": ...}),
    ],
    "an upload that is cancelled": [
        Step("POST {repo}/blobs/uploads/", 202, keep="upload"),
        Step("DELETE {upload}", 204),
        Step("GET {upload}", 404),
    ],
    "mounted from another repository": [
        *blob_in("blob", BLOB),
        Step("POST {other}/blobs/uploads/?mount={blob}&from=conformance/repo", 201, keep="stored"),
        Step("GET {stored}", 200, gives=BLOB),
        Step("POST {other}/blobs/uploads/?mount={nothing}&from=conformance/repo", 202, keep="up"),
        Step("GET {up}", 204),
    ],
    "a manifest": [
        *IMAGE,
        Step("GET {pushed}", 200, gives=MANIFEST, headers={"docker-content-digest": "{manifest}"}),
        Step("PUT {repo}/manifests/tag2", 201, ANNOTATED, OF_MANIFEST),
        Step("GET {repo}/manifests/tag2", 200, gives=ANNOTATED),
    ],
    "a manifest before its blobs": [
        Step("PUT {repo}/manifests/tag1", (400, 404), MANIFEST, OF_MANIFEST),
        Step("GET {repo}/manifests/tag1", 404),
    ],
}

DISCOVERY = {
    "tags, whole and in pages": [
        *IMAGE,
        *[
            Step(f"PUT {{repo}}/manifests/{tag}", 201, MANIFEST, OF_MANIFEST)
            for tag in ("tag3", "tag2", "tag0")
        ],
        Step("GET {repo}/tags/list", 200, gives={"tags": ["tag0", "tag1", "tag2", "tag3"]}),
        Step("GET {repo}/tags/list?n=2", 200, gives={"tags": ["tag0", "tag1"]}),
        Step("GET {repo}/tags/list?n=2&last=tag1", 200, gives={"tags": ["tag2", "tag3"]}),
        Step("GET {repo}/tags/list?n=0", 200, gives={"tags": []}),
    ],
    "referrers of nothing": [
        Step(
            "GET {repo}/referrers/{nothing}",
            200,
            headers={"content-type": media_types.OCI_INDEX},
            gives={"manifests": []},
        ),
    ],
    "referrers, all and of one type": [
        *blob_in("config", CONFIG),
        *blob_in("layer", LAYER),
        *blob_in("empty", EMPTY),
        # the referrers come before what they refer to, as the specification allows
        Step(
            "PUT {repo}/manifests/{referrer}",
            201,
            REFERRER,
            OF_MANIFEST,
            headers={"oci-subject": "{manifest}"},
        ),
        Step("PUT {repo}/manifests/{signature}", 201, SIGNATURE, OF_MANIFEST),
        Step("PUT {repo}/manifests/tag1", 201, MANIFEST, OF_MANIFEST),
        Step(
            "GET {repo}/referrers/{manifest}",
            200,
            gives={
                "manifests": [
                    {
                        **described(REFERRER, media_types.OCI_MANIFEST),
                        "artifactType": "application/vnd.example.sbom",
                        "annotations": {"of": "the image"},
                    },
                    {
                        **described(SIGNATURE, media_types.OCI_MANIFEST),
                        "artifactType": "application/vnd.example.signature",
                    },
                ]
            },
        ),
        Step(
            "GET {repo}/referrers/{manifest}?artifactType=application/vnd.example.signature",
            200,
            headers={"oci-filters-applied": "artifactType"},
            gives={
                "manifests": [
                    {
                        **described(SIGNATURE, media_types.OCI_MANIFEST),
                        "artifactType": "application/vnd.example.signature",
                    }
                ]
            },
        ),
        Step("DELETE {repo}/manifests/{referrer}", 202),
        Step("DELETE {repo}/manifests/{signature}", 202),
        Step("GET {repo}/referrers/{manifest}", 200, gives={"manifests": []}),
    ],
}

MANAGEMENT = {
    "a tag": [
        *IMAGE,
        Step("PUT {repo}/manifests/tag2", 201, MANIFEST, OF_MANIFEST),
        Step("DELETE {repo}/manifests/tag1", 202),
        Step("GET {repo}/manifests/tag1", 404),
        Step("GET {repo}/tags/list", 200, gives={"tags": ["tag2"]}),
        Step("GET {repo}/manifests/{manifest}", 200, gives=MANIFEST),
    ],
    "a manifest, with its tags": [
        *IMAGE,
        Step("DELETE {repo}/manifests/{manifest}", 202),
        Step("GET {repo}/manifests/{manifest}", 404),
        Step("GET {repo}/manifests/tag1", 404),
        Step("GET {repo}/tags/list", 200, gives={"tags": []}),
    ],
    "a blob": [
        *blob_in("blob", BLOB),
        Step("DELETE {repo}/blobs/{blob}", 202),
        Step("GET {repo}/blobs/{blob}", 404),
        Step("DELETE {repo}/blobs/{blob}", (202, 404)),
    ],
}

CONVERSATIONS: dict[str, list[Step]] = {
    f"{category}: {name}": steps
    for category, told in (
        ("pull", PULL),
        ("push", PUSH),
        ("content discovery", DISCOVERY),
        ("content management", MANAGEMENT),
    )
    for name, steps in told.items()
}
