"""Who may open a page: this computer alone, or whoever bears the token where others can reach it."""

import re
from typing import Any

import pytest

from model.core.errors import ScenarioError
from model.web.serving import COOKIE, LOOPBACK, Door, door_at, guarded, listening

DOOR = Door("192.0.2.1", 80, "secret-token")
HOST = (b"host", b"192.0.2.1:80")


def asked(door: Door, headers: list[tuple[bytes, bytes]], query: bytes = b"", kind: str = "http") -> tuple[bool, Any]:
    """Ask for a page; whether the app was reached, and what was sent first."""
    reached, sent = [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": kind, "path": "/", "headers": headers, "query_string": query}
    with pytest.raises(StopIteration):
        guarded(app, door)(scope, None, send).send(None)
    return bool(reached), sent[0] if sent else None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_asks_for_no_token(host: str) -> None:
    assert door_at(host, 0).token == ""


def test_every_door_to_others_has_a_token_of_its_own() -> None:
    assert door_at("0.0.0.0", 0).token != door_at("0.0.0.0", 0).token  # noqa: S104 - nothing listens
    assert f"?token={DOOR.token}" in DOOR.address(80)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        [HOST],
        [HOST, (b"cookie", b"upstream_token=secret-tokem")],
        [HOST, (b"cookie", b"other=secret-token")],
        [HOST, (b"cookie", b"\xff\xfe;;=")],
        [HOST, (b"cookie", b"upstream_token=secret-token"), (b"origin", b"http://elsewhere.example")],
    ],
)
def test_without_the_token_nothing_is_reached(headers: list[tuple[bytes, bytes]], kind: str) -> None:
    is_reached, first = asked(DOOR, headers, kind=kind)
    assert not is_reached
    assert first.get("status", first.get("code")) in {403, 1008}


def test_the_token_is_kept_in_a_cookie_and_leaves_the_address() -> None:
    is_reached, first = asked(DOOR, [HOST], b"token=secret-token&study=abc")
    headers = dict(first["headers"])
    assert not is_reached
    assert (first["status"], headers[b"location"]) == (303, b"/?study=abc")
    assert headers[b"set-cookie"].startswith(f"{COOKIE}=secret-token;".encode())
    assert b"HttpOnly" in headers[b"set-cookie"]

    is_reached, _ = asked(DOOR, [HOST, (b"cookie", b"upstream_token=secret-token")])
    assert is_reached


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", ".."])  # set aside for examples: nobody's
def test_an_address_that_is_not_of_this_computer_is_the_hosts_fault(host):
    said = f"--host = '{re.escape(host)}': cannot be listened on .*such as {LOOPBACK}"
    with pytest.raises(ScenarioError, match=said):
        listening(host, 0)


def test_a_port_that_is_taken_is_the_ports_fault():
    with listening(LOOPBACK, 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ScenarioError, match=f"--port = '{port}': cannot be listened on .*without --port"):
            listening(LOOPBACK, port)
