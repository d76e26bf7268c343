"""The reports of builds: the runner hands test cases over, and the build's role decides.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-permissions.html
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codebuild import report_store
from labs_helpers.sandbox.codebuild.owner import Builds
from labs_helpers.sandbox.control_api import Routes
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service.errors import AccessDenied
from labs_helpers.sandbox.service.store import Store

_LIVES = 30 * 86400.0
"""Seconds: https://docs.aws.amazon.com/codebuild/latest/userguide/test-report.html"""
_ACTIONS = ("CreateReport", "BatchPutTestCases", "UpdateReport")


class Reports:
    """Reports as the runner hands them over. Thread-safe."""

    def __init__(self, state: Store, clock: Clock, builds: Builds) -> None:
        self.store = state
        self._clock = clock
        self._builds = builds

    def routes(self) -> Routes:
        """POST /_labs/codebuild/reports -> {"report": ARN} or {"error": a sentence}.

        {"build", "account", "region", "group", "report", "cases", "last", "truncated"}: a first
        request has the report "", and later ones what the first was answered.
        """
        return {("POST", "/_labs/codebuild/reports"): self._take}

    def _take(self, sent: dict[str, Any]) -> dict[str, Any]:
        place = (str(sent["account"]), str(sent["region"]))
        try:
            arn = str(sent["report"]) or self._begin(place, sent)
        except (AccessDenied, RoleRefused) as error:
            return {"error": f"Error creating the report {sent['group']}: {error}"}
        except LookupError as error:
            return {"error": str(error)}
        with self.store.write() as db:
            found = report_store.report(db, arn)
            if found is None or found["executionId"] != self._builds.arn(place, sent["build"]):
                return {"error": f"there is no report {arn} of this build"}
            report_store.add_cases(db, arn, sent["cases"])
            if sent["last"]:
                cases = report_store.cases(db, arn)
                report_store.save_report(db, place, _complete(found, cases, sent["truncated"]))
        return {"report": arn}

    def _begin(self, place: report_store.Place, sent: Mapping[str, Any]) -> str:
        """A new report of the build; raises AccessDenied, LookupError."""
        account, region = place
        build = self._builds.document(place, sent["build"])
        given = str(sent["group"])
        start = f"arn:aws:codebuild:{region}:{account}:report-group/"
        group = given if given.startswith("arn:") else f"{start}{build['projectName']}-{given}"
        with self.store.read() as db:
            known = report_store.group(db, group) is not None
        if not known and given.startswith("arn:"):
            raise LookupError(f"Report group not found: {group}")
        for action in _ACTIONS if known else ("CreateReportGroup", *_ACTIONS):
            self._builds.require(place, build, f"codebuild:{action}", group)
        now = self._clock.now().timestamp()
        name = str(uuid.uuid4())
        arn = f"{group.replace(':report-group/', ':report/')}:{name}"
        with self.store.write() as db:
            if not known:
                made = new_group(group, now, "TEST", {"exportConfigType": "NO_EXPORT"}, [])
                report_store.save_group(db, place, made)
            report = {
                "arn": arn,
                "type": "TEST",
                "name": name,
                "reportGroupArn": group,
                "executionId": build["arn"],
                "status": "GENERATING",
                "created": now,
                "expired": now + _LIVES,
                "exportConfig": {"exportConfigType": "NO_EXPORT"},
                "truncated": False,
            }
            report_store.save_report(db, place, report)
        self._builds.reports(place, build["id"], arn)
        return arn


def new_group(
    arn: str, at: float, kind: str, export: Mapping[str, Any], tags: list[dict[str, str]]
) -> report_store.Document:
    return {
        "arn": arn,
        "name": arn.partition(":report-group/")[2],
        "type": kind,
        "exportConfig": dict(export),
        "created": at,
        "lastModified": at,
        "tags": tags,
        "status": "ACTIVE",
    }


def _complete(
    report: report_store.Document, cases: list[report_store.Document], truncated: bool
) -> report_store.Document:
    """The report with its summary: FAILED with a case that failed, INCOMPLETE without a case.

    What CodeBuild says of a report without cases is on no page.
    """
    counts = Counter(each["status"] for each in cases)
    bad = counts["FAILED"] + counts["ERROR"]
    statuses = ("ERROR", "FAILED", "SKIPPED", "SUCCEEDED", "UNKNOWN")
    return {
        **report,
        "status": "FAILED" if bad else "SUCCEEDED" if cases else "INCOMPLETE",
        "truncated": bool(truncated),
        "testSummary": {
            "total": len(cases),
            "statusCounts": {name: counts[name] for name in statuses},
            "durationInNanoSeconds": sum(each["durationInNanoSeconds"] for each in cases),
        },
    }
