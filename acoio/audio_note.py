"""What `acoio.audio` writes into a file's comment: the begin, the scale and the gaps.

Gaps are written in few letters, since libsndfile drops a comment of over 2 kB from a
WAV without a word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any, Final

from acoio.clock import ACO_RATIO, from_us, to_us
from acoio.sound import Gap, Sound

_MARK: Final = "acoio "


@dataclass(frozen=True, slots=True)
class Note:
    """What a file's comment says; a count is the share `count` of full scale.

    `clock_ratio` is the true rate over the nominal one.
    """

    begin: datetime | None = None
    count: float | None = None
    fractions: bool = False
    gaps: tuple[Gap, ...] = ()
    clock_ratio: float = 0.0


def comment_of(sound: Sound, scale: float) -> str:
    """Return the comment of a file that holds a sound; one count is `scale` of full scale."""
    begin_us = to_us(sound.begin)
    edges_us = [to_us(edge) for gap in sound.gaps for edge in (gap.begin, gap.end)]
    note = {
        "begin": sound.begin.isoformat(),
        "count": scale,
        "float": sound.samples.dtype.kind != "i",
        "ratio": sound.clock_ratio,
        "edges": [b - a for a, b in pairwise([begin_us, *edges_us])],  # µs, each from the last
    }
    return _MARK + json.dumps(note, separators=(",", ":"))


def note_of(comment: str) -> Note:
    """Return what a comment says, nothing if `save` did not write it."""
    if not comment.startswith(_MARK):
        return Note()
    try:
        note = json.loads(comment.removeprefix(_MARK))
        begin = _time(note["begin"])
        found = Note(
            begin,
            float(note["count"]),
            bool(note["float"]),
            _gaps(note, begin),
            float(note.get("ratio", ACO_RATIO)),  # older ones knew no other recorder
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return Note()  # a comment that somebody has changed
    sane = found.count and 2.0**-64 < found.count < 2.0**64 and 0.5 < found.clock_ratio < 2
    return found if sane else Note()


def _gaps(note: dict[str, Any], begin: datetime) -> tuple[Gap, ...]:
    """Return the gaps of a note; older ones say each time in full."""
    if "gaps" in note:
        return tuple(Gap(_time(first), _time(last)) for first, last in note["gaps"])
    edges = [from_us(us) for us in accumulate(note["edges"], initial=to_us(begin))][1:]
    return tuple(Gap(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True))


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
