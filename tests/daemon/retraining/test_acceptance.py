"""The gate: what is worse is refused with its figures, and chance alone decides nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from daemon.retraining.acceptance import lower_bound, reasons_against
from daemon.retraining.alive import Health
from daemon.retraining.figures import Figures
from daemon.retraining.reference import Alarms
from daemon.retraining.trials import Pair

DAY = 24
WEEK_H = np.full(DAY, 7.0)


def alarms(per_hour: float, *, at: dict[int, float] | None = None) -> Alarms:
    counts = np.rint(per_hour * WEEK_H)
    for hour, rate in (at or {}).items():
        counts[hour] = round(rate * 7)
    return Alarms(counts, WEEK_H)


def pairs(both: int = 0, lost: int = 0, won: int = 0, none: int = 0) -> list[Pair]:
    """Return calls that both find, and so on; as it is, the champion finds what it does fairly."""
    kinds = ((both, True, True), (lost, True, False), (won, False, True), (none, False, False))
    return [Pair("boing", old, new, (old,)) for count, old, new in kinds for _ in range(count)]


WELL = Figures(
    promised_per_hour=1.0,
    thresholds={"candidate": 1.3, "champion": 1.2, "champion at the promise": 1.25},
    champion_alarms=alarms(1.0),
    candidate_alarms=alarms(1.0),
    injected=pairs(both=250, lost=6, won=4, none=140),
    confirmed=pairs(both=5),
    seconds=(1e-4, 1.1e-4),
    repeats=True,
    missing=(0.0, 0.01),
    health={"now": Health(0.0, 0.0, 1.0, 0.0, 2.0)},
    score_drift=(1.4, 0.6),
)


def said(**changed: object) -> str:
    reasons = reasons_against(replace(WELL, **changed))  # type: ignore[arg-type]
    assert len(reasons) <= 1, reasons
    return "".join(reasons)


def test_a_candidate_that_is_no_worse_is_let_in() -> None:
    assert said() == ""


def test_figures_are_plain_values() -> None:
    json.dumps(WELL.as_json(), allow_nan=False)
    assert WELL.as_json()["injected"]["boing"] == {
        "calls": 400,
        "champion": 256,
        "candidate": 254,
        "before": [256],
    }


def test_a_flood_and_a_drought_are_refused() -> None:
    assert said(candidate_alarms=alarms(4.0)).startswith("alarms, all hours: found 672 in 168.0 h")
    assert "fewer than one in 2" in said(candidate_alarms=alarms(0.1))


def test_a_flood_in_one_hour_of_the_day_is_refused() -> None:
    assert said(candidate_alarms=alarms(1.0, at={5: 9.0})).startswith("alarms, 05 h: found 63 in")


def test_chance_in_one_hour_of_the_day_is_not() -> None:
    assert said(candidate_alarms=alarms(1.0, at={5: 2.5, 6: 0.0})) == ""


def test_few_hours_decide_nothing() -> None:
    few = np.zeros(DAY)
    few[3] = 0.5
    none, some = Alarms(np.zeros(DAY), few), Alarms(np.where(few > 0, 2, 0), few)
    assert said(champion_alarms=none, candidate_alarms=some) == ""


def test_who_keeps_the_promise_that_the_champion_broke_is_let_in_and_who_is_as_the_champion() -> (
    None
):
    loud = alarms(10.0)
    assert said(champion_alarms=loud) == ""
    assert said(champion_alarms=loud, candidate_alarms=alarms(9.0)) == ""


def test_who_finds_fewer_injected_calls_is_refused() -> None:
    worse = said(injected=pairs(both=210, lost=46, won=30, none=114))
    assert worse.startswith("injected calls: found 240 of 400, the champion 256; it may find")


def before(*found: int, fair: int = 100, calls: int = 400) -> list[Pair]:
    """Return calls of which the two find some at the promise, and others as they score."""
    both = pairs(both=fair, none=calls - fair)
    return [replace(p, before=tuple(k < n for n in found)) for k, p in enumerate(both)]


def test_what_the_champion_finds_by_breaking_its_promise_is_no_merit_but_nobody_goes_deaf() -> None:
    assert said(injected=before(200)) == ""
    text = "found 100 of 400, what scored until now 201, wanted 50% of these"
    reasons = reasons_against(replace(WELL, injected=before(201)))
    assert len(reasons) == 2  # in all, and of the one kind
    assert all(text in reason for reason in reasons)


def test_nor_by_little_and_little() -> None:
    assert (
        "what scored until now 300" in reasons_against(replace(WELL, injected=before(150, 300)))[0]
    )


def test_a_kind_that_is_hardly_known_makes_nobody_deaf() -> None:
    few = [replace(p, kind="song") for p in before(9, fair=2, calls=20)]
    assert said(injected=[*WELL.injected, *few]) == ""


def test_confirmed_calls_are_to_be_found_as_the_champion_finds_them_as_it_is() -> None:
    assert said(confirmed=before(4, fair=3, calls=5)) == ""
    assert said(confirmed=before(100, fair=0, calls=100)).startswith(
        "confirmed calls: found 0 of 100, the champion 100"
    )


def test_a_kind_that_is_no_longer_found_is_refused_though_others_make_up_for_it() -> None:
    song = [replace(pair, kind="song") for pair in pairs(both=150, won=40, none=110)]
    assert said(injected=[*song, *pairs(both=20, lost=20, none=60)]).startswith(
        "injected calls, boing: found 20 of 100, the champion 40, which is no chance"
    )


def test_too_few_injected_calls_prove_nothing() -> None:
    assert "it may find" in said(injected=pairs(both=4))
    assert said(injected=[]).startswith("injected calls: found none")


@pytest.mark.parametrize(
    ("found", "fine"),
    [
        (pairs(), True),
        (pairs(both=2, lost=1), True),
        (pairs(lost=3), False),
        (pairs(both=18, lost=2), True),
        (pairs(both=17, lost=3), False),
        (pairs(both=14, lost=3, won=3), True),
    ],
)
def test_confirmed_calls_may_not_be_lost_but_for_one_or_a_tenth(
    found: list[Pair], fine: bool
) -> None:
    assert (said(confirmed=found) == "") is fine


def test_scores_must_be_the_same_bits_and_not_slow_and_their_calibration_must_fit() -> None:
    assert said(repeats=False).startswith("scores: found others")
    assert said(seconds=(1e-4, 2.5e-4)).startswith("speed: found 2.5 times the champion's")
    assert said(score_drift=(0.8, 1.3)).startswith("scores of the newest evenings: found 1.30")
    assert said(score_drift=(2.0, 1.3)) == said(score_drift=(None, None)) == ""


def test_a_dying_hydrophone_is_refused() -> None:
    assert "hears less" in said(health={"now": Health(0.9, 0.0, 1.0, 0.0, -30.0)})
    assert "newest days missing" in said(missing=(0.0, 0.5))


def test_the_bound_is_certain_of_more_with_more_calls() -> None:
    assert lower_bound(pairs(both=10)) < lower_bound(pairs(both=400)) < 0
    assert lower_bound(pairs(both=200, won=100)) > 0.25
