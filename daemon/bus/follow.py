"""Which message is the next one, which are missing, and what to ask for (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

_ID: Final = re.compile(
    r"(?P<epoch>[0-9A-Za-z]+)-(?P<sequence>\d{1,18})(-(?P<nonce>[0-9A-Za-z]+))?"
)
_MOVED: Final = {
    "epoch_changed": "the station began a new ledger: its numbers begin anew",
    "too_old": "the station keeps no message that old",
    "too_new": "the station never gave that number: its ledger was replaced",
    "given_anew": "the station gave that number to another message: its ledger went back",
}

Message = dict[str, Any]


@dataclass
class Place:
    """Where a subscriber stands: what it handed over last, and the nonce of that message."""

    epoch: str | None = None
    sequence: int | None = None
    nonce: str | None = None

    def __str__(self) -> str:
        """Return the id and the nonce of the message handed over last, as `at` takes them."""
        return "-".join([f"{self.epoch}-{self.sequence}", *([self.nonce] if self.nonce else [])])

    @classmethod
    def at(cls, since: int | str | None) -> Self:
        """Return the place after a number, or after the message of an id, EPOCH-NUMBER.

        `str` of a place has the message's nonce after that.

        Raises
        ------
        ValueError
            If it is neither.
        """
        if since is None:
            return cls()
        match = _ID.fullmatch(since) if isinstance(since, str) else None
        if match:
            return cls(match["epoch"], int(match["sequence"]), match["nonce"])
        if str(since).isdecimal():
            return cls(sequence=int(since))
        raise ValueError(f"since: found {since!r}, wanted a number or a message's id")

    def takes(self, message: Message) -> bool:
        """Say whether a numbered message is the next one; if so, stand there."""
        if self.sequence is None or message["sequence"] != self.sequence + 1:
            return False
        if self.epoch not in (None, message["epoch"]):
            return False
        self.epoch, self.sequence = message["epoch"], message["sequence"]
        self.nonce = message.get("nonce")
        return True

    def misses(self, epoch: str, newest: int, nonce: str | None = None) -> bool:
        """Return True if the newest message is not the one that was handed over last."""
        if (self.epoch, self.sequence) != (epoch, newest):
            return True
        self.nonce = self.nonce or nonce
        return nonce is not None and self.nonce != nonce


class Follower:
    """Hands over each message once and in order, out of what comes live and what was asked for.

    `missing` says whether to ask; `request` is what to ask then.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.missing = True

    @property
    def request(self) -> Message:
        """The request for what is missing."""
        place = self.place
        nonce = {"nonce": place.nonce} if place.nonce else {}
        return {"epoch": place.epoch, "since": place.sequence, **nonce}

    def live(self, message: Message) -> bool:
        """Say whether a live message is to be handed over; learn from it what is missing."""
        if "sequence" not in message:
            data = message["data"]
            newest = data["newest_sequence"]
            self.missing |= self.place.misses(data["epoch"], newest, data.get("newest_nonce"))
            return False
        if self.place.takes(message):
            return True
        stale = message["epoch"] == self.place.epoch and message["sequence"] <= (
            self.place.sequence or 0
        )
        self.missing |= not stale
        return False

    def replayed(self, reply: Message) -> Iterator[Message]:
        """Yield what a reply brings that is to be handed over; then `missing` says how it stands.

        One that was asked from a wrong place brings nothing, but moves to the
        oldest number there is.
        """
        epoch, newest = reply["epoch"], reply["newest"]
        if "error" in reply:
            self.place = Place(epoch, max(reply["oldest"] - 1, 0))
        elif self.place.sequence is None:
            self.place = Place(epoch, newest)
        else:
            self.place.epoch = self.place.epoch or epoch
        for message in reply.get("messages", ()):
            if self.place.takes(message):
                yield message
        self.missing = self.place.misses(epoch, newest)


def live_message(frames: Sequence[bytes]) -> Message | None:
    """Return the envelope in the frames of a live message, or None if they are none."""
    message = _parsed(frames[-1]) if len(frames) == 2 else None
    if message is None or not isinstance(message.get("data"), dict):
        return None
    if "sequence" in message:
        return message if _is_numbered(message) else None
    data = message["data"]
    here = isinstance(data.get("epoch"), str) and _is_count(data.get("newest_sequence"))
    return message if here and _is_nonce(data.get("newest_nonce")) else None


def replay_message(data: bytes) -> Message | None:
    """Return a reply to `Follower.request`, or None if it is none that can be followed."""
    reply = _parsed(data)
    if reply is None or not isinstance(reply.get("epoch"), str):
        return None
    if not (_is_count(reply.get("oldest")) and _is_count(reply.get("newest"))):
        return None
    if "error" in reply:
        return reply if reply["error"] in _MOVED else None
    messages = reply.get("messages")
    whole = isinstance(messages, list) and all(_is_numbered(message) for message in messages)
    return reply if whole else None


def moved(reply: Message) -> str | None:
    """Return what a reply says to a person, if its asker was in a wrong place."""
    return _MOVED.get(reply.get("error", ""))


def _parsed(data: bytes) -> Message | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_numbered(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("data"), dict)
        and isinstance(message.get("type"), str)
        and isinstance(message.get("epoch"), str)
        and _is_count(message.get("sequence"))
        and _is_nonce(message.get("nonce"))
    )


def _is_nonce(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
