"""The methods and formats of HTTP that the page is asked for by (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client.exposition import choose_encoder

_ALLOWED: Final = ("GET", "HEAD")
_Headers = list[tuple[str, str]]


def with_methods(page: WSGIApplication) -> WSGIApplication:
    """Return a page that answers HEAD as GET without the body, and refuses other methods.

    Source: RFC 9110, 9.3.2 and 15.5.6.
    """

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return page(environ, start)
        if environ["REQUEST_METHOD"] == "HEAD":
            return _head(page, environ, start)
        allowed = ", ".join(_ALLOWED)
        start("405 Method Not Allowed", [("Allow", allowed), ("Content-Type", "text/plain")])
        return [f"wanted {allowed}\n".encode()]

    return answer


def _head(page: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    begun: list[tuple[str, _Headers]] = []

    def take(status: str, headers: _Headers, _: Any = None) -> Callable[[bytes], object]:
        begun.append((status, headers))
        return bytes  # nobody writes: the body is returned

    body = b"".join(page({**environ, "REQUEST_METHOD": "GET"}, take))
    ((status, headers),) = begun
    start(status, [*headers, ("Content-Length", str(len(body)))])
    return []


def with_formats(page: WSGIApplication) -> WSGIApplication:
    """Return a page that is plain text where the Accept header names a version that is none.

    prometheus-client raises `TypeError` or `ValueError` at such a header.
    """

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        try:
            choose_encoder(environ.get("HTTP_ACCEPT", ""))
        except (TypeError, ValueError):
            return page({**environ, "HTTP_ACCEPT": ""}, start)
        return page(environ, start)

    return answer
