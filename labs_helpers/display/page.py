"""A link to the page that a container or a load balancer serves."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from labs_helpers.display.rendering import Rendering, spelled


def address(port: int, environ: Mapping[str, str]) -> str:
    """Where the learner's browser finds a port of the machine on which the notebook runs.

    On JupyterHub and Binder the browser is on another machine, and jupyter-server-proxy leads to
    the port. Elsewhere the browser is on this machine. Source:
    https://jupyter-server-proxy.readthedocs.io/en/latest/arbitrary-ports-hosts.html
    """
    prefix = environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{prefix}proxy/{port}/" if prefix else f"http://127.0.0.1:{port}/"


def page(container: str, inside: int, place: str) -> Rendering:
    """The link. Its text names no port outside, which may be another at each start."""
    text = f"The page that {container} serves on its port {inside}"
    link = f'<a href="{escape(place)}" target="_blank" rel="noopener">{escape(place)}</a>'
    return Rendering(text, f"<p>{spelled(text)}: {link}</p>")
