"""The worker that takes events to the targets of rules: at least once, again after a failure, and
to a dead-letter queue in the end.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html. A delivery leaves the
queue after the target, or the dead-letter queue, has the event; `kill -9` before that leaves it
in the queue for the next start. Waiting times are by the sandbox clock. AWS draws the time between
two attempts; here the time doubles from a second to an hour, so that a lab sees what it expects.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.events import inputs, router
from labs_helpers.sandbox.events.permission import Sender
from labs_helpers.sandbox.events.sending import AsRole, Failed, Send, Sending
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

log = logging.getLogger(__name__)

_ATTEMPTS, _AGE = 185, 86400
"""Of a target without a RetryPolicy: attempts after the first, and seconds."""
_LONGEST_WAIT = 3600.0
_AT_ONCE = 100


class Deliveries(Worker[Store]):
    """Sends what waits, the oldest first."""

    name = "deliveries"
    topic = router.TOPIC
    failure = "events could not be delivered"

    def __init__(
        self, state: Store, clock: Clock, send: Mapping[str, Send], as_role: AsRole
    ) -> None:
        """send: by the service of the target's ARN; "sqs" is there for dead letters, too."""
        super().__init__(state)
        self._clock = clock
        self._send = send
        self._as_role = as_role

    def has_work(self) -> bool:
        """Whether a delivery waits."""
        with self.store.read() as db:
            return db.execute("select 1 from deliveries limit 1").fetchone() is not None

    def patience(self) -> float | None:
        """Seconds until the next attempt; a clock that stands still is waited for."""
        if self._clock.frozen:
            return None
        with self.store.read() as db:
            due = db.execute("select min(due) from deliveries").fetchone()[0]
        return None if due is None else max(due - self._clock.now().timestamp(), 1.0)

    def work(self) -> None:
        """Deliver what is due."""
        asked = "select * from deliveries where due <= ? order by number limit ?"
        while not self.closing:
            with self.store.read() as db:
                due = self._clock.now().timestamp(), _AT_ONCE
                rows = db.execute(asked, due).fetchall()
            if not rows:
                return
            done: list[tuple[int]] = []
            try:
                for row in rows:
                    if self.closing:
                        return
                    if self._deliver(row):
                        done.append((row["number"],))
            finally:
                if done:
                    with self.store.write() as db:
                        db.executemany("delete from deliveries where number = ?", done)

    def _deliver(self, row: Any) -> bool:
        """Try a delivery; whether nothing of it is left to do."""
        target, event = json.loads(row["target"]), json.loads(row["event"])
        what = (event["detail-type"], event["id"], target["Arn"], row["rule"])
        try:
            self._try(row, target, event)
        except Failed as error:
            failure = error
            log.warning("%s %s did not reach %s, a target of %s: %s", *what, error)
        except Exception as error:
            # moto's services refuse in many ways: a message that is too long, a wrong group
            log.exception("%s %s did not reach %s, a target of %s", *what)
            failure = Failed("ERROR_FROM_TARGET", f"{type(error).__name__}: {error}")
        else:
            log.info("%s %s went to %s, a target of %s", *what)
            return True
        exhausted = _exhausted(row, target, self._clock.now().timestamp()) if failure.again else ""
        if failure.again and not exhausted:
            self._put_off(row)
            return False
        self._bury(row, target, event, failure, exhausted)
        return True

    def _try(self, row: Any, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        service = target["Arn"].split(":", 5)[2]
        send = self._send.get(service)
        if send is None:
            raise Failed("NO_RESOURCE", f"the sandbox does not send events to {service}")
        try:
            text = inputs.message(target, event, row["rule"])
        except inputs.BadInput as error:
            raise Failed("INVALID_PARAMETER", str(error)) from error
        sender = Sender(row["rule"], row["rule"].split(":", 5)[4])
        sending = Sending(
            sender, target["Arn"], text, target, event, self._as_role, hops=row["hops"]
        )
        send(sending)

    def _put_off(self, row: Any) -> None:
        wait = min(2.0 ** min(row["attempts"], 12), _LONGEST_WAIT)
        with self.store.write() as db:
            db.execute(
                "update deliveries set attempts = attempts + 1, due = ? where number = ?",
                (self._clock.now().timestamp() + wait, row["number"]),
            )

    def _bury(
        self,
        row: Any,
        target: Mapping[str, Any],
        event: Mapping[str, Any],
        failure: Failed,
        exhausted: str,
    ) -> None:
        """Give an event up: to the target's dead-letter queue, if the target has one."""
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": row["rule"],
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": str(failure),
            "RETRY_ATTEMPTS": str(row["attempts"]),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        sender = Sender(row["rule"], row["rule"].split(":", 5)[4])
        text = inputs.compact(event)
        sending = Sending(sender, queue, text, {}, event, self._as_role, attributes=attributes)
        what = (event["id"], target["Arn"], queue)
        try:
            self._send["sqs"](sending)
        except Failed as error:
            log.warning("%s, which %s did not get, did not reach the queue %s: %s", *what, error)
        except Exception:
            # as above: what moto refuses
            log.exception("%s, which %s did not get, did not reach the queue %s", *what)


def _exhausted(row: Any, target: Mapping[str, Any], now: float) -> str:
    """Which limit of the target's retry policy ends the attempts; empty for none."""
    policy = target.get("RetryPolicy") or {}
    if row["attempts"] >= policy.get("MaximumRetryAttempts", _ATTEMPTS):
        return "MaximumRetryAttempts"
    if now - row["since"] >= policy.get("MaximumEventAgeInSeconds", _AGE):
        return "MaximumEventAgeInSeconds"
    return ""
