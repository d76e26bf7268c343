"""A server of the tests under names of the internet: on loopback, by TLS, with its own authority.

In this process the names lead to the server, and every other name is unknown.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

also: Sequence[str] = ()
"""More names that lead to the server, although its certificate does not have them."""


@contextmanager
def answering(
    folder: Path, app: WSGIApplication, names: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The application answers under the names; the certificate of the authority to trust."""
    trusted, own, key = certificate(folder, names)
    server = Server(("127.0.0.1", 0), app, numthreads=4)
    server.ssl_adapter = BuiltinSSLAdapter(str(own), str(key))
    server.expiration_interval = 0.02
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    port = server.bind_addr[1]
    true = socket.getaddrinfo

    def resolved(host: Any, asked: Any, *rest: Any, **options: Any) -> Any:
        if host in (*names, *also) and asked == 443:
            return true("127.0.0.1", port, *rest, **options)
        if host == "127.0.0.1":
            return true(host, asked, *rest, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    try:
        yield trusted
    finally:
        server.stop()
        thread.join()


def certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path, Path]:
    """An authority's certificate, and a server's for those names with its key, as PEM files."""
    day = timedelta(days=1)
    now = datetime.now(UTC)

    def signed(
        name: str, issuer: str, key: Any, by: Any, extension: x509.ExtensionType
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(extension, critical=False)
        )
        return builder.sign(by, hashes.SHA256())

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    basic = x509.BasicConstraints(ca=True, path_length=None)
    authority = signed("labs tests", "labs tests", authority_key, authority_key, basic)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    server = signed("hub", "labs tests", key, authority_key, alternatives)
    paths = folder / "ca.pem", folder / "hub.pem", folder / "hub.key"
    paths[0].write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(server.public_bytes(serialization.Encoding.PEM))
    paths[2].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
