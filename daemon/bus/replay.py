"""Answers to "what came after number N?" (pure): pages from the outbox, or why there are none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from daemon.bus.wire import strict_json
from daemon.progress import Outgoing

PAGE_MESSAGES: Final = 256
PAGE_BYTES: Final = 128 << 10  # of text; one message alone may be longer
_WANTED: Final = '{"epoch": text or null, "since": whole number or null}'


class Shelf(Protocol):
    """What is answered from: the outbox."""

    @property
    def epoch(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def oldest(self) -> int: ...
    def messages(self, since: int, limit: int) -> list[Outgoing]: ...
    def nonce(self, number: int) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    epoch: str | None
    since: int | None
    nonce: str | None


def answer(request: bytes, shelf: Shelf) -> str:
    """Return the reply to one request, as JSON.

    With `since` null the reply holds no messages, only `epoch`, `oldest` and
    `newest`.  Otherwise it holds the first page of messages after `since`: ask
    again, with the last one's number, until that is `newest`.  A number that
    does not exist yet, or whose message had another nonce, belongs to another
    ledger, and the reply states that.
    """
    asked = _asked(request)
    here = {"epoch": shelf.epoch, "oldest": shelf.oldest, "newest": shelf.sequence}
    if asked is None:
        return strict_json({"error": "bad_request", "wanted": _WANTED, **here})
    error = _wrong_place(asked, shelf)
    if error:
        return strict_json({"error": error, **here})
    if asked.since is None:
        return strict_json({**here, "messages": []})
    page = _page(shelf.messages(asked.since, PAGE_MESSAGES))
    head = strict_json({**here, "messages": []}).removesuffix("]}")
    return f"{head}{','.join(page)}]}}"  # each is JSON already


def _wrong_place(asked: _Asked, shelf: Shelf) -> str:
    """Return the error of a request from where the outbox has no next message, or nothing."""
    if asked.epoch is not None and asked.epoch != shelf.epoch:
        return "epoch_changed"
    if asked.since is None:
        return ""
    if asked.since + 1 < shelf.oldest:
        return "too_old"
    if asked.since > shelf.sequence:
        return "too_new"
    here = shelf.nonce(asked.since) if asked.nonce else None
    return "given_anew" if here and here != asked.nonce else ""


def _page(messages: Sequence[Outgoing]) -> list[str]:
    """Return the texts of the first messages, at least one, that make a page together."""
    texts: list[str] = []
    size = 0
    for message in messages:
        size += len(message.text)  # JSON in ASCII
        if texts and size > PAGE_BYTES:
            break
        texts.append(message.text)
    return texts


def _asked(request: bytes) -> _Asked | None:
    """Return what a request asks for, or None if it is none."""
    try:
        asked: Any = json.loads(request)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict):
        return None
    epoch, since, nonce = asked.get("epoch"), asked.get("since"), asked.get("nonce")
    whole = isinstance(since, int) and not isinstance(since, bool) and 0 <= since < 1 << 63
    texts = all(part is None or isinstance(part, str) for part in (epoch, nonce))
    return _Asked(epoch, since, nonce) if texts and (since is None or whole) else None
