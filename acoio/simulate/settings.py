"""What a simulated ocean holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from acoio.errors import SetupError
from acoio.simulate.calls import CALLS
from acoio.simulate.hydrophone import Failing
from acoio.simulate.spectrum import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class OceanSettings:
    """What an ocean holds: rates per hour, dB re the background, rms in counts.

    Each call draws its `snr_db`, the power of the call re the background's, both
    in the call's own band while it sounds.  In 30 days the background rises by `rise_db`,
    (Hz, dB) each, and comes to stray by `gusts_db` within seconds (standard deviation); a
    hydrophone may be `failing`, and what is told of its sound is so in the water.
    """

    calls_per_hour: float = 30.0
    snr_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 10.0)
    call_kinds: tuple[str, ...] = tuple(CALLS)
    ships_per_hour: float = 0.5
    ship_snr_db: tuple[float, ...] = (3.0, 6.0, 10.0)
    gear_per_hour: float = 4.0
    gear_snr_db: tuple[float, ...] = (10.0, 15.0, 20.0)
    dc_steps_per_hour: float = 0.5
    background_rms: float = 1500.0
    swell_rms: float = 9000.0
    rise_db: Table = ()
    gusts_db: float = 0.0
    failing: Failing | None = None

    def __post_init__(self) -> None:
        """Raise `SetupError` with every value that cannot be."""
        faults = list(self._faults())
        if faults:
            raise SetupError("ocean: " + "; ".join(faults))

    def _faults(self) -> Iterator[str]:
        for name in ("calls_per_hour", "ships_per_hour", "gear_per_hour", "dc_steps_per_hour"):
            if not 0.0 <= getattr(self, name) <= 3600.0:
                yield f"{name}: found {getattr(self, name)}, wanted 0 to 3600"
        for name in ("background_rms", "swell_rms"):
            if not 0.0 < getattr(self, name) <= 1e7:
                yield f"{name}: found {getattr(self, name)}, wanted above 0, to 1e7 counts"
        yield from self._faults_of_tables()

    def _faults_of_tables(self) -> Iterator[str]:
        for name in ("snr_db", "ship_snr_db", "gear_snr_db"):
            levels = getattr(self, name)
            if not levels or not all(-60.0 <= level <= 60.0 for level in levels):
                yield f"{name}: found {levels}, wanted one or more, each -60 to 60 dB"
        if not _rises([0.0, *(hz for hz, _ in self.rise_db)]):
            yield f"rise_db: found {self.rise_db}, wanted Hz above 0 and rising"
        if not self.call_kinds or not set(self.call_kinds) <= set(CALLS):
            yield f"call_kinds: found {self.call_kinds}, wanted some of {tuple(CALLS)}"


def _rises(values: list[float]) -> bool:
    return all(low < high for low, high in pairwise(values))
