"""Reports of a build, from real files of JUnit's XML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.runner import junit
from tests.policies import allow, policy
from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import Room, context, phases

GROUP = "arn:aws:codebuild:us-west-2:123456789012:report-group"
SUITE = """\
<testsuites><testsuite name="shop">
<testcase classname="shop.cart" name="adds" time="0.25"/>
<testcase classname="shop.cart" name="pays" time="1.5">
<failure message="assert 1 == 2">x</failure></testcase>
<testcase classname="shop.cart" name="ships"><error>no cart</error></testcase>
<testcase classname="shop.cart" name="later"><skipped message="not today"/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    made = build_room.begin(tmp_path_factory.mktemp("labs"))
    yield made
    made.stop_runner()
    made.sandbox.stop()


def may(room: Room, *actions: str) -> None:
    document = policy(allow(*actions, on=f"{GROUP}/*"))
    room.client("iam").put_role_policy(
        RoleName="builder", PolicyName="reports", PolicyDocument=document
    )


def spec(*commands: str, reports: dict[str, Any]) -> str:
    build = {"commands": list(commands)}
    return json.dumps({"version": 0.2, "phases": {"build": build}, "reports": reports})


def write(text: str, name: str = "out/junit.xml") -> str:
    return f"mkdir -p out && cat > {name} <<'END'\n{text}END\n"


def test_a_report_is_what_the_file_says_even_of_a_build_that_fails(room: Room) -> None:
    wanted = {
        "unit": {"files": ["*.xml"], "base-directory": "out"},
        "other": {"files": "**/*", "file-format": "CUCUMBERJSON"},
    }
    room.project("shop", spec=spec(write(SUITE), "false", reports=wanted))
    may(room, "codebuild:CreateReport")
    refused = room.run("shop")
    code, message = context(refused, "UPLOAD_ARTIFACTS")
    assert code == "CLIENT_ERROR"
    assert f"codebuild:CreateReportGroup on resource: {GROUP}/shop-unit" in message

    may(
        room,
        "codebuild:CreateReportGroup",
        "codebuild:CreateReport",
        "codebuild:UpdateReport",
        "codebuild:BatchPutTestCases",
    )
    built = room.run("shop")
    assert phases(built)["BUILD"] == "FAILED"
    assert phases(built)["UPLOAD_ARTIFACTS"] == "SUCCEEDED"
    assert "reports/other: reports of JUNITXML are read here" in room.log(built["id"])
    (arn,) = built["reportArns"]
    api = room.client("codebuild")
    assert api.list_reports_for_report_group(reportGroupArn=f"{GROUP}/shop-unit")["reports"] == [
        arn
    ]
    (report,) = api.batch_get_reports(reportArns=[arn])["reports"]
    assert report["status"] == "FAILED"
    assert report["executionId"] == built["arn"]
    assert report["reportGroupArn"] == f"{GROUP}/shop-unit"
    assert report["testSummary"] == {
        "total": 4,
        "statusCounts": {"ERROR": 1, "FAILED": 1, "SKIPPED": 1, "SUCCEEDED": 1, "UNKNOWN": 0},
        "durationInNanoSeconds": 1_750_000_000,
    }
    pages = api.get_paginator("describe_test_cases").paginate(
        reportArn=arn, PaginationConfig={"PageSize": 3}
    )
    cases = [case for page in pages for case in page["testCases"]]
    assert [(case["name"], case["status"], case["message"]) for case in cases] == [
        ("adds", "SUCCEEDED", ""),
        ("pays", "FAILED", "assert 1 == 2"),
        ("ships", "ERROR", "no cart"),
        ("later", "SKIPPED", "not today"),
    ]
    assert cases[0]["prefix"] == "shop.cart"
    assert cases[0]["testRawDataPath"] == "junit.xml"
    failed = api.describe_test_cases(reportArn=arn, filter={"status": "FAILED"})["testCases"]
    assert [case["name"] for case in failed] == ["pays"]

    group = f"{GROUP}/shop-unit"
    with pytest.raises(ClientError, match="has reports"):
        api.delete_report_group(arn=group)
    api.delete_report_group(arn=group, deleteReports=True)
    assert api.batch_get_report_groups(reportGroupArns=[group])["reportGroupsNotFound"] == [group]
    assert api.batch_get_reports(reportArns=[arn])["reportsNotFound"] == [arn]


def test_a_large_report_goes_into_a_group_that_is_there(room: Room) -> None:
    api = room.client("codebuild")
    made = api.create_report_group(
        name="all", type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"}
    )["reportGroup"]
    may(room, "codebuild:CreateReport", "codebuild:UpdateReport", "codebuild:BatchPutTestCases")
    case = "<testcase name='t' classname='%s'/>" % ("x" * 300)
    program = f'print("<testsuite>" + 600 * """{case}""" + "</testsuite>")'
    room.project(
        "large",
        spec=spec(
            f"cat > make.py <<'END'\n{program}\nEND\npython make.py > junit.xml",
            reports={made["arn"]: {"files": "junit.xml"}},
        ),
    )
    built = room.run("large")
    assert built["buildStatus"] == "SUCCEEDED"
    (report,) = api.batch_get_reports(reportArns=built["reportArns"])["reports"]
    assert (report["status"], report["truncated"]) == ("SUCCEEDED", True)
    assert report["testSummary"]["total"] == 500


BOMB = '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><testsuite name="&c;"/>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "document type or entities"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "document type"),
        ("<testsuite>", "not XML"),
        ("", "not XML"),
        ("<html/>", "first element is html"),
        ('<?xml version="1.0" encoding="nothing"?><testsuite/>', "cannot be read"),
    ],
)
def test_what_is_no_report_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(junit.NoReport, match=said):
        junit.cases(text.encode())


def test_a_file_that_is_no_report_fails_the_phase(room: Room) -> None:
    may(room, "codebuild:*")
    reports = {"unit": {"files": "out/junit.xml"}}
    room.project("bomb", spec=spec(write(BOMB + "\n"), reports=reports))
    built = room.run("bomb")
    assert built["buildStatus"] == "FAILED"
    assert "out/junit.xml of the report unit" in context(built, "UPLOAD_ARTIFACTS")[1]
    assert "reportArns" not in built


def test_iam_decides_by_the_group_also_for_a_report(room: Room) -> None:
    from tests.sandbox.authorization.people_here import People

    rights = allow("codebuild:DescribeTestCases", "codebuild:DeleteReport", on=f"{GROUP}/mine")
    mary = People(room.sandbox).make("mary", rights)
    theirs = GROUP.replace("report-group", "report") + "/theirs:1"
    mine = GROUP.replace("report-group", "report") + "/mine:1"
    assert f"{GROUP}/theirs" in mary.denied("codebuild", "describe_test_cases", reportArn=theirs)
    assert f"{GROUP}/theirs" in mary.denied("codebuild", "delete_report", arn=theirs)
    mary.client("codebuild").delete_report(arn=mine)
    status, code, _ = mary.error("codebuild", "describe_test_cases", reportArn=mine)
    assert (status, code) == (400, "ResourceNotFoundException")
