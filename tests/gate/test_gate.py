"""Which images pass the gate, for answers in AWS's form."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from labs_helpers.gate import AcceptedRisk, Rules, Scan, Verdict, fetch, judge, parse
from labs_helpers.gate.image import InvalidImage
from labs_helpers.gate.verdict import FINDINGS, INCOMPLETE, NOT_COVERED, PASSED
from tests.gate.answers import COMPLETED, Ecr, ScanNotFoundException, basic, enhanced

TODAY = date(2026, 11, 2)
IMAGE = parse("demo:v1")


def verdict(answer: Any, *accepted: AcceptedRisk, **rules: Any) -> Verdict:
    return judge(fetch(Ecr(answer), IMAGE), Rules(**rules), accepted, TODAY)


def states(found: Verdict) -> dict[str, str]:
    return {one.finding.id: one.state for one in found.judgements}


@pytest.mark.parametrize(
    ("fail_on", "blocked"),
    [("CRITICAL", 1), ("HIGH", 2), ("MEDIUM", 3), ("LOW", 4), ("INFORMATIONAL", 5)],
)
def test_the_threshold_and_what_is_worse_blocks(fail_on: str, blocked: int) -> None:
    levels = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
    found = verdict(basic(*((f"CVE-{level}", level, "x") for level in levels)), fail_on=fail_on)
    assert len(found.in_state("blocks")) == blocked
    assert found.exit_code == FINDINGS


def test_nothing_at_the_threshold_passes() -> None:
    assert verdict(basic(("CVE-1", "MEDIUM", "x"))).exit_code == PASSED
    assert verdict(basic()).exit_code == PASSED


@pytest.mark.parametrize("level", ["UNDEFINED", "UNTRIAGED", "", "NEW-WORD"])
def test_a_severity_that_nobody_gave_blocks(level: str) -> None:
    assert verdict(basic(("CVE-1", level, "x")), fail_on="CRITICAL").exit_code == FINDINGS


@pytest.mark.parametrize(
    "status",
    ["IN_PROGRESS", "PENDING", "FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED",
     "FINDINGS_UNAVAILABLE", "LIMIT_EXCEEDED", "IMAGE_ARCHIVED", "SOMETHING_NEW"],
)  # fmt: skip
def test_every_status_but_a_complete_one_fails(status: str) -> None:
    found = verdict(basic(status=status))
    assert found.exit_code == INCOMPLETE
    assert status in found.summary()


def test_an_image_never_scanned_fails() -> None:
    assert verdict(ScanNotFoundException()).exit_code == INCOMPLETE


def test_an_answer_without_status_fails() -> None:
    assert verdict({}).exit_code == INCOMPLETE


@pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
def test_a_result_that_is_not_there_yet_is_no_clean_image(status: str) -> None:
    """https://github.com/aws/aws-sdk/issues/289"""
    early = {"imageScanStatus": {"status": status}, "imageScanFindings": {"findings": []}}
    assert verdict(early).exit_code == INCOMPLETE


def test_it_waits_for_a_scan_under_way() -> None:
    slept: list[float] = []
    absent = ScanNotFoundException()
    answers = (absent, absent, basic(status="IN_PROGRESS"), basic())
    found = fetch(Ecr(*answers), IMAGE, wait=60, sleep=slept.append, clock=lambda: sum(slept))
    assert (found.status, slept) == ("COMPLETE", [2.0, 2.0])


def test_it_does_not_wait_for_a_scan_that_nobody_will_start() -> None:
    ecr = Ecr(ScanNotFoundException(), frequency="MANUAL")
    assert fetch(ecr, IMAGE, wait=60, sleep=pytest.fail).status == "NONE"


def test_it_waits_no_longer_than_told() -> None:
    slept: list[float] = []
    ecr = Ecr(basic(status="IN_PROGRESS"))
    found = fetch(ecr, IMAGE, wait=5, sleep=slept.append, clock=lambda: sum(slept))
    assert (found.status, sum(slept)) == ("IN_PROGRESS", 5)


def test_a_failed_scan_is_not_waited_for() -> None:
    fetch(Ecr(basic(status="FAILED")), IMAGE, wait=60, sleep=pytest.fail)


def test_every_page_counts() -> None:
    ecr = Ecr(basic(("CVE-1", "LOW", "x"), nextToken="more"), basic(("CVE-2", "HIGH", "x")))
    assert [one.id for one in fetch(ecr, IMAGE).findings] == ["CVE-1", "CVE-2"]
    assert ecr.asked[1]["nextToken"] == "more"


def test_the_pages_are_those_of_one_image_though_its_tag_moves() -> None:
    ecr = Ecr(basic(nextToken="more"), basic(("CVE-2", "HIGH", "x")))
    fetch(ecr, IMAGE)
    assert [asked["imageId"] for asked in ecr.asked] == [
        {"imageTag": "v1"},
        {"imageDigest": f"sha256:{'a' * 64}"},
    ]


def of_another_scan(answer: dict[str, Any]) -> dict[str, Any]:
    later = COMPLETED + timedelta(seconds=1)
    found = {**answer["imageScanFindings"], "imageScanCompletedAt": later}
    return {**answer, "imageScanFindings": found}


def of_another_image(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "imageId": {"imageDigest": f"sha256:{'b' * 64}"}}


@pytest.mark.parametrize("changed", [of_another_scan, of_another_image])
def test_pages_of_two_scans_are_no_scan(changed: Callable[[dict[str, Any]], Any]) -> None:
    answers = (basic(("CVE-1", "LOW", "x"), nextToken="more"), changed(basic()))
    found = judge(fetch(Ecr(*answers), IMAGE), Rules(), (), TODAY)
    assert found.exit_code == INCOMPLETE
    assert found.summary() == (
        "demo:v1 is not judged: its scan is CHANGED: the image was scanned again while its"
        " findings were read"
    )
    slept: list[float] = []
    again = fetch(Ecr(*answers, basic()), IMAGE, 60, slept.append, lambda: sum(slept))
    assert again.complete


def test_only_fixable_lets_pass_what_has_no_fix() -> None:
    answer = enhanced(("CVE-1", "HIGH", "x", "NotAvailable"), ("CVE-2", "HIGH", "y", "0:1.1-r0"))
    found = verdict(answer, only_fixable=True)
    assert states(found) == {"CVE-1": "no fix", "CVE-2": "blocks"}
    assert found.judgements[1].finding.fixed == "1.1-r0"


def test_only_fixable_lets_nothing_pass_where_ecr_does_not_tell() -> None:
    assert verdict(basic(("CVE-1", "HIGH", "x")), only_fixable=True).exit_code == FINDINGS


def test_a_package_that_nobody_judged_fails_whatever_the_threshold() -> None:
    answer = basic(("LABS-NOT-COVERED-redis", "INFORMATIONAL", "redis"))
    found = verdict(answer, fail_on="CRITICAL")
    assert found.exit_code == NOT_COVERED
    assert found.summary() == "demo:v1 does not pass: 1 package that nobody judged"


def accepted(name: str, day: str = "2026-12-31", package: str = "") -> AcceptedRisk:
    return AcceptedRisk(name, "because", date.fromisoformat(day), package)


def test_an_accepted_finding_passes_until_and_on_its_last_day() -> None:
    answer = basic(("CVE-1", "HIGH", "x"))
    assert verdict(answer, accepted("CVE-1", "2026-11-02")).exit_code == PASSED
    late = verdict(answer, accepted("CVE-1", "2026-11-01"))
    assert late.exit_code == FINDINGS
    assert [one.id for one in late.expired] == ["CVE-1"]


def test_an_entry_for_a_package_is_for_no_other() -> None:
    answer = basic(("CVE-1", "HIGH", "x"), ("CVE-1", "HIGH", "y"))
    found = verdict(answer, accepted("CVE-1", package="x"))
    assert [(one.finding.package, one.state) for one in found.judgements] == [
        ("x", "accepted"),
        ("y", "blocks"),
    ]


def test_what_is_not_covered_can_be_accepted_too() -> None:
    answer = basic(("LABS-NOT-COVERED-redis", "INFORMATIONAL", "redis"))
    assert verdict(answer, accepted("LABS-NOT-COVERED-redis")).exit_code == PASSED


def test_an_entry_that_meets_nothing_is_stale_and_told() -> None:
    found = verdict(basic(), accepted("CVE-1"))
    assert found.exit_code == PASSED
    assert [one.id for one in found.stale] == ["CVE-1"]


def test_a_scan_that_did_not_end_makes_no_entry_stale() -> None:
    assert verdict(basic(status="FAILED"), accepted("CVE-1")).stale == ()


def test_a_finding_in_two_packages_is_two_findings() -> None:
    answer = enhanced(("CVE-1", "HIGH", "x", ""))
    packages = answer["imageScanFindings"]["enhancedFindings"][0]["packageVulnerabilityDetails"]
    packages["vulnerablePackages"].append({"name": "y", "version": "2"})
    found: Scan = fetch(Ecr(answer), IMAGE)
    assert [(one.package, one.version) for one in found.findings] == [("x", "1.0-r0"), ("y", "2")]


HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "request_of", "image_id"),
    [
        ("demo", {"repositoryName": "demo"}, {"imageTag": "latest"}),
        ("team/demo:v1", {"repositoryName": "team/demo"}, {"imageTag": "v1"}),
        (f"demo@{DIGEST}", {"repositoryName": "demo"}, {"imageDigest": DIGEST}),
        (f"demo:v1@{DIGEST}", {"repositoryName": "demo"}, {"imageDigest": DIGEST}),
        (
            f"{HOST}/team/demo:v1",
            {"registryId": "123456789012", "repositoryName": "team/demo"},
            {"imageTag": "v1"},
        ),
    ],
)
def test_an_image_has_many_spellings(
    text: str, request_of: dict[str, str], image_id: dict[str, str]
) -> None:
    image = parse(text)
    assert (image.request, image.image_id) == (request_of, image_id)
    assert image.region == ("us-west-2" if HOST in text else None)


@pytest.mark.parametrize(
    "text", ["", "Demo", "demo:", "demo:-x", "demo@sha256:zz", "a b", f"{HOST}/"]
)
def test_what_names_no_image_is_refused(text: str) -> None:
    with pytest.raises(InvalidImage):
        parse(text)
