"""Serve the page of metrics as the configuration says: to whom, and how guarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Final

from prometheus_client import make_wsgi_app

from daemon import options
from daemon.endpoints import join_listen, split_listen
from daemon.listening import listening
from daemon.metrics.every import Metrics
from daemon.metrics.guard import Guard
from daemon.metrics.methods import with_formats, with_methods
from daemon.metrics.password import with_password
from daemon.metrics.server import Server

_STOP_S: Final = 1.0


@dataclass(frozen=True)
class Served:
    """Where the page is, as HOST:PORT; `renew` reads the files that guard it again.

    It raises `SetupError` where one does not serve, and the former go on.
    """

    address: str
    renew: Callable[[], None]


@contextmanager
def serve_metrics(metrics: Metrics, settings: options.Metrics) -> Iterator[Served]:
    """Serve the metrics and say where.

    Raises
    ------
    NotReadyError, SetupError
        As `listening`, if the address cannot be bound, or as `Guard`.
    """
    host, port = split_listen(settings.listen)
    guard = Guard(settings)
    page = with_formats(make_wsgi_app(metrics.registry))
    page = with_methods(with_password(page, lambda: guard.password))
    server = listening(
        "metrics.listen",
        settings.listen,
        lambda: Server(host, port, page, lambda: guard.tls, metrics.clients_lost.inc),
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(join_listen(host, server.server_port), guard.renew)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_STOP_S)
