"""The achieved rate: alarms by hours of sound, of the newest day and week of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acoio.errors import NotReadyError
from daemon.drift.achieved import Heard, achieved
from daemon.drift.book import heard_in, hours_with_sound
from daemon.drift.rates import AlarmRates
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.metrics import Metrics
from daemon.progress import Step
from detector.values import Score, iso
from tests.detector.drifting import BEGIN

_HOUR = timedelta(hours=1)
_FIRST = int(BEGIN.timestamp()) // 3600
_NONE = np.zeros(4, np.float32)


def _scores(begin: datetime, count: int = 60, threshold: float = 2.0) -> tuple[Score, ...]:
    """Return windows a minute apart."""
    times = [begin + timedelta(minutes=k) for k in range(count)]
    end = timedelta(seconds=2)
    return tuple(Score(t, t + end, 0.0, threshold, _NONE, _NONE, _NONE, "a", 0) for t in times)


def _event(number: int, begin: datetime, **other: Any) -> dict[str, Any]:
    told = {"id": f"e{number}", "begin": iso(begin), "status": "closed", "model": "m"}
    return {**told, "end": iso(begin), "threshold": 2.0, **other}


def _verdict(number: int, at: int, verdict: str) -> tuple[str, str, str]:
    return f"e{number}", f"2025-01-01T00:00:{at:02d}Z", json.dumps({"verdict": verdict})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


def _keep(ledger: Ledger, **parts: Any) -> None:
    ledger.commit(Step(ledger.published, **parts), "m")


def test_a_rate_is_alarms_by_hours_with_its_poisson_interval() -> None:
    found = achieved([Heard(3600, 4)] * 5, step_s=1.0)
    assert found is not None
    assert (found.hours, found.alarms, found.per_hour) == (5.0, 20, 4.0)
    # 20 events: 12.22 to 30.89, the exact 95 % limits of Garwood's table
    assert (5 * found.low, 5 * found.high) == pytest.approx((12.22, 30.89), abs=0.01)


def test_no_alarm_at_all_leaves_the_rate_open_to_above() -> None:
    found = achieved([Heard(3600, 0)] * 10, step_s=1.0)
    assert found is not None
    assert (found.per_hour, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.369, abs=0.001)


def test_less_than_an_hour_tells_no_rate() -> None:
    assert achieved([Heard(3599, 7)], step_s=1.0) is None
    assert achieved([], step_s=1.0) is None


def test_hours_with_sound_are_the_newest_whatever_lies_between(ledger: Ledger) -> None:
    for k in (0, 1, 5, 400):
        _keep(ledger, scores=_scores(BEGIN + k * _HOUR, 3))
    with ledger.transaction() as database:
        assert hours_with_sound(database, 3) == [_FIRST + k for k in (400, 5, 1)]
        assert hours_with_sound(database, 9) == [_FIRST + k for k in (400, 5, 1, 0)]


def test_hours_that_are_dated_ahead_are_of_sound_only_where_there_is_no_other(
    ledger: Ledger,
) -> None:
    ahead = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=400)
    hour = int(ahead.timestamp()) // 3600
    for k in range(2):
        _keep(ledger, scores=_scores(ahead + k * _HOUR, 3))
    with ledger.transaction() as database:
        assert hours_with_sound(database, 9) == [hour + 1, hour]
    _keep(ledger, scores=_scores(BEGIN, 3))
    with ledger.transaction() as database:
        assert hours_with_sound(database, 9) == [_FIRST]


def test_what_is_rejected_or_unjudged_counts_and_what_is_confirmed_does_not(
    ledger: Ledger,
) -> None:
    events = [_event(k, BEGIN + k * _HOUR / 10) for k in range(4)]
    events += [_event(4, BEGIN + _HOUR), _event(5, BEGIN, model="n"), _event(6, BEGIN, threshold=9)]
    verdicts = (
        _verdict(1, 1, "confirmed"),
        _verdict(2, 1, "rejected"),
        _verdict(3, 1, "confirmed"),
        _verdict(3, 2, "rejected"),  # the last one counts
    )
    _keep(ledger, scores=_scores(BEGIN), events=tuple(events), verdicts=verdicts)
    with ledger.transaction() as database:
        assert heard_in(database, _FIRST, model="m", threshold=2.0) == Heard(60, 3)
        assert heard_in(database, _FIRST, model="m", threshold=3.0) == Heard(0, 0)
        assert heard_in(database, _FIRST + 1, model="m", threshold=2.0) == Heard(0, 1)


def _rates(ledger: Ledger, metrics: Metrics, model: str = "m") -> AlarmRates:
    features = SimpleNamespace(step_s=60.0)
    scorer = SimpleNamespace(model=model, threshold=2.0, features=features)
    return AlarmRates(ledger, metrics, lambda: scorer, promised=1.0)  # type: ignore[arg-type, return-value]


def _told(metrics: Metrics, span: str, what: str = "per_hour") -> float | None:
    name = f"kilokai_alarms_achieved_{what}"
    return metrics.registry.get_sample_value(name, {"span": span})


def test_a_day_and_a_week_of_sound_are_told_some_hours_at_a_time(ledger: Ledger) -> None:
    for k in range(200):
        events = tuple(_event(100 * k + n, BEGIN + k * _HOUR) for n in range(3 if k >= 176 else 1))
        _keep(ledger, scores=_scores(BEGIN + k * _HOUR), events=events)
    metrics = Metrics("m", 2.0)
    rates = _rates(ledger, metrics)
    assert rates.as_json() == {"promised_per_hour": 1.0, "day": None, "week": None}
    for turn in range(21):
        rates.do(float(turn))
    assert (_told(metrics, "day"), _told(metrics, "week")) == (3.0, (3 * 24 + 144) / 168)
    assert rates.as_json()["week"]["alarms"] == 216
    # 216 events: 188.15 to 246.81
    low, high = (_told(metrics, "week", f"{end}_per_hour") for end in ("low", "high"))
    assert (low, high) == pytest.approx((188.15 / 168, 246.81 / 168), abs=1e-4)
    assert (_told(metrics, "week", "seconds"), _told(metrics, "day", "seconds")) == (
        604_800,
        86_400,
    )
    _keep(ledger, scores=_scores(BEGIN + 200 * _HOUR))  # a quiet hour, in the next minute
    rates.do(61.0)
    assert _told(metrics, "day") == 69 / 24


def test_an_hour_that_cannot_be_read_now_is_counted_the_next_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(30):
        _keep(ledger, scores=_scores(BEGIN + k * _HOUR), events=(_event(k, BEGIN + k * _HOUR),))
    metrics, reads = Metrics("m", 2.0), iter(range(9))

    def busy(*words: Any, **more: Any) -> Heard:
        if next(reads, 0) == 8:  # the first hour of the second turn
            raise NotReadyError("another process holds it")
        return heard_in(*words, **more)

    monkeypatch.setattr("daemon.drift.rates.heard_in", busy)
    rates = _rates(ledger, metrics)
    for turn in range(6):
        rates.do(float(turn))
    assert _told(metrics, "day") == 1.0


def test_a_model_that_comes_while_the_ledger_cannot_be_read_is_counted_later(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(30):
        _keep(ledger, scores=_scores(BEGIN + k * _HOUR))
    rates = _rates(ledger, Metrics("m", 2.0))
    rates.do(0.0)
    features = SimpleNamespace(step_s=60.0)
    rates._scorer = lambda: SimpleNamespace(model="n", threshold=2.0, features=features)  # type: ignore[assignment, return-value]
    with monkeypatch.context() as patch:
        patch.setattr("daemon.drift.rates.hours_with_sound", _refusing)
        rates.do(1.0)
    for turn in range(2, 9):
        rates.do(float(turn))
    assert rates.as_json()["week"] is None  # none of its own yet


def _refusing(*_: object) -> list[int]:
    raise NotReadyError("another process holds it")


def test_a_verdict_on_an_old_event_is_seen_after_some_minutes(ledger: Ledger) -> None:
    for k in range(4):
        event = _event(k, BEGIN + k * _HOUR)
        _keep(ledger, scores=_scores(BEGIN + k * _HOUR), events=(event,))
    metrics = Metrics("m", 2.0)
    rates = _rates(ledger, metrics)
    rates.do(0.0)
    assert _told(metrics, "day") == 1.0
    _keep(ledger, verdicts=(_verdict(0, 1, "confirmed"),))
    rates.do(601.0)
    assert _told(metrics, "day") == 0.75


def test_what_another_model_found_promises_nothing(ledger: Ledger) -> None:
    _keep(ledger, scores=_scores(BEGIN), events=(_event(1, BEGIN),))
    metrics = Metrics("n", 2.0)
    rates = _rates(ledger, metrics, "n")
    rates.do(0.0)
    assert _told(metrics, "day") == 0.0
    assert rates.found == {"day": None, "week": None}


def test_a_year_of_sound_costs_no_more_than_a_week(ledger: Ledger) -> None:
    """By what the database steps over, not by the clock."""
    week, year = _work(ledger, weeks=1), _work(ledger, weeks=12)
    assert year < 1.2 * week


def _work(ledger: Ledger, *, weeks: int) -> int:
    """Return how much the database does for a week of sound after some weeks more of it."""
    first = (weeks - 1) * 1000
    for k in range(first, first + 168 * weeks, weeks):
        _keep(ledger, scores=_scores(BEGIN + k * _HOUR, 20))
    steps: list[None] = []
    with ledger.transaction() as database:
        database.set_progress_handler(lambda: steps.append(None), 10)
        for hour in hours_with_sound(database, 168):
            heard_in(database, hour, model="m", threshold=2.0)
        database.set_progress_handler(None, 10)
    return len(steps)
