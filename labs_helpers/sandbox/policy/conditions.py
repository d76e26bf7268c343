"""Condition: operators, keys and their values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
All operators and keys must hold; one of a key's values is enough:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from labs_helpers.sandbox.policy import compare
from labs_helpers.sandbox.policy.model import Context
from labs_helpers.sandbox.policy.variables import Template, template

Compare = Callable[[str, str], bool]
"""(value of the policy, value of the request) -> whether they match."""

#: base name in lower case -> (comparison, negated, whether its values may have variables)
OPERATORS: dict[str, tuple[Compare, bool, bool]] = {
    "stringequals": (compare.text_equals, False, True),
    "stringnotequals": (compare.text_equals, True, True),
    "stringequalsignorecase": (compare.text_equals_ignoring_case, False, True),
    "stringnotequalsignorecase": (compare.text_equals_ignoring_case, True, True),
    "stringlike": (compare.text_like, False, True),
    "stringnotlike": (compare.text_like, True, True),
    "numericequals": (compare.number_equals, False, False),
    "numericnotequals": (compare.number_equals, True, False),
    "numericlessthan": (compare.number_less, False, False),
    "numericlessthanequals": (compare.number_at_most, False, False),
    "numericgreaterthan": (compare.number_greater, False, False),
    "numericgreaterthanequals": (compare.number_at_least, False, False),
    "dateequals": (compare.date_equals, False, False),
    "datenotequals": (compare.date_equals, True, False),
    "datelessthan": (compare.date_before, False, False),
    "datelessthanequals": (compare.date_until, False, False),
    "dategreaterthan": (compare.date_after, False, False),
    "dategreaterthanequals": (compare.date_since, False, False),
    "bool": (compare.boolean_equals, False, True),
    "binaryequals": (compare.binary_equals, False, False),
    "ipaddress": (compare.address_within, False, False),
    "notipaddress": (compare.address_within, True, False),
    "arnequals": (compare.arn_like, False, True),
    "arnlike": (compare.arn_like, False, True),
    "arnnotequals": (compare.arn_like, True, True),
    "arnnotlike": (compare.arn_like, True, True),
}

_FOR_ALL, _FOR_ANY = "forallvalues", "foranyvalue"


@dataclass(frozen=True)
class Operator:
    """An operator's name taken apart. compare None: ``Null``."""

    compare: Compare | None
    negated: bool
    variables: bool
    quantifier: str
    if_exists: bool


def operator(name: str) -> Operator | None:
    """The operator of this name (names do not mind case), None when there is no such one."""
    quantifier, colon, rest = name.lower().rpartition(":")
    if colon and quantifier not in (_FOR_ALL, _FOR_ANY):
        return None
    if rest == "null":
        return Operator(None, False, False, quantifier, False)
    base = rest.removesuffix("ifexists")
    known = OPERATORS.get(base)
    if known is None:
        return None
    return Operator(*known, quantifier, base != rest)


@dataclass(frozen=True)
class Test:
    """One key under one operator. key: in lower case; name: as written. operator None: unknown."""

    operator: Operator | None
    key: str
    name: str
    values: tuple[Template, ...]

    def holds(self, context: Context) -> bool:
        operator = self.operator
        if operator is None:
            return False
        present = context.get(self.key, ())
        if operator.compare is None:
            return any(value.fixed == ("false" if present else "true") for value in self.values)
        if not present:
            return operator.if_exists or self._holds_without_key(operator)
        if operator.quantifier == _FOR_ALL:
            return all(
                value == "" or self._holds_for(operator, value, context) for value in present
            )
        if operator.quantifier == _FOR_ANY:
            return any(self._holds_for(operator, value, context) for value in present)
        # "To compare [...] with multiple key values, you must use the ForAllValues or ForAnyValue":
        # without one neither an operator nor its negation holds
        return len(present) == 1 and self._holds_for(operator, present[0], context)

    @staticmethod
    def _holds_without_key(operator: Operator) -> bool:
        """ForAllValues holds where there is no key, ForAnyValue does not, a negation does:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        """
        if operator.quantifier:
            return operator.quantifier == _FOR_ALL
        return operator.negated

    def _holds_for(self, operator: Operator, value: str, context: Context) -> bool:
        assert operator.compare is not None
        return self._matches(operator.compare, value, context) != operator.negated

    def _matches(self, compare: Compare, value: str, context: Context) -> bool:
        for each in self.values:
            wanted = each.fixed if each.fixed is not None else each.fill(context)
            if wanted is not None and compare(wanted, value):
                return True
        return False


def compile_condition(condition: Mapping[str, Any], variables: bool) -> tuple[Test, ...]:
    """The tests of a Condition element, which all must hold."""
    tests = []
    for name, keys in condition.items():
        known = operator(name)
        expands = variables and (known is None or known.variables)
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            texts = tuple(template(_text(value), expands) for value in listed)
            if known is not None and known.compare is None:
                texts = tuple(template(_text(value).lower(), False) for value in listed)
            tests.append(Test(known, key.lower(), key, texts))
    return tuple(tests)


def hold(tests: Sequence[Test], context: Context) -> bool:
    return all(test.holds(context) for test in tests)


def _text(value: Any) -> str:
    """JSON's true and 10 mean the same as its "true" and "10"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(str(value)), "f")
    return value if isinstance(value, str) else str(value)
