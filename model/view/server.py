"""The server of the classroom view: this computer alone can reach it, and it asks nothing of any other."""

import os
import socket
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from model.core.errors import ScenarioError
from model.inputs.scenario import Scenario

LOOPBACK = "127.0.0.1"

HOSTS = (LOOPBACK, "localhost")

QUIET = {
    "SOLARA_APP": "model.view.page",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_THEME_SHOW_BANNER": "false",
    # What is not among the installed assets would be asked of a server elsewhere.
    "SOLARA_ASSETS_CDN": f"http://{LOOPBACK}:9/",
}
"""Settings of Solara: it reports to nobody, and fetches nothing."""

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


def serve(config: Scenario, port: int, say: Callable[[str], None]) -> None:
    """Show a scenario on a page until it is interrupted.

    Parameters
    ----------
    config : Scenario
        What is shown.
    port : int
        Where; 0 is any that is free.
    say : callable
        Called with the address.

    Raises
    ------
    ScenarioError
        When the extra is missing, or the port is taken.
    """
    require_extra()
    with listening(port) as listener:
        server = _server(config)
        say(f"http://{LOOPBACK}:{listener.getsockname()[1]}")
        server.run(sockets=[listener])


def require_extra() -> None:
    """Refuse where a library of the page is not installed.

    Raises
    ------
    ScenarioError
        It names the extra that brings them.
    """
    missing = [name for name in ("solara", "altair", "uvicorn") if find_spec(name) is None]
    if missing:
        problem = f"needs {missing[0]}, which is not installed"
        raise ScenarioError(problem, key="view", allowed='after pip install "upstream-abm[view]"')


def listening(port: int) -> socket.socket:
    """Listen on a port of this computer, which no other can reach.

    Examples
    --------
    >>> with listening(0) as listener:
    ...     listener.getsockname()[0]
    '127.0.0.1'
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        problem = f"cannot be listened on ({error.strerror})"
        raise ScenarioError(problem, key="--port", value=port, allowed="a free port; without it one is found") from None


def _server(config: Scenario) -> Any:
    os.environ |= QUIET
    # Of cookies and of Mesa's own page: nothing that the reader could mend.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"solara\.")
    page, uvicorn = import_module("model.view.page"), import_module("uvicorn")
    page.room.append(config)
    app = only_here(import_module("solara.server.starlette").app)
    return uvicorn.Server(uvicorn.Config(app, log_level="warning"))


def only_here(app: App) -> App:
    """Wrap an app so that a page of another site, or by another name, is refused.

    A browser would otherwise let any page that is open in it talk to this server.
    """

    async def guarded(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan" and not is_ours(dict(scope["headers"])):
            await _refuse(scope["type"], send)
        else:
            await app(scope, receive, send)

    return guarded


def is_ours(headers: MutableMapping[bytes, bytes]) -> bool:
    """Return whether a request is for this computer by name, and from a page of this server.

    Examples
    --------
    >>> is_ours({b"host": b"127.0.0.1:80"}), is_ours({b"host": b"example.org"})
    (True, False)
    >>> is_ours({b"host": b"127.0.0.1:80", b"origin": b"http://example.org"})
    False
    """
    host = headers.get(b"host", b"").decode("latin-1")
    origin = headers.get(b"origin", f"http://{host}".encode()).decode("latin-1")
    return host.rsplit(":", 1)[0] in HOSTS and origin == f"http://{host}"


async def _refuse(kind: str, send: Any) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This page is for the computer it runs on."})
