"""Events: two thresholds, joined, the same wherever the scores are cut."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.events import JOIN, EventSettings, EventTracker, event_id, severity
from detector.values import Event, Score, event_json

from .sounds import BEGIN, score

SETTINGS = EventSettings(
    station="aco",
    model="m-1",
    threshold=10.0,
    release=4.0,
    band_edges_hz=(10.0, 20.0, 40.0, 80.0, 160.0),
)
values = st.lists(st.sampled_from([0.0, 3.0, 5.0, 9.0, 11.0, 30.0]), max_size=60)


def track(scores: Sequence[Score]) -> list[Event]:
    tracker = EventTracker(SETTINGS)
    return [*tracker.push(scores), *tracker.flush()]


def feed(*value: float) -> list[Score]:
    return [score(float(k), v) for k, v in enumerate(value)]


def test_an_event_reaches_from_release_to_release_and_opens_at_the_threshold() -> None:
    opened, closed = track(feed(0, 5, 11, 30, 6, 0, 0, 0, 0))
    assert (opened.status, closed.status) == ("open", "closed")
    assert opened.id == closed.id
    assert opened.begin == closed.begin == BEGIN + timedelta(seconds=1)
    assert opened.end == BEGIN + timedelta(seconds=2 + 2.048)
    assert closed.end == BEGIN + timedelta(seconds=4 + 2.048)
    assert closed.peak == BEGIN + timedelta(seconds=3 + 1.024)
    assert (closed.score, closed.mean_score) == (30, (5 + 11 + 30 + 6) / 4)


def test_below_the_threshold_there_is_no_event() -> None:
    assert track(feed(5, 9, 9, 9, 5, 0)) == []


def test_scores_that_dip_for_less_than_the_joining_time_are_one_event() -> None:
    gap = int(JOIN.total_seconds() + 2.048)
    one = track(feed(11, *[0] * (gap - 1), 11))
    two = track(feed(11, *[0] * (gap + 1), 11))
    assert len({event.id for event in one}) == 1
    assert len({event.id for event in two}) == 2


def test_the_band_is_where_the_score_came_from() -> None:
    closed = track(feed(30, 0))[-1]
    assert (closed.low_hz, closed.high_hz) == (20.0, 40.0)
    assert closed.peak_hz == pytest.approx(28.28, abs=0.01)
    assert closed.level_db == 31.0


@given(values, st.lists(st.integers(0, 60), max_size=5))
def test_events_are_the_same_wherever_the_scores_are_cut(
    value: list[float], cuts: list[int]
) -> None:
    """Each cut is a restart: the state goes through JSON into a new tracker."""
    scores = feed(*value)
    state: dict[str, object] = {}
    found: list[Event] = []
    edges = [0, *sorted(min(c, len(value)) for c in cuts), len(value)]
    for a, b in itertools.pairwise(edges):
        tracker = EventTracker(SETTINGS, json.loads(json.dumps(state)))
        found += tracker.push(scores[a:b])
        state = tracker.state
    found += EventTracker(SETTINGS, state).flush()
    assert found == track(scores)


@given(values)
def test_events_open_and_close_in_turn_and_never_overlap(value: list[float]) -> None:
    found = track(feed(*value))
    assert [e.status for e in found] == ["open", "closed"] * (len(found) // 2)
    closed = found[1::2]
    assert all(a.end < b.begin for a, b in itertools.pairwise(closed))
    assert all(e.begin <= e.peak <= e.end for e in found)
    loud = [s for s in feed(*value) if s.score >= SETTINGS.threshold]
    assert all(any(e.begin <= s.begin < e.end for e in closed) for s in loud)


def test_the_id_depends_on_station_model_and_begin_sample() -> None:
    begin_us = 1_709_272_800_000_000
    base = event_id("aco", "m-1", begin_us)
    assert base == event_id("aco", "m-1", begin_us + 20)  # within the same sample
    others = {event_id("aco", "m-2", begin_us), event_id("x", "m-1", begin_us)}
    assert len({base, event_id("aco", "m-1", begin_us + 42), *others}) == 4


def test_an_event_as_json_bears_the_public_names() -> None:
    event = event_json(track(feed(30, 0))[-1])
    names = "id status begin peak end score mean_score threshold low_hz high_hz peak_hz level_db"
    assert list(event) == [*names.split(), "severity", "model", "file", "sample"]
    assert event["begin"] == "2024-03-01T06:00:00.400000Z"
    assert json.loads(json.dumps(event, allow_nan=False)) == event


@pytest.mark.parametrize(
    ("clear", "word"),
    [(0.0, "minor"), (3.9, "minor"), (4.0, "moderate"), (7.9, "moderate"), (8.0, "major")],
)
def test_severity_is_how_long_something_was_clearly_heard(clear: float, word: str) -> None:
    assert severity(clear) == word


@pytest.mark.parametrize("loudness", [60.0, 1e3, 1e6])
def test_a_short_noise_is_minor_however_loud_and_a_long_clear_one_is_major(loudness: float) -> None:
    assert track(feed(*[loudness] * 3, 0))[-1].severity == "minor"
    assert track(feed(*[loudness] * 5, 0))[-1].severity == "moderate"
    assert track(feed(*[loudness] * 9, 0))[-1].severity == "major"


def test_a_long_faint_event_is_minor() -> None:
    assert track(feed(*[11.0] * 60, 0))[-1].severity == "minor"


_RANK = {"minor": 0, "moderate": 1, "major": 2}
above = st.lists(st.floats(10.0, 200.0), min_size=1, max_size=20)


@given(above, st.lists(st.floats(0.0, 200.0), min_size=20, max_size=20), st.integers(0, 20))
def test_severity_never_falls_with_louder_or_with_more_windows(
    value: list[float], louder: list[float], more: int
) -> None:
    before = track(feed(*value))[-1]
    raised = [v + extra for v, extra in zip(value, louder, strict=False)]
    after = track(feed(*raised, *[5.0] * more))[-1]
    assert _RANK[after.severity] >= _RANK[before.severity]


@given(values)
def test_the_severity_of_an_open_event_may_only_rise(value: list[float]) -> None:
    found = track(feed(*[10 * v for v in value]))
    opened, closed = found[::2], found[1::2]
    assert all(_RANK[a.severity] <= _RANK[b.severity] for a, b in zip(opened, closed, strict=True))
