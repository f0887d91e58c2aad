from pathlib import Path

import pytest

from daemon.config import Config, load_config
from daemon.settings.keys import keys
from daemon.settings.live import change, is_live


def _config(*sets: str) -> Config:
    return load_config(None, ["drop.path=/d", *sets], {})


def test_nothing_new_changes_nothing() -> None:
    found = change(_config(), _config())
    assert (found.config, found.taken, found.refused) == (_config(), (), ())


def test_live_keys_are_taken_and_others_keep_their_values() -> None:
    new = _config("alerts.most_per_hour=3", "drop.settle_s=5", "drop.band=HF", "station.name=b")
    found = change(_config("store.messages_days=9"), new)
    assert found.taken == ("drop.settle_s", "store.messages_days", "alerts.most_per_hour")
    assert found.refused == ("station.name", "drop.band")
    assert found.config == _config("alerts.most_per_hour=3", "drop.settle_s=5")


def test_what_was_refused_is_refused_until_a_restart() -> None:
    first = change(_config(), _config("station.name=b"))
    assert change(first.config, _config("station.name=b")).refused == ("station.name",)
    assert change(first.config, _config()).refused == ()


@pytest.mark.parametrize("path", ["store.path", "drop.path"])
def test_no_place_moves_while_it_runs(path: str) -> None:
    found = change(_config(), _config(f"{path}=/elsewhere"))
    assert found.refused == (path,)
    assert found.config.drop.path == Path("/d")


@pytest.mark.parametrize(
    "start", ["station.", "bus.publish", "bus.keys", "metrics.", "detector.", "drop.path"]
)
def test_what_is_bound_held_or_scored_with_wants_a_restart(start: str) -> None:
    assert not any(is_live(key.path) for key in keys() if key.path.startswith(start))
