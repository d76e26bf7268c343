"""Manual approval: a message by Amazon SNS if wanted, then waiting for PutApprovalResult.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html; the message's form:
https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    refused,
    words,
)

LASTS = timedelta(days=7)
"""https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"""


def manual(work: Work) -> Outcome:
    """Tell the topic at the first look; fail once the time is over."""
    memory = dict(work.memory)
    if "ends" not in memory:
        minutes = work.action.get("timeoutInMinutes")
        lasts = timedelta(minutes=minutes) if minutes else LASTS
        memory["ends"] = work.at + lasts.total_seconds()
        if topic := work.configuration.get("NotificationArn"):
            _tell(work, topic, memory["ends"])
    if work.at >= memory["ends"]:
        raise ActionFailed("JobFailed", "The approval action has timed out")
    return Outcome("InProgress", memory=memory)


def _tell(work: Work, topic: str, ends: float) -> None:
    host = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{work.pipeline}/view"
    name = work.action["name"]
    approval = {
        "pipelineName": work.pipeline,
        "stageName": work.stage,
        "actionName": name,
        "token": work.token,
        "expires": datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "externalEntityLink": work.configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{host}?region={work.region}#/{work.stage}/{name}/approve/"
        f"{work.token}",
        "customData": work.configuration.get("CustomData"),
    }
    message = {
        "region": work.region,
        "consoleLink": f"{host}?region={work.region}",
        "approval": {key: value for key, value in approval.items() if value is not None},
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {work.pipeline} for action {name}"[:100]
    try:
        work.client("sns").publish(TopicArn=topic, Subject=subject, Message=json.dumps(message))
    except ClientError as error:
        code = "PermissionError" if refused(error) else "ConfigurationError"
        raise ActionFailed(code, words(error, "AmazonSNS")) from error
