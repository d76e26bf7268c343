"""What the runner can do: one row a kind of job.

A kind is named as the service submits it (sandbox/service/work.py). Its function is imported with
the first job of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from labs_helpers.runner.runner import Kind

KINDS: Mapping[str, Kind] = {}
