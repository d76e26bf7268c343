"""Where a load balancer sends a request: pure functions of rules, weights and targets."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from labs_helpers.runner.balancer import http
from labs_helpers.runner.balancer.routing import Asked, Turns, action, matches, usable


def asked(path: str = "/", method: str = "GET", **headers: str) -> Asked:
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Asked(method, path, "HTTP/1.1", given)


@pytest.mark.parametrize(
    ("condition", "request_", "fits"),
    [
        ({"Field": "path-pattern", "Values": ["/api/*"]}, asked("/api/x?q=1"), True),
        ({"Field": "path-pattern", "Values": ["/api/*"]}, asked("/API/x"), False),
        ({"Field": "path-pattern", "Values": ["/?"]}, asked("/ab"), False),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b"]}},
            asked("/b"),
            True,
        ),
        (
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
            asked(host="SHOP.example.com:80"),
            True,
        ),
        (
            {
                "Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["green"]},
            },
            asked(x_test="green"),
            True,
        ),
        (
            {
                "Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["green"]},
            },
            asked(),
            False,
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
            asked(method="POST"),
            True,
        ),
    ],
)
def test_the_first_rule_that_fits_decides(
    condition: dict[str, Any], request_: Asked, fits: bool
) -> None:
    first = {"conditions": [condition], "actions": [{"Type": "first"}]}
    default = {"conditions": [], "actions": [{"Type": "default"}]}
    assert action([first, default], request_) == {"Type": "first" if fits else "default"}


def test_a_tenth_of_the_turns_is_exactly_a_tenth() -> None:
    turns = Turns()
    weights = {"blue": 90, "green": 10, "off": 0}
    for _ in range(3):
        assert Counter(turns.next(weights) for _ in range(10)) == {"blue": 9, "green": 1}
    assert Counter(turns.next({"green": 100, "blue": 0}) for _ in range(5)) == {"green": 5}
    assert turns.next({"blue": 0}) is None


def test_unhealthy_targets_serve_only_where_none_is_healthy() -> None:
    def of(*states: str) -> list[str]:
        return [each["state"] for each in usable([{"state": state} for state in states])]

    assert of("healthy", "unhealthy", "draining", "initial") == ["healthy"]
    assert of("unhealthy", "draining") == ["unhealthy"]
    assert of("initial", "draining") == []


@pytest.mark.parametrize(
    ("codes", "status", "passes"),
    [
        ("200", 200, True),
        ("200", 204, False),
        ("200-299", 204, True),
        ("200,302", 302, True),
        ("200,300-399", 404, False),
    ],
)
def test_a_matcher_takes_lists_and_ranges(codes: str, status: int, passes: bool) -> None:
    assert matches(codes, status) is passes


def test_the_target_learns_who_asked() -> None:
    given = asked("/x", host="shop", connection="keep-alive", x_forwarded_for="203.0.113.9")
    head = http.forwarded(given, "127.0.0.1", 80).decode()
    assert head.startswith("GET /x HTTP/1.1\r\nhost: shop\r\n")
    assert "\r\nX-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n" in head
    assert "\r\nX-Forwarded-Port: 80\r\n" in head
    assert "keep-alive" not in head
    assert head.endswith("\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "sent",
    [b"GET /\r\n\r\n", b"GET / HTTP/2\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET / HT"],
)
def test_what_is_no_request_is_a_bad_request(sent: bytes) -> None:
    async def read() -> Asked:
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        reader.feed_eof()
        return await http.read_head(reader)

    with pytest.raises(http.BadRequest):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://shop:443/a/b?q=1"),
        ({"Path": "/new/#{path}", "Query": ""}, "http://shop:80/new/a/b"),
        ({"Host": "www.#{host}"}, "http://www.shop:80/a/b?q=1"),
    ],
)
def test_a_redirect_keeps_what_its_action_does_not_name(config: dict[str, str], place: str) -> None:
    assert http.redirected(asked("/a/b?q=1", host="shop:8080"), config, 80) == place


def test_a_rule_that_nearly_fits_a_long_path_is_decided_at_once() -> None:
    """With backtracking this takes longer than a test may."""
    condition = {"Field": "path-pattern", "Values": ["/*a*a*a*a*a*a*b"]}
    rule = {"conditions": [condition], "actions": [{"Type": "forward"}]}
    assert action([rule], asked("/" + "a" * 16_000)) is None
    assert action([rule], asked("/" + "a" * 16_000 + "b")) == {"Type": "forward"}


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://host/a/b?q=://", "/a/b"),
        ("http://host", "/"),
        ("http://[", "/"),
        ("/a?next=http://x/y", "/a"),
        ("//host/a", "//host/a"),
    ],
)
def test_the_path_of_a_target(target: str, path: str) -> None:
    assert asked(target).path == path


def test_a_redirect_is_on_one_line() -> None:
    config = {"Path": "/#{path}\r\nSet-Cookie: a=b", "StatusCode": "HTTP_302"}
    place = http.redirected(asked("/x", host="shop"), config, 80)
    assert place == "http://shop:80/x%0D%0ASet-Cookie:%20a=b"
