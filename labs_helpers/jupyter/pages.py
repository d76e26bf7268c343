"""A Jupyter server extension: jupyter-server-proxy, with a wall around the pages of containers.

On a hub, a container's page has the address of the learner's Jupyter server, below ``proxy/``. With
the proxy alone, whoever wrote the page could do what the learner may do: the program gets the
learner's cookies and token with each request, and the page's scripts have JupyterLab's origin. Here
the program gets neither, and the page's scripts do not run.
https://jupyter-server-proxy.readthedocs.io/en/latest/arbitrary-ports-hosts.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus, urlsplit, urlunsplit

import jupyter_server_proxy
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import AddSlashHandler, LocalProxyHandler
from tornado import web

NAME = __name__
"""As the settings of a Jupyter server name the extension."""

_OF_THE_LEARNER = ("Authorization", "Cookie", "Referer", "X-XSRFToken")
"""What of a request tells who the learner is: an address of Jupyter's may have a token."""
_FOR_ALL_OF_JUPYTER = (
    *("Set-Cookie", "Service-Worker-Allowed", "Clear-Site-Data"),
    *("Strict-Transport-Security", "Access-Control-Allow-Credentials"),
)
"""What of an answer holds beyond the page itself."""
_TOKEN = "token"
_POLICY = (
    "sandbox allow-downloads allow-forms allow-popups allow-popups-to-escape-sandbox "
    "allow-same-origin; base-uri 'none'; form-action 'self'; frame-src 'none'; object-src 'none'; "
    "script-src 'none'"
)
"""No script runs. A page of another origin could run some, but browsers would send no cookie for
its style sheets and pictures, and Jupyter would refuse them: https://www.w3.org/TR/CSP3/"""


class PageHandler(LocalProxyHandler):  # type: ignore[misc]
    """The proxy to a port of this machine."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # jupyter-server-proxy gives each instance a flush of its own, which goes before a method's
        self._flush: Any = self.flush
        self.flush: Any = self._flush_page

    def proxy_request_headers(self) -> Any:
        """The headers of the request to the page's server, of HTTP and of a WebSocket."""
        headers = super().proxy_request_headers()
        for name in _OF_THE_LEARNER:
            headers.pop(name, None)
        return headers

    def get_client_uri(self, protocol: str, host: str, port: str, proxied_path: str) -> str:
        """The address of the request to the page's server."""
        parts = urlsplit(super().get_client_uri(protocol, host, port, proxied_path))
        kept = [
            each
            for each in parts.query.split("&")
            if unquote_plus(each.partition("=")[0]) != _TOKEN
        ]
        return str(urlunsplit(parts._replace(query="&".join(kept))))

    def _flush_page(self, include_footers: bool = False) -> Any:
        """Send what is written; before the first byte, make the headers those of a page."""
        if not self._headers_written:
            for name in _FOR_ALL_OF_JUPYTER:
                self._headers.pop(name, None)
            self._headers.add("Content-Security-Policy", _POLICY)
        return self._flush(include_footers)


class _NoPage(JupyterHandler):
    """The proxy's other addresses, which lead to the same ports without the wall."""

    @web.authenticated
    def get(self) -> None:
        raise web.HTTPError(404, "Here is a proxy to ports of this machine only: proxy/8080/")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": NAME}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Answer below ``proxy/`` before jupyter-server-proxy does, and let it do the rest."""
    base = app.web_app.settings["base_url"]
    app.web_app.add_handlers(
        ".*",
        [
            (url_path_join(base, r"/proxy/(\d+)"), AddSlashHandler),
            (url_path_join(base, r"/proxy/(\d+)(/.*)"), PageHandler, {"absolute_url": False}),
            (url_path_join(base, r"/proxy(?:/.*)?"), _NoPage),
        ],
    )
    jupyter_server_proxy._load_jupyter_server_extension(app)
