"""However sound arrives, its scores are those of sound that came in order, to the last bit."""

from pathlib import Path

from tests.daemon.hearing.orders import orders

ORDERS = 40
"""So many here, in some six seconds of a processor; `make orders` plays thousands."""


def test_scores_are_the_same_however_sound_arrives(tmp_path: Path) -> None:
    bad = {seed: faults for seed, faults in orders(0, ORDERS, tmp_path) if faults}
    assert not bad
