"""GetAuthorizationToken: what ``aws ecr get-login-password`` prints is in its answer."""

from typing import Any

from labs_helpers.sandbox.ecr import tokens
from labs_helpers.sandbox.ecr.operations.call import Call
from labs_helpers.sandbox.ecr.repositories import Registry


def get_authorization_token(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """A new password of the caller's for the registries of the region, good for 12 hours.

    One entry for each of ``registryIds``, else one for the caller's own registry.
    """
    data = []
    for account in dict.fromkeys(params.get("registryIds", [call.registry_id])):
        token = tokens.mint(call.store, call.principal, call.registry.region)
        host = Registry(account, call.registry.region).host
        data.append(
            {
                "authorizationToken": token.authorization_token,
                "expiresAt": token.expires_at,
                "proxyEndpoint": f"https://{host}",
            }
        )
    return {"authorizationData": data}
