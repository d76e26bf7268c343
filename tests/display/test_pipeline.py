"""The drawing of a pipeline: every stage, every action, and what failed."""

from __future__ import annotations

from typing import Any

from labs_helpers.display.pipeline import drawn, named, waits_for_someone

ID = "11111111-1111-1111-1111-111111111111"


def stage(name: str, status: str = "", **latest: Any) -> dict[str, Any]:
    """A stage with one action of the same name and status."""
    found: dict[str, Any] = {"stageName": name, "actionStates": [{"actionName": name}]}
    if status:
        found["latestExecution"] = {"pipelineExecutionId": ID, "status": status}
        found["actionStates"][0]["latestExecution"] = {"status": status, **latest}
    return found


def state(*stages: dict[str, Any]) -> dict[str, Any]:
    return {"pipelineName": "app", "stageStates": list(stages)}


def execution(status: str, number: str = ID) -> dict[str, Any]:
    return {"pipelineExecutionId": number, "status": status}


def test_what_failed_and_what_was_not_reached_is_said() -> None:
    error = {"code": "JobFailed", "message": "Build terminated with state: FAILED"}
    found = state(
        stage("Source", "Succeeded"), stage("Build", "Failed", errorDetails=error), stage("Deploy")
    )
    shown = drawn(found, execution("Failed"))
    assert shown.text.splitlines() == [
        "The pipeline app: the last execution failed.",
        "",
        "✓ Source  →  ✗ Build  →  ○ Deploy",
        "",
        "✓ Source / Source: succeeded",
        "✗ Build / Build: Failed: Build terminated with state: FAILED",
        "○ Deploy / Deploy: not yet",
    ]
    for word in ("Source", "Build terminated with state: FAILED", "not yet"):
        assert word in shown.html


def test_a_condition_stands_before_or_after_the_actions_that_it_is_about() -> None:
    found = state(stage("Source", "Succeeded"), stage("Deploy", "Failed"))
    summary = "The rule check failed: 'no' EQ 'yes' does not hold"
    for kind, status in (("beforeEntry", "Overridden"), ("onSuccess", "Failed")):
        latest = (
            {"status": status, "summary": summary} if status == "Failed" else {"status": status}
        )
        found["stageStates"][1][f"{kind}ConditionState"] = {"latestExecution": latest}
    assert drawn(found, execution("Failed")).text.splitlines()[-3:] == [
        "✓ Deploy / condition beforeEntry: overridden",
        "✗ Deploy / Deploy: failed",
        f"✗ Deploy / condition onSuccess: Failed: {summary}",
    ]


def test_an_approval_that_waits_is_in_the_sentence() -> None:
    found = state(stage("Source", "Succeeded"), stage("Approve", "InProgress", token="t"))
    assert waits_for_someone(found, execution("InProgress"))
    text = drawn(found, execution("InProgress")).text
    assert text.startswith("The pipeline app: the stage Approve waits for an approval.")
    assert "▶ Approve / Approve: waits for an approval" in text


def test_what_an_earlier_execution_did_is_not_this_ones() -> None:
    found = state(stage("Source", "Succeeded"), stage("Deploy", "Succeeded"))
    text = drawn(found, execution("InProgress", "another")).text
    assert "○ Source  →  ○ Deploy" in text
    assert not waits_for_someone(found, execution("InProgress", "another"))


def test_an_execution_waits_for_an_earlier_ones_approval_only_behind_it() -> None:
    approve = stage("Approve", "InProgress", token="t")
    newer = execution("InProgress", "another")
    assert not waits_for_someone(state(approve), newer)
    assert "an execution is in progress" in drawn(state(approve), newer).text
    approve["inboundExecutions"] = [newer]
    assert waits_for_someone(state(approve), newer)


def test_a_disabled_transition_has_its_reason_and_names_are_escaped() -> None:
    held = stage("<Deploy>")
    held["inboundTransitionState"] = {"enabled": False, "disabledReason": "not on Fridays"}
    shown = drawn(state(held), execution("InProgress"))
    assert "<Deploy>: the transition is disabled: not on Fridays" in shown.text
    assert "&lt;Deploy&gt;" in shown.html
    assert "<Deploy>" not in shown.html


def test_what_is_delivered_is_said_also_of_an_earlier_execution_in_a_stage() -> None:
    approve = stage("Approve", "InProgress", token="t")
    newer = execution("InProgress", "newer")
    approve["inboundExecutions"] = [newer]
    source = stage("Source", "Succeeded")
    source["latestExecution"]["pipelineExecutionId"] = "newer"
    known = {ID: "the commit 1111111 (an older one)", "newer": "the commit 2222222 (say <two>)"}
    shown = drawn(state(source, approve), newer, known)
    assert shown.text.splitlines() == [
        "The pipeline app: the stage Approve waits for an approval of the commit 1111111 (an older"
        " one).",
        "This execution carries the commit 2222222 (say <two>).",
        "",
        "✓ Source  →  ○ Approve",
        "",
        "✓ Source / Source: succeeded",
        "○ Approve / Approve: not yet; the commit 1111111 (an older one) is there",
    ]
    assert "say &lt;two&gt;" in shown.html
    assert "the commit 1111111 (an older one) is there" in shown.html


def test_an_execution_is_named_by_the_commit_that_it_has_fetched() -> None:
    fetched = {"revisionId": "0123456789" * 4, "revisionSummary": "Say two\n\nmore"}
    assert named({"sourceRevisions": [fetched]}) == "the commit 0123456 (Say two)"
    assert named({"sourceRevisions": [{"revisionId": "an id of S3"}]}) == ""
    assert named({}) == ""


def test_in_the_picture_an_arrow_stands_before_a_box_and_what_is_long_below_all() -> None:
    error = {"code": "JobFailed", "message": "words " * 40}
    html = drawn(
        state(stage("Source", "Succeeded"), stage("Build", "Failed", errorDetails=error)),
        execution("Failed"),
    ).html
    boxes, _, below = html.rpartition("</div>")
    assert html.count("→") == 1
    assert boxes.index("→") < boxes.index("Build")
    assert "words" not in boxes
    assert "words" in below


def test_the_stages_that_a_rollback_leaves_alone_are_not_awaited() -> None:
    stages = state(stage("Build"), stage("Deploy", "Succeeded"))
    drawn_of = drawn(stages, {**execution("Succeeded"), "executionType": "ROLLBACK"})
    assert "not yet" not in drawn_of.text
    assert "Build / Build: not run: a rollback deploys what is there" in drawn_of.text
