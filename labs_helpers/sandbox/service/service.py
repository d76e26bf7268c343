"""A service of AWS JSON 1.1: one request in, one answer out.

The way of a request: the target names the operation; botocore's model reads and validates the
parameters; ``authorize`` decides each permission that the operation needs; the operation's function
answers; the model serialises. Every refusal is a ServiceError and is rendered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, Generic, TypeVar

from botocore.model import OperationModel, ServiceModel

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.identity import NO_KEYS, Authorize, Keys, Principal
from labs_helpers.sandbox.service import paging, protocol
from labs_helpers.sandbox.service.errors import ServiceError, ValidationError, not_here
from labs_helpers.sandbox.service.operations import Function, collect
from labs_helpers.sandbox.service.protocol import Answer
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.validation import Invalid, validate

DEFAULT_ENDPOINT = "http://127.0.0.1:4566"
"""Where a caller finds the sandbox when the request does not say."""

Members = dict[str, Any]
"""The members of a request or an answer, by the names of botocore's model."""

S = TypeVar("S", bound=Store)
T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[S]):
    """One request, beside its parameters.

    operation: AWS's name; account: the account whose resources the request is about; endpoint: the
    URL under which the caller reached the sandbox, without a slash at the end; keys: condition keys
    of the request.
    """

    operation: str
    principal: Principal
    account: str
    region: str
    store: S
    clock: Clock
    authorize: Authorize
    endpoint: str = DEFAULT_ENDPOINT
    keys: Keys = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str]:
        """(account, region)."""
        return self.account, self.region

    @property
    def now(self) -> float:
        """Seconds since 1970, by the sandbox clock."""
        return self.clock.now().timestamp()

    def require(self, action: str, resource: str) -> None:
        """Raise AccessDenied unless the caller may do this to the resource (an ARN, or ``*``)."""
        self.authorize(self.principal, action, resource, self.keys)

    def page(
        self, items: paging.Keyed[T], params: Members, *within: str, size: int = paging.SIZE
    ) -> tuple[list[T], str | None]:
        """The page that ``nextToken`` and ``maxResults`` ask for, and the next page's token.

        within: names what is listed, beside operation, account and region; size: items of a page
        unless ``maxResults`` says. Raises Invalid for a token of another list.
        """
        return paging.page(items, *self._asked(params, size), self._scope(within), self._secret)

    def page_after(
        self, after: paging.After[T], params: Members, *within: str
    ) -> tuple[list[T], str | None]:
        """Like page, of a list of which ``after`` reads no more than the page."""
        asked = self._asked(params, paging.SIZE)
        return paging.page_after(after, *asked, self._scope(within), self._secret)

    @staticmethod
    def _asked(params: Members, size: int) -> tuple[str | None, int]:
        return params.get("nextToken"), params.get("maxResults") or size

    def _scope(self, within: Sequence[str]) -> list[str]:
        return [self.operation, self.account, self.region, *within]

    @property
    def _secret(self) -> bytes:
        return self.store.secret()


C = TypeVar("C", bound=Call[Any])


class Service(Generic[C]):
    """One service for every account and region of one store.

    A subclass may say whose resources a request is about (``account``), which permissions it needs
    (``permissions``, ``condition_keys``), and how invalid parameters are refused (``model_error``,
    ``invalid``).
    """

    model_error: type[ServiceError] = ValidationError
    """The error for parameters that break botocore's model."""

    def __init__(
        self,
        name: str,
        operations: ModuleType,
        call: Callable[..., C],
        store: Store,
        clock: Clock,
        authorize: Authorize,
    ) -> None:
        """name: the service's in botocore and in IAM's actions; operations: the module of the
        functions, or the package of such modules; call: makes the operation's first argument.

        A module may hold ``NOT_BUILT`` as well: a sentence about each absent operation of which
        there is more to say than that it is absent. The first call loads model and modules, so that
        the sandbox's start need not wait for them.
        """
        self.name = name
        self._modules = operations
        self._call = call
        self._store = store
        self._clock = clock
        self._authorize = authorize

    @cached_property
    def model(self) -> ServiceModel:
        """botocore's model of the service."""
        return protocol.service_model(self.name)

    @property
    def operations(self) -> Mapping[str, Function]:
        """The function of each operation that the sandbox has.

        Raises ValueError for a public function, or a name in ``NOT_BUILT``, that is no operation of
        the service or occurs twice.
        """
        return self._collected[0]

    @property
    def reasons(self) -> Mapping[str, str]:
        """The sentences of ``NOT_BUILT`` by operation."""
        return self._collected[1]

    @cached_property
    def _collected(self) -> tuple[dict[str, Function], dict[str, str]]:
        return collect(self.model.operation_names, self._modules)

    def handle(
        self,
        target: str,
        body: bytes,
        principal: Principal,
        region: str,
        endpoint: str = DEFAULT_ENDPOINT,
        keys: Keys = NO_KEYS,
    ) -> Answer:
        """The answer to one signed request; no input of a client raises an exception.

        target: the X-Amz-Target header; body: the request's bytes, JSON; endpoint: the sandbox's
        URL as this caller spells it in the Host header; keys: condition keys of the request.
        """
        return self._answer(
            lambda: protocol.operation_of(target, self.model),
            lambda shape: protocol.parse(body, shape),
            (principal, region, endpoint, keys),
        )

    def handle_rest(
        self,
        name: str,
        params: Members,
        principal: Principal,
        region: str,
        endpoint: str = DEFAULT_ENDPOINT,
        keys: Keys = NO_KEYS,
    ) -> Answer:
        """Like handle, of a service of REST JSON, whose path, query and body are read already.

        name: the operation; params: by the names on the wire, those of the query as texts.
        """
        return self._answer(
            lambda: self.model.operation_model(name),
            lambda shape: protocol.read_rest(params, shape),
            (principal, region, endpoint, keys),
        )

    def _answer(
        self,
        named: Callable[[], OperationModel],
        read: Callable[[Any], Members],
        asked: tuple[Principal, str, str, Keys],
    ) -> Answer:
        principal, region, endpoint, keys = asked
        try:
            operation = named()
            function = self.operations.get(operation.name)
            if function is None:
                reason = self.reasons.get(operation.name, "")
                raise not_here(f"the operation {self.name}:{operation.name}", reason)
            params = read(operation.input_shape)
            validate(params, operation.input_shape)
            call = self._call(
                operation=operation.name,
                principal=principal,
                account=self.account(principal, params),
                region=region,
                store=self._store,
                clock=self._clock,
                authorize=self._authorize,
                endpoint=endpoint.rstrip("/"),
                keys={**keys, **self.condition_keys(params)},
            )
            for action, resource in self.permissions(call, params):
                call.require(action, resource)
            return protocol.answer(function(call, params), operation)
        except Invalid as error:
            return protocol.error_answer(self.invalid(error))
        except ServiceError as error:
            return protocol.error_answer(error)

    def account(self, principal: Principal, params: Members) -> str:
        """The account whose resources the request is about: the caller's."""
        return principal.account

    def permissions(self, call: C, params: Members) -> Iterator[tuple[str, str]]:
        """(action, resource ARN) pairs that the caller needs: the operation, on every resource."""
        yield f"{self.name}:{call.operation}", "*"

    def condition_keys(self, params: Members) -> Mapping[str, tuple[str, ...]]:
        """Condition keys that the parameters bring, such as aws:RequestTag: none."""
        return NO_KEYS

    def invalid(self, error: Invalid) -> ServiceError:
        """The refusal of invalid parameters, which names all of them."""
        return self.model_error(str(error))


class DecidedService(Service[C]):
    """A service on whose requests IAM has decided before they come here.

    The decision is that of every service of moto's: AWS's table of actions and resources
    (authorization/tables), where each is in a request (forms.py), and the roles passed (passed.py).
    """

    def permissions(self, call: C, params: Members) -> Iterator[tuple[str, str]]:
        """None: IAM has decided before."""
        return iter(())
