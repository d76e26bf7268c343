"""Answers that moto gives otherwise than AWS, put right on moto's own classes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.moto.stacks.calls import caller_outside
from labs_helpers.sandbox.policy.match import literal, wildcards
from labs_helpers.sandbox.service import patterns
from labs_helpers.sandbox.service.refusal import Refusal

_S3 = "moto.s3.models"
_NULL = "null"
_WAIT = 30
"""Days before a key is deleted, unless the request names others."""


def install(service: str) -> None:
    """Put ours onto the classes of a service that is called; any other service stays as moto's."""
    found: dict[str, tuple[Callable[[], None], ...]] = {
        "ec2": (_filters,),
        "elasticloadbalancing": (_balancers,),
        "kms": (_keys,),
        "logs": (_terms,),
        "s3": (_suspended, _origins),
        "sqs": (_senders, _prefixes),
    }
    for put in found.get(service, ()):
        put()


def _filters() -> None:
    r"""In a filter of EC2 `*` stands for any text, `?` for one or none, `\*` for itself.

    moto takes all other characters for a regular expression.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#advanced-filtering
    """

    def matches(pattern: str, value: Any) -> bool:
        pieces = re.findall(r"\\[*?\\]|.", pattern, re.DOTALL)
        wanted = "".join(_WILD.get(one) or re.escape(one[-1]) for one in pieces)
        try:
            return patterns.fits(f"(?s){wanted}", str(value))
        except patterns.MayTakeLong:
            raise Refusal("InvalidParameterValue", "The value of a filter is too long") from None

    patches.put("moto.ec2.models.security_groups:aws_api_matches", matches)


_WILD = {"*": ".*", "?": ".?"}


def _prefixes() -> None:
    """The prefix of ListQueues is a text; moto takes the prefix for a regular expression."""

    def starting(backend: Any, queue_name_prefix: str) -> list[Any]:
        start = queue_name_prefix or ""
        return [queue for name, queue in backend.queues.items() if name.startswith(start)]

    patches.put("moto.sqs.models:SQSBackend.list_queues", starting)


def _origins() -> None:
    """An allowed origin of CORS has at most one `*`; moto takes the rest for a regular expression.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
    """

    def allowed(origin: str, origins: Iterable[str]) -> bool:
        return any(
            wildcards("*".join(map(literal, one.split("*")))).fullmatch(origin) for one in origins
        )

    patches.put("moto.s3.responses:cors_matches_origin", allowed)


def _suspended() -> None:
    """A bucket whose versioning is suspended keeps its versions; moto drops all but the newest.

    What is written then has the version "null", and takes the place of that version only; a delete
    writes a marker of that version.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
    """

    def is_versioned(bucket: Any) -> bool:
        return bucket.versioning_status in ("Enabled", "Suspended")

    def put_object(backend: Any, bucket_name: str, key_name: str, *rest: Any, **named: Any) -> Any:
        written = own_put(backend, bucket_name, key_name, *rest, **named)
        _is_null(backend.get_bucket(bucket_name), key_name, written)
        return written

    def mark(backend: Any, bucket_name: str, key_name: str) -> Any:
        marker = own_mark(backend, bucket_name, key_name)
        _is_null(backend.get_bucket(bucket_name), key_name, marker)
        return marker

    patches.put(f"{_S3}:FakeBucket.is_versioned", property(is_versioned))
    own_put = patches.put(f"{_S3}:S3Backend.put_object", put_object)
    own_mark = patches.put(f"{_S3}:S3Backend._set_delete_marker", mark)


def _is_null(bucket: Any, name: str, written: Any) -> None:
    """Give the newest version of a key the id "null", in the place of the version that had it."""
    if bucket.versioning_status != "Suspended":
        return
    others = [each for each in bucket.keys.getlist(name, []) if each is not written]
    written._version_id = _NULL
    bucket.keys.setlist(name, [*(each for each in others if each.version_id != _NULL), written])


def _terms() -> None:
    """A term of a filter is a word of the message; moto finds the term inside of other words.

    "Partial matches" need an expression between percent signs, which is refused here:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
    """

    def matches(pattern: Any, message: str) -> bool:
        return all(
            re.search(rf"(?<!\w){re.escape(each)}(?!\w)", message) for each in _words(pattern)
        )

    def _words(pattern: Any) -> list[str]:
        return str(pattern.term).split()

    patches.put("moto.logs.utils:SingleTermFilterPattern.matches", matches)


def _keys() -> None:
    """An alias of AWS is listed once there is the key; moto lists fourteen of keys that are not.

    AWS may list aliases without a key, too, and those have no TargetKeyId:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
    And ScheduleKeyDeletion answers with the key's ARN, its state and the days of the wait:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
    """

    def schedule(response: Any) -> str:
        answer = json.loads(own(response))
        key = response.kms_backend.keys[response.kms_backend.get_key_id(answer["KeyId"])]
        days = response._get_param("PendingWindowInDays")
        answer |= {"KeyId": key.arn, "KeyState": key.key_state}
        return json.dumps({**answer, "PendingWindowInDays": _WAIT if days is None else days})

    patches.put("moto.kms.responses:RESERVED_ALIASE_TARGET_KEY_IDS", {})
    own = patches.put("moto.kms.responses:KmsResponse.schedule_key_deletion", schedule)


def _senders() -> None:
    """The attribute SenderId is the unique id of whoever sent the message; moto has one for all.

    What a topic or a rule sends keeps moto's id, which is nobody's.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    """

    def initialise(message: Any, *arguments: Any, **named: Any) -> None:
        own(message, *arguments, **named)
        caller = caller_outside()
        if caller and caller.service == "sqs":
            message.sender_id = caller.principal.user_id

    own = patches.put("moto.sqs.models:Message.__init__", initialise)


def _balancers() -> None:
    """A region has one load balancer of a name; the same call once more answers with that one.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """

    def create(backend: Any, name: str, *rest: Any, **named: Any) -> Any:
        there = [each for each in backend.load_balancers.values() if each.name == name]
        made = own(backend, name, *rest, **named)
        if not there:
            return made
        del backend.load_balancers[made.arn]
        backend.tagging_service.delete_all_tags_for_resource(made.arn)
        if all(getattr(made, each) == getattr(there[0], each) for each in _SETTINGS):
            return there[0]
        words = "A load balancer with the specified name already exists."
        raise Refusal("DuplicateLoadBalancerName", words)

    own = patches.put("moto.elbv2.models:ELBv2Backend.create_load_balancer", create)


_SETTINGS = ("type", "scheme", "subnets", "security_groups", "ip_address_type")
