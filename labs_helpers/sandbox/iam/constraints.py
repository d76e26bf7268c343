"""Parameters that break botocore's model: IAM and STS refuse these first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.refusal import Refusal
from labs_helpers.sandbox.service.validation import Invalid, validate


def check(params: Mapping[str, Any], shape: Any) -> None:
    """Raise the ValidationError that names every parameter that breaks a constraint of its shape.

    shape: botocore's input shape of the operation. Source of code and words:
    https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
    """
    try:
        validate(params, shape)
    except Invalid as error:
        raise Refusal("ValidationError", str(error), 400) from error
