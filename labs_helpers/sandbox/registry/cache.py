"""The pull through cache: a pull of what a repository lacks fetches the image from the upstream.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html

- The first pull makes the repository, by the template that fits.
- A tag is compared with the upstream's at most once in 24 hours of the sandbox's clock. When the
  upstream cannot be asked, the cached image is served.
- With an index, every image that the index lists is cached.
- The upstream is the stand-in for Docker Hub and ECR Public. In a sandbox that was started with
  LABS_HUB=online, it is the real registry, of every type but a private one of ECR.
- The puller needs ecr:BatchImportUpstreamImage, and ecr:CreateRepository for the first pull.
  Without them ECR says what it says of an image that does not exist:
  https://docs.aws.amazon.com/AmazonECR/latest/userguide/error-pullthroughcache.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci.manifest import Descriptor, Manifest
from labs_helpers.sandbox.ecr import cache_rules, creation, documents, images, layers, uploads
from labs_helpers.sandbox.ecr.cache_rules import InvalidSecret
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere, SecretNotFound
from labs_helpers.sandbox.ecr.errors import (
    ImageTagAlreadyExists,
    InvalidLayer,
    InvalidParameter,
    RepositoryAlreadyExists,
    RepositoryNotFound,
)
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.part_bytes import Truncated
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.repositories import get as get_repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.registry.upstream import Ask, Upstream, UpstreamError

log = logging.getLogger(__name__)

FRESH = timedelta(hours=24)
"""How long a cached tag is served without a look at the upstream."""

_CHECKED = "cached-tag"

Allow = Callable[[str], bool]
"""Whether the puller may do an action of ECR (``CreateRepository``) in the repository."""


@dataclass(frozen=True)
class Cache:
    """Fetches for every registry of a store, through `ask`.

    online: `ask` reaches the real registries, and not the stand-ins.
    """

    store: Store
    elsewhere: Elsewhere
    ask: Ask
    online: bool = False

    def bring(self, registry: Registry, name: str, reference: str, may: Allow) -> None:
        """Fetch an image, by tag or digest, if a rule stands for the repository and it is time.

        What cannot be fetched changes nothing, so that the pull finds what the repository holds, or
        finds nothing. Raises UpstreamError when the upstream's limit of pulls is reached and the
        repository does not hold the image.
        """
        found = cache_rules.rule_for(self.store, registry, name)
        if found is None or not may("BatchImportUpstreamImage"):
            return
        rule, at = found
        repository = self._repository(registry, name)
        if repository is not None and self._is_fresh(repository, reference):
            return
        if repository is None and not may("CreateRepository"):
            return
        try:
            self._fetch(registry, name, repository, rule, at, reference)
        except UpstreamError as error:
            log.info("the upstream of %s refuses %s: %s", name, reference, error)
            if error.status == 429 and not self._holds(repository, reference):
                raise
        except (SecretNotFound, InvalidSecret) as error:
            log.info("the credentials for the upstream of %s cannot be used: %s", name, error)

    def failure(self, rule: Mapping[str, Any], account: str, region: str) -> str:
        """Why nobody can log in to the upstream of a rule; empty if that works."""
        try:
            self.upstream(rule, Registry(account, region)).log_in()
        except UpstreamError as error:
            return str(error)
        except SecretNotFound as error:
            return error.message
        except InvalidSecret as error:
            return str(error)
        return ""

    def _fetch(
        self,
        registry: Registry,
        name: str,
        repository: Repository | None,
        rule: Mapping[str, Any],
        at: str,
        reference: str,
    ) -> None:
        upstream = self.upstream(rule, registry)
        media_type, body = upstream.manifest(at, reference)
        manifest = _read(body, media_type)
        if repository is None:
            template = creation.template_for(self.store, registry, name, "PULL_THROUGH_CACHE")
            wanted = creation.NO_TEMPLATE if template is None else template
            try:
                repository = creation.create(self.store, registry, name, wanted, self.elsewhere)
            except RepositoryAlreadyExists:
                repository = get_repository(self.store, registry, name)
        for child in manifest.manifests:
            if images.find(self.store, repository, digest=child.digest) is None:
                child_type, child_body = upstream.manifest(at, child.digest)
                self._put(upstream, repository, at, _read(child_body, child_type))
        tag = None if ":" in reference else reference
        try:
            self._put(upstream, repository, at, manifest, tag)
        except ImageTagAlreadyExists:
            log.info("the tag %s of %s is immutable and stays with its image", reference, name)
        if tag is not None:
            now = self.store.clock.now().timestamp()
            documents.put(self.store, repository, _CHECKED, now, tag)

    def upstream(self, rule: Mapping[str, Any], registry: Registry) -> Upstream:
        """The upstream of a rule, as the account of its secret.

        Raises UpstreamError for an upstream that the sandbox cannot reach, SecretNotFound,
        InvalidSecret.
        """
        host = str(rule["upstreamRegistryUrl"])
        if self.online and rule.get("upstreamRegistry") == "ecr":
            message = f"The sandbox has no credentials of AWS with which to ask {host}."
            raise UpstreamError(503, "UNAVAILABLE", message)
        if not (self.online or host in cache_rules.STAND_INS):
            names = " and ".join(sorted(cache_rules.STAND_INS))
            message = (
                f"The sandbox has stand-ins for {names}, and reaches no {host}."
                " Stopped and started with LABS_HUB=online, the sandbox asks the real registries."
            )
            raise UpstreamError(503, "UNAVAILABLE", message)
        account = cache_rules.credentials_of(rule, registry, self.elsewhere)
        return Upstream(self.ask, host, account)

    def _put(
        self,
        upstream: Upstream,
        repository: Repository,
        at: str,
        manifest: Manifest,
        tag: str | None = None,
    ) -> None:
        for blob in manifest.blobs:
            if layers.find(self.store, repository, blob.digest) is None:
                self._put_blob(upstream, repository, at, blob)
        held = None if tag is None else images.find(self.store, repository, tag=tag)
        if held is None or held.digest != digests.of_bytes(manifest.body):
            images.put(
                self.store, repository, manifest.body, media_type=manifest.media_type, tag=tag
            )

    def _put_blob(
        self, upstream: Upstream, repository: Repository, at: str, blob: Descriptor
    ) -> None:
        upload = uploads.initiate(self.store, repository)
        try:
            with closing(upstream.blob(at, blob.digest)) as stream:
                # no more than the manifest says: a body without an end would fill the disk
                uploads.append(self.store, repository, upload, stream, length=blob.size)
            uploads.complete(self.store, repository, upload, [blob.digest], ecr_parts=False)
        except UpstreamError:
            uploads.cancel(self.store, repository, upload)
            raise
        except Truncated as error:
            uploads.cancel(self.store, repository, upload)
            raise UpstreamError.unusable(f"{upstream.host} sends half of a blob") from error
        except InvalidLayer as error:
            raise UpstreamError.unusable(f"{upstream.host} sends another blob: {error}") from error

    def _repository(self, registry: Registry, name: str) -> Repository | None:
        try:
            return get_repository(self.store, registry, name)
        except RepositoryNotFound:
            return None

    def _is_fresh(self, repository: Repository, reference: str) -> bool:
        """Whether the repository holds the digest, or a tag that was compared a short time ago."""
        if not self._holds(repository, reference):
            return False
        if ":" in reference:
            return True
        checked = documents.get(self.store, repository, _CHECKED, reference)
        now = self.store.clock.now().timestamp()
        return checked is None or now - float(checked) < FRESH.total_seconds()

    def _holds(self, repository: Repository | None, reference: str) -> bool:
        if repository is None:
            return False
        image: Image | None
        if ":" in reference:
            image = images.find(self.store, repository, digest=reference)
        else:
            image = images.find(self.store, repository, tag=reference)
        return image is not None


def _read(body: bytes, media_type: str) -> Manifest:
    """The manifest that an upstream sent; raises UpstreamError for what ECR would not store."""
    try:
        return images.read_manifest(body, media_type)
    except InvalidParameter as error:
        raise UpstreamError.unusable(error.message) from error
