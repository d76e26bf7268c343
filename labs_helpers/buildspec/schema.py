"""Every key of AWS's buildspec reference, as one table, for versions 0.2 and 0.1.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
https://docs.aws.amazon.com/codebuild/latest/userguide/batch-build-buildspec.html

The table is stricter than CodeBuild in one thing: CodeBuild is known to refuse an unknown phase,
and its reference says nothing of other unknown keys. Here each is a problem, because a key that
nobody reads is a mistake that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labs_helpers.buildspec.model import PHASES
from labs_helpers.buildspec.shapes import (
    YES_NO,
    Anything,
    Choice,
    Keys,
    Names,
    Shape,
    Text,
    Texts,
)

VERSIONS = ("0.1", "0.2")
_REPORT_FORMATS = (
    *("CUCUMBERJSON", "JUNITXML", "NUNITXML", "NUNIT3XML", "TESTNGXML", "VISUALSTUDIOTRX"),
    *("CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV"),
)
_PHASE_NAMES = "Invalid buildspec phase name: {}. Expecting: build,install,post_build,pre_build"
MOST_RETRIES = 100
ON_FAILURE = re.compile(r"ABORT|CONTINUE|RETRY(?:-(\d+))?(?:-(.+))?", re.DOTALL)


def _variable(name: str) -> str | None:
    """A variable that a shell can hold, outside CodeBuild's own prefix; else what is wrong."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return "no shell has a variable of this name|Use letters, digits and underscores only."
    if name.startswith("CODEBUILD_"):
        return "names that begin with CODEBUILD_ are CodeBuild's own|Choose another name."
    return None


def exported_variable(name: str) -> str | None:
    """What is wrong with a name in env/exported-variables. CODEBUILD_ variables may be exported."""
    if name.startswith("AWS_"):
        return "CodeBuild exports no variable that begins with AWS_|Copy the value to another name."
    return None if name.startswith("CODEBUILD_") else _variable(name)


def _on_failure(text: str) -> str | None:
    found = ON_FAILURE.fullmatch(text)
    if found is None:
        near = " Capital letters count." if ON_FAILURE.fullmatch(text.upper()) else ""
        forms = "ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex, RETRY-count-regex"
        return f"{text!r} is no action on failure|The actions are {forms}.{near}"
    if found[1] and int(found[1]) > MOST_RETRIES:
        return f"{found[1]} retries are too many|Write a count from 0 to {MOST_RETRIES}."
    try:
        re.compile(found[2] or "")
    except re.error as error:
        return f"{found[2]!r} is no regular expression: {error}|Escape its special characters."
    return None


def _identifier(name: str) -> str | None:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html"""
    if re.fullmatch(r"[A-Za-z0-9_]{1,127}", name):
        return None
    advice = "Use letters, digits and underscores, fewer than 128."
    return f"an artifact identifier has no such characters|{advice}"


_COMMANDS = Texts(label="Commands")
_PHASE: dict[str, Shape] = {
    "run-as": Text(),
    "on-failure": Text(_on_failure),
    "commands": _COMMANDS,
    "finally": Texts(label="Finally"),
}
_INSTALL = {**_PHASE, "runtime-versions": Names(Text())}
_ARTIFACTS: dict[str, Shape] = {
    "files": Texts(),
    "name": Text(),
    "discard-paths": YES_NO,
    "base-directory": Text(),
    "exclude-paths": Texts(),
    "enable-symlinks": YES_NO,
    "s3-prefix": Text(),
}
_ALL_ARTIFACTS: dict[str, Shape] = {
    **_ARTIFACTS,
    "secondary-artifacts": Names(Keys(_ARTIFACTS, required=("files",)), _identifier),
}
_REPORT: dict[str, Shape] = {
    "files": Texts(),
    "file-format": Choice(_REPORT_FORMATS, fold=True),
    "base-directory": Text(),
    "discard-paths": YES_NO,
}
_ENV: dict[str, Shape] = {
    "shell": Choice(("bash", "/bin/sh", "powershell.exe", "cmd.exe")),
    "variables": Names(Text(), _variable),
    "parameter-store": Names(Text(), _variable),
    "secrets-manager": Names(Text(), _variable),
    "exported-variables": Texts(),
    "git-credential-helper": YES_NO,
}
_BATCH: dict[str, Shape] = {
    "fast-fail": YES_NO,
    "build-list": Anything(),
    "build-matrix": Anything(),
    "build-graph": Anything(),
    "build-fanout": Anything(),
}
_TOP: dict[str, Shape] = {
    "version": Choice(VERSIONS),
    "run-as": Text(),
    "env": Keys(_ENV, hints={"plaintext": "Version 0.2 calls this variables."}),
    "proxy": Keys({"upload-artifacts": YES_NO, "logs": YES_NO}),
    "batch": Keys(_BATCH),
    "phases": Keys(
        {name: Keys(_INSTALL if name == "install" else _PHASE) for name in PHASES},
        aws=_PHASE_NAMES,
    ),
    "reports": Names(Keys(_REPORT, required=("files",)), most=5),
    "artifacts": Keys(
        _ALL_ARTIFACTS,
        hints={"type": "Remove this key of version 0.1: the project says how to pack."},
    ),
    "cache": Keys(
        {
            "key": Text(),
            "fallback-keys": Texts(most=5),
            "action": Choice(("restore", "save")),
            "paths": Texts(),
        },
        required=("paths",),
    ),
}
_REQUIRED = ("version", "phases")
_NEW_IN_0_2 = ("env",)
CURRENT = Keys(
    _TOP, required=_REQUIRED, hints={"environment_variables": "Version 0.2 calls this env."}
)
"""Version 0.2."""
FIRST = Keys(
    {
        **{name: shape for name, shape in _TOP.items() if name not in _NEW_IN_0_2},
        # renamed in 0.2: env and variables
        "environment_variables": Keys({"plaintext": Names(Text(), _variable)}),
        # gone in 0.2: artifacts are packed as the project says
        "artifacts": Keys({**_ALL_ARTIFACTS, "type": Text()}),
    },
    required=_REQUIRED,
    hints={"env": "Version 0.1 calls this environment_variables. Better: write `version: 0.2`."},
)
"""Version 0.1: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-versions"""


def homes(shape: Keys = CURRENT) -> dict[str, tuple[str, ...]]:
    """Where each known key belongs: its name to the paths of the tables that hold the key."""
    found: dict[str, list[str]] = {}
    for name, place in _places(shape, ""):
        found.setdefault(name, []).append(place)
    return {name: tuple(dict.fromkeys(places)) for name, places in found.items()}


def _places(shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(shape, Names):
        yield from _places(shape.value, f"{path}/<name>")
    if isinstance(shape, Keys):
        for name, of in shape.keys.items():
            yield name, path
            yield from _places(of, f"{path}/{name}" if path else name)
