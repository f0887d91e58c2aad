"""Who may read the page: a certificate and a password from files, read again when asked."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import Final

from acoio.errors import SetupError, unusable
from acoio.tables import decoded
from daemon import options
from detector.files import read_regular

_OTHERS: Final = 0o007  # systemd lets its unit's user in by an ACL, which shows as the group's


class Guard:
    """What greets the clients of the page; `tls` and `password` are None where nothing does.

    Raises
    ------
    SetupError
        If a file does not serve; of one that is read again, the former goes on.
    """

    tls: ssl.SSLContext | None
    password: bytes | None

    def __init__(self, settings: options.Metrics) -> None:
        self._settings = settings
        self.renew()

    def renew(self) -> None:
        """Read the files: who comes from now on is met by what they say.

        Raises
        ------
        SetupError
            If one does not serve.
        """
        settings = self._settings
        tls = _tls(settings)
        password = read_password(settings.password) if settings.password else None
        self.tls, self.password = tls, password


def read_password(path: Path) -> bytes:
    """Return the first line of a file that others cannot read.

    Raises
    ------
    SetupError
        If it cannot be read, others can read it, or it is empty.
    """
    try:
        mode = path.stat().st_mode
        first, *_ = decoded(read_regular(path)).encode().splitlines() or [b""]
    except OSError as error:
        raise unusable(f"metrics.password: found {path}", error) from error
    except ValueError as error:
        raise SetupError(f"metrics.password: found {path}, {error}") from None
    if stat.S_IMODE(mode) & _OTHERS:
        raise SetupError(f"metrics.password: found {path} readable by others, wanted mode 600")
    if not first:
        raise SetupError(f"metrics.password: found {path} empty, wanted a password in a line")
    return first


def _tls(settings: options.Metrics) -> ssl.SSLContext | None:
    """Return what greets clients, or None where they come as they are."""
    if settings.certificate is None or settings.key is None:
        return None
    for name, path in (("certificate", settings.certificate), ("key", settings.key)):
        try:
            read_regular(path)  # OpenSSL would not say which of the two it is
        except OSError as error:
            raise unusable(f"metrics.{name}: found {path}", error) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.certificate, settings.key, password=_nobody_to_ask)
    except ssl.SSLError as error:
        found = f"metrics.certificate: found {settings.certificate} and {settings.key}"
        raise SetupError(f"{found}: {error.reason or error}, wanted a pair in PEM") from error
    return context


def _nobody_to_ask() -> str:
    """Open no key that has a passphrase: OpenSSL would ask for it on the terminal."""
    return ""
