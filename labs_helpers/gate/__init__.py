"""A gate for images: it compares the findings of ECR's scan with a threshold and accepted risks.

The gate is a client over boto3, so it judges on AWS as in the sandbox. It fails closed: an image
passes only if its scan is complete and judged every package.
"""

from labs_helpers.gate.accepted_risks import AcceptedRisk, AcceptedRisksError, load
from labs_helpers.gate.formats import table
from labs_helpers.gate.image import ImageName, InvalidImage, parse
from labs_helpers.gate.scan import Finding, Scan, fetch
from labs_helpers.gate.verdict import Rules, Verdict, judge

__all__ = [
    "AcceptedRisk",
    "AcceptedRisksError",
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
