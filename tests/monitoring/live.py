"""A real daemon on a simulated drop under a real Prometheus: for the checks and the picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from acoio.simulate import simulate_drop
from daemon.client import Subscriber
from daemon.demo.child import daemon_process
from tests.daemon.sea import Sea, sea_of
from tests.monitoring.prometheus import Prometheus, prometheus_on


@dataclass(frozen=True)
class Live:
    """A station that is watched, and its drop."""

    prometheus: Prometheus
    drop: Path

    def put(self, name: str, data: bytes) -> None:
        """Let a file arrive whole."""
        unready = self.drop / f".{name}"
        unready.write_bytes(data)
        unready.rename(self.drop / name)


@contextmanager
def live_station(folder: Path) -> Iterator[Live]:
    """Give a station whose drop and store are empty."""
    drop = folder / "drop"
    drop.mkdir()
    settings = folder / "kilokai.toml"
    settings.write_text(
        f"[drop]\npath = '{drop}'\nsettle_s = 0.5\nrescan_s = 0.5\n"
        f"[store]\npath = '{folder / 'store'}'\n[bus]\nheartbeat_s = 0.5\n"
    )
    with (
        daemon_process(settings, log=folder / "log") as daemon,
        prometheus_on(daemon.metrics, folder) as prometheus,
        Subscriber(daemon.publish, daemon.replay, since=0, timeout=1.0),
    ):
        yield Live(prometheus, drop)


def recent_sea(folder: Path, *, minutes: int) -> Sea:
    """Return simulated sound that ends about now."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    return sea_of(list(simulate_drop(folder, seed=3, minutes=minutes, begin=begin)))
