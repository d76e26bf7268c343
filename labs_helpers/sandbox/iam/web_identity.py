"""AssumeRoleWithWebIdentity: a call without a signature, authenticated by its token.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.iam import oidc, sts
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.oidc import NotAToken, NotVerified, Token, TokenIssuer
from labs_helpers.sandbox.iam.session_policies import session_policies
from labs_helpers.sandbox.iam.sessions import Origin, SessionFacts, Sessions
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Policies
from labs_helpers.sandbox.policy.request import Caller, Request
from labs_helpers.sandbox.service.refusal import Refusal

ACTION = "sts:AssumeRoleWithWebIdentity"


Operation = Callable[[Principal, Mapping[str, Any], str], dict[str, Any]]


def operations(
    directory: Directory, sessions: Sessions, issuer: TokenIssuer
) -> dict[str, Operation]:
    """The operations of STS, by name: (caller, parameters, source IP) -> output."""
    tokens = sts.SecurityTokens(directory, sessions)
    web = WebIdentities(directory, sessions, tokens, issuer)
    signed = {
        "AssumeRole": tokens.assume_role,
        "GetAccessKeyInfo": tokens.get_access_key_info,
        "GetCallerIdentity": tokens.get_caller_identity,
        "GetFederationToken": tokens.get_federation_token,
        "GetSessionToken": tokens.get_session_token,
    }

    def ours(method: Callable[[Principal, Mapping[str, Any]], dict[str, Any]]) -> Operation:
        return lambda caller, params, source_ip: method(caller, params)

    return {
        **{name: ours(method) for name, method in signed.items()},
        "AssumeRoleWithWebIdentity": lambda caller, params, ip: web.assume_role(params, ip),
    }


class WebIdentities:
    """Thread-safe."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        tokens: sts.SecurityTokens,
        issuer: TokenIssuer,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._tokens = tokens
        self._issuer = issuer

    def assume_role(self, params: Mapping[str, Any], source_ip: str = "") -> dict[str, Any]:
        """The output; raises Refusal: InvalidIdentityToken, ExpiredTokenException, AccessDenied."""
        token = _read(params["WebIdentityToken"])
        role_arn = params["RoleArn"]
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        provider = self._directory.oidc_provider(account, token.issuer)
        if provider is None:
            raise _invalid(f"No OpenIDConnect provider found in your account for {token.issuer}")
        self._believe(token, provider.client_ids)
        role = self._directory.role(role_arn)
        trust = self._directory.role_trust(role_arn)
        keys = _claims(token)
        context = {
            **{name: (value,) for name, value in keys.items()},
            "sts:rolesessionname": (params["RoleSessionName"],),
            "aws:currenttime": (self._sessions.now().strftime("%Y-%m-%dT%H:%M:%SZ"),),
            "aws:epochtime": (str(int(self._sessions.now().timestamp())),),
            "aws:federatedprovider": (provider.arn,),
            **({"aws:sourceip": (source_ip,)} if source_ip else {}),
        }
        caller = Caller(account, provider.arn, provider.arn)
        asked = Request(caller, ACTION, role_arn, account, context)
        trusted = trust is not None and evaluate(asked, Policies(resource=(trust,))).allowed
        if role is None or not trusted:
            raise Refusal("AccessDenied", f"Not authorized to perform {ACTION}", 403)
        policies = session_policies(params)
        facts = SessionFacts(
            origin=Origin.WEB_IDENTITY,
            source=role.arn,
            source_id=role.id,
            name=params["RoleSessionName"],
            policy=policies.policy,
            policy_arns=policies.arns,
            keys={**keys, "aws:federatedprovider": provider.arn},
        )
        made = self._tokens.role_session(role, facts, sts.lifetime(params, role))
        return {
            **sts.assumed(made, policies),
            "SubjectFromWebIdentityToken": str(token.claims.get("sub", "")),
            "Provider": provider.arn,
            "Audience": token.audience,
        }

    def _believe(self, token: Token, client_ids: tuple[str, ...]) -> None:
        try:
            self._issuer.verify(token)
        except NotVerified as error:
            raise _invalid(
                "Couldn't retrieve verification key from your identity provider,  please reference "
                "AssumeRoleWithWebIdentity documentation for requirements"
            ) from error
        if token.audience not in client_ids:
            raise _invalid("Incorrect token audience")
        now = int(self._sessions.now().timestamp())
        ends, begins = (token.claims.get(name) for name in ("exp", "nbf"))
        if not isinstance(ends, int | float):
            raise _invalid("Missing a required claim: exp")
        if now >= ends:
            raise Refusal(
                "ExpiredTokenException",
                f"Token expired: current date/time {now} must be before the expiration "
                f"date/time {int(ends)}",
            )
        if isinstance(begins, int | float) and now < begins:
            raise _invalid("Token is not yet valid")


def _read(text: str) -> Token:
    try:
        return oidc.read(text)
    except NotAToken as error:
        raise _invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an "
            "Access Token)"
        ) from error


def _claims(token: Token) -> dict[str, str]:
    """Claims as condition keys: "token.actions.githubusercontent.com:sub".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    """
    host = token.issuer.removeprefix("https://").lower()
    found = {
        f"{host}:{name.lower()}": str(value)
        for name, value in token.claims.items()
        if isinstance(value, str | int) and name != "aud"
    }
    return {**found, f"{host}:aud": token.audience}


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidIdentityToken", message)
