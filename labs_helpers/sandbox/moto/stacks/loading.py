"""moto's CloudFormation, without the services that no stack here has.

moto 5.2.5 imports the models of 30 services for CloudFormation, among them an OpenAPI validator
(API Gateway), and with EC2 every type of instance: 146 MB and 3.6 s. A stack here makes its
resources by calls, so that the models of services that are closed are not needed at all.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

_CLOSED = (
    "apigateway",
    "autoscaling",
    "awslambda",
    "batch",
    "datapipeline",
    "ecr",
    "efs",
    "emr",
    "iot",
    "kinesis",
    "rds",
    "redshift",
    "route53",
    "sagemaker",
    "stepfunctions",
)
"""Services that only CloudFormation imports, and that the table does not have."""

_lock = threading.Lock()


def load_cloudformation() -> None:
    """Import moto's CloudFormation; empty modules stand in for `_CLOSED` while it is imported."""
    with _lock:
        if "moto.cloudformation.responses" in sys.modules:
            return
        stand_ins = {name: module for each in _CLOSED for name, module in _empty(each)}
        stand_ins = {name: one for name, one in stand_ins.items() if name not in sys.modules}
        sys.modules.update(stand_ins)
        try:
            __import__("moto.cloudformation.responses")
        finally:
            for name, module in stand_ins.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]


def _empty(service: str) -> list[tuple[str, ModuleType]]:
    name = f"moto.{service}"
    package: Any = ModuleType(name)
    package.__path__ = []
    package.models = ModuleType(f"{name}.models")
    utils: Any = ModuleType(f"{name}.utils")
    utils.get_backend = None  # of AWS Lambda, for custom resources, which no template may have
    return [(name, package), (f"{name}.models", package.models), (f"{name}.utils", utils)]
