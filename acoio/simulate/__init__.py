"""A simulated ocean, deterministic by seed and the same however it is cut into files."""

from acoio.simulate.drop import DEMO_BEGIN, simulate_drop
from acoio.simulate.ocean import Ocean
from acoio.simulate.settings import OceanSettings
from acoio.simulate.truth import Truth, read_truth, write_truth

__all__ = [
    "DEMO_BEGIN",
    "Ocean",
    "OceanSettings",
    "Truth",
    "read_truth",
    "simulate_drop",
    "write_truth",
]
