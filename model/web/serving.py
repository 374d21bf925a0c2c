"""The server of a page: without a token this computer alone can reach it, and it asks nothing of any other."""

import errno
import os
import secrets
import socket
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, urlencode

from model.core.errors import ScenarioError

LOOPBACK = "127.0.0.1"

HOSTS = (LOOPBACK, "localhost")

OWN_ADDRESSES = f"an address of this computer, such as {LOOPBACK}"

COOKIE, TOKEN = "upstream_token", "token"

TOKEN_BYTES = 18

QUIET = {
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_THEME_SHOW_BANNER": "false",
    # What is not among the installed assets would be asked of a server elsewhere.
    "SOLARA_ASSETS_CDN": f"http://{LOOPBACK}:9/",
}
"""Settings of Solara: it reports to nobody, and fetches nothing."""

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Door:
    """Where a page is listened for, and who may come in.

    Parameters
    ----------
    host : str
        Address of this computer; loopback is reached from this computer alone.
    port : int
        Where; 0 is any that is free.
    token : str
        What a visitor's address must bear; empty on loopback alone.

    Examples
    --------
    >>> door_at("127.0.0.1", 0).token
    ''
    >>> len(door_at("0.0.0.0", 0).token)
    24
    """

    host: str = LOOPBACK
    port: int = 0
    token: str = ""

    def address(self, port: int) -> str:
        """Return what a visitor opens."""
        asked = f"/?{TOKEN}={self.token}" if self.token else ""
        return f"http://{self.host}:{port}{asked}"

    def lets_in(self, scope: Scope) -> bool:
        """Return whether a request is from a page of this server and, where a token is asked for, bears it.

        A browser would otherwise let any page that is open in it talk to this server.
        """
        headers = dict(scope["headers"])
        if not self.token:
            return is_ours(headers)
        return _is_from_own_page(headers) and self._bears_token(scope, headers)

    def _bears_token(self, scope: Scope, headers: MutableMapping[bytes, bytes]) -> bool:
        borne = (_token_in_cookie(headers), self.token_asked(scope))
        return any(secrets.compare_digest(one.encode(), self.token.encode()) for one in borne)

    def token_asked(self, scope: Scope) -> str:
        """Return the token in the address of a request; empty without one."""
        asked: bytes = scope.get("query_string", b"")
        return parse_qs(asked.decode("latin-1")).get(TOKEN, [""])[0]


def door_at(host: str, port: int) -> Door:
    """Return a door at an address; one that other computers can reach has a new token."""
    return Door(host, port, "" if host in HOSTS else secrets.token_urlsafe(TOKEN_BYTES))


def serve(page: str, door: Door, say: Callable[[str], None], wrapped: Callable[[App], App] = lambda app: app) -> None:
    """Show a page until it is interrupted.

    Parameters
    ----------
    page : str
        The module of a Solara page.
    door : Door
        Where, and for whom.
    say : callable
        Called with the address.
    wrapped : callable
        Adds to the app of the page, files to download for instance.

    Raises
    ------
    ScenarioError
        When the port is taken.
    """
    with listening(door.host, door.port) as listener:
        server = _server(page, door, wrapped)
        say(door.address(listener.getsockname()[1]))
        server.run(sockets=[listener])


def require_extra(command: str) -> None:
    """Refuse where a library of the pages is not installed.

    Raises
    ------
    ScenarioError
        It names the extra that brings them.
    """
    missing = [name for name in ("solara", "altair", "uvicorn", "tomli_w") if find_spec(name) is None]
    if missing:
        problem = f"needs {missing[0]}, which is not installed"
        raise ScenarioError(problem, key=command, allowed='after pip install "upstream-abm[view]"')


def listening(host: str, port: int) -> socket.socket:
    """Listen on a port of this computer.

    Raises
    ------
    ScenarioError
        It names the option of the command that was at fault: the address, or the port.

    Examples
    --------
    >>> with listening(LOOPBACK, 0) as listener:
    ...     listener.getsockname()[0]
    '127.0.0.1'
    """
    try:
        # What creates a server would give a name without an address, or one of IPv6 alone, as a system's error.
        socket.getaddrinfo(host, port, socket.AF_INET)
        return socket.create_server((host, port))
    except (socket.gaierror, UnicodeError):
        raise _unheard("--host", host, "no such name or address", OWN_ADDRESSES) from None
    except OSError as error:
        problem = os.strerror(error.errno) if error.errno else str(error)
        if error.errno == errno.EADDRNOTAVAIL:
            raise _unheard("--host", host, problem, OWN_ADDRESSES) from None
        raise _unheard("--port", str(port), problem, "a free port; without --port one is found") from None


def _unheard(option: str, value: str, problem: str, allowed: str) -> ScenarioError:
    return ScenarioError(f"cannot be listened on ({problem})", key=option, value=value, allowed=allowed)


def _server(page: str, door: Door, wrapped: Callable[[App], App]) -> Any:
    os.environ |= {**QUIET, "SOLARA_APP": page}
    # Of cookies and of Mesa's own page: nothing that the reader could mend.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"solara\.")
    uvicorn = import_module("uvicorn")
    app = guarded(wrapped(import_module("solara.server.starlette").app), door)
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_max_size=MOST_BYTES_SENT))


MOST_BYTES_SENT = 4_000_000
"""Of one message of a browser: an uploaded place is the largest."""


def guarded(app: App, door: Door) -> App:
    """Wrap an app so that only those are answered whom the door lets in.

    The address with the token is answered once, by a cookie and the address without it.
    """

    async def asked(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif not door.lets_in(scope):
            await _refuse(scope["type"], send)
        elif scope["type"] == "http" and door.token and door.token_asked(scope):
            await _send_on(scope, door, send)
        else:
            await app(scope, receive, send)

    return asked


def is_ours(headers: MutableMapping[bytes, bytes]) -> bool:
    """Return whether a request is for this computer by name, and from a page of this server.

    Examples
    --------
    >>> is_ours({b"host": b"127.0.0.1:80"}), is_ours({b"host": b"example.org"}), is_ours({b"host": b"127.0.0.1:80.org"})
    (True, False, False)
    >>> is_ours({b"host": b"127.0.0.1:80", b"origin": b"http://example.org"})
    False
    """
    host, _, port = headers.get(b"host", b"").decode("latin-1").partition(":")
    return host in HOSTS and (not port or port.isdecimal()) and _is_from_own_page(headers)


def _is_from_own_page(headers: MutableMapping[bytes, bytes]) -> bool:
    host = headers.get(b"host", b"").decode("latin-1")
    return headers.get(b"origin", f"http://{host}".encode()).decode("latin-1") == f"http://{host}"


def _token_in_cookie(headers: MutableMapping[bytes, bytes]) -> str:
    try:
        kept = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    return kept[COOKIE].value if COOKIE in kept else ""


async def _send_on(scope: Scope, door: Door, send: Any) -> None:
    """Keep the token in a cookie, so that it stands in no address that is shared or kept."""
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    rest = urlencode({name: values[0] for name, values in asked.items() if name != TOKEN})
    to = f"{scope['path']}?{rest}" if rest else scope["path"]
    cookie = f"{COOKIE}={door.token}; Path=/; HttpOnly; SameSite=Lax"
    headers = [(b"location", to.encode("latin-1")), (b"set-cookie", cookie.encode("latin-1"))]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(kind: str, send: Any) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": REFUSED})


REFUSED = b"This page is for the computer it runs on, or for those who have its whole address with the token."
