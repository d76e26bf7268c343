"""The update of a stack, and the way back from an update that failed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labs_helpers.sandbox.moto.stacks import graph
from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import Made
from labs_helpers.sandbox.moto.stacks.life import Failed, Life, not_deleted
from labs_helpers.sandbox.moto.stacks.reasons import name_of
from labs_helpers.sandbox.moto.stacks.resources import apply, needs_replacement, take_away
from labs_helpers.sandbox.moto.stacks.scope import Scope
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.service.refusal import Refusal

_REPLACING = (
    "Requested update requires the creation of a new physical resource; hence creating one."
)


class Update(Life):
    """One update of one stack of moto on behalf of one caller."""

    def __init__(self, stack: Any, calls: Calls) -> None:
        super().__init__(stack, calls)
        #: The old resources of those that were replaced, until the update has succeeded.
        self._replaced: dict[str, Made] = {}

    def run(self, new: Scope) -> None:
        """Change the stack to what `new` says. A failed change is rolled back, and raises nothing.

        Raises Refusal when there is nothing to change.
        """
        old = self.scope
        new.made = dict(old.made)
        if old.template == new.template and old.resolved_parameters == new.resolved_parameters:
            raise Refusal("ValidationError", "No updates are to be performed.")
        self._status("UPDATE_IN_PROGRESS", "User Initiated")
        self.stack.resource_map = new
        undo: list[tuple[str, Made | None]] = []
        try:
            for logical_id in graph.order(new.template):
                self._change(logical_id, undo)
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

    def _change(self, logical_id: str, undo: list[tuple[str, Made | None]]) -> None:
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
        """Delete the new resource and keep the old one; returns whether the new one is gone."""
        made, old = self.scope.made[logical_id], self._replaced.pop(logical_id)
        self.scope.made[logical_id] = old
        self._entry(logical_id).physical_resource_id = old.physical_id
        return self._gone(logical_id, made)

    def _gone(self, logical_id: str, made: Made) -> bool:
        """Delete a resource that was replaced, or replaced another; returns whether that worked."""
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
        self._status(status, not_deleted(left))
