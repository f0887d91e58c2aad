"""Serve the page of metrics as the configuration says: to whom, and how guarded."""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

from prometheus_client import make_wsgi_app

from acoio.errors import SetupError
from daemon import options
from daemon.endpoints import join_listen, split_listen
from daemon.metrics.every import Metrics
from daemon.metrics.password import with_password
from daemon.metrics.server import Server

_STOP_S: Final = 1.0
_OTHERS: Final = 0o007  # systemd lets its unit's user in by an ACL, which shows as the group's


@contextmanager
def serve_metrics(metrics: Metrics, settings: options.Metrics) -> Iterator[str]:
    """Serve the metrics and give the address they are at, as HOST:PORT.

    Raises
    ------
    SetupError
        If the address cannot be bound, or a file that guards it does not serve.
    """
    host, port = split_listen(settings.listen)
    page = make_wsgi_app(metrics.registry)
    if settings.password:
        page = with_password(page, read_password(settings.password))
    tls = _tls(settings)
    try:
        server = Server(host, port, page, tls)
    except OSError as error:
        raise SetupError(f"metrics.listen: found {settings.listen}: {error.strerror}") from error
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield join_listen(host, server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_STOP_S)


def read_password(path: Path) -> bytes:
    """Return the first line of a file that others cannot read.

    Raises
    ------
    SetupError
        If it cannot be read, others can read it, or it is empty.
    """
    try:
        mode = path.stat().st_mode
        first, *_ = path.read_bytes().splitlines() or [b""]
    except OSError as error:
        raise SetupError(f"metrics.password: found {path}: {error.strerror}") from error
    if stat.S_IMODE(mode) & _OTHERS:
        raise SetupError(f"metrics.password: found {path} readable by others, wanted mode 600")
    if not first:
        raise SetupError(f"metrics.password: found {path} empty, wanted a password in a line")
    return first


def _tls(settings: options.Metrics) -> ssl.SSLContext | None:
    """Return what greets clients, or None where they come as they are."""
    if settings.certificate is None or settings.key is None:
        return None
    found = f"metrics.certificate: found {settings.certificate} and {settings.key}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.certificate, settings.key, password=_nobody_to_ask)
    except ssl.SSLError as error:
        raise SetupError(f"{found}: {error.reason or error}, wanted a pair in PEM") from error
    except OSError as error:
        raise SetupError(f"{found}: {os.strerror(error.errno or 0)}") from error
    return context


def _nobody_to_ask() -> str:
    """Open no key that has a passphrase: OpenSSL would ask for it on the terminal."""
    return ""
