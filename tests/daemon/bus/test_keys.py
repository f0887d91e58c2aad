"""Keys on the disk: who can read them, what never happens to them, and what is told."""

import json
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import zmq
import zmq.auth
from structlog.testing import capture_logs
from typer.testing import CliRunner

from acoio.errors import SetupError
from daemon.bus.allowed import Allowed
from daemon.bus.gate import open_curve
from daemon.bus.keys import (
    allow,
    clients,
    make_client,
    make_server,
    new_pair,
    read_public,
    read_secret,
    revoke,
)
from daemon.cli import app
from daemon.config import load_config


def _kilokai(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_secrets_are_the_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        make_server(tmp_path)
        make_client(tmp_path, "ham")
    finally:
        os.umask(former)
    assert _mode(tmp_path / "server.secret") == _mode(tmp_path / "ham.secret") == 0o600
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"clients", "ham.pub", "ham.secret", "server.pub", "server.secret"}


def test_a_pair_comes_back_from_its_files_and_pyzmq_reads_them_too(tmp_path: Path) -> None:
    pair = make_client(tmp_path, "ham")
    secret, public = tmp_path / "ham.secret", tmp_path / "ham.pub"
    assert read_secret(secret) == pair
    assert read_public(public) == read_public(str(public)) == read_public(pair.public)
    assert zmq.auth.load_certificate(secret) == (pair.public.encode(), pair.secret.encode())
    assert zmq.auth.load_certificate(public) == (pair.public.encode(), None)


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    make_server(tmp_path)
    make_client(tmp_path, "ham")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(SetupError, match="none is ever overwritten"):
        make_server(tmp_path)
    with pytest.raises(SetupError, match="none is ever overwritten"):
        make_client(tmp_path, "ham")
    (tmp_path / "ham.pub").unlink()
    with pytest.raises(SetupError, match=r"ham\.secret: there is a key already"):
        make_client(tmp_path, "ham")
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == {path: data for path, data in before.items() if path.name != "ham.pub"}


def test_of_many_who_make_a_pair_at_once_one_succeeds(tmp_path: Path) -> None:
    made: list[str] = []

    def work() -> None:
        with suppress(SetupError):
            made.append(make_client(tmp_path, "ham").public)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [read_public(tmp_path / "ham.pub")] == made


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    make_client(tmp_path, "ham")
    (tmp_path / "ham.secret").chmod(mode)
    with pytest.raises(SetupError, match=rf"found mode {mode:04o}, so others can read it"):
        read_secret(tmp_path / "ham.secret")


def test_a_secret_is_in_no_message_whatever_is_wrong(tmp_path: Path) -> None:
    pair = make_client(tmp_path, "ham")
    secret = tmp_path / "ham.secret"
    said = [repr(pair), str(pair)]
    with pytest.raises(SetupError) as fault:
        read_public(secret)
    said.append(str(fault.value))
    with pytest.raises(SetupError) as fault:
        allow(tmp_path, "ham", pair.secret + "x")
    said.append(str(fault.value))
    secret.chmod(0o644)
    with pytest.raises(SetupError) as fault:
        read_secret(secret)
    said.append(str(fault.value))
    for words in (("client", "ham"), ("server",)):
        said += _kilokai("keys", *words, *(("--out", tmp_path) if "ham" in words else ()))[1:]
    assert not any(pair.secret in text for text in said)


@pytest.mark.parametrize("text", ["", "x" * 40 + "x", '"' * 40, "#" * 40, "no-such-file", "ä" * 40])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.pub").write_text(f'curve\n    public-key = "{text}"\n', "utf-8")
    with pytest.raises(SetupError):
        read_public(tmp_path / "bad.pub")
    with pytest.raises(SetupError):
        read_public(text or "none")


@pytest.mark.parametrize("name", ["", "../ham", "Ham", "a b", ".ham", "x" * 33, "ham\n"])
def test_a_client_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match="wanted 1 to 32 of a-z, 0-9 and -"):
        make_client(tmp_path, name)
    with pytest.raises(SetupError, match="wanted 1 to 32 of a-z, 0-9 and -"):
        allow(tmp_path, name, new_pair().public)


def test_a_fifo_or_a_folder_in_a_keys_place_stops_nothing(tmp_path: Path) -> None:
    make_server(tmp_path)
    allow(tmp_path, "ham", new_pair().public)
    os.mkfifo(tmp_path / "clients" / "pipe.pub")
    (tmp_path / "clients" / "folder.pub").mkdir()
    (tmp_path / "clients" / "nowhere.pub").symlink_to("nothing")
    (tmp_path / "clients" / os.fsdecode(b"\xff.pub")).write_text("x")
    (tmp_path / "clients" / "big.pub").write_bytes(b"x" * 10_000_000)
    found, faults = clients(tmp_path)
    assert list(found) == ["ham"]
    assert len(faults) == 5


def test_clients_are_allowed_and_revoked_without_a_restart(tmp_path: Path) -> None:
    make_server(tmp_path)
    ham, eve = new_pair(), new_pair()
    allow(tmp_path, "ham", ham.public)
    with capture_logs() as logs:
        allowed = Allowed(tmp_path)
        assert (_name(allowed, ham.public), _name(allowed, eve.public)) == ("ham", None)
        assert not allowed.look()
        allow(tmp_path, "eve", eve.public)
        assert not allowed.look()  # nobody went
        assert _name(allowed, eve.public) == "eve"
        revoke(tmp_path, "ham")
        assert allowed.look()
        assert _name(allowed, ham.public) is None
    assert [log["revoked"] for log in logs] == [[], [], ["ham"]]


def test_a_key_has_one_name_or_to_revoke_one_would_leave_it_listening(tmp_path: Path) -> None:
    make_server(tmp_path)
    public = new_pair().public
    allow(tmp_path, "ham", public)
    with pytest.raises(SetupError, match="eve: found the key that ham has"):
        allow(tmp_path, "eve", public)
    revoke(tmp_path, "ham")
    allow(tmp_path, "eve", public)
    assert clients(tmp_path)[0] == {"eve": public}


def test_a_public_key_in_a_secrets_place_is_told_as_that(tmp_path: Path) -> None:
    make_client(tmp_path, "ham")
    with pytest.raises(SetupError, match=r"ham\.pub: this is a public key, wanted the secret one"):
        read_secret(tmp_path / "ham.pub")


def test_without_its_folder_nobody_is_allowed(tmp_path: Path) -> None:
    make_server(tmp_path)
    allow(tmp_path, "ham", new_pair().public)
    allowed = Allowed(tmp_path)
    (tmp_path / "clients").rename(tmp_path / "away")
    with capture_logs() as logs:
        assert allowed.look()
        assert not allowed.look()
    assert logs[0]["reason"] == "bad_key_file"
    (tmp_path / "away").rename(tmp_path / "clients")
    assert not allowed.look()
    assert len(clients(tmp_path)[0]) == 1


def test_the_command_makes_allows_lists_and_revokes(tmp_path: Path) -> None:
    code, public, _ = _kilokai("keys", "server", "--keys", tmp_path)
    assert (code, public.strip()) == (0, read_public(tmp_path / "server.pub"))
    assert _kilokai("keys", "client", "ham", "--out", tmp_path)[0] == 0
    at = ("--keys", tmp_path)
    assert _kilokai("keys", "list", *at)[:2] == (0, "nobody\n")
    assert _kilokai("keys", "allow", "ham", tmp_path / "ham.pub", *at)[0] == 0
    code, out, _ = _kilokai("keys", "list", "--json", "--set", f"bus.keys={tmp_path}")
    assert json.loads(out) == {"ham": read_public(tmp_path / "ham.pub")}
    code, _, err = _kilokai("keys", "allow", "ham", new_pair().public, *at)
    assert (code, "none is ever overwritten" in err) == (78, True)
    assert _kilokai("keys", "revoke", "ham", *at)[0] == 0
    code, _, err = _kilokai("keys", "revoke", "ham", *at)
    assert (code, "wanted a client that is allowed" in err) == (78, True)
    assert _kilokai("keys", "list")[0] == 78


def _bus(*sets: str) -> object:
    return load_config(None, ["drop.path=/data", *sets], {}).bus


@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:5556", "tcp://*:5556", "tcp://[::]:5556"])
def test_the_bus_leaves_the_machine_only_with_keys(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(SetupError, match=r"or with bus\.keys \(`kilokai keys server`\) any TCP"):
        _bus(f"bus.publish={endpoint}")
    assert _bus(f"bus.publish={endpoint}", f"bus.keys={tmp_path}")


def test_the_stations_secret_may_be_a_systemd_credential(tmp_path: Path) -> None:
    pair = make_server(tmp_path)
    given = tmp_path / "credentials"
    given.mkdir()
    (tmp_path / "server.secret").rename(given / "bus")
    (given / "bus").chmod(0o440)  # as systemd's ACL for its unit's user shows
    sets = ["drop.path=/data", f"bus.keys={tmp_path}", "bus.credential=bus"]
    bus = load_config(None, sets, {}).bus
    curve = open_curve(bus.keys, bus.credential, {"CREDENTIALS_DIRECTORY": str(given)})
    assert curve is not None
    assert curve.pair == pair
    with pytest.raises(SetupError, match="wanted LoadCredential=bus:PATH in the unit"):
        open_curve(bus.keys, bus.credential, {})
    (given / "bus").chmod(0o444)
    with pytest.raises(SetupError, match="so others can read it"):
        open_curve(bus.keys, bus.credential, {"CREDENTIALS_DIRECTORY": str(given)})
    with pytest.raises(SetupError, match=r"bus\.keys: found nothing beside bus\.credential"):
        load_config(None, [sets[0], sets[2]], {})


def _name(allowed: Allowed, public: str) -> str | None:
    return allowed.name(zmq.utils.z85.decode(public))


def test_a_public_key_that_begins_with_a_hyphen_is_allowed_and_none_is_made(tmp_path: Path) -> None:
    make_server(tmp_path)
    keys = (zmq.curve_keypair()[0].decode() for _ in range(10_000))
    public = next(key for key in keys if key.startswith("-"))
    done = CliRunner().invoke(app, ["keys", "allow", "ham", public, "--keys", str(tmp_path)])
    assert done.exit_code == 0, done.stderr
    assert public in (tmp_path / "clients" / "ham.pub").read_text()
    assert not any(new_pair().public.startswith("-") for _ in range(500))
