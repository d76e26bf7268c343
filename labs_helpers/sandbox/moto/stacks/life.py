"""A stack from its creation to its deletion, with an event for each step.

Statuses and reasons:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.moto.stacks import graph, outputs
from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import Made
from labs_helpers.sandbox.moto.stacks.reasons import name_of, reason_of
from labs_helpers.sandbox.moto.stacks.resources import apply, needs_replacement, take_away
from labs_helpers.sandbox.moto.stacks.scope import Scope
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.service.refusal import Refusal

_REPLACING = (
    "Requested update requires the creation of a new physical resource; hence creating one."
)


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
    """A step that a resource failed at; logical_id: whose."""

    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


class Life:
    """What happens to one stack of moto on behalf of one caller."""

    def __init__(self, stack: Any, calls: Calls) -> None:
        self.stack = stack
        self.calls = replace(calls, stack_tags=tuple((stack.tags or {}).items()))
        self._replaced: dict[str, Made] = {}

    @property
    def scope(self) -> Scope:
        found: Scope = self.stack.resource_map
        return found

    def create(self) -> None:
        """Make every resource; what fails rolls the stack back, and raises nothing."""
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
        self._status("ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", _not_deleted(left))

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
        self._status("DELETE_FAILED" if left else "DELETE_COMPLETE", _not_deleted(left))
        return not left

    def update(self, new: Scope) -> None:
        """Change the stack to what `new` says; what fails is rolled back, and raises nothing.

        Raises Refusal when there is nothing to change.
        """
        old = self.scope
        new.made = dict(old.made)
        if not self._differs(old, new):
            raise Refusal("ValidationError", "No updates are to be performed.")
        self._status("UPDATE_IN_PROGRESS", "User Initiated")
        self.stack.resource_map = new
        undo: list[tuple[str, Made | None]] = []
        try:
            for logical_id in graph.order(new.template):
                self._change(logical_id, old, undo)
            self._finish()
        except (Failed, Refusal) as failed:
            words = (
                f"The following resource(s) failed to update: [{failed.logical_id}]. "
                if isinstance(failed, Failed)
                else failed.message
            )
            self._undo(undo, old, words)
            return
        self._status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        kept = {name for name, each in new.template["Resources"].items() if new.exists(each)}
        for logical_id, replaced in reversed(self._replaced.items()):
            self._gone(logical_id, replaced)
        self._delete([name for name in self._made(old) if name not in kept])
        self._status("UPDATE_COMPLETE")

    def _differs(self, old: Scope, new: Scope) -> bool:
        return old.template != new.template or old.resolved_parameters != new.resolved_parameters

    def _change(self, logical_id: str, old: Scope, undo: list[tuple[str, Made | None]]) -> None:
        made = self.scope.made.get(logical_id)
        resource = self.scope.template["Resources"][logical_id]
        if made is None:
            self._create(logical_id)
            if logical_id in self.scope.made:
                undo.append((logical_id, None))
            return
        if not self.scope.exists(resource):
            return
        with self._step(logical_id, "UPDATE"):
            wanted = self.scope.resolve(resource.get("Properties", {}))
        if wanted == made.properties and resource["Type"] == self._entry(logical_id).resource_type:
            return
        before = Made(made.physical_id, dict(made.attributes), made.properties)
        self._event(logical_id, "UPDATE_IN_PROGRESS")
        kind, was = resource["Type"], self._entry(logical_id).resource_type
        with self._step(logical_id, "UPDATE"):
            replaced = needs_replacement(kind, was, made, wanted)
        if replaced:
            self._replace(logical_id, kind, wanted, undo)
            return
        with self._step(logical_id, "UPDATE"):
            # an update that fails halfway is undone too
            undo.append((logical_id, before))
            apply(self.calls, resource["Type"], made, wanted)
        self._event(logical_id, "UPDATE_COMPLETE")

    def _replace(
        self, logical_id: str, kind: str, wanted: Any, undo: list[tuple[str, Made | None]]
    ) -> None:
        """Make a new resource; the old one is deleted when the whole update has succeeded.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
        """
        self._event(logical_id, "UPDATE_IN_PROGRESS", _REPLACING)
        old = self.scope.made[logical_id]
        with self._step(logical_id, "UPDATE"):
            name = name_of(kind, self.stack.name, logical_id)
            made = types()[kind].create(self.calls, name, wanted)
            made.properties = wanted
        self.scope.made[logical_id] = made
        self._entry(logical_id).physical_resource_id = made.physical_id
        undo.append((logical_id, old))
        self._replaced[logical_id] = old
        self._event(logical_id, "UPDATE_COMPLETE")

    def _take_back_replaced(self, logical_id: str) -> bool:
        """Delete the new resource and let the old one stand; whether the new one is gone."""
        made, old = self.scope.made[logical_id], self._replaced.pop(logical_id)
        self.scope.made[logical_id] = old
        self._entry(logical_id).physical_resource_id = old.physical_id
        return self._gone(logical_id, made)

    def _gone(self, logical_id: str, made: Made) -> bool:
        """Whether a resource that no longer stands for its logical id could be deleted."""
        entry = self._entry(logical_id)
        standing = replace(entry)
        entry.physical_resource_id = made.physical_id
        try:
            self._event(logical_id, "DELETE_IN_PROGRESS")
            with self._step(logical_id, "DELETE"):
                take_away(self.calls, entry.resource_type, made)
            self._event(logical_id, "DELETE_COMPLETE")
        except Failed:
            return False
        finally:
            self.stack.entries[logical_id] = standing
        return True

    def _undo(self, undo: list[tuple[str, Made | None]], old: Scope, words: str) -> None:
        self._status("UPDATE_ROLLBACK_IN_PROGRESS", words)
        left = []
        for logical_id, before in reversed(undo):
            if before is None:
                left += self._delete([logical_id])
                continue
            if logical_id in self._replaced:
                left += [] if self._take_back_replaced(logical_id) else [logical_id]
                continue
            made = self.scope.made[logical_id]
            kind = self._entry(logical_id).resource_type
            # what the failed update may have set already is set back
            wanted, made.properties = before.properties, {**before.properties, **made.properties}
            try:
                with self._step(logical_id, "UPDATE"):
                    apply(self.calls, kind, made, wanted)
            except Failed:
                left.append(logical_id)
            else:
                self._event(logical_id, "UPDATE_COMPLETE")
        old.made = self.scope.made
        self.stack.resource_map = old
        self._finish()
        status = "UPDATE_ROLLBACK_FAILED" if left else "UPDATE_ROLLBACK_COMPLETE"
        self._status(status, _not_deleted(left))

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
        shown, exports = outputs.of(self.scope)
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


def _not_deleted(left: list[str]) -> str | None:
    if not left:
        return None
    return f"The following resource(s) failed to delete: [{', '.join(left)}]. "
