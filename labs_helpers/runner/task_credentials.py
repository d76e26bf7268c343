"""Where the programs of a task find the credentials of the task role.

On AWS that is 169.254.170.2, by AWS_CONTAINER_CREDENTIALS_RELATIVE_URI. A container of the labs'
engine reaches a port of this machine's loopback instead, by AWS_CONTAINER_CREDENTIALS_FULL_URI,
which SDKs take for loopback addresses:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Credentials:
    """A server of one task's credentials on a free port, until `close`."""

    def __init__(self, keys: Mapping[str, str], role: str) -> None:
        path = f"/v2/credentials/{uuid.uuid4()}"
        document = {
            "RoleArn": role,
            "AccessKeyId": keys["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
            "Token": keys["AWS_SESSION_TOKEN"],
        }

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != path:
                    self.send_error(404)
                    return
                ends = datetime.now(UTC) + timedelta(hours=6)
                found = {**document, "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
                body = json.dumps(found).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the path is a secret."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
