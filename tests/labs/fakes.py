"""A world for checks without a network: a registry and AWS that answer what a test says."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labs_helpers.checks.registry import Answer, Registry
from labs_helpers.checks.world import Login, World

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class FakeRegistry(Registry):
    """Answers from a table of path to Answer; any other path is a 404."""

    def __init__(self, host: str, answers: Mapping[str, Answer]) -> None:
        super().__init__(host, None, None)
        self._answers = answers

    def ask(self, method: str, path: str, accept: str = "*/*") -> Answer:
        return self._answers.get(path, answer(404, "NAME_UNKNOWN", "no such thing"))


def answer(status: int, code: str = "", message: str = "") -> Answer:
    errors = {"errors": [{"code": code, "message": message}]} if code else {}
    return Answer(status, {}, json.dumps(errors).encode())


@dataclass(frozen=True)
class FakeWorld(World):
    """``registries`` are answers by host, ``clients`` are AWS clients by service."""

    registries: dict[str, dict[str, Answer]] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)

    def ask_registry(self, host: str, login: Login | None = None) -> Registry:
        return FakeRegistry(host, self.registries.get(host, {}))

    def client(self, service: str, region: str | None = None, profile: str | None = None) -> Any:
        return self.clients[service]

    def fresh_login(self, region: str | None = None) -> Login:
        return Login(self.host(region), "AWS", "password")


def world(folder: Path, **given: Any) -> FakeWorld:
    return FakeWorld("123456789012", "us-west-2", "demo-app-repo", folder, lambda: NOW, **given)


def log_in(folder: Path, *hosts: str) -> None:
    """Write what `docker login` writes."""
    auth = base64.b64encode(b"AWS:password").decode()
    auths = {host: {"auth": auth} for host in hosts}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
