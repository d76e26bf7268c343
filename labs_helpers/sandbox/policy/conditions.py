"""Condition: operators, keys and their values.

All operators and keys of a Condition must match; of a key's values, one is enough.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from labs_helpers.sandbox.policy import compare
from labs_helpers.sandbox.policy.compare import Comparison
from labs_helpers.sandbox.policy.match import arn_matches
from labs_helpers.sandbox.policy.request import Context
from labs_helpers.sandbox.policy.variables import Template, template

#: name in lower case -> (comparison, negated, whether its values may have variables)
OPERATORS: dict[str, tuple[Comparison, bool, bool]] = {
    "stringequals": (compare.text_equals, False, True),
    "stringnotequals": (compare.text_equals, True, True),
    "stringequalsignorecase": (compare.text_equals_ignoring_case, False, True),
    "stringnotequalsignorecase": (compare.text_equals_ignoring_case, True, True),
    "stringlike": (compare.text_like, False, True),
    "stringnotlike": (compare.text_like, True, True),
    "numericequals": (compare.number(eq), False, False),
    "numericnotequals": (compare.number(eq), True, False),
    "numericlessthan": (compare.number(lt), False, False),
    "numericlessthanequals": (compare.number(le), False, False),
    "numericgreaterthan": (compare.number(gt), False, False),
    "numericgreaterthanequals": (compare.number(ge), False, False),
    "dateequals": (compare.date(eq), False, False),
    "datenotequals": (compare.date(eq), True, False),
    "datelessthan": (compare.date(lt), False, False),
    "datelessthanequals": (compare.date(le), False, False),
    "dategreaterthan": (compare.date(gt), False, False),
    "dategreaterthanequals": (compare.date(ge), False, False),
    "bool": (compare.boolean_equals, False, True),
    "binaryequals": (compare.binary_equals, False, False),
    "ipaddress": (compare.address_within, False, False),
    "notipaddress": (compare.address_within, True, False),
    "arnequals": (arn_matches, False, True),
    "arnlike": (arn_matches, False, True),
    "arnnotequals": (arn_matches, True, True),
    "arnnotlike": (arn_matches, True, True),
}

_FOR_ALL, _FOR_ANY = "forallvalues", "foranyvalue"


@dataclass(frozen=True)
class Operator:
    """The parts of an operator's name. For ``Null``, compare is None."""

    compare: Comparison | None
    negated: bool
    variables: bool
    quantifier: str
    if_exists: bool


def operator(name: str) -> Operator | None:
    """The operator of this name, in any case; None for an unknown name."""
    quantifier, colon, rest = name.lower().rpartition(":")
    if colon and quantifier not in (_FOR_ALL, _FOR_ANY):
        return None
    if rest == "null":
        return Operator(None, False, False, quantifier, False)
    base = rest.removesuffix("ifexists")
    known = OPERATORS.get(base)
    return Operator(*known, quantifier, base != rest) if known else None


@dataclass(frozen=True)
class Condition:
    """One operator, one key and its values.

    operator: None for an unknown operator; key: in lower case; name: the key as written.
    """

    operator: Operator | None
    key: str
    name: str
    values: tuple[Template, ...]

    def matches(self, context: Context) -> bool:
        """Whether the request's context meets the condition; an unknown operator never matches."""
        operator = self.operator
        if operator is None:
            return False
        present = context.get(self.key, ())
        if operator.compare is None:
            return any(value.fixed == ("false" if present else "true") for value in self.values)
        if not present:
            return operator.if_exists or _matches_without_key(operator)
        compare, negated = operator.compare, operator.negated
        results = (self._matches_any(compare, value, context) != negated for value in present)
        if operator.quantifier == _FOR_ALL:
            return all(value == "" or met for value, met in zip(present, results, strict=True))
        if operator.quantifier == _FOR_ANY:
            return any(results)
        # "To compare [...] with multiple key values, you must use the ForAllValues or ForAnyValue":
        # without a quantifier, neither an operator nor its negation matches several values
        return len(present) == 1 and next(results)

    def _matches_any(self, compare: Comparison, value: str, context: Context) -> bool:
        for each in self.values:
            wanted = each.fixed if each.fixed is not None else each.fill(context)
            if wanted is not None and compare(wanted, value):
                return True
        return False


def _matches_without_key(operator: Operator) -> bool:
    """Without the key, ForAllValues matches, ForAnyValue does not, and a negation matches.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    if operator.quantifier:
        return operator.quantifier == _FOR_ALL
    return operator.negated


def conditions(element: Mapping[str, Any], variables: bool) -> tuple[Condition, ...]:
    """The conditions of a Condition element. variables: whether the policy may have variables."""
    found = []
    for name, keys in element.items():
        known = operator(name)
        expands = variables and (known is None or known.variables)
        for key, values in keys.items():
            texts = [_text(value) for value in (values if isinstance(values, list) else [values])]
            if known is not None and known.compare is None:
                texts = [text.lower() for text in texts]
            templates = tuple(template(text, expands) for text in texts)
            found.append(Condition(known, key.lower(), key, templates))
    return tuple(found)


def _text(value: Any) -> str:
    """A value as text: in JSON, true and 10 mean the same as "true" and "10"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(str(value)), "f")
    return str(value)
