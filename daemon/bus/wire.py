"""Messages as they are on the bus (pure): CloudEvents 1.0 in JSON.

`sequence` is a JSON integer, not the string of the CloudEvents sequence
extension: it rises by exactly 1 within an `epoch`.  Each message is valid by the
schema of its kind in `daemon/schemas`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.resources import files
from typing import Any, Final, Literal

from acoio.sound import Gap
from daemon.progress import Outgoing
from detector.events import SEVERITIES
from detector.values import Event, gap_json, iso

Kind = Literal["event", "gap", "model", "summary", "heartbeat"]
KINDS: Final[tuple[Kind, ...]] = ("event", "gap", "model", "summary", "heartbeat")
TOPIC_PREFIX: Final = "kilokai.v1."
LONGEST_REASON: Final = 1000  # letters


@dataclass(frozen=True, slots=True)
class Draft:
    """A message without its number: `time` is when what it tells of was heard."""

    kind: Kind
    time: str
    data: Mapping[str, Any]


def topic(kind: Kind, station: str) -> str:
    """Return the topic of a kind of message."""
    return f"{TOPIC_PREFIX}{kind}.{station}"


def numbered(draft: Draft, *, station: str, epoch: str, sequence: int, nonce: str) -> Outgoing:
    """Return a draft as the message of that number.

    `nonce` is random: it tells a message from another one that is given the same number, after
    the disk of a store was set back.
    """
    envelope = _envelope(draft, station, f"{epoch}-{sequence}")
    place = {"sequence": sequence, "epoch": epoch, "nonce": nonce}
    text = strict_json({**envelope, **place, "data": draft.data})
    return Outgoing(sequence, topic(draft.kind, station), envelope["type"], text)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest number of an epoch, and the nonce of its message if that is known."""

    epoch: str
    sequence: int
    nonce: str | None = None


def heartbeat(now: str, *, station: str, newest: Newest, scored: str | None) -> str:
    """Return the heartbeat at the wall clock's `now`, which bears no number.

    `scored` is the end of the newest sound scored.
    """
    epoch = newest.epoch
    data = {
        "epoch": epoch,
        "newest_sequence": newest.sequence,
        "newest_nonce": newest.nonce,
        "newest_scored": scored,
    }
    envelope = _envelope(Draft("heartbeat", now, data), station, f"{epoch}-heartbeat-{now}")
    return strict_json({**envelope, "data": data})


def event_draft(event: Mapping[str, Any]) -> Draft:
    """Return the message of an event's revision, timed by its begin, or its end once closed."""
    return Draft("event", event["begin" if event["status"] == "open" else "end"], event)


def gap_draft(gap: Gap) -> Draft:
    """Return the message of a gap, or of more of them in one file; 0 s: the clock goes back."""
    return Draft("gap", iso(gap.begin), gap_json(gap))


def model_draft(
    time: str, *, model: str, threshold: float, previous: str | None, by: str, reason: str = ""
) -> Draft:
    """Return the message that another model scores from now on, who chose it and why."""
    data = {"model": model, "threshold": threshold, "previous": previous}
    return Draft("model", time, {**data, "by": by, "reason": reason[:LONGEST_REASON]})


def summary_draft(begin: str, end: str, held: Sequence[Mapping[str, Any]]) -> Draft:
    """Return the message of the events that were held back in an hour, one or more."""
    loudest = max(held, key=lambda event: (event["score"], event["id"]))
    counts = Counter(event["severity"] for event in held)
    data = {
        "begin": begin,
        "end": end,
        "held_back": {severity: counts[severity] for severity in SEVERITIES},
        "loudest": loudest["id"],
        "loudest_score": loudest["score"],
    }
    return Draft("summary", max(event["end"] for event in held), data)


def event_from_json(data: Mapping[str, Any]) -> Event:
    """Return the `Event` of its public JSON, which may say more: `event_json` undone."""
    own = {field.name: data[field.name] for field in fields(Event)}
    times = {name: datetime.fromisoformat(data[name]) for name in ("begin", "peak", "end")}
    return Event(**{**own, **times})


def nonce_of(text: str) -> str | None:
    """Return the nonce of a numbered message, or None if an earlier version made it."""
    nonce = json.loads(text).get("nonce")
    return nonce if isinstance(nonce, str) else None


def strict_json(value: Any) -> str:
    """Return JSON that every parser reads: NaN and infinities are a bug, and raise."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema of a kind of message."""
    text = files("daemon").joinpath("schemas", f"{kind}.json").read_text("utf-8")
    return dict(json.loads(text))


def _envelope(draft: Draft, station: str, message_id: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": f"kilokai/{station}",
        "type": f"{TOPIC_PREFIX}{draft.kind}",
        "time": draft.time,
        "datacontenttype": "application/json",
        "dataschema": f"urn:kilokai:v1:{draft.kind}#/properties/data",
    }
