"""The last day of sound is counted once, in bounded memory, and survives a restart."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from daemon.drift.hours import KEPT_HOURS, Hours
from detector.calibration.drift import Reference, reference_of
from tests.detector.drifting import BEGIN, hour

_HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def reference() -> Reference:
    found = reference_of([hour(k) for k in range(10)], of_the_day=False)
    assert found is not None
    return found


def test_pieces_in_any_order_count_as_the_whole(reference: Reference) -> None:
    sound = hour(20) + hour(21, begin=BEGIN + _HOUR)
    whole, pieces = Hours(reference), Hours(reference)
    whole.take(sound)
    for part in (sound[5000:], sound[:100], sound[100:5000], []):
        pieces.take(part)
    assert dict(pieces.as_json()) == dict(whole.as_json())


def test_a_restart_changes_nothing(reference: Reference) -> None:
    sound = hour(20) + hour(21, begin=BEGIN + _HOUR)
    whole, before, after = Hours(reference), Hours(reference), Hours(reference)
    whole.take(sound)
    before.take(sound[:4000])
    after.recall(json.loads(json.dumps(before.as_json())))
    after.take(sound[4000:])
    assert after.as_json() == whole.as_json()
    assert after.drift() is not None


def test_a_day_is_kept_and_no_more_and_a_wrong_clock_takes_one_place(reference: Reference) -> None:
    hours = Hours(reference)
    for k in [*range(30), 100_000, 30]:
        hours.take(hour(20, begin=BEGIN + k * _HOUR)[:1])
    kept = [at - int(BEGIN.timestamp()) // 3600 for at, _ in hours.as_json()]
    assert kept == [*range(8, 30), 100_000, 30]
    assert len(kept) == KEPT_HOURS


def test_only_hours_of_the_day_that_were_calibrated_on_are_compared() -> None:
    evenings = [hour(k, begin=BEGIN + timedelta(days=k)) for k in range(10)]
    reference = reference_of(evenings)
    assert reference is not None
    assert reference.hours_utc == (6,)
    hours = Hours(reference)
    hours.take(hour(30, louder_db=9.0, begin=BEGIN + 6 * _HOUR))
    assert hours.drift() is None
    hours.take(hour(31))
    found = hours.drift()
    assert found is not None
    assert (found.windows, found.level.ratio < 1) == (3600, True)


@pytest.mark.parametrize("wrong", [[[1]], [["x", {}]], [[1, {"scores": [1]}]], 5])
def test_damaged_counts_are_refused(reference: Reference, wrong: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, IndexError)):
        Hours(reference).recall(wrong)  # type: ignore[arg-type]
