"""What the gateway refuses, in the code, words and status of each protocol of AWS.

Codes and words: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
"""

from __future__ import annotations

from labs_helpers.files import NO_ROOM
from labs_helpers.sandbox.service.refusal import Protocol, Refusal

_FORBIDDEN = {Protocol.QUERY: 403, Protocol.REST_JSON: 403, Protocol.S3: 403}
"""The protocols that say 403 of a caller whom AWS JSON tells 400."""
_NOT_VALIDATED = "AWS was not able to validate the provided access credentials"


def _codes(query: str, ec2: str, s3: str) -> dict[Protocol, str]:
    """The codes of the protocols that have another code than AWS JSON."""
    return {Protocol.QUERY: query, Protocol.EC2: ec2, Protocol.S3: s3}


def unknown_key() -> Refusal:
    """The access key, or the token that belongs to it, is none of this sandbox's."""
    return Refusal(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        400,
        _codes("InvalidClientTokenId", "AuthFailure", "InvalidAccessKeyId"),
        statuses=_FORBIDDEN | {Protocol.EC2: 401},
        messages={
            Protocol.EC2: _NOT_VALIDATED,
            Protocol.S3: "The AWS Access Key Id you provided does not exist in our records.",
        },
    )


def wrong_token() -> Refusal:
    """The session token is missing or another key's."""
    known = unknown_key()
    return Refusal(
        known.code,
        known.message,
        known.status,
        known.codes | {Protocol.S3: "InvalidToken"},
        known.statuses | {Protocol.S3: 400},
        known.messages | {Protocol.S3: "The provided token is malformed or otherwise invalid."},
    )


def expired_token() -> Refusal:
    """The session of temporary credentials is over."""
    return Refusal(
        "ExpiredTokenException",
        "The security token included in the request is expired",
        400,
        _codes("ExpiredToken", "RequestExpired", "ExpiredToken"),
        statuses={Protocol.QUERY: 403, Protocol.REST_JSON: 403},
        messages={
            Protocol.EC2: "Request has expired.",
            Protocol.S3: "The provided token has expired.",
        },
    )


def unsigned() -> Refusal:
    """No signature at all."""
    return Refusal(
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
        400,
        _codes("MissingAuthenticationToken", "MissingAuthenticationToken", "AccessDenied"),
        statuses=_FORBIDDEN,
        messages={
            Protocol.QUERY: "Request is missing Authentication Token",
            Protocol.S3: "Access Denied",
        },
    )


def malformed(message: str) -> Refusal:
    """A signature that cannot be read."""
    return Refusal(
        "IncompleteSignatureException",
        message,
        400,
        _codes("IncompleteSignature", "IncompleteSignature", "AuthorizationHeaderMalformed"),
    )


def skewed(message: str) -> Refusal:
    """Signed too long ago, or ahead of time."""
    return Refusal(
        "InvalidSignatureException",
        message,
        400,
        _codes("SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"),
        statuses=_FORBIDDEN,
        messages={
            Protocol.EC2: "Request has expired.",
            Protocol.S3: "The difference between the request time and the current time is too "
            "large.",
        },
    )


def url_expired() -> Refusal:
    """A presigned URL past its lifetime."""
    return Refusal(
        "InvalidSignatureException",
        "Request has expired",
        403,
        _codes("SignatureDoesNotMatch", "RequestExpired", "AccessDenied"),
    )


def mismatch() -> Refusal:
    """The signature is not that of this request with this key's secret."""
    words = (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details."
    )
    return Refusal(
        "InvalidSignatureException",
        words,
        400,
        _codes("SignatureDoesNotMatch", "AuthFailure", "SignatureDoesNotMatch"),
        statuses=_FORBIDDEN | {Protocol.EC2: 401},
        messages={
            Protocol.EC2: _NOT_VALIDATED,
            Protocol.S3: "The request signature we calculated does not match the signature you "
            "provided. Check your key and signing method.",
        },
    )


def wrong_payload() -> Refusal:
    """The body does not hash to what x-amz-content-sha256 says."""
    words = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return Refusal(
        "InvalidSignatureException",
        words,
        400,
        _codes("SignatureDoesNotMatch", "AuthFailure", "XAmzContentSHA256Mismatch"),
        statuses={Protocol.QUERY: 403, Protocol.EC2: 401},
    )


def denied(sentence: str) -> Refusal:
    """No policy allows it, or one denies it; the sentence is IAM's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    return Refusal(
        "AccessDeniedException",
        sentence,
        400,
        _codes("AccessDenied", "UnauthorizedOperation", "AccessDenied"),
        statuses=_FORBIDDEN | {Protocol.EC2: 403},
        messages={
            Protocol.EC2: f"You are not authorized to perform this operation. {sentence}",
        },
    )


def too_large(limit: int) -> Refusal:
    """A body of more bytes than the sandbox takes."""
    words = f"The sandbox takes request bodies of up to {limit} bytes."
    return Refusal("RequestEntityTooLarge", words, 413, codes={Protocol.S3: "EntityTooLarge"})


def not_implemented(what: str, reason: str = "") -> Refusal:
    """An operation or service that the sandbox does not have; no SDK tries a 501 again.

    reason: whole sentences that say why, and what the labs offer instead.
    """
    words = f"The sandbox does not have {what}; it exists on AWS. {reason}".rstrip()
    return Refusal("NotInSandbox", words, 501)


def no_room() -> Refusal:
    """The disk is full. AWS never answers this; no SDK tries a 507 again."""
    codes = _codes("InternalFailure", "InternalError", "InternalError")
    return Refusal("ServerException", NO_ROOM, 507, codes)


def unknown_region(service: str, region: str) -> Refusal:
    """A region that is none: on AWS, the endpoint's name does not resolve, and no call is answered.

    The words are those of `aws` and boto3 there (EndpointConnectionError):
    https://github.com/boto/botocore/blob/1.44.5/botocore/exceptions.py
    """
    name = f"{service}.{region[:60]}.amazonaws.com"
    words = (
        f'Could not connect to the endpoint URL: "https://{name}/". AWS has no region '
        f"'{region[:60]}', so the host name does not resolve. Check the spelling: "
        "`aws ec2 describe-regions` lists the regions, us-west-2 is one."
    )
    return Refusal("EndpointConnectionError", words, 501)


def internal(what: str) -> Refusal:
    """A fault of the sandbox; 501 too, because every SDK would repeat a 500 for ten seconds."""
    words = f"The sandbox failed at {what}; sandbox.log says where."
    return Refusal("InternalFailure", words, 501)
