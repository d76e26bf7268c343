"""A buildspec's text -> a Buildspec, or every problem by line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.buildspec import schema
from labs_helpers.buildspec.model import (
    PHASES,
    Artifacts,
    Buildspec,
    Environment,
    NotDone,
    OnFailure,
    Phase,
    Report,
    SecretReference,
)
from labs_helpers.buildspec.problems import BuildspecError
from labs_helpers.buildspec.shapes import Found, Reader
from labs_helpers.buildspec.tree import Scalar, Table, parse

_NOTHING = Found(0, None)
_WINDOWS = ("powershell.exe", "cmd.exe")
_RETRIES = 3
_NOT_DONE = {
    "proxy": "builds here use no proxy server",
    "reports": "reports are not read here: look at the output of the tests",
    "cache": "nothing is cached here: each build starts from the source alone",
}
_NOT_DONE_BELOW = {
    "phases": {"runtime-versions": "commands run with the programs of this machine"},
    "artifacts": {
        "name": "artifacts are files in a folder here, without a name of their own",
        "s3-prefix": "artifacts are files in a folder here, not objects in Amazon S3",
        "enable-symlinks": "artifacts are copied as files here, not packed into a ZIP",
    },
}


def read(text: str | bytes) -> Buildspec:
    """The buildspec; raises BuildspecError with all problems that were found."""
    tree = parse(text)
    version = tree.entries.get("version") if isinstance(tree, Table) else None
    first = version and isinstance(version[1], Scalar) and version[1].text == "0.1"
    reader = Reader(schema.homes())
    top = reader.read(tree, schema.FIRST if first else schema.CURRENT, "")
    _check_more(reader, top)
    if reader.problems:
        raise BuildspecError(reader.problems)
    return _buildspec(top)


def _value(table: Mapping[str, Found] | None, name: str, default: Any = None) -> Any:
    found = (table or {}).get(name)
    return default if found is None or found.value is None else found.value


def _check_more(reader: Reader, top: Mapping[str, Found]) -> None:
    """What depends on more than one value."""
    env = _value(top, "env", {})
    shell = env.get("shell", _NOTHING)
    if shell.value in _WINDOWS:
        what = f"{shell.value} is a shell of Windows, and builds here run on Linux or macOS"
        reader.note(shell.line, "env/shell", what, "Use bash or /bin/sh.")
    hidden = {*_value(env, "parameter-store", {}), *_value(env, "secrets-manager", {})}
    for number, each in enumerate(_value(env, "exported-variables", ())):
        place = f"env/exported-variables[{number}]"
        if each.text in hidden:
            what = "CodeBuild exports no value of Parameter Store or Secrets Manager"
            reader.note(each.line, place, what, "Remove the name from the list.")
        elif wrong := schema.exported_variable(each.text):
            reader.note(each.line, place, *wrong.split("|", 1))
    seen: dict[str, str] = {}
    for table in ("variables", "parameter-store", "secrets-manager"):
        for name, found in _value(env, table, {}).items():
            if name in seen:
                what = f"the variable is also in env/{seen[name]}"
                reader.note(found.line, f"env/{table}/{name}", what, "Keep one of the two.")
            seen[name] = table
    artifacts = top.get("artifacts", _NOTHING)
    if artifacts.value is not None and not {"files", "secondary-artifacts"} & {*artifacts.value}:
        what = "this key is required and is missing"
        reader.note(artifacts.line, "artifacts/files", what, "Add `files:` with a list of paths.")
    for path, line, files in _files(top):
        if not files:
            reader.note(
                line, path, "the list is empty", "Name a file, or a pattern such as '**/*'."
            )


def _files(top: Mapping[str, Found]) -> Iterator[tuple[str, int, Any]]:
    """Each list of files: its path, its line, its entries."""
    artifacts = _value(top, "artifacts", {})
    tables = [("artifacts", artifacts)]
    for key, within in (
        ("artifacts/secondary-artifacts", _value(artifacts, "secondary-artifacts", {})),
        ("reports", _value(top, "reports", {})),
    ):
        tables += [(f"{key}/{name}", found.value) for name, found in within.items()]
    for path, table in tables:
        if "files" in table:
            yield f"{path}/files", table["files"].line, table["files"].value


def _buildspec(top: Mapping[str, Found]) -> Buildspec:
    phases = _value(top, "phases", {})
    artifacts = _value(top, "artifacts", {})
    secondary = _value(artifacts, "secondary-artifacts", {})
    run_as = top.get("run-as", _NOTHING)
    return Buildspec(
        version=_value(top, "version"),
        phases={name: _phase(name, phases[name]) for name in PHASES if name in phases},
        environment=_environment(top),
        artifacts=_artifacts(artifacts) if "files" in artifacts else None,
        secondary={name: _artifacts(found.value) for name, found in secondary.items()},
        reports={
            name: Report(
                _artifacts(found.value),
                _value(found.value, "file-format", "JUNITXML").upper(),
                found.line,
            )
            for name, found in _value(top, "reports", {}).items()
        },
        run_as=run_as.value or "",
        run_as_line=run_as.line,
        batch_line=top.get("batch", _NOTHING).line,
        not_done=tuple(sorted(_not_done(top), key=lambda each: each.line)),
    )


def _phase(name: str, found: Found) -> Phase:
    return Phase(
        name,
        found.line,
        commands=_value(found.value, "commands", ()),
        last=_value(found.value, "finally", ()),
        on_failure=_on_failure(_value(found.value, "on-failure")),
        run_as=_value(found.value, "run-as", ""),
        run_as_line=found.value.get("run-as", _NOTHING).line,
    )


def _on_failure(text: str | None) -> OnFailure | None:
    found = schema.ON_FAILURE.fullmatch(text) if text else None
    if found is None:
        return None
    if not found[0].startswith("RETRY"):
        return OnFailure("ABORT" if found[0] == "ABORT" else "CONTINUE")
    return OnFailure("RETRY", int(found[1]) if found[1] else _RETRIES, found[2] or ".*")


def _environment(top: Mapping[str, Found]) -> Environment:
    env = _value(top, "env", {})
    plain = _value(_value(top, "environment_variables", {}), "plaintext", {})
    return Environment(
        shell=_value(env, "shell", ""),
        variables=_texts({**plain, **_value(env, "variables", {})}),
        parameters=_texts(_value(env, "parameter-store", {})),
        secrets={
            name: secret_reference(text)
            for name, text in _texts(_value(env, "secrets-manager", {})).items()
        },
        exported=tuple(each.text for each in _value(env, "exported-variables", ())),
    )


def _texts(table: Mapping[str, Found]) -> dict[str, str]:
    return {name: found.value for name, found in table.items()}


def secret_reference(text: str) -> SecretReference:
    """An ARN has six colons of its own: arn:aws:secretsmanager:region:account:secret:name."""
    parts = text.split(":")
    if parts[0] == "arn":
        parts = [":".join(parts[:7]), *parts[7:]]
    return SecretReference(*parts[:4])


def _artifacts(table: Mapping[str, Found]) -> Artifacts:
    return Artifacts(
        files=tuple(each.text for each in _value(table, "files", ())),
        base_directory=_value(table, "base-directory", "") or ".",
        exclude=tuple(each.text for each in _value(table, "exclude-paths", ())),
        discard_paths=_yes(table.get("discard-paths", _NOTHING).value),
        name=_value(table, "name", ""),
    )


def _yes(text: str | None) -> bool:
    return text in ("yes", "true", "on")


def _not_done(top: Mapping[str, Found]) -> Iterator[NotDone]:
    for key, why in _NOT_DONE.items():
        if key in top:
            yield NotDone(top[key].line, key, why)
    helper = _value(top, "env", {}).get("git-credential-helper", _NOTHING)
    if _yes(helper.value):
        why = "git uses the credentials of this machine"
        yield NotDone(helper.line, "env/git-credential-helper", why)
    artifacts = _value(top, "artifacts", {})
    tables = [
        *((f"phases/{name}", found.value) for name, found in _value(top, "phases", {}).items()),
        ("artifacts", artifacts),
        *(
            (f"artifacts/secondary-artifacts/{name}", found.value)
            for name, found in _value(artifacts, "secondary-artifacts", {}).items()
        ),
    ]
    for path, table in tables:
        for key, why in _NOT_DONE_BELOW[path.partition("/")[0]].items():
            if key in table:
                yield NotDone(table[key].line, f"{path}/{key}", why)
