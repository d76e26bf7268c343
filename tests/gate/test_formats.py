"""A verdict as table, JSON and SARIF."""

import json
from datetime import date

from labs_helpers.gate import AcceptedRisk, Rules, Verdict, fetch, judge, parse
from labs_helpers.gate.formats import as_json, sarif, table
from tests.gate.answers import Ecr, basic, enhanced

TODAY = date(2026, 11, 2)


def verdict(*accepted: AcceptedRisk, only_fixable: bool = False) -> Verdict:
    answer = enhanced(
        ("CVE-2026-1", "CRITICAL", "zlib", "0:1.2.12-r2"),
        ("CVE-2026-2", "HIGH", "busybox", "NotAvailable"),
        ("CVE-2026-3", "LOW", "curl", ""),
        ("LABS-NOT-COVERED-redis", "INFORMATIONAL", "redis", "NotAvailable"),
    )
    scan = fetch(Ecr(answer), parse("demo:v1"))
    return judge(scan, Rules("HIGH", only_fixable), accepted, TODAY)


ENTRIES = (
    AcceptedRisk("CVE-2026-2", "never called", date(2026, 12, 31)),
    AcceptedRisk("CVE-2026-8", "gone", date(2026, 12, 31)),
    AcceptedRisk("CVE-2026-9", "over", date(2026, 10, 1)),
)


def test_the_table_is_for_people() -> None:
    assert table(verdict(*ENTRIES)) == (
        "SEVERITY       ID                      PACKAGE  VERSION  FIXED IN  GATE\n"
        "CRITICAL       CVE-2026-1              zlib     1.0-r0   1.2.12-r2  blocks\n"
    ).replace("FIXED IN  GATE", "FIXED IN   GATE") + (
        "HIGH           CVE-2026-2              busybox  1.0-r0   no fix     "
        "accepted until 2026-12-31: never called\n"
        "INFORMATIONAL  LABS-NOT-COVERED-redis  redis    1.0-r0   -          not covered\n"
        "\n"
        "1 below HIGH are not listed.\n"
        "Expired on 2026-10-01: CVE-2026-9 is no longer accepted.\n"
        "Stale: CVE-2026-8 is accepted, but the scan did not find it.\n"
        "demo:v1 does not pass: 1 CRITICAL at or above HIGH; 1 package that nobody judged"
    )


def test_the_table_says_when_fixes_are_unknown() -> None:
    scan = fetch(Ecr(basic(("CVE-1", "HIGH", "x"))), parse("demo:v1"))
    text = table(judge(scan, Rules(only_fixable=True), (), TODAY))
    assert "Basic scanning does not say which findings have a fix" in text
    assert "unknown" in text


def test_the_json_has_everything() -> None:
    found = json.loads(as_json(verdict(*ENTRIES)))
    assert (found["passed"], found["exitCode"], found["stale"], found["expired"]) == (
        False,
        3,
        ["CVE-2026-8"],
        ["CVE-2026-9"],
    )
    assert found["scan"]["type"] == "ENHANCED"
    assert [one["state"] for one in found["findings"]] == [
        "blocks",
        "accepted",
        "below",
        "not covered",
    ]


def test_the_sarif_has_a_rule_and_a_result_each() -> None:
    found = json.loads(sarif(verdict(*ENTRIES)))
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert rules == [
        "CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "LABS-NOT-COVERED-redis"
    ]  # fmt: skip
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
    assert [one["level"] for one in run["results"]] == ["error", "note", "note", "error"]
    assert [len(one.get("suppressions", [])) for one in run["results"]] == [0, 1, 0, 0]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "demo"
    assert run["invocations"][0]["executionSuccessful"] is True


def test_the_sarif_of_an_image_not_judged_is_a_failed_execution() -> None:
    scan = fetch(Ecr(basic(status="FAILED")), parse("demo:v1"))
    found = json.loads(sarif(judge(scan, Rules(), (), TODAY)))
    assert found["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_no_name_in_an_image_moves_the_cursor_of_a_terminal() -> None:
    """As ``PACKAGE: ESC [2K ... demo:v1 passes`` of an image's own list of packages."""
    answer = basic(("CVE-1", "HIGH", "x\x1b[2K\rdemo:v1 passes\n\u202ez"))
    found = judge(fetch(Ecr(answer), parse("demo:v1")), Rules(), (), TODAY)
    lines = table(found).splitlines()
    assert "x\\x1b[2K\\rdemo:v1 passes\\n\\u202ez" in lines[1]
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
