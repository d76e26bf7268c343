"""What a build of CodeBuild is given: its sources, its buildspec, the values of its variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import Buildspec, BuildspecError, Log
from labs_helpers.buildspec import secrets as secret_values
from labs_helpers.buildspec.model import Environment
from labs_helpers.buildspec.read import secret_reference
from labs_helpers.buildspec.result import Context
from labs_helpers.runner import build_spec, environment, sources
from labs_helpers.runner.git_sources import Origin
from labs_helpers.runner.runner import Job


class Failed(Exception):
    """DOWNLOAD_SOURCE, or the phase before, ended the build."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.context = Context(code, message)


class Inputs:
    """Each method raises Failed."""

    def __init__(self, job: Job, folder: Path, client: Callable[[str], Any]) -> None:
        """client: makes a client of a service with the rights of the build's role."""
        self._job = job
        self._build: dict[str, Any] = job.body["build"]
        self._folder = folder
        self._client = client

    def fetch(self, source: Path) -> dict[str, Path]:
        """Fetch the primary source, and the secondary ones into folders by their identifiers."""
        commit = self._fetch_one(
            self._build["source"], self._build.get("sourceVersion", ""), source
        )
        versions = environment.versions(self._build)
        found = {}
        for each in self._build.get("secondarySources", []):
            name = each["sourceIdentifier"]
            found[name] = self._folder / f"source_{name}"
            found[name].mkdir()
            self._fetch_one(each, versions.get(name, ""), found[name], name)
        if commit:
            self._build["resolvedSourceVersion"] = commit
            self._job.report({"type": "source", "commit": commit})
        return found

    def _fetch_one(
        self, source: Mapping[str, Any], version: str, into: Path, named: str = ""
    ) -> str:
        body = self._job.body
        folder = body["folders"].get(source.get("sourceIdentifier", ""), "")
        origin = Origin(self._job.desk.endpoint, body["credentials"], folder)
        try:
            return sources.fetch(source, version, self._client, into, origin, named)
        except sources.SourceFailed as error:
            raise Failed(error.status_code, str(error)) from error

    def spec(self, source: Path) -> Buildspec:
        try:
            return build_spec.read_of(self._build["source"], source)
        except BuildspecError as error:
            raise Failed(error.status_code, error.message) from error

    def overrides(self, log: Log) -> dict[str, str]:
        """The variables of project and StartBuild, with their values; raises Failed."""
        given = self._build["environment"]["environmentVariables"]
        by_type: dict[str, dict[str, str]] = {}
        for each in given:
            by_type.setdefault(each["type"], {})[each["name"]] = each["value"]
        wanted = Environment(
            parameters=by_type.get("PARAMETER_STORE", {}),
            secrets={
                name: secret_reference(text)
                for name, text in by_type.get("SECRETS_MANAGER", {}).items()
            },
        )
        try:
            found = secret_values.resolve(wanted, self._client)
        except secret_values.NoValue as error:
            raise Failed(error.status_code, str(error)) from error
        log.hide(found.values())
        return {**by_type.get("PLAINTEXT", {}), **found}
