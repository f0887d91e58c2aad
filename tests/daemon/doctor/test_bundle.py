import json
import os
import socket
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daemon.bus.keys import make_client, make_server
from daemon.cli import app
from daemon.config import Config, load_config
from daemon.doctor.bundle import pack
from daemon.doctor.scrape import scrape
from daemon.doctor.secrets import HIDDEN, Cleaner, known_secrets
from daemon.health.status_file import StatusFile
from daemon.ledger.ledger import open_ledger
from daemon.metrics import Metrics, serve_metrics
from daemon.models.registry import Registry
from daemon.models.verdict import Verdict
from daemon.progress import FileProgress, Step
from daemon.retraining.state import State, write_state
from detector.checkpoint import PRETRAINED, model_folder
from tests.daemon.doctor.conftest import sets_of

_PASSWORDS = {
    "SMTP_PASSWORD": "env-Hunter2",
    "AWS_SECRET_ACCESS_KEY": "env/AKIA+key",
    "KILOKAI_MAILER_TOKEN": "env-token-77",
    "AWS_SESSION_TOKEN": "env-Long" * 50,  # longer than a file's name may be
    "DATABASE_PASSWORD": 'pä"ss\\word1',  # JSON writes it otherwise
}
_PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n"


class _Page(BaseHTTPRequestHandler):
    """Metrics that should not have said so much."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'kilokai_x{url="https://me:url-Password@host/"} 1\n')

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def page() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def _members(bundle: Path) -> dict[str, str]:
    with tarfile.open(bundle) as tar:
        found = {}
        for name in tar.getnames():
            member = tar.extractfile(name)
            assert member is not None
            found[name.partition("/")[2]] = member.read().decode()
        return found


def _planted(folder: Path, page: str) -> tuple[Path, dict[str, str], set[str]]:
    """Return a configuration, an environment, and every secret that lies about there."""
    keys, store = folder / "keys", folder / "store"
    (folder / "drop").mkdir()
    secrets = {make_server(keys).secret, make_client(keys, "ham").secret, "file-Password"}
    (folder / "password").write_text("file-Password\n")
    (folder / "password").chmod(0o600)
    (folder / "tls.key").write_text(_PEM)
    (folder / "credentials").mkdir()
    (folder / "credentials" / "mail").write_text("cred-Secret\nsecond-line\n")
    file = folder / "kilokai.toml"
    file.write_text(
        f"# once: password = 'old-Password'\n[drop]\npath = '{folder / 'drop'}'\n"
        f"[store]\npath = '{store}'\n[bus]\nkeys = '{keys}'\n"
        f"[metrics]\npassword = '{folder / 'password'}'\n"
        f"certificate = '{folder / 'tls.crt'}'\nkey = '{folder / 'tls.key'}'\n"
    )
    with open_ledger(store) as ledger:
        why = "tried https://kea:aside-Password@nas/x with env-Hunter2"
        file_ = FileProgress("a", 10, 1, state="set_aside", reason=why)
        ledger.commit(Step(files=(file_,)), "ocean")
    fixed = {"metrics": page, "bus": [], "drop": "/d?token=drop-Token"}
    StatusFile(store, heartbeat_s=5.0, fixed=fixed, say=dict).do(1.0)
    judged = Verdict(False, ("api_key: verdict-Key", f"near {_PEM}"), {"auth": "figure-Secret"})
    Registry(store).register(model_folder(PRETRAINED), judged)
    write_state(store, State().begun("a", "b").ended("c", "failed", reasons=("cred-Secret",)))
    secrets |= {"cred-Secret", "second-line", "MIIEvQIBADANBg", "old-Password", "url-Password"}
    secrets |= {"aside-Password", "drop-Token", "verdict-Key", "figure-Secret", "set-Password"}
    secrets |= {"log-Password", "bearer-Token", *_PASSWORDS.values()}
    environ = {**_PASSWORDS, "CREDENTIALS_DIRECTORY": str(folder / "credentials")}
    environ |= {"KILOKAI_STATION__NAME": "aco", "KILOKAI_MAILER": "env-Whatever"}
    return file, environ, {*secrets, "env-Whatever"}


def test_no_secret_that_lies_about_gets_into_a_bundle(
    tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, environ, secrets = _planted(tmp_path, page)
    known = {*_PASSWORDS.values(), "file-Password", "cred-Secret", "second-line", "kqhkiG9w0BAQEF"}
    known |= {secret for secret in secrets if len(secret) == 40}  # those of the bus
    assert len(known) == 11
    log = [json.dumps({"event": "tried", "why": f"with {s}"}, ensure_ascii=a) for s in known
           for a in (True, False)]  # fmt: skip
    (tmp_path / "spilt").write_text("\n".join([*known, *log]))
    header = '{"password": "log-Password", "header": "Authorization: Bearer bearer-Token"}'
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\necho '{header}'\ncat {tmp_path / 'spilt'}\n")
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("daemon.doctor.scrape._scheme", lambda config: "http")
    said = {"findings": [{"says": "smtp.password: found 'set-Password', wanted nothing"}]}
    sets = ["station.timezone=UTC", "alerts.most_per_hour=7"]
    (tmp_path / "b.tar.gz").write_bytes(pack(file, sets, environ, said))
    found = _members(tmp_path / "b.tar.gz")
    for name, text in found.items():
        for secret in secrets | known:
            assert secret not in text, (name, secret)
            for ensure_ascii in (True, False):
                assert json.dumps(secret, ensure_ascii=ensure_ascii)[1:-1] not in text, name
    assert set(found) >= {
        "doctor.json", "versions.json", "environment.json", "kilokai.toml", "config.json",
        "log.jsonl", "metrics.txt", "status.json", "ledger.json", "retrain.json", "models.json",
    }  # fmt: skip
    assert "kilokai_x" in found["metrics.txt"]
    assert json.loads(found["config.json"])["alerts"]["most_per_hour"]["value"] == 7
    assert json.loads(found["ledger.json"])["rows"]["files"] == 1
    assert json.loads(found["status.json"])["files"]["set_aside"] == 1
    assert json.loads(found["environment.json"])["KILOKAI_MAILER_TOKEN"] == HIDDEN
    card = next(text for name, text in found.items() if name.endswith("card.json"))
    assert json.loads(card)["format"] == 2


def test_a_wrong_configuration_is_packed_without_what_it_should_not_hold(tmp_path: Path) -> None:
    file = tmp_path / "kilokai.toml"
    file.write_text("[smtp]\npassword = 'in the-File'\n[metrics]\npassword = 'no-Path'\n")
    says = "smtp: found {'password': 'in the-File'}; and in the-File again, and set-Token"
    packed = pack(file, ["smtp.token=set-Token"], {}, {"findings": [{"says": says}]})
    (tmp_path / "b.tgz").write_bytes(packed)
    found = "".join(_members(tmp_path / "b.tgz").values())
    assert not any(secret in found for secret in ("the-File", "no-Path", "set-Token"))


def test_what_is_no_secret_stays(tmp_path: Path) -> None:
    make_server(tmp_path / "keys")
    public = (tmp_path / "keys" / "server.pub").read_text()
    sets = ["drop.path=/d", f"bus.keys={tmp_path / 'keys'}"]
    config = load_config(None, sets, {})
    cleaner = Cleaner(known_secrets(config, None, sets, {"HOME": "/root"}))
    for text in (public, "/root", "threshold = 20.0", '"key": "drop.path"', "tcp://127.0.0.1:1"):
        assert cleaner.text(text) == text


def test_a_piece_that_cannot_be_had_says_why_and_the_others_are_there(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("a bug")

    def silent(port: socket.socket) -> None:
        client, _ = port.accept()
        client.recv(1000)
        client.sendall(b"SSH-2.0-x\r\n")
        client.close()

    monkeypatch.setattr("daemon.doctor.bundle.status", breaks)
    with socket.create_server(("127.0.0.1", 0)) as port, open_ledger(config.store.path):
        threading.Thread(target=silent, args=(port,), daemon=True).start()
        fixed = {"metrics": f"127.0.0.1:{port.getsockname()[1]}"}
        StatusFile(config.store.path, heartbeat_s=5.0, fixed=fixed, say=dict).do(1.0)
        (tmp_path / "b.tgz").write_bytes(pack(None, sets_of(tmp_path), {}, {}))
    found = _members(tmp_path / "b.tgz")
    assert found["metrics.txt"].startswith("not to be had at 127.0.0.1:")
    assert json.loads(found["status.json"]) == {"error": "KeyError: 'a bug'"}
    assert json.loads(found["ledger.json"])["rows"]["files"] == 0
    assert "retrain.json" not in found


def test_the_password_is_the_line_that_the_page_itself_reads_and_no_proxy_hears_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urllib.request._opener", None)  # keeps the proxies of its first call
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    word = tmp_path / "password"
    word.write_bytes(b" two words \nand a second line\n")
    word.chmod(0o600)
    sets = ["drop.path=/d", f"metrics.password={word}", "metrics.listen=[::1]:0"]
    config = load_config(None, sets, {})
    with serve_metrics(Metrics("ocean", 1.0), config.metrics) as served:
        assert served.address.startswith("[::1]:")
        assert "kilokai_build_info" in scrape(config, served.address)


def _kilokai(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, words)])


def test_a_bundle_is_its_makers_alone_and_follows_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.doctor.examination.examined", lambda *_: iter(()))
    (tmp_path / "kept").write_text("mine")
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / "loose").symlink_to("nowhere")
    for name in ("link", "loose", "kept"):
        found = _kilokai("--bundle", tmp_path / name)
        assert found.exit_code == 78, name
        assert f"kilokai: {tmp_path}/{name}: found a " in found.stderr
        if name != "kept":
            assert _kilokai("--bundle", tmp_path / name, "--force").exit_code == 78
    assert (tmp_path / "kept").read_text() == "mine"
    before = os.umask(0)
    try:
        assert _kilokai("--bundle", tmp_path / "new.tgz").exit_code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "new.tgz").stat().st_mode & 0o777 == 0o600
    assert _kilokai("--bundle", tmp_path / "kept", "--force").exit_code == 0
    assert "doctor.json" in _members(tmp_path / "kept")
    assert not (tmp_path / "nowhere").exists()


def test_a_bundle_for_standard_output_has_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.doctor.examination.examined", lambda *_: iter(()))
    found = _kilokai("--bundle", "-")
    (tmp_path / "b.tgz").write_bytes(found.stdout_bytes)
    assert "doctor.json" in _members(tmp_path / "b.tgz")
    assert "packed standard output" in found.stderr


def test_a_bundle_that_cannot_be_written_is_a_fault_in_words(tmp_path: Path) -> None:
    found = _kilokai("--bundle", tmp_path / "none" / "b.tgz")
    assert found.exit_code == 78
    assert "b.tgz: No such file or directory" in found.stderr
    assert list(tmp_path.iterdir()) == []
