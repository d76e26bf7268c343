"""Report groups and reports. A build's reports come from the runner (codebuild/reports.py)."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.codebuild import report_store
from labs_helpers.sandbox.codebuild.call import CodeBuildCall
from labs_helpers.sandbox.codebuild.errors import AlreadyExists, InvalidInput, NotFound
from labs_helpers.sandbox.codebuild.naming import dated, inverted
from labs_helpers.sandbox.codebuild.report_store import Document
from labs_helpers.sandbox.codebuild.reports import new_group
from labs_helpers.sandbox.service.errors import NotHere
from labs_helpers.sandbox.service.service import Members

_COVERAGE = "The sandbox reads results of tests, and no coverage."
NOT_BUILT = {
    "DescribeCodeCoverages": _COVERAGE,
    "GetReportGroupTrend": "DescribeTestCases has the cases of each report.",
    "ListSharedReportGroups": "Nobody shares report groups here.",
}


def create_report_group(call: CodeBuildCall, params: Members) -> Members:
    if params["type"] != "TEST":
        raise NotHere(f"The sandbox does not have report groups of {params['type']}. {_COVERAGE}")
    arn = f"arn:aws:codebuild:{call.region}:{call.account}:report-group/{params['name']}"
    export = _export(params.get("exportConfig") or {})
    now = call.now
    made = new_group(arn, now, params["type"], export, params.get("tags", []))
    with call.reports.store.write() as db:
        if report_store.group(db, arn) is not None:
            raise AlreadyExists(f"Report group already exists: {arn}")
        report_store.save_group(db, call.place, made)
    return {"reportGroup": dated(made)}


def update_report_group(call: CodeBuildCall, params: Members) -> Members:
    with call.reports.store.write() as db:
        found = _group(report_store.group(db, params["arn"]), params["arn"])
        if "exportConfig" in params:
            found["exportConfig"] = _export(params["exportConfig"])
        found |= {"tags": params.get("tags", found["tags"])}
        found["lastModified"] = call.now
        report_store.save_group(db, call.place, found)
    return {"reportGroup": dated(found)}


def batch_get_report_groups(call: CodeBuildCall, params: Members) -> Members:
    return _batch(call, params["reportGroupArns"], report_store.group, "reportGroups")


def batch_get_reports(call: CodeBuildCall, params: Members) -> Members:
    return _batch(call, params["reportArns"], report_store.report, "reports")


def list_report_groups(call: CodeBuildCall, params: Members) -> Members:
    by = {"CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}.get(
        params.get("sortBy", ""), "name"
    )
    with call.reports.store.read() as db:
        found = report_store.groups(db, call.place)
    order = params.get("sortOrder", "ASCENDING")
    keyed = [([_key(each[by], order), each["name"]], each["arn"]) for each in found]
    arns, token = call.page(sorted(keyed), params, by, order)
    return {"reportGroups": arns, "nextToken": token}


def list_reports(call: CodeBuildCall, params: Members) -> Members:
    return _reports(call, params, "")


def list_reports_for_report_group(call: CodeBuildCall, params: Members) -> Members:
    arn = params["reportGroupArn"]
    with call.reports.store.read() as db:
        _group(report_store.group(db, arn), arn)
    return _reports(call, params, arn)


def describe_test_cases(call: CodeBuildCall, params: Members) -> Members:
    """The cases of a report, in the order of the files; filtered by status and by keyword."""
    arn, wanted = params["reportArn"], params.get("filter") or {}
    with call.reports.store.read() as db:
        report = report_store.report(db, arn)
        found = report_store.cases(db, arn)
    if report is None:
        raise NotFound(f"Report not found: {arn}")
    keyed = [
        ([f"{number:06d}"], {**each, "reportArn": arn, "expired": report["expired"]})
        for number, each in enumerate(found)
        if wanted.get("status", each["status"]) == each["status"]
        and wanted.get("keyword", "") in f"{each['prefix']}{each['name']}{each['testSuiteName']}"
    ]
    part, token = call.page(keyed, params, arn, str(sorted(wanted.items())))
    return {"testCases": dated(part), "nextToken": token}


def delete_report(call: CodeBuildCall, params: Members) -> Members:
    with call.reports.store.write() as db:
        report_store.delete_report(db, params["arn"])
    return {}


def delete_report_group(call: CodeBuildCall, params: Members) -> Members:
    """Delete a group; one with reports only with deleteReports.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DeleteReportGroup.html
    """
    arn, place = params["arn"], call.place
    with call.reports.store.write() as db:
        found = report_store.reports(db, place, arn)
        if found and not params.get("deleteReports"):
            raise InvalidInput(f"Report group {arn} has reports: delete them first")
        for each in found:
            report_store.delete_report(db, each["arn"])
        report_store.delete_group(db, arn)
    return {}


def _reports(call: CodeBuildCall, params: Members, group: str) -> Members:
    order = params.get("sortOrder", "DESCENDING")
    status = (params.get("filter") or {}).get("status")
    with call.reports.store.read() as db:
        found = report_store.reports(db, call.place, group)
    keyed = [
        ([_key(each["created"], order), each["arn"]], each["arn"])
        for each in found
        if status in (None, each["status"])
    ]
    arns, token = call.page(sorted(keyed), params, group, order, str(status))
    return {"reports": arns, "nextToken": token}


def _batch(call: CodeBuildCall, arns: list[str], find: Any, name: str) -> Members:
    found, missing = [], []
    with call.reports.store.read() as db:
        for arn in dict.fromkeys(arns):
            each = find(db, arn)
            if each is None:
                missing.append(arn)
            else:
                found.append(dated(each))
    return {name: found, f"{name}NotFound": missing}


def _group(found: Document | None, arn: str) -> Document:
    if found is None:
        raise NotFound(f"Report group not found: {arn}")
    return found


def _export(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("exportConfigType", "NO_EXPORT") != "NO_EXPORT":
        raise NotHere("The sandbox exports no reports to Amazon S3; DescribeTestCases has them.")
    return {"exportConfigType": "NO_EXPORT"}


def _key(value: Any, order: str) -> str:
    text = f"{value:020.6f}" if isinstance(value, float) else str(value)
    return inverted(text) if order == "DESCENDING" else text
