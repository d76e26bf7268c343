"""The test reports of a build: read here, decided on and kept by sandbox/codebuild/reports.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labs_helpers.buildspec.artifacts import BuiltFile, NoArtifacts
from labs_helpers.buildspec.model import Artifacts
from labs_helpers.runner.desk import Away
from labs_helpers.runner.junit import LARGEST, NoReport, cases
from labs_helpers.runner.runner import Job

_SECONDS = 30.0
_PART = 60_000
"""Bytes of JSON in one request."""
_MOST = 500
"""Cases of a report: https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html"""


class Reports:
    """Hands the reports of one build over."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def deliver(
        self,
        name: str,
        output: Artifacts,
        files: Mapping[str, BuiltFile],
        variables: Mapping[str, str],
    ) -> list[Path]:
        """`buildspec.build.Deliver` of a report: the name or the ARN of its group.

        Raises NoArtifacts, whose message is the phase's.
        """
        found: list[dict[str, Any]] = []
        for path, file in sorted(files.items()):
            try:
                with file.open() as stream:
                    content = stream.read(LARGEST + 1)
                found += [{"testRawDataPath": path, **each} for each in cases(content)]
            except (NoReport, OSError) as error:
                raise NoArtifacts(f"the file {path} of the report {name}: {error}") from error
        kept = found[:_MOST]
        report = ""
        for part, last in _parts(kept):
            sent = {"group": name, "report": report, "cases": part, "last": last}
            report = self._ask({**sent, "truncated": len(found) > _MOST})
        return []

    def _ask(self, sent: dict[str, Any]) -> str:
        """The ARN of the report; raises NoArtifacts."""
        body = self._job.body
        of = {"build": self._job.id, "account": body["account"], "region": body["region"]}
        try:
            answer = self._job.desk.ask("codebuild/reports", {**of, **sent}, _SECONDS)
        except Away as error:
            raise NoArtifacts(f"the report {sent['group']} was not handed over: {error}") from error
        if "error" in answer:
            raise NoArtifacts(str(answer["error"]))
        return str(answer["report"])


def _parts(cases: list[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """The cases in parts that one request takes, each with whether the part is the last."""
    part: list[dict[str, Any]] = []
    size = 0
    for each in cases:
        length = len(json.dumps(each))
        if part and size + length > _PART:
            yield part, False
            part, size = [], 0
        part.append(each)
        size += length
    yield part, True
