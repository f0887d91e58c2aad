import socket
from pathlib import Path

import pytest

from daemon.config import load_config
from daemon.endpoints import is_same
from daemon.settings.faults import ConfigError

_OURS = "tcp://127.0.0.1:5556"


@pytest.mark.parametrize(
    "other",
    [
        "127.0.0.1:5556", "tcp://localhost:5556", "LOCALHOST:05556", "tcp://*:5556",
        "tcp://0.0.0.0:5556", "[::]:5556", "[::ffff:127.0.0.1]:5556", "127.1:5556",
    ],
)  # fmt: skip
def test_an_address_is_the_same_however_it_is_written(other: str) -> None:
    assert is_same(_OURS, other)
    assert is_same(other, _OURS)


@pytest.mark.parametrize(
    "other",
    [
        "127.0.0.1:5557", "tcp://127.0.0.2:5556", "[::1]:5556", "no-such-host.invalid:5556",
        "ipc://127.0.0.1:5556", "tcp://" + 70 * "a" + ":5556", "nothing", "",
    ],
)  # fmt: skip
def test_another_place_is_another(other: str) -> None:
    assert not is_same(_OURS, other)
    assert not is_same(other, _OURS)


def test_port_0_is_another_one_each_time() -> None:
    assert not is_same("127.0.0.1:0", "127.0.0.1:0")


def test_a_path_is_the_same_through_links_and_dots(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    assert is_same(f"ipc://{tmp_path}/run/bus", f"ipc://{tmp_path}/x/../link/bus")
    assert not is_same(f"ipc://{tmp_path}/run/bus", f"ipc://{tmp_path}/bus")


def test_a_name_of_this_machine_is_its_address() -> None:
    try:
        host = socket.gethostname()
        address = socket.gethostbyname(host)
    except OSError:
        pytest.skip("this machine's name has no address")
    assert is_same(f"{host}:9108", f"{address}:9108")


@pytest.mark.parametrize(
    ("key", "sets"),
    [
        ("bus.replay", ["bus.publish=tcp://127.0.0.1:7001", "bus.replay=tcp://localhost:7001"]),
        ("bus.replay", ["bus.publish=tcp://[::1]:7001", "bus.replay=tcp://[0:0::1]:7001"]),
        ("metrics.listen", ["bus.publish=tcp://localhost:7001", "metrics.listen=127.0.0.1:7001"]),
        ("metrics.listen", ["metrics.open=true", "metrics.listen=0.0.0.0:5557"]),
    ],
)
def test_no_two_sockets_may_have_one_port(tmp_path: Path, key: str, sets: list[str]) -> None:
    with pytest.raises(ConfigError, match=rf"{key}: found .* as well, tcp://.*:\d+"):
        load_config(None, [f"drop.path={tmp_path}/drop", f"store.path={tmp_path}/store", *sets], {})
