"""What was reported wrong once, and the tests that hold it: `grep -rn "Reported as D14" tests`.

D: attacks and faults; F and M: public bug reports, rewritten as small inputs; S: test suites of
other projects. All were tried on the sandbox on 2026-11-28. A test says in its docstring what it is
about.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPORTED = {
    "D1": "a CloudFormation template runs code",
    "D2": "a copy in S3 passes IAM; the decision reads another request than moto does",
    "D3": "a scan says COMPLETE for layers whose database it did not see",
    "D4": "clean-up that fails keeps the engine from starting",
    "D5": "a malformed head is a 500",
    "D6": "a step of the clock loses processes; two servers on one state",
    "D7": "a library connects elsewhere or starts programs",
    "D8": "clients at once are refused",
    "D9": "a malformed chunked body is a 500, or an empty success",
    "D10": "half-sent heads block everybody",
    "D11": "a pattern backtracks for minutes",
    "D12": "an odd call ends in InternalFailure with a traceback",
    "D13": "a full disk has another answer on every plane",
    "D14": "a damaged state of identities is not said",
    "D15": "a cancelled RUN leaves files in /tmp",
    "D16": "another account's administrator publishes to a topic without a policy",
    "D17": "kill -9 -1 of a RUN ends the user's processes",
    "F1": "a stack's repository is moto's and not ECR's",
    "F2": "a buildspec is read loosely and run in one shell",
    "F3": "a password that ECR did not make is a 401",
    "F4": "the wire follows OCI where ECR is stricter",
    "F5": "an index and its images go in one call",
    "F6": "an option of docker is taken and ignored",
    "F7": "a single manifest has no platform in /distribution",
    "F8": "a trust policy holds for a user who was made again",
    "F9": "a repository policy names a role that is not there",
    "F10": "a cache rule for an upstream without its secret, or that there is none of",
    "F11": "words that AWS has changed: the tag is immutable",
    "F12": "a USER writes where it may not",
    "F13": "a region that AWS lacks has an empty list",
    "F14": "an answer that aws itself cannot print",
    "M1": "a false sentence about the size of a part",
    "M2": "a null list in a lifecycle rule",
    "S1": "Resource in a repository policy",
    "S2": "two statements with one Sid",
    "S3": "a policy that locks its author out",
    "S4": "encryption by KMS without a key, or with one that is not there",
    "S5": "the layout of a lifecycle policy",
    "S6": "a pull by tag in another format than the client accepts",
    "S7": "schema 1",
    "S8": "the absolute form of a target",
    "S9": "a stack that fails cannot be described",
    "S10": "/distribution of an image that is not there is a 500",
    "S11": "cache_from of an unrelated image",
    "S12": "--add-host is ignored",
    "S13": "a RUN that fails has no code in the stream",
    "S14": "docker import",
    "S15": "memory of a day",
}
_SAID = re.compile(r"Reported as ((?:[DFMS]\d+(?:, )?)+)\.")


def said() -> dict[str, list[str]]:
    """The tests that say what they are about, by what that is."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "Reported as" not in source or path.name == Path(__file__).name:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                match = _SAID.search(ast.get_docstring(node) or "")
                for each in match[1].split(", ") if match else ():
                    found.setdefault(each, []).append(f"{path.name}::{node.name}")
    return found


def test_each_report_has_its_test() -> None:
    found = said()
    assert {each: found.get(each) for each in REPORTED if each not in found} == {}
    assert set(found) <= set(REPORTED)
