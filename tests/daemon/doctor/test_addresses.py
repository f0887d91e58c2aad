import socket
from contextlib import closing
from pathlib import Path

import pytest

from daemon.bus.keys import make_server
from daemon.config import Config
from daemon.doctor.addresses import check_keys, check_sockets
from daemon.health.status_file import StatusFile
from daemon.ledger.ledger import open_ledger
from tests.daemon.doctor.conftest import config_of
from tests.daemon.doctor.test_checks import _marks, _worst


def test_a_port_of_another_is_a_fault_and_our_daemons_is_none(
    tmp_path: Path, config: Config
) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        taken = config_of(tmp_path, f"bus.publish={address}")
        mark, says, do = next(iter(check_sockets(taken)))
        assert (mark, says) == ("fail", f"bus.publish: {address}: Address already in use")
        assert do.startswith("ss -ltnp")
        with open_ledger(config.store.path):
            fixed = {"bus": [address, "b"], "metrics": "c"}
            StatusFile(config.store.path, heartbeat_s=5.0, fixed=fixed, say=dict).do(1.0)
            mark, says, _ = next(iter(check_sockets(taken)))
            assert (mark, says) == ("ok", f"bus.publish: {address} is held by our daemon")
        assert next(iter(check_sockets(taken)))[0] == "fail"  # it runs no more


@pytest.mark.parametrize("said", ["::1:{}", "[::1]:{}"])
def test_our_daemons_port_is_known_however_its_address_is_written(
    tmp_path: Path, config: Config, said: str
) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as port, open_ledger(
        config.store.path
    ):  # fmt: skip
        number = port.getsockname()[1]
        fixed = {"metrics": said.format(number)}
        StatusFile(config.store.path, heartbeat_s=5.0, fixed=fixed, say=dict).do(1.0)
        found = list(check_sockets(config_of(tmp_path, f"metrics.listen=[::1]:{number}")))
    assert found[-1][:2] == ("ok", f"metrics.listen: [::1]:{number} is held by our daemon")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_our_daemons_port_is_known_by_the_name_of_this_machine(
    tmp_path: Path, config: Config, host: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port, open_ledger(config.store.path):
        number = port.getsockname()[1]
        fixed = {"bus": [f"tcp://127.0.0.1:{number}"]}  # as libzmq has it
        StatusFile(config.store.path, heartbeat_s=5.0, fixed=fixed, say=dict).do(1.0)
        address = f"tcp://{host}:{number}"
        found = next(iter(check_sockets(config_of(tmp_path, f"bus.publish={address}"))))
    assert found[:2] == ("ok", f"bus.publish: {address} is held by our daemon")


def test_keys_that_others_read_and_that_are_not_there_fail(tmp_path: Path, config: Config) -> None:
    assert _marks(check_keys(config)) == ["ok"]
    keyed = config_of(tmp_path, f"bus.keys={tmp_path / 'keys'}")
    assert _worst(check_keys(keyed))[0] == "fail"
    make_server(tmp_path / "keys")
    assert _marks(check_keys(keyed)) == ["ok", "ok"]
    (tmp_path / "keys" / "server.secret").chmod(0o644)
    assert "found mode 0644" in _worst(check_keys(keyed))[1]
    secret = tmp_path / "password"
    secret.write_text("x")
    secret.chmod(0o640)
    found = _worst(check_keys(config_of(tmp_path, f"metrics.password={secret}")))
    assert found == (
        "fail", f"{secret}: found mode 0640, so others can read it", f"chmod 600 {secret}"
    )  # fmt: skip


def test_a_credential_is_seen_only_by_its_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    make_server(tmp_path / "keys")
    sets = [f"bus.keys={tmp_path / 'keys'}", "bus.credential=kilokai-bus"]
    assert _marks(check_keys(config_of(tmp_path, *sets))) == ["warn", "ok"]
