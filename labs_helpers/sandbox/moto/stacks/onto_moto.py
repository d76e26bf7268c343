"""Our stacks onto moto's CloudFormation: patches.py lists each change with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.call import Application
from labs_helpers.sandbox.moto import patches, templates
from labs_helpers.sandbox.moto.stacks import calls, change_sets, granted, loading
from labs_helpers.sandbox.moto.stacks.life import Entry, Life
from labs_helpers.sandbox.moto.stacks.scope import Scope
from labs_helpers.sandbox.moto.stacks.types import capabilities, needing_capabilities
from labs_helpers.sandbox.moto.stacks.update import Update
from labs_helpers.sandbox.service.refusal import Refusal

_MODELS = "moto.cloudformation.models"
_RESPONSES = "moto.cloudformation.responses"
_STACK = f"{_MODELS}:Stack"
_BACKEND = f"{_MODELS}:CloudFormationBackend"
_RESPONSE = f"{_RESPONSES}:CloudFormationResponse"


def install(answer: Application) -> None:
    """answer: what answers the calls that make a stack's resources."""
    loading.load_cloudformation()

    def life(stack: Any) -> Life:
        return Life(stack, calls.current(answer))

    def update(stack: Any) -> Update:
        return Update(stack, calls.current(answer))

    patches.put(f"{_STACK}._create_resource_map", _scope)
    patches.put(f"{_STACK}.create_resources", lambda stack: life(stack).create())
    patches.put(f"{_STACK}.update", _updating(update))
    patches.put(f"{_STACK}.stack_resources", property(lambda stack: list(stack.entries.values())))
    patches.put(f"{_STACK}.outputs", property(lambda stack: stack.shown_outputs or None))
    patches.put(f"{_STACK}.exports", property(lambda stack: stack.shown_exports))
    patches.put(f"{_STACK}.parameter_list", property(_parameters))
    patches.put(f"{_STACK}.tell", _tell)
    patches.put(f"{_STACK}.keep_exports", _keep_exports)
    patches.put(f"{_MODELS}:ChangeSet.diff", change_sets.differing(_scope_of))
    patches.put(f"{_BACKEND}.create_stack", _create_stack)
    patches.put(f"{_BACKEND}.execute_change_set", change_sets.executing(_scope_of))
    patches.put(f"{_BACKEND}.describe_change_set", change_sets.change_set_of)
    patches.put(f"{_BACKEND}.delete_change_set", change_sets.delete)
    for operation in ("create_stack", "update_stack", "create_change_set"):
        original = patches.put(f"{_RESPONSE}.{operation}", None)
        if operation == "create_change_set":
            original = change_sets.of_one_stack(original)
        patches.put(f"{_RESPONSE}.{operation}", granted.with_capabilities(original))
    patches.put(f"{_RESPONSE}.delete_stack", _deleting(life))
    patches.put(f"{_RESPONSE}.list_stack_resources", _list_resources)
    patches.put(f"{_RESPONSE}.validate_template", _validate_template)
    patches.put(f"{_RESPONSES}:StackResourceDTO", _Shown)


def _scope(stack: Any) -> Scope:
    """The stack's values, instead of moto's ResourceMap."""
    if not hasattr(stack, "entries"):
        stack.entries, stack.shown_outputs, stack.shown_exports = {}, [], []
        stack.events, stack.stack_status_reason = [], None
    # a stack that a change set has begun has no template yet, and its parameters wait
    parameters = stack.parameters if stack.template_dict else {}
    return _scope_of(stack, stack.template_dict, parameters)


def _scope_of(stack: Any, template: Any, parameters: Any) -> Scope:
    pseudo = {
        "AWS::AccountId": stack.account_id,
        "AWS::NotificationARNs": stack.notification_arns,
        "AWS::Partition": "aws",
        "AWS::Region": stack.region_name,
        "AWS::StackId": stack.stack_id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com",
    }
    exports = _Exports(stack.account_id, stack.region_name)
    return Scope(template, parameters or {}, pseudo, exports)


@dataclass(frozen=True)
class _Exports:
    """`scope.Imports` of an account in a region; kept on disk with the stack."""

    account: str
    region: str

    def __call__(self, name: str) -> str | None:
        from moto.cloudformation.models import cloudformation_backends

        found = cloudformation_backends[self.account][self.region].exports.get(name)
        return None if found is None else str(found.value)


def _tell(stack: Any, entry: Entry) -> None:
    """Record an event of the stack, and send the event to the topics that the stack names."""
    from moto.cloudformation.models import Event

    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=entry.logical_resource_id,
        physical_resource_id=entry.physical_resource_id,
        resource_type=entry.resource_type,
        resource_status=entry.resource_status,
        resource_status_reason=entry.resource_status_reason,
        resource_properties=None,
    )
    stack.events.append(event)


def _keep_exports(stack: Any, exports: list[tuple[str, str]]) -> None:
    """Keep the stack's exports; raises Refusal for a name that another stack exports."""
    from moto.cloudformation.models import cloudformation_backends
    from moto.cloudformation.parsing import Export

    backend = cloudformation_backends[stack.account_id][stack.region_name]
    for name, _ in exports:
        other = backend.exports.get(name)
        if other is not None and other.exporting_stack_id != stack.stack_id:
            words = f"Export with name {name} is already exported by stack "
            words += f"{other.exporting_stack_id.split('/')[1]}."
            raise Refusal("ValidationError", words)
    _drop_exports(backend, stack)
    stack.shown_exports = [Export(stack.stack_id, name, value) for name, value in exports]
    backend.exports |= {export.name: export for export in stack.shown_exports}


def _drop_exports(backend: Any, stack: Any) -> None:
    for name in [
        n for n, one in backend.exports.items() if one.exporting_stack_id == stack.stack_id
    ]:
        del backend.exports[name]


def _parameters(stack: Any) -> list[dict[str, Any]]:
    scope = stack.resource_map
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if scope.is_hidden(name) else _written(value),
        }
        for name, value in scope.resolved_parameters.items()
    ]


def _written(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _create_stack(backend: Any, name: str, template: str, parameters: Any, **more: Any) -> Any:
    from moto.cloudformation import models
    from moto.cloudformation.exceptions import AlreadyExistsException
    from moto.cloudformation.utils import generate_stack_id

    if name in [stack.name for stack in backend.stacks.values()]:
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    stack_class: Any = models.Stack
    stack = stack_class(
        stack_id=generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template=template,
        parameters=parameters,
        account_id=backend.account_id,
        region_name=backend.region_name,
        **more,
    )
    granted.require(stack.template_dict)
    backend.stacks[stack.stack_id] = stack
    stack.create_resources()
    return stack


def _updating(of: Callable[[Any], Update]) -> Callable[..., None]:
    def update(
        stack: Any,
        template: str,
        role_arn: str | None = None,
        parameters: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        if not stack.status.endswith("_COMPLETE") or stack.status.startswith("ROLLBACK"):
            words = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            raise Refusal("ValidationError", words)
        body = template or stack.template
        wanted = templates.parse(body)
        granted.require(wanted)
        # a parameter that the call does not name has its default again, as on AWS
        given = dict(parameters or {})
        new = _scope_of(stack, wanted, given)
        if tags is not None:
            stack.tags = tags
        of(stack).run(new)
        if stack.resource_map is new:
            stack.template, stack.template_dict, stack.parameters = body, wanted, given

    return update


def _deleting(life: Callable[[Any], Life]) -> Callable[[Any], Any]:
    def delete_stack(response: Any) -> Any:
        """A stack that does not exist is deleted already, as on AWS."""
        from moto.core.responses import EmptyResult

        backend, name = response.cloudformation_backend, response._get_param("StackName")
        retained = response._get_param("RetainResources", [])
        found = [one for one in backend.stacks.values() if name in (one.name, one.stack_id)]
        for stack in found:
            if retained and stack.status != "DELETE_FAILED":
                words = f"Invalid operation on stack [{stack.stack_id}]. When you delete a stack, "
                words += "specify which resources to retain only when the stack is in the "
                words += "DELETE_FAILED state."
                raise Refusal("ValidationError", words)
            if life(stack).delete(retained):
                _drop_exports(backend, stack)
                del backend.stacks[stack.stack_id]
                backend.deleted_stacks[stack.stack_id] = stack
        return EmptyResult()

    return delete_stack


class _Shown:
    """A resource of a stack, as moto's answers have it, with the status of the resource itself."""

    def __init__(self, stack: Any, entry: Entry) -> None:
        self.stack_id, self.stack_name = stack.stack_id, stack.name
        self.logical_resource_id = entry.logical_resource_id
        self.physical_resource_id = entry.physical_resource_id
        self.resource_type = entry.resource_type
        self.resource_status = entry.resource_status
        self.resource_status_reason = entry.resource_status_reason
        self.timestamp = self.last_updated_timestamp = entry.timestamp


def _list_resources(response: Any) -> Any:
    from moto.core.responses import ActionResult

    backend, name = response.cloudformation_backend, response._get_param("StackName")
    stack, entries = backend.list_stack_resources(name)
    return ActionResult({"StackResourceSummaries": [_Shown(stack, entry) for entry in entries]})


def _validate_template(response: Any) -> Any:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html"""
    from moto.core.responses import ActionResult

    url = response._get_param("TemplateURL")
    text = response._get_stack_from_s3_url(url) if url else response._get_param("TemplateBody")
    template = templates.parse(text)
    needed = capabilities(template)
    result = {
        "Description": template.get("Description"),
        "Parameters": [
            {
                "ParameterKey": name,
                "DefaultValue": None if "Default" not in slot else str(slot["Default"]),
                "NoEcho": str(slot.get("NoEcho", False)).lower() == "true",
                "Description": slot.get("Description"),
            }
            for name, slot in (template.get("Parameters") or {}).items()
        ],
        "Capabilities": needed,
    }
    if needed:
        named = ", ".join(needing_capabilities(template))
        words = f"The following resource(s) require capabilities: [{named}]"
        result["CapabilitiesReason"] = words
    return ActionResult(result)
