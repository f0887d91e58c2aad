"""Bouts: what follows within a pause in an overlapping band, however the events came."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daemon.events.bouts import PAUSE, with_bouts
from detector.values import iso

_BEGIN = datetime(2024, 3, 1, 6, tzinfo=UTC)
_Json = dict[str, Any]


def _event(
    begin_s: float, *, length_s: float = 5.0, low_hz: float = 100.0, status: str = "closed"
) -> _Json:
    begin = _BEGIN + timedelta(seconds=begin_s)
    return {
        "id": f"e{begin_s:g}",
        "status": status,
        "begin": iso(begin),
        "end": iso(begin + timedelta(seconds=length_s)),
        "low_hz": low_hz,
        "high_hz": 2 * low_hz,
    }


class _Shelf:
    """What was found before, as the ledger keeps it."""

    def __init__(self) -> None:
        self.kept: dict[str, _Json] = {}

    def event(self, event_id: str) -> _Json | None:
        return self.kept.get(event_id)

    def events_before(self, begin: str) -> list[_Json]:
        return [e for e in sorted(self.kept.values(), key=_begin)[::-1] if e["begin"] < begin]

    def take(self, events: Sequence[_Json]) -> None:
        self.kept |= {event["id"]: event for event in with_bouts(events, self)}


def _begin(event: _Json) -> str:
    return str(event["begin"])


def _bouts(*pieces: Sequence[_Json]) -> dict[str, str]:
    shelf = _Shelf()
    for piece in pieces:
        shelf.take(piece)
    return {name: event["bout"] for name, event in shelf.kept.items()}


def test_an_event_by_itself_is_its_own_bout() -> None:
    assert _bouts([_event(0)]) == {"e0": "e0"}


def test_calls_that_follow_within_the_pause_are_one_bout_however_long() -> None:
    song = [_event(60 * k) for k in range(20)]
    assert set(_bouts(song).values()) == {"e0"}


def test_the_pause_is_from_end_to_begin() -> None:
    pause_s = PAUSE.total_seconds()
    assert _bouts([_event(0), _event(5 + pause_s)])[f"e{5 + pause_s:g}"] == "e0"
    assert _bouts([_event(0), _event(5.1 + pause_s)])[f"e{5.1 + pause_s:g}"] != "e0"


def test_two_songs_in_bands_apart_are_two_bouts() -> None:
    low = [_event(20 * k, low_hz=100) for k in range(5)]
    high = [_event(20 * k + 10, low_hz=400) for k in range(5)]
    found = _bouts(sorted([*low, *high], key=_begin))
    assert {found[e["id"]] for e in low} == {"e0"}
    assert {found[e["id"]] for e in high} == {"e10"}


def test_bands_that_only_touch_do_not_overlap() -> None:
    assert len(set(_bouts([_event(0, low_hz=100), _event(10, low_hz=200)]).values())) == 2


def test_a_long_event_is_followed_from_its_end_on() -> None:
    found = _bouts([_event(0, length_s=7200), _event(7230)])
    assert found == {"e0": "e0", "e7230": "e0"}


def test_the_bout_of_an_event_stays_as_it_began() -> None:
    """By its end a band may have grown into another; what was said is not taken back."""
    opened = _event(10, low_hz=400, status="open")
    closed = {**_event(10, low_hz=400), "low_hz": 100}
    assert _bouts([_event(0), opened, closed])["e10"] == "e10"
    assert _bouts([_event(0), opened], [closed])["e10"] == "e10"


_events = st.lists(
    st.tuples(st.floats(4.0, 100.0), st.floats(2.0, 30.0), st.sampled_from([50.0, 100.0, 180.0])),
    min_size=1,
    max_size=30,
)


@given(_events, st.lists(st.integers(0, 60), max_size=6))
def test_bouts_are_the_same_wherever_the_events_are_cut(
    spans: list[tuple[float, float, float]], cuts: list[int]
) -> None:
    at_s, heard = 0.0, []
    for pause_s, length_s, low_hz in spans:
        at_s += pause_s
        event = _event(round(at_s, 3), length_s=length_s, low_hz=low_hz)
        heard += [{**event, "status": "open", "low_hz": 60.0, "high_hz": 90.0}, event]
        at_s += length_s
    edges = [0, *sorted(min(c, len(heard)) for c in cuts), len(heard)]
    pieces = [heard[a:b] for a, b in itertools.pairwise(edges)]
    assert _bouts(*pieces) == _bouts(heard)
