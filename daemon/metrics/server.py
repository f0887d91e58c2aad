"""The server of the page: no client keeps it from another one.

prometheus-client's own greets with TLS in the thread that accepts, so that one client that
connects and says nothing stops it, and begins a thread for each client without limit.  Here
a client is greeted in its own thread and has a few seconds; of too many the oldest goes.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

PATIENCE_S: Final = 5.0  # with a client that says nothing; a scrape takes some milliseconds
AT_ONCE: Final = 32


class Server(ThreadingMixIn, WSGIServer):
    """Serves one page to up to `AT_ONCE` clients, each in a thread, with the TLS of the time."""

    daemon_threads = True
    request_queue_size = 4 * AT_ONCE

    def __init__(
        self, host: str, port: int, page: WSGIApplication, tls: Callable[[], ssl.SSLContext | None]
    ) -> None:
        self._tls = tls
        self._clients: dict[socket.socket, None] = {}
        self._lock = Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.set_app(page)

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
            client = tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
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
        """Greet a client and answer it; one that is gone or speaks otherwise is no news."""
        with suppress(OSError):
            if isinstance(request, ssl.SSLSocket):
                request.do_handshake()
            super().finish_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Let a client go."""
        with self._lock:
            self._clients.pop(request, None)
        super().shutdown_request(request)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape is no event."""
