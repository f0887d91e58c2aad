"""A sound in one line: when, how long, at what rate, with which gaps, from which files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from acoio.sound import Sound

_GAPS_TOLD: Final = 3


def facts(sound: Sound) -> str:
    """Return begin, end, length, rate, gaps and files of a sound in a line."""
    length_s = (sound.end - sound.begin).total_seconds()
    span = f"{_utc(sound.begin)} to {_utc(sound.end)} UTC"
    told = [span, f"{length_s:.3f} s at {sound.rate_hz:g} Hz", _gaps(sound), *_named(sound)]
    return ", ".join(told)


def title(sound: Sound) -> str:
    """Return the name of a sound's file, or of its first and last, so that it can be drawn."""
    names = [printable(name) for name in sound.files]
    return " … ".join(dict.fromkeys([*names[:1], *names[-1:]]))


def printable(name: str) -> str:
    r"""Return a file's name in one line that can be drawn and written.

    Of what cannot, line ends and bytes that are no UTF-8 among it, the escape is given, as `\n`.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def _named(sound: Sound) -> list[str]:
    return [title(sound)] if sound.files else []


def _gaps(sound: Sound) -> str:
    gaps = [f"{_utc(gap.begin)} ({gap.seconds:.3f} s)" for gap in sound.gaps]
    if not gaps:
        return "no gaps"
    more = f" and {len(gaps) - _GAPS_TOLD} more" if len(gaps) > _GAPS_TOLD else ""
    word = "gap" if len(gaps) == 1 else "gaps"
    return f"{len(gaps)} {word}: {', '.join(gaps[:_GAPS_TOLD])}{more}"


def _utc(when: datetime) -> str:
    """Return a time to the nearest millisecond."""
    return f"{when + timedelta(microseconds=500):%Y-%m-%d %H:%M:%S.%f}"[:-3]
