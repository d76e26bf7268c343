"""Arguments of a request that moto would leave out, or follow where nobody may.

The check comes after IAM's decision and after the check of the model, before moto answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.moto import refusals, table
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

_OF_AWS = re.compile(r"(arn:[^/]*)?/aws/")
_NAMES = ("Name", "Names", "Path", "ResourceId")


def check(asked: ApiRequest) -> None:
    """Raise Refusal, which names the argument, for the first argument that is not followed here."""
    service, operation, params = asked.service, asked.operation, asked.params
    if service == "ec2":
        _check_dry_run(params)
    if (row := table.services().get(service)) and row.always:
        raise Refusal(row.always, row.words)
    for argument in refusals.arguments(service, operation):
        for value in argument.refused(params):
            said = f"={value}" if argument.values or argument.form else ""
            what = f"the operation {service}:{operation} with {argument.parameter}{said}"
            raise not_implemented(what, argument.reason)
    if service == "ssm" and operation != "PutParameter":
        _check_names(operation, params)
    if service == "cloudformation" and "TemplateBody" in params:
        # moto keeps the template of a stack set without reading the template
        from labs_helpers.sandbox.moto import templates  # the start need not wait for it

        templates.parse(params["TemplateBody"])


def _check_dry_run(params: Mapping[str, Any]) -> None:
    """A dry run only says whether the caller has the permission, and the caller has.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html
    """
    if str(params.get("DryRun", "")).lower() == "true":
        words = "Request would have succeeded, but DryRun flag is set."
        raise Refusal("DryRunOperation", words, 412)


def _check_names(operation: str, params: Mapping[str, Any]) -> None:
    """Raise Refusal for parameters of AWS itself.

    moto would show secrets of Secrets Manager to a caller who may not read them, and would list
    public parameters as the caller's own.
    """
    for name in _NAMES:
        given = params.get(name, ())
        for each in given if isinstance(given, list) else [given]:
            if _OF_AWS.match(str(each)):
                raise not_implemented(
                    f"the operation ssm:{operation} with the parameter {str(each)[:80]}",
                    "The sandbox has no parameters of AWS. Read a secret with `aws secretsmanager "
                    "get-secret-value`.",
                )
