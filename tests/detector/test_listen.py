"""The streaming law over the whole chain: cut, broken off or heard again, the same scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.reader import read_chunk
from acoio.record import Record
from detector.scoring.listen import Heard, Listener
from detector.scoring.score import Scorer
from detector.values import Event, Score
from tests.acoio.feeds import RATE_HZ, feed, noise, write_feed

from .models import model

RECORDS = 260
HOLE = slice(120, 123)


@cache
def scorer() -> Scorer:
    return Scorer(model())


@cache
def records() -> tuple[Record, ...]:
    """Return records with tones in them, and a hole."""
    samples = noise(RECORDS).astype(np.float64)
    k = np.arange(len(samples))
    for first in (60, 160, 200, 240):
        tone = slice(first * 4096, (first + 6) * 4096)
        samples[tone] += 2000 * np.sin(2 * np.pi * 300 * k[tone] / RATE_HZ)
    with TemporaryDirectory() as folder:
        path = write_feed(Path(folder), feed(samples.astype(np.int32)))
        heard = list(read_chunk(path, rate_hz=RATE_HZ).records)
    del heard[HOLE]
    return tuple(heard)


@cache
def unbroken() -> Heard:
    listener = Listener(scorer(), station="aco")
    heard = listener.push(records(), "a")
    return Heard(heard.scores, (*heard.events, *listener.flush().events), heard.gaps)


def plain(scores: Sequence[Score]) -> list[tuple[object, ...]]:
    return [(s.begin, s.end, s.score, s.file, s.sample, s.contribution.tobytes()) for s in scores]


def test_the_feed_has_events_and_a_gap() -> None:
    heard = unbroken()
    assert len({event.id for event in heard.events}) >= 3
    assert len(heard.gaps) == 1
    assert all(np.isfinite(score.score) for score in heard.scores)


@given(cuts=st.lists(st.integers(0, RECORDS - 3), max_size=10))
@settings(max_examples=25)
def test_scores_and_events_are_the_same_wherever_the_feed_is_cut(cuts: list[int]) -> None:
    listener, edges = Listener(scorer(), station="aco"), [0, *sorted(cuts), RECORDS - 3]
    parts = [listener.push(records()[a:b], "a") for a, b in pairwise(edges)]
    scores = [score for heard in parts for score in heard.scores]
    events = [event for heard in [*parts, listener.flush()] for event in heard.events]
    assert plain(scores) == plain(unbroken().scores)
    assert events == list(unbroken().events)


@given(at=st.integers(1, RECORDS - 4))
@settings(max_examples=25)
def test_a_restart_that_hears_its_context_again_goes_on_as_if_unbroken(at: int) -> None:
    before = Listener(scorer(), station="aco")
    first = before.push(records()[:at], "a")
    state = json.loads(json.dumps(before.state))
    after = Listener(scorer(), station="aco", state=state)
    after.recall(records()[max(at - after.context_records, 0) : at], "a")
    second = after.push(records()[at:], "a")
    events: list[Event] = [*first.events, *second.events, *after.flush().events]
    assert plain([*first.scores, *second.scores]) == plain(unbroken().scores)
    assert events == list(unbroken().events)
