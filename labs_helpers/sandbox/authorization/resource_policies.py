"""The policies and tags on the resource's own side: repositories, registries, buckets, roles.

ECR keeps its own in its store, found by ARN with one indexed read; the rest is
known.py's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_identity-vs-resource.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from labs_helpers.sandbox.authorization.known import Known
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.policy.model import Kind, Policy
from labs_helpers.sandbox.policy.unique_ids import shown

log = logging.getLogger(__name__)

_NOTHING = '{"Version": "2012-10-17", "Statement": []}'

REGISTRY_ACTIONS = {"ecr:createrepository", "ecr:replicateimage", "ecr:batchimportupstreamimage"}
"""What the registry's policy has a say in, in the scope that every registry begins with:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html"""

_REPOSITORY = """
select
  (select body from repository_documents
     where repository_id = r.id and kind = 'repository-policy' and name = '') as policy,
  (select json_group_object(key, value) from repository_tags where repository_id = r.id) as tags
from repositories r where r.account = ? and r.region = ? and r.name = ?
"""
_REGISTRY = """
select (select body from registry_documents
          where account = ?1 and region = ?2 and kind = 'registry-policy') as policy,
       (select body from registry_documents
          where account = ?1 and region = ?2 and kind = 'account-setting'
            and name = 'REGISTRY_POLICY_SCOPE') as scope
"""


@dataclass(frozen=True)
class ResourceFacts:
    """What a resource brings to a decision on it."""

    policies: tuple[Policy, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    account: str = ""


class ResourcePolicies:
    """Looks at the state of this moment; thread-safe."""

    def __init__(self, directory: Directory, store: Store, known: Known) -> None:
        self._directory = directory
        self._store = store
        self._known = known

    def of(self, action: str, arn: str, caller_account: str) -> ResourceFacts:
        """The policies on a resource for an action; nothing for a resource that has none."""
        service, _, operation = action.lower().partition(":")
        if service == "ecr":
            return self._of_ecr(action.lower(), arn, caller_account)
        if service == "s3" and operation != "createbucket":
            return self._of_bucket(arn)
        if service == "sts":
            return self._of_role(operation, arn)
        if service == "iam" and arn.startswith("arn:aws:iam:"):
            return ResourceFacts(tags=self._directory.tags_of(arn))
        return self._of_known(arn)

    def _of_known(self, arn: str) -> ResourceFacts:
        """The policies on a queue, a topic, a key, a secret, a table or an event bus."""
        kind = Kind.RESOURCE
        return ResourceFacts(
            tuple(
                Policy(kind, f"policy of {arn}", _parsed(text, arn), f"on {arn}")
                for text in self._known.policies(arn)
            )
        )

    def _of_bucket(self, arn: str) -> ResourceFacts:
        """A bucket's owner and policy, for the bucket itself or an object in it."""
        name = arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        found = self._known.bucket(name)
        if found is None:
            return ResourceFacts()
        account, text = found
        if text is None:
            return ResourceFacts(account=account)
        title = f"bucket policy of {name}"
        policy = Policy(Kind.RESOURCE, title, _parsed(self._shown(text), arn), f"on {name}")
        return ResourceFacts((policy,), account=account)

    def _of_role(self, operation: str, arn: str) -> ResourceFacts:
        if operation not in ("assumerole", "tagsession", "setsourceidentity") or "*" in arn:
            return ResourceFacts()
        trust = self._directory.role_trust(arn)
        if trust is None:
            # without the role nobody may become it, and nobody learns that it is not there
            trust = Policy(Kind.TRUST, "trust policy of no role", _parsed(_NOTHING, arn))
        return ResourceFacts((trust,), self._directory.tags_of(arn))

    def _of_ecr(self, action: str, arn: str, caller_account: str) -> ResourceFacts:
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("repository/"):
            return ResourceFacts()
        account, region, name = parts[4], parts[3], parts[5].removeprefix("repository/")
        policies: list[Policy] = []
        tags: Mapping[str, str] = {}
        with self._store.read() as db:
            row = db.execute(_REPOSITORY, (account, region, name)).fetchone()
            further = action in REGISTRY_ACTIONS or account != caller_account
            registry = db.execute(_REGISTRY, (account, region)).fetchone() if further else None
        if row is not None:
            tags = json.loads(row["tags"])
            if row["policy"] is not None:
                text = self._shown(json.loads(row["policy"]))
                title = f"repository policy of {name}"
                policies.append(Policy(Kind.RESOURCE, title, _parsed(text, arn), f"on {arn}"))
        if registry is not None and registry["policy"] is not None:
            whole = registry["scope"] is not None and "V2" in registry["scope"]
            if whole or action in REGISTRY_ACTIONS:
                text = self._shown(json.loads(registry["policy"])["text"])
                title = f"registry policy of {account}"
                policies.append(Policy(Kind.RESOURCE, title, _parsed(text, arn), f"on {account}"))
        return ResourceFacts(tuple(policies), tags)

    def _shown(self, text: str) -> str:
        """A stored policy with the ARNs that its users and roles have now."""
        return shown(text, self._directory.arn_of)


@lru_cache(maxsize=256)
def _parsed(text: str, where: str) -> document.Document:
    """A stored document; one that is no policy gives no rights, and the log says so."""
    try:
        return document.parse(text)
    except document.NotAPolicy as error:
        log.error("the policy on %s cannot be read, and counts as empty: %s", where, error)
        return document.parse(_NOTHING)
