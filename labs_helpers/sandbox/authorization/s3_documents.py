"""The XML documents of Amazon S3's requests, held against botocore's model, and names of buckets.

moto looks at few of their values: a version status "enabled" was kept, and meant nothing.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (MalformedXML)
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from labs_helpers.sandbox.authorization import models
from labs_helpers.sandbox.service.refusal import Refusal

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_RESERVED = re.compile(
    r"(?:xn--|sthree-|amzn-s3-demo-).*|.*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)"
)
_NUMBER = re.compile(r"-?\d{1,19}", re.ASCII)
_FLAGS = ("true", "false")


def check_name(bucket: str) -> None:
    """Raise Refusal for the name of a new bucket that is none.

    Old buckets may have other names, so that only CreateBucket asks:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not _NAME.fullmatch(bucket) or _ADDRESS.fullmatch(bucket) or _RESERVED.fullmatch(bucket):
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.")


def check(operation: str, body: bytes) -> None:
    """Raise Refusal for a document that is not as the operation's model says."""
    model: Any = models.model_of("s3")
    shape = model.operation_model(operation).input_shape
    name = shape.serialization.get("payload") if shape is not None else None
    if name is None or not body:
        return
    payload = shape.members[name]
    if payload.type_name != "structure":
        return
    root = _parsed(body)
    if _tag(root) != payload.serialization.get("name", name):
        raise malformed()
    _check(root, payload)


def _check(found: Element, shape: Any) -> None:
    if shape.type_name == "structure":
        _check_members(found, shape)
    elif shape.type_name == "list":
        for each in found:
            if _tag(each) != shape.member.serialization.get("name", "member"):
                raise malformed()
            _check(each, shape.member)
    elif len(found):
        raise malformed()
    else:
        _check_value((found.text or "").strip(), shape)


def _check_members(found: Element, shape: Any) -> None:
    named = {}
    for name, member in shape.members.items():
        if not member.serialization.get("xmlAttribute"):
            flat = member.type_name == "list" and member.serialization.get("flattened")
            shown = member.serialization.get("name", name)
            if flat:
                shown = member.serialization.get("name") or member.member.serialization.get("name")
            named[shown or name] = (name, member.member if flat else member, flat)
    seen = []
    for each in found:
        if _tag(each) not in named:
            raise malformed()
        name, member, flat = named[_tag(each)]
        if name in seen and not flat:
            raise malformed()
        seen.append(name)
        _check(each, member)
    written = [name for name, _, _ in named.values()]
    if any(name in written and name not in seen for name in shape.required_members):
        raise malformed()


def _check_value(text: str, shape: Any) -> None:
    allowed = getattr(shape, "enum", None)
    if allowed and text not in allowed:
        raise malformed()
    if shape.type_name in ("integer", "long") and not _NUMBER.fullmatch(text):
        raise malformed()
    if shape.type_name == "boolean" and text not in _FLAGS:
        raise malformed()


def deletions(body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """(key and version id, empty for none, of each object; the same again as plain XML).

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    root = _parsed(body)
    plain = Element("Delete")
    found = []
    for part in root:
        name = _tag(part)
        if name == "Quiet":
            ElementTree.SubElement(plain, "Quiet").text = part.text
        elif name == "Object":
            members = {_tag(each): each for each in part}
            if "Key" not in members or len(members) != len(part) or any(map(len, part)):
                raise malformed()
            key = members["Key"].text or ""
            version = members["VersionId"].text or "" if "VersionId" in members else ""
            found.append((key, version))
            thing = ElementTree.SubElement(plain, "Object")
            ElementTree.SubElement(thing, "Key").text = key
            if version:
                ElementTree.SubElement(thing, "VersionId").text = version
    if not found or _tag(root) != "Delete":
        raise malformed()
    return found, ElementTree.tostring(plain)


def roles(body: bytes) -> list[str]:
    """Every role in a document, wherever it stands: who executes may take any of them."""
    return [
        (each.text or "").strip()
        for each in _parsed(body).iter()
        if _tag(each).rpartition(":")[2] == "Role"
    ]


def malformed() -> Refusal:
    words = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
    return Refusal("MalformedXML", words)


def _parsed(body: bytes) -> Element:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise malformed() from None


def _tag(found: Element) -> str:
    return found.tag.rpartition("}")[2]
