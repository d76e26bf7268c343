"""A stack from its creation to its deletion, with an event for each step (update: update.py).

Statuses and reasons:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.moto.stacks import graph
from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.reasons import name_of, reason_of
from labs_helpers.sandbox.moto.stacks.resources import take_away
from labs_helpers.sandbox.moto.stacks.scope import Scope
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.service.refusal import Refusal


@dataclass
class Entry:
    """A resource as DescribeStackResources shows the resource, by moto's names."""

    logical_resource_id: str
    resource_type: str
    physical_resource_id: str = ""
    resource_status: str = ""
    resource_status_reason: str | None = None
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))


class Failed(Exception):
    """A step of a resource has failed; logical_id: the resource's."""

    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


class Life:
    """What happens to one stack of moto on behalf of one caller."""

    def __init__(self, stack: Any, calls: Calls) -> None:
        self.stack = stack
        self.calls = replace(calls, stack_tags=tuple((stack.tags or {}).items()))

    @property
    def scope(self) -> Scope:
        found: Scope = self.stack.resource_map
        return found

    def create(self) -> None:
        """Make every resource. A failure rolls the stack back, and raises nothing."""
        stack = self.stack
        self._status("CREATE_IN_PROGRESS", "User Initiated")
        try:
            for logical_id in graph.order(self.scope.template):
                self._create(logical_id)
            self._finish()
        except Failed as failed:
            words = f"The following resource(s) failed to create: [{failed.logical_id}]. "
            self._status("ROLLBACK_IN_PROGRESS", f"{words}Rollback requested by user.")
        except Refusal as refusal:  # of an output or an export
            self._status("ROLLBACK_IN_PROGRESS", f"{refusal.message} Rollback requested by user.")
        else:
            self._status("CREATE_COMPLETE")
            return
        stack.shown_outputs, stack.shown_exports = [], []
        left = self._delete(self._made())
        self._status("ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", not_deleted(left))

    def delete(self, retained: Iterable[str] = ()) -> bool:
        """Delete every resource; returns whether the stack is gone."""
        self._status("DELETE_IN_PROGRESS", "User Initiated")
        kept = set(retained)
        resources = self.scope.template.get("Resources", {})
        kept |= {name for name, each in resources.items() if each.get("DeletionPolicy") == "Retain"}
        gone = [name for name in self._made() if name not in kept]
        for name in sorted(kept & set(self.scope.made)):
            self._event(name, "DELETE_SKIPPED")
        left = self._delete(gone)
        self._status("DELETE_FAILED" if left else "DELETE_COMPLETE", not_deleted(left))
        return not left

    def _create(self, logical_id: str) -> None:
        resource = self.scope.template["Resources"][logical_id]
        if not self.scope.exists(resource):
            return
        kind = resource["Type"]
        self.stack.entries[logical_id] = Entry(logical_id, kind)
        self._event(logical_id, "CREATE_IN_PROGRESS")
        with self._step(logical_id, "CREATE"):
            properties = self.scope.resolve(resource.get("Properties", {}))
            name = name_of(kind, self.stack.name, logical_id)
            made = types()[kind].create(self.calls, name, properties)
            made.properties = properties
            self.scope.made[logical_id] = made
        self._entry(logical_id).physical_resource_id = made.physical_id
        self._event(logical_id, "CREATE_COMPLETE")

    def _delete(self, logical_ids: Iterable[str]) -> list[str]:
        """Delete resources, the last made first; returns those that could not be deleted."""
        left = []
        for logical_id in reversed(list(logical_ids)):
            made = self.scope.made[logical_id]
            self._event(logical_id, "DELETE_IN_PROGRESS")
            try:
                with self._step(logical_id, "DELETE"):
                    take_away(self.calls, self._entry(logical_id).resource_type, made)
            except Failed:
                left.append(logical_id)
                continue
            del self.scope.made[logical_id]
            self._event(logical_id, "DELETE_COMPLETE")
        return left

    def _made(self, scope: Scope | None = None) -> list[str]:
        """The resources that exist, each after those that it needs."""
        scope = scope or self.scope
        ordered = graph.order(scope.template) if scope.template.get("Resources") else []
        found = [name for name in ordered if name in self.scope.made]
        return found + [name for name in self.scope.made if name not in found]

    def _finish(self) -> None:
        """Outputs and exports, from what was made; raises Refusal."""
        shown, exports = _outputs(self.scope)
        self.stack.keep_exports(exports)
        self.stack.shown_outputs = shown

    def _step(self, logical_id: str, verb: str) -> _Step:
        return _Step(self, logical_id, verb)

    def _entry(self, logical_id: str) -> Entry:
        found: Entry = self.stack.entries[logical_id]
        return found

    def _event(self, logical_id: str, status: str, reason: str | None = None) -> None:
        entry = self._entry(logical_id)
        entry.resource_status, entry.resource_status_reason = status, reason
        entry.timestamp = datetime.now(UTC).replace(tzinfo=None)
        self.stack.tell(entry)

    def _status(self, status: str, reason: str | None = None) -> None:
        self.stack.status, self.stack.stack_status_reason = status, reason
        self.stack.tell(
            Entry(
                self.stack.name, "AWS::CloudFormation::Stack", self.stack.stack_id, status, reason
            )
        )


class _Step:
    """Around a step of a resource: whatever goes wrong is the event `<VERB>_FAILED` and Failed."""

    def __init__(self, life: Life, logical_id: str, verb: str) -> None:
        self._life, self._logical_id, self._verb = life, logical_id, verb

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None or not isinstance(error, Exception):
            return
        self._life._event(self._logical_id, f"{self._verb}_FAILED", reason_of(error))
        raise Failed(self._logical_id) from error


def not_deleted(left: list[str]) -> str | None:
    """The reason of a stack's status where these resources could not be deleted."""
    if not left:
        return None
    return f"The following resource(s) failed to delete: [{', '.join(left)}]. "


def _outputs(scope: Scope) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """The outputs as DescribeStacks shows them, and the exports by name, from what was made.

    Raises Refusal for an output that is no text.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
    """
    shown, exports = [], []
    for key, each in (scope.template.get("Outputs") or {}).items():
        if not scope.exists(each):
            continue
        value = scope.resolve(each["Value"])
        if isinstance(value, dict | list):
            words = "The Value field of every Outputs member must evaluate to a String."
            raise Refusal("ValidationError", f"Template format error: {words}")
        named = (each.get("Export") or {}).get("Name")
        name = None if named is None else str(scope.resolve(named))
        shown.append(
            {
                "OutputKey": key,
                "OutputValue": str(value),
                "Description": each.get("Description"),
                "ExportName": name,
            }
        )
        if name is not None:
            exports.append((name, str(value)))
    return shown, exports
