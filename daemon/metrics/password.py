"""A page that is given only to who knows its password (pure): HTTP's basic authentication.

Source: RFC 7617.  The name of the user is not looked at.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_WANTED: Final = ("WWW-Authenticate", 'Basic realm="kilokai", charset="UTF-8"')


def with_password(page: WSGIApplication, password: Callable[[], bytes | None]) -> WSGIApplication:
    """Return a page that asks for the password first, if there is one at that time."""

    def asks(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        wanted, said = password(), _said(environ.get("HTTP_AUTHORIZATION", ""))
        if wanted is None or (said is not None and hmac.compare_digest(said, wanted)):
            return page(environ, start)
        start("401 Unauthorized", [_WANTED, ("Content-Type", "text/plain")])
        return [b"wanted the password\n"]

    return asks


def _said(header: str) -> bytes | None:
    """Return the password of an Authorization header, or None."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _user, colon, password = base64.b64decode(coded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None
