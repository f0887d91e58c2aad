"""Which sound the newest evenings are compared with, so that no dying hydrophone is followed."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, Final

from daemon.retraining.acceptance import reasons_against
from daemon.retraining.measuring import compared
from detector.drift import reference_of
from detector.tally import Tally
from tests.daemon.retraining.test_acceptance import WELL
from tests.detector.drifting import hour

_HERE: Final[dict[str, Any]] = {"choice": {}}


def _model(*, louder_db: float = 0.0, data: dict[str, Any]) -> Any:
    reference = reference_of([hour(k, louder_db=louder_db) for k in range(4)])
    return SimpleNamespace(reference=reference, card={"data": data})


def _evening(day: int, louder_db: float) -> dict[date, Tally]:
    known = reference_of([hour(k) for k in range(4)])
    assert known
    return {date(2024, 6, day): known.tally(hour(30 + day, louder_db=louder_db))}


def _reasons(champion: Any, candidate: Any, first: Any, evenings: dict[date, Tally]) -> str:
    heard: Any = SimpleNamespace(evenings=evenings)
    found = compared(champion, candidate, first, heard)
    assert found
    values = {**WELL.__dict__, "health": found}
    return "\n".join(reasons_against(type(WELL)(**values)))


def test_evenings_as_before_are_no_reason_and_a_fall_on_the_newest_alone_is() -> None:
    model = _model(data=_HERE)
    assert _reasons(model, model, None, {**_evening(1, 0), **_evening(2, 0)}) == ""
    told = _reasons(model, model, None, {**_evening(1, 0), **_evening(2, -20)})
    assert "newest day" in told


def test_what_all_later_models_learnt_is_told_by_the_first() -> None:
    dying = _model(louder_db=-20, data=_HERE)
    first = _model(data=_HERE).reference
    evenings = {**_evening(1, -20), **_evening(2, -20)}
    assert _reasons(dying, dying, None, evenings) == ""
    assert "station's first model" in _reasons(dying, dying, first, evenings)


def test_a_champion_of_another_sea_says_nothing_of_this_hydrophone() -> None:
    elsewhere = _model(louder_db=20, data={"simulated_hours": 8})
    here = _model(data=_HERE)
    evenings = {**_evening(1, 0), **_evening(2, 0)}
    assert _reasons(elsewhere, here, None, evenings) == ""
    assert "champion's" in _reasons(_model(louder_db=20, data=_HERE), here, None, evenings)
