"""The Resource Groups Tagging API over moto's services, our Amazon ECR and our EventBridge.

moto goes through the backends of its services; the places of ECR and EventBridge among them are
taken by `Repositories` and `RulesAndBuses`, which have the methods that moto calls
(moto/core/resource_tagging.py). FailedResourcesMap says why an ARN failed:
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_FailureInfo.html
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecr import repositories
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.ecr.validation import limit_tags
from labs_helpers.sandbox.events import tags as event_tags
from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.store import Store as KitStore

log = logging.getLogger(__name__)

_MODELS = "moto.resourcegroupstaggingapi.models"
_BACKEND = f"{_MODELS}:ResourceGroupsTaggingAPIBackend"
_ARN = re.compile(r"arn:aws:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)", re.DOTALL)


class Repositories:
    """The repositories of one registry, as moto's tagging API asks for taggable resources."""

    def __init__(self, store: Store, account: str, region: str) -> None:
        self._store = store
        self._registry = Registry(account, region)

    def owns_arn(self, arn: str) -> bool:
        """Whether an ARN is of ECR."""
        return arn.startswith("arn:aws:ecr:")

    def iter_tagged_resources(self) -> Iterator[Any]:
        """Every repository, with its tags."""
        from moto.core.resource_tagging import TaggedResource

        for each in repositories.list_all(self._store, self._registry):
            tags = repositories.tags(self._store, each)
            yield TaggedResource(self._registry.arn(each.name), dict(tags), "ecr:repository")

    def tag_resource(self, arn: str, tags: Mapping[str, str]) -> None:
        """Raises ServiceError (RepositoryNotFoundException, TooManyTagsException)."""
        repository = self._repository(arn)
        limit_tags({**repositories.tags(self._store, repository), **tags})
        repositories.tag(self._store, repository, dict(tags))

    def untag_resource(self, arn: str, keys: Sequence[str]) -> None:
        """A key without a tag is no error; raises ServiceError (RepositoryNotFoundException)."""
        repositories.untag(self._store, self._repository(arn), list(keys))

    def _repository(self, arn: str) -> Repository:
        found = _ARN.fullmatch(arn)
        return repositories.get(self._store, self._registry, found[3] if found else arn)


class RulesAndBuses:
    """The rules and event buses of one place, as moto's tagging API asks for them."""

    def __init__(self, store: KitStore, account: str, region: str) -> None:
        self._store = store
        self._place = (account, region)

    def owns_arn(self, arn: str) -> bool:
        """Whether an ARN is of EventBridge."""
        return arn.startswith("arn:aws:events:")

    def iter_tagged_resources(self) -> Iterator[Any]:
        """Every rule and bus, with its tags."""
        from moto.core.resource_tagging import TaggedResource

        for arn, kind, tags in event_tags.tagged(self._store, self._place):
            yield TaggedResource(arn, tags, kind)

    def tag_resource(self, arn: str, tags: Mapping[str, str]) -> None:
        """Raises ServiceError (ResourceNotFoundException, LimitExceededException)."""
        event_tags.tag(self._store, arn, tags)

    def untag_resource(self, arn: str, keys: Sequence[str]) -> None:
        """A key without a tag is no error; raises ServiceError (ResourceNotFoundException)."""
        event_tags.untag(self._store, arn, keys)


def install(store: Store, events: KitStore) -> None:
    """Put our resources among moto's taggable resources, and our reports of failures."""

    def backends(account_id: str, region_name: str) -> Iterator[Any]:
        for each in own(account_id, region_name):
            if not type(each).__module__.startswith(("moto.ecr.", "moto.events.")):
                yield each
        yield Repositories(store, account_id, region_name)
        yield RulesAndBuses(events, account_id, region_name)

    def tag(self: Any, resource_arns: list[str], tags: dict[str, str]) -> dict[str, Any]:
        return _each(self, resource_arns, lambda backend, arn: backend.tag_resource(arn, tags))

    def untag(self: Any, resource_arn_list: list[str], tag_keys: list[str]) -> dict[str, Any]:
        return _each(
            self, resource_arn_list, lambda backend, arn: backend.untag_resource(arn, tag_keys)
        )

    own = patches.put(f"{_MODELS}:iter_taggable_backends", backends)
    patches.put(f"{_BACKEND}.tag_resources", tag)
    patches.put(f"{_BACKEND}.untag_resources", untag)


def _each(
    tagging: Any, arns: Sequence[str], change: Callable[[Any, str], None]
) -> dict[str, dict[str, Any]]:
    """Change the tags of each resource; the failures by ARN."""
    failed = {}
    for arn in arns:
        backend = tagging._get_backend_for_resource(arn)
        if backend is None:
            failed[arn] = _failure(400, "InvalidParameterException", f"There is no resource {arn}.")
            continue
        try:
            change(backend, arn)
        except ServiceError as error:
            failed[arn] = _failure(400, "InvalidParameterException", str(error))
        except NotImplementedError:
            words = f"The sandbox does not tag {arn} by the tagging API."
            failed[arn] = _failure(501, "InternalServiceException", words)
        except Exception as error:
            # moto's services fail in many ways; one that has words of its own says them
            log.exception("%s could not be tagged", arn)
            words = getattr(error, "message", None) or f"{arn} could not be tagged."
            failed[arn] = _failure(400, "InvalidParameterException", str(words))
    return failed


def _failure(status: int, code: str, words: str) -> dict[str, Any]:
    return {"StatusCode": status, "ErrorCode": code, "ErrorMessage": words}
