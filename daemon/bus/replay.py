"""Answers to "what came after number N?" (pure): pages from the ledger, or why there are none."""

from __future__ import annotations

import json
from typing import Any, Final, Protocol

from daemon.bus.wire import strict_json
from daemon.progress import Outgoing

PAGE_MESSAGES: Final = 256  # about 200 kB
_WANTED: Final = '{"epoch": text or null, "since": whole number or null}'


class Shelf(Protocol):
    """What is answered from: the ledger."""

    @property
    def epoch(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def oldest(self) -> int: ...
    def messages(self, since: int, limit: int) -> list[Outgoing]: ...


def answer(request: bytes, shelf: Shelf) -> str:
    """Return the reply to one request, as JSON.

    With `since` null the reply holds no messages, only `epoch`, `oldest` and
    `newest`.  Otherwise it holds the first page of messages after `since`: ask
    again, with the last one's number, until that is `newest`.  A number that
    there is not yet is one of another ledger, and that is said too.
    """
    asked = _asked(request)
    here = {"epoch": shelf.epoch, "oldest": shelf.oldest, "newest": shelf.sequence}
    if asked is None:
        return strict_json({"error": "bad_request", "wanted": _WANTED, **here})
    epoch, since = asked
    if epoch is not None and epoch != shelf.epoch:
        return strict_json({"error": "epoch_changed", **here})
    if since is None:
        return strict_json({**here, "messages": []})
    if since + 1 < shelf.oldest:
        return strict_json({"error": "too_old", **here})
    if since > shelf.sequence:
        return strict_json({"error": "too_new", **here})
    page = shelf.messages(since, PAGE_MESSAGES)
    head = strict_json({**here, "messages": []}).removesuffix("]}")
    return f"{head}{','.join(message.text for message in page)}]}}"  # each is JSON already


def _asked(request: bytes) -> tuple[str | None, int | None] | None:
    """Return epoch and number of a request, or None if it is none."""
    try:
        asked: Any = json.loads(request)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict):
        return None
    epoch, since = asked.get("epoch"), asked.get("since")
    whole = isinstance(since, int) and not isinstance(since, bool) and 0 <= since < 1 << 63
    if (epoch is None or isinstance(epoch, str)) and (since is None or whole):
        return epoch, since
    return None
