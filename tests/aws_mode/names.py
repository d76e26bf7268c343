"""AWS's names over TLS: a proxy that answers for them, with certificates of its own.

A learner behind this proxy names no endpoint. Clients connect to ecr.eu-central-1.amazonaws.com by
HTTPS_PROXY, as behind a company's proxy, and reach the sandbox that plays the account. The proxy
refuses every name that is not AWS's or Docker Hub's, so that nothing of a test leaves the machine.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from labs_helpers.sandbox.hosts import Site, site_of
from tests.aws_mode import interfaces


class Authority:
    """Who signs the certificates of names; ``file`` is what clients trust, its own certificate."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "authority.pem"
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("the tests of the labs")
        self.file.write_bytes(self._certificate("the tests of the labs", authority=True))

    def context(self, name: str) -> ssl.SSLContext:
        """The server's side of TLS under a name."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / "served.pem"
        file.write_bytes(private + self._certificate(name, authority=False))
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(file)
        return made

    def _certificate(self, name: str, authority: bool) -> bytes:
        now, public = datetime.now(UTC), self._key.public_key()
        made = (
            x509.CertificateBuilder()
            .subject_name(self._name if authority else _named(name))
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    # a common name has at most 64 characters; clients read the alternative name
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


class Names:
    """The proxy. ``asked``: the names that clients asked for; ``refused``: those it refused."""

    def __init__(self, authority: Authority, sandbox: int, tasks: int) -> None:
        """sandbox, tasks: the ports of the sandbox, and of ``interfaces.server`` before it."""
        self.asked: set[str] = set()
        self.refused: set[str] = set()
        self.port = 0
        self._authority = authority
        self._sandbox = sandbox
        self._tasks = tasks
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which programs use the proxy and trust its authority."""
        trusted = str(self._authority.file)
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            # the sandbox does not see the TLS, so addresses that it gives out begin with http
            "HTTP_PROXY": f"http://127.0.0.1:{self.port}",
            "http_proxy": f"http://127.0.0.1:{self.port}",  # curl reads no other name
            "NO_PROXY": "127.0.0.1,localhost",
            "AWS_CA_BUNDLE": trusted,
            "SSL_CERT_FILE": trusted,
            "REQUESTS_CA_BUNDLE": trusted,
            "GIT_SSL_CAINFO": trusted,
        }

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: CONNECT, TLS under the name that was asked for, and then bytes.

        A request without CONNECT is handed on as it is.
        """
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target = head.decode("latin-1").split(" ")[:2]
            to = urlsplit(target if method != "CONNECT" else f"//{target}")
            name, port = to.hostname or "", to.port or 80
            self.asked.add(name)
            task = interfaces.port_of(name)
            if task is not None and method != "CONNECT" and port == 80:
                await self._hand_on(reader, writer, task, _by_path(head, to.path))
            elif site_of(name) not in (Site.AWS, Site.HUB) or port != (
                443 if method == "CONNECT" else 80
            ):
                self.refused.add(name)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            elif method != "CONNECT":
                await self._hand_on(reader, writer, self._sandbox, head)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.drain()
                if name not in self._contexts:
                    self._contexts[name] = self._authority.context(name)
                await writer.start_tls(self._contexts[name])
                ours = name.startswith(("ecs.", "ec2."))
                await self._hand_on(reader, writer, self._tasks if ours else self._sandbox)
        writer.close()

    async def _hand_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
        head: bytes = b"",
    ) -> None:
        from_sandbox, to_sandbox = await asyncio.open_connection("127.0.0.1", port)
        to_sandbox.write(head)
        ways = {
            asyncio.create_task(_copied(reader, to_sandbox)),
            asyncio.create_task(_copied(from_sandbox, writer)),
        }
        try:
            # HTTP: who closes first ends the connection
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            to_sandbox.close()


def _by_path(head: bytes, path: str) -> bytes:
    """The head of a request with the path in the place of the URL that a proxy is asked by."""
    method, _, rest = head.partition(b" ")
    return b" ".join((method, (path or "/").encode(), rest.partition(b" ")[2]))


async def _copied(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()


@contextmanager
def proxy(folder: Path, sandbox: int) -> Iterator[Names]:
    """The proxy before the sandbox on this port, until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with interfaces.server(sandbox) as tasks:
        yield from _serving(Names(Authority(folder), sandbox, tasks))


def _serving(names: Names) -> Iterator[Names]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(names.answer, "127.0.0.1", 0))
    names.port = server.sockets[0].getsockname()[1]
    serving = threading.Thread(target=loop.run_forever, daemon=True)
    serving.start()
    try:
        yield names
    finally:
        loop.call_soon_threadsafe(loop.stop)
        serving.join(30)
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
