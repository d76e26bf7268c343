"""A manifest of a Pod or a Deployment, read as kubectl and the API server read the manifest.

Unknown fields are refused, as kubectl refuses them by default (strict decoding):
https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from labs_helpers.errors import LabError
from labs_helpers.runtime.grammars import without_grammars

VERSIONS = {"Pod": "v1", "Deployment": "apps/v1"}
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names:
https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go"""
_MOST = 1_000_000
"""Bytes of a manifest; etcd takes no larger object."""


@dataclass(frozen=True)
class Manifest:
    """What is wanted: `replicas` pods of one template. kind: "Pod" or "Deployment"."""

    kind: str
    name: str
    replicas: int
    containers: tuple[Mapping[str, Any], ...]
    hash: str

    def pod(self, number: int) -> str:
        """The name of a pod. Kubernetes ends the names with chance, here a number decides."""
        if self.kind == "Pod":
            return self.name
        return f"{self.name}-{self.hash}-{letters(f'{self.hash} {number}', 5)}"


def letters(text: str, count: int) -> str:
    """Letters that follow from a text, as those of a generated name."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:count])


def read(path: Path) -> Manifest:
    """The manifest in a file. Raises LabError, in kubectl's words, for what kubectl refuses."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST + 1).decode("utf-8")
    except FileNotFoundError:
        raise LabError(f'error: the path "{path}" does not exist') from None
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"error: {path} cannot be read: {error}") from error
    if len(text) > _MOST:
        raise LabError(f"error: {path} is larger than {_MOST:,} bytes, which no manifest is.")
    try:
        found = [each for each in yaml.safe_load_all(text) if each is not None]
        if not _is_within(found, _MOST):
            raise LabError(f"error: error parsing {path}: its aliases stand for too many values.")
    except (yaml.YAMLError, RecursionError) as error:
        raise LabError(f"error: error parsing {path}: {error}") from error
    objects = [each for each in found if isinstance(each, dict)]
    if len(found) != 1 or not objects:
        holds = len(found) if objects else "none"
        raise LabError(
            f"error: {path} has to hold one object, a Pod or a Deployment; it holds {holds}."
        )
    return _checked(path, found[0])


def _is_within(value: Any, left: int) -> bool:
    """Whether a document has at most `left` values, an alias counted as what the alias stands for.

    Ten lines of aliases of aliases stand for billions of values, which every reader would follow:
    https://github.com/kubernetes/kubernetes/issues/83253
    """
    waiting = [value]
    while waiting and left > 0:
        found = waiting.pop()
        left -= 1
        if isinstance(found, dict):
            waiting += [*found, *found.values()]
        elif isinstance(found, (list, tuple, set)):
            waiting += found
        if len(waiting) > left:
            return False
    return not waiting


def _checked(path: Path, given: dict[str, Any]) -> Manifest:
    kind, version = given.get("kind"), given.get("apiVersion")
    if kind not in VERSIONS or version != VERSIONS[kind]:
        raise LabError(
            f'error: resource mapping not found for kind "{kind}" in version "{version}" of '
            f"{path}.\nlab.pods takes a Pod (apiVersion v1) and a Deployment (apiVersion apps/v1)."
        )
    problems = sorted(_validator(kind).iter_errors(given), key=lambda each: list(each.path))
    _refuse_unknown(path, kind, problems)
    name = str((given.get("metadata") or {}).get("name", ""))
    for problem in problems:
        raise LabError(f'The {kind} "{name}" is invalid: {_words(problem)}')
    if kind == "Pod":
        return _manifest(kind, name, 1, given)
    spec = given["spec"]
    wanted = spec["selector"]["matchLabels"]
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not wanted or not wanted.items() <= labels.items():
        raise LabError(
            f'The Deployment "{name}" is invalid: spec.template.metadata.labels: Invalid value: '
            f"{json.dumps(labels)}: `selector` does not match template `labels`"
        )
    return _manifest(kind, name, spec.get("replicas", 1), spec["template"])


def _manifest(kind: str, name: str, replicas: int, template: Mapping[str, Any]) -> Manifest:
    containers = tuple(template["spec"]["containers"])
    names = [each["name"] for each in containers]
    for number, one in enumerate(names):
        if one in names[:number]:
            raise LabError(
                f'The {kind} "{name}" is invalid: spec.containers[{number}].name: Duplicate value: '
                f'"{one}"'
            )
    written = json.dumps(template, sort_keys=True)
    return Manifest(kind, name, replicas, containers, letters(written, 10))


def _validator(kind: str) -> Any:
    with without_grammars():  # imported late: it takes 6 MB
        import jsonschema
    schema = json.loads(resources.files(__package__).joinpath("schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{kind}"})


def _refuse_unknown(path: Path, kind: str, problems: Iterable[Any]) -> None:
    unknown, absent = [], []
    for problem in problems:
        if problem.validator == "additionalProperties" and problem.validator_value is False:
            known = problem.schema["properties"]
            unknown += [
                f'unknown field "{_field([*problem.path, name])}"'
                for name in problem.instance
                if name not in known
            ]
        elif problem.validator == "not":
            absent.append(_field(problem.path))
    if unknown:
        version = VERSIONS[kind].rpartition("/")[2]
        raise LabError(
            f'Error from server (BadRequest): error when creating "{path}": {kind} in version '
            f'"{version}" cannot be handled as a {kind}: strict decoding error: '
            + ", ".join(unknown)
        )
    if absent:
        raise LabError(
            f"{path}: lab.pods does not carry out {', '.join(absent)}. Kubernetes knows this field;"
            " here, leave it out."
        )


def _words(problem: Any) -> str:
    field = _field(problem.path)
    if problem.validator == "required":
        missing = next(one for one in problem.validator_value if one not in problem.instance)
        return f"{_field([*problem.path, missing])}: Required value"
    if problem.validator == "minItems":
        return f"{field}: Required value"
    return f"{field}: Invalid value: {json.dumps(problem.instance, default=str)}: {problem.message}"


def _field(path: Iterable[Any]) -> str:
    """ "spec.containers[0].image" """
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return text.removeprefix(".") or "<root>"
