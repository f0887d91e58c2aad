"""Gives a model of simulated ocean the reference of its calibration: `make reference`.

The calibration is a pure function of what the card tells, so it is heard again; tensors
and threshold stay as they are, and only the hash is another one.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from acoio.errors import SetupError
from detector.calibration.calibrate import calibrate
from detector.calibration.drift import reference_of
from detector.scoring.checkpoint import read_model, write_model
from detector.scoring.score import Model, Scorer
from detector.training.ocean import simulator
from detector.training.sources import SimulatedOcean

_SAME: Final = 1e-4  # nats: on another number of threads sums are rounded otherwise


def with_reference(model: Model, *, jobs: int) -> Model:
    """Return the model with what its calibration sounded like.

    Raises
    ------
    SetupError
        If its card tells of no simulated ocean, or of one that calibrates it otherwise.
    """
    data = model.card["data"]
    if "simulated_hours" not in data:
        raise SetupError(f"{model.id}: found sound of {sorted(data)}, wanted a simulated ocean")
    scorer = Scorer(model)
    with simulator(jobs) as pool:
        ocean = SimulatedOcean(data["seed"], data["simulated_hours"], model.features, pool)
        scores = [scorer.score(windows) for windows in ocean.calibration()]
    found = calibrate(scores).threshold(1.0)
    if abs(found - scorer.threshold) > _SAME:
        raise SetupError(f"{model.id}: found threshold {found}, wanted {scorer.threshold}")
    return replace(model, reference=reference_of(scores, of_the_day=False))


def main(folder: Path, jobs: int) -> None:
    """Write a model's folder anew, with its reference."""
    former = read_model(folder)
    written = write_model(folder, with_reference(former, jobs=jobs))
    print(f"{former.id} is now {written.id}: {written.card['reference']['blocks']} blocks")


if __name__ == "__main__":
    main(Path(sys.argv[1]), jobs=int(sys.argv[2]))
