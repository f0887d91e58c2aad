from dataclasses import replace
from datetime import UTC, datetime, timedelta

from acoio.simulate import Truth
from detector.scoring.match import match, within
from detector.values import Event

_T0 = datetime(2024, 3, 1, tzinfo=UTC)


def _at(second: float) -> datetime:
    return _T0 + timedelta(seconds=second)


def _truth(begin: float, end: float, kind: str = "call", snr_db: float = 0.0) -> Truth:
    return Truth(_at(begin), _at(end), 80, 900, "song", snr_db, kind)  # type: ignore[arg-type]


def _event(begin: float, end: float) -> Event:
    times = {"begin": _at(begin), "peak": _at(begin), "end": _at(end)}
    return replace(_BLANK, id=f"{begin}", **times)  # type: ignore[arg-type]


_BLANK = Event(
    id="", status="closed", begin=_T0, peak=_T0, end=_T0, score=1, mean_score=1, threshold=1,
    low_hz=100, high_hz=200, peak_hz=150, level_db=1, severity="minor", model="m", file="f",
    sample=0,
)  # fmt: skip


def test_a_call_is_found_if_an_event_overlaps_it_and_touching_is_not_enough() -> None:
    calls = [_truth(0, 2), _truth(10, 12), _truth(20, 22)]
    matched = match([_event(1, 3), _event(12, 14)], calls)
    assert matched.found == (calls[0],)
    assert matched.missed == (calls[1], calls[2])
    assert [event.id for event in matched.hits] == ["1"]
    assert [event.id for event in matched.false] == ["12"]


def test_an_event_in_another_band_notices_a_call_but_does_not_find_it() -> None:
    call = _truth(0, 2)
    matched = match([replace(_event(1, 3), low_hz=3000.0, high_hz=5000.0)], [call])
    assert (matched.found, matched.missed, matched.noticed) == ((), (call,), (call,))
    assert len(matched.hits) == 1


def test_an_event_on_a_ship_is_neither_found_nor_false() -> None:
    truth = [_truth(0, 60, "ship"), _truth(50, 52), _truth(100, 101, "gear")]
    matched = match([_event(5, 6), _event(51, 55), _event(100, 102), _event(200, 201)], truth)
    assert [event.id for event in matched.other] == ["5", "100"]
    assert [event.id for event in matched.hits] == ["51"]
    assert [event.id for event in matched.false] == ["200"]


def test_every_call_and_every_event_is_counted_once() -> None:
    truth = [_truth(k, k + 3, snr_db=k % 3) for k in range(0, 40, 4)]
    events = [_event(k, k + 1) for k in range(0, 60, 5)]
    matched = match(events, truth)
    assert len(matched.found) + len(matched.missed) == len(truth)
    assert len(matched.hits) + len(matched.other) + len(matched.false) == len(events)
    assert sum(calls for _, _, _, calls in matched.by_snr()) == len(truth)
    assert sum(found for _, found, _, _ in matched.by_snr()) == len(matched.found)


def test_found_counts_are_given_by_rising_snr() -> None:
    truth = [_truth(0, 1, snr_db=5.2), _truth(2, 3, snr_db=-5.1), _truth(4, 5, snr_db=4.9)]
    assert match([_event(0, 1)], truth).by_snr() == [(-5, 0, 0, 1), (5, 1, 1, 2)]


def test_truth_that_begins_outside_of_a_span_does_not_count() -> None:
    truth = [_truth(0, 20), _truth(10, 12), _truth(30, 31)]
    assert within(truth, _at(10), _at(30)) == (truth[1],)
