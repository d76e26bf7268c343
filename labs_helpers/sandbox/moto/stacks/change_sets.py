"""Change sets: changes of a stack that are kept until somebody executes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labs_helpers.sandbox.moto.stacks import granted
from labs_helpers.sandbox.moto.stacks.scope import Scope
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

ScopeOf = Callable[[Any, Any, Any], Scope]
"""(moto's stack, template, parameters) -> the values of the stack."""


def of_one_stack(original: Any) -> Callable[[Any], Any]:
    """CreateChangeSet: for a stack that exists an update, and never a second stack of a name.

    "By default, CloudFormation specifies UPDATE. You can't use the UPDATE type to create a change
    set for a new stack or the CREATE type to create a change set for an existing stack.":
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    """

    def create_change_set(response: Any) -> Any:
        name, wanted = response._get_param("StackName"), response._get_param("ChangeSetName")
        kind = response._get_param("ChangeSetType") or "UPDATE"
        stacks = response.cloudformation_backend.stacks
        found = [one for one in list(stacks.values()) if name in (one.name, one.stack_id)]
        if kind == "UPDATE" and not found:
            raise Refusal("ValidationError", f"Stack [{name}] does not exist")
        if kind == "CREATE" and found:
            if found[0].status == "REVIEW_IN_PROGRESS":
                raise not_implemented("a second change set of a stack that is not made yet")
            words = f"Stack [{name}] already exists and cannot be created again with the "
            raise Refusal("ValidationError", f"{words}changeSet [{wanted}].")
        if kind == "UPDATE":
            # moto takes CREATE for the default, and finds a stack by its name alone
            response.params["ChangeSetType"] = kind
            response.params["StackName"] = found[0].name
        return original(response)

    return create_change_set


def executing(scope_of: ScopeOf) -> Callable[..., None]:
    """ExecuteChangeSet, on moto's backend."""

    def execute(backend: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = change_set_of(backend, change_set_name, stack_name)
        if change_set.execution_status != "AVAILABLE":
            words = f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current "
            words += f"status of [{change_set.status}]"
            raise Refusal("InvalidChangeSetStatus", words)
        stack = change_set.stack
        if change_set.change_set_type == "CREATE":
            stack.template, stack.template_dict = change_set.template, change_set.template_dict
            stack.parameters = change_set.parameters
            stack.resource_map = scope_of(stack, stack.template_dict, stack.parameters)
            stack.description = stack.template_dict.get("Description")
            stack.create_resources()
        else:
            # its capabilities were given when the change set was made
            with granted.granted(["CAPABILITY_NAMED_IAM"]):
                stack.update(change_set.template, parameters=change_set.parameters)
        change_set.execution_status = "EXECUTE_COMPLETE"

    return execute


def change_set_of(backend: Any, change_set_name: str, stack_name: str | None = None) -> Any:
    """The change set of a name or ARN; raises Refusal (ChangeSetNotFound)."""
    for change_set in backend.change_sets.values():
        named = change_set.change_set_name == change_set_name
        of_stack = stack_name in (None, change_set.stack_name, change_set.stack_id)
        if change_set.change_set_id == change_set_name or (named and of_stack):
            return change_set
    words = f"ChangeSet [{change_set_name}] does not exist"
    raise Refusal("ChangeSetNotFound", words, 404)


def delete(backend: Any, change_set_name: str) -> None:
    del backend.change_sets[change_set_of(backend, change_set_name).change_set_id]


def differing(scope_of: ScopeOf) -> Callable[[Any], list[Any]]:
    """The changes of a change set: resources added, removed, and with another text."""

    def diff(change_set: Any) -> list[Any]:
        from moto.cloudformation.models import Change

        stack, template = change_set.stack, change_set.template_dict
        old, new = stack.resource_map.template.get("Resources", {}), template["Resources"]
        # what is refused later is refused now
        granted.require(template)
        scope_of(stack, template, change_set.parameters)
        same_parameters = stack.parameters == change_set.parameters
        actions = {name: "Add" for name in new if name not in old}
        actions |= {
            name: "Modify"
            for name in new
            if name in old and (new[name] != old[name] or not same_parameters)
        }
        actions |= {name: "Remove" for name in old if name not in new}
        return [
            Change(action, name, (new.get(name) or old[name])["Type"])
            for name, action in actions.items()
        ]

    return diff
