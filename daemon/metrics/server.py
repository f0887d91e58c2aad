"""The server of the page: no client keeps it from another one.

prometheus-client's own greets with TLS in the thread that accepts, so that one client that
connects and says nothing stops it, and begins a thread for each client without limit.  Here
a client is greeted in its own thread and has a few seconds; of too many the oldest goes.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock
from typing import Any, Final
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

import structlog

PATIENCE_S: Final = 5.0  # with a client that says nothing; a scrape takes some milliseconds
AT_ONCE: Final = 32
_LONGEST_LINE: Final = 65_536

_log = structlog.get_logger()


class Server(ThreadingMixIn, WSGIServer):
    """Serves one page to up to `AT_ONCE` clients, each in a thread, with the TLS of the time.

    `lost` counts the clients that are gone, or speak otherwise, before they have their answer.
    """

    daemon_threads = True
    request_queue_size = 4 * AT_ONCE

    def __init__(
        self,
        host: str,
        port: int,
        page: WSGIApplication,
        tls: Callable[[], ssl.SSLContext | None],
        lost: Callable[[], object],
    ) -> None:
        self.page = page
        self._tls = tls
        self._lost = lost
        self._clients: dict[socket.socket, None] = {}
        self._lock = Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking DNS for a name, which may take long and is for nothing."""
        TCPServer.server_bind(self)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Return the next client, not greeted yet."""
        client, address = super().get_request()
        client.settimeout(PATIENCE_S)
        if tls := self._tls():
            try:
                client.getpeername()  # of a peer that is gone, ssl would leave the socket open
                client = tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            except OSError:  # gone already
                client.close()
                self._lost()
                raise
        return client, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a client in a thread; where there are too many, cut the oldest one off."""
        with self._lock:
            if len(self._clients) >= AT_ONCE:
                oldest = next(iter(self._clients))
                del self._clients[oldest]
                with suppress(OSError):  # what its thread reads ends; that closes it
                    socket.socket.shutdown(oldest, socket.SHUT_RDWR)
            self._clients[request] = None
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Greet a client and answer it; one that is gone or speaks otherwise is counted."""
        try:
            if isinstance(request, ssl.SSLSocket):
                request.do_handshake()
            super().finish_request(request, client_address)
        except OSError:
            self._lost()

    def handle_error(self, _: Any, client_address: Any) -> None:
        """Log what no client is at fault for, and let this one go."""
        _log.error("metrics not served", client=str(client_address), reason=repr(sys.exception()))

    def shutdown_request(self, request: Any) -> None:
        """Let a client go."""
        with self._lock:
            self._clients.pop(request, None)
        super().shutdown_request(request)


class _Handler(WSGIRequestHandler):
    server: Server
    timeout = PATIENCE_S

    def handle(self) -> None:
        """Answer one request; `WSGIRequestHandler` does so by what prints tracebacks."""
        self.raw_requestline = self.rfile.readline(_LONGEST_LINE + 1)
        if len(self.raw_requestline) > _LONGEST_LINE:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
        elif self.parse_request():
            environ = {name: str(value) for name, value in self.get_environ().items()}
            answer = _Answer(self.rfile, self.wfile, sys.stderr, environ)  # type: ignore[arg-type]
            answer.run(self.server.page)

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape is no event."""


class _Answer(SimpleHandler):
    def handle_error(self) -> None:
        """Leave what went wrong to the server: it knows which of it is the client's."""
        raise
