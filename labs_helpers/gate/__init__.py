"""A gate for images: what ECR found in one against a threshold and the risks that were accepted.

A client over boto3 and nothing more, so it judges on AWS as it does in the sandbox. It fails
closed: only a scan that ended, of packages that were all judged, can pass.
"""

from labs_helpers.gate.accepted import Accepted, AcceptedError, load
from labs_helpers.gate.formats import table
from labs_helpers.gate.image import ImageName, InvalidImage, parse
from labs_helpers.gate.scan import Finding, Scan, fetch
from labs_helpers.gate.verdict import Rules, Verdict, judge

__all__ = [
    "Accepted",
    "AcceptedError",
    "Finding",
    "ImageName",
    "InvalidImage",
    "Rules",
    "Scan",
    "Verdict",
    "fetch",
    "judge",
    "load",
    "parse",
    "table",
]
