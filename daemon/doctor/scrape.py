"""What a running daemon says of itself elsewhere: its metrics and its log."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import urllib.request
from base64 import b64encode
from http.client import HTTPException
from typing import Final

from acoio.errors import AcoError
from daemon.config import Config
from daemon.endpoints import join_listen, split_listen
from daemon.metrics.guard import read_password

_UNIT: Final = "kilokai"
_LINES: Final = 2000
_WAIT_S: Final = 5.0
_LARGEST_BYTES: Final = 4 << 20


def scrape(config: Config, address: str) -> str:
    """Return the metrics at an address, or in words why there are none."""
    if not address:
        return "no daemon has said where its metrics are\n"
    try:
        where = join_listen(*split_listen(address))
        request = urllib.request.Request(f"{_scheme(config)}://{where}/metrics")
        if config.metrics.password is not None:
            said = b":" + read_password(config.metrics.password)
            request.add_header("Authorization", f"Basic {b64encode(said).decode()}")
        with _opener().open(request, timeout=_WAIT_S) as page:
            return str(page.read(_LARGEST_BYTES).decode("utf-8", "replace"))
    except (OSError, HTTPException, ValueError, AcoError) as error:  # urllib's own is the first
        return f"not to be had at {address}: {error}\n"


def _scheme(config: Config) -> str:
    return "http" if config.metrics.certificate is None else "https"


def last_logs() -> str:
    """Return the unit's last lines in the journal, or in words why there are none."""
    if shutil.which("journalctl") is None:
        return "no journal here\n"
    command = ["journalctl", "-u", _UNIT, "-n", str(_LINES), "-o", "cat", "--no-pager"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=_WAIT_S, check=False)
    except subprocess.TimeoutExpired:
        return "the journal did not answer\n"
    return (asked.stdout + asked.stderr).decode("utf-8", "replace")


def _opener() -> urllib.request.OpenerDirector:
    """Return what asks the page itself: no proxy hears its password, and any certificate does.

    It is our own page, known by its address.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    https = urllib.request.HTTPSHandler(context=context)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
