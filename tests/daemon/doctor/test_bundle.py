import itertools
import json
import os
import socket
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daemon.bus.keys import make_server, read_secret
from daemon.cli import app
from daemon.config import Config, load_config
from daemon.doctor.bundle import pack
from daemon.doctor.harmless import LEFT_OUT, log_lines
from daemon.doctor.scrape import scrape
from daemon.health.status_file import StatusFile
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import open_ledger
from daemon.metrics import Metrics, serve_metrics
from daemon.models.registry import Registry
from daemon.models.verdict import Verdict
from daemon.progress import FileProgress, Step
from daemon.retraining.state import State, write_state
from detector.files import PRETRAINED, model_folder
from tests.daemon.doctor.conftest import sets_of

_PLANTS = itertools.count()
_PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n"
_TRACEBACK = """Traceback (most recent call last):
  File "/opt/kilokai/lib/python3.11/site-packages/daemon/service/loop.py", line 120, in run
    login("s3kr1t-source")
  File "/home/s3kr1t-user/own.py", line 3, in s3kr1t_function
RuntimeError: login with s3kr1t-raised failed
S3kr1tError
"""


def _secret() -> str:
    """Return one more secret, all of which are found by what they have in common."""
    return f"s3kr1t-{next(_PLANTS)}"


class _Page(BaseHTTPRequestHandler):
    """Metrics that should not have said so much."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(
            b'kilokai_x{url="https://me:s3kr1t@host/"} 1\n'
            b"kilokai_s3kr1t 1\nkilokai_threshold 20.5\n"
            b'kilokai_build_info{model="s3kr1t-model",version="0.1.0"} 1\n'
            b'kilokai_alarms_achieved_per_hour{span="day"} 0.5\n'
        )

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


def _log() -> str:
    """Return a log with secrets in every place that a line has."""
    lines: list[object] = [
        {"timestamp": "2026-12-01T05:00:00.25Z", "level": "info", "event": "request done",
         "request": f"{_secret()}.json", "kind": "retry", "password": 123456},
        {"event": f"login with {_secret()}", "level": "error", "count": 3},
        {"event": "bus refused", "reason": f"https://me:{_secret()}@host/", "count": 7},
        {"event": "request done", _secret(): 1, "kind": {"deep": [_secret(), {_secret(): 2}]}},
        {"event": {"nested": _secret()}},
        [_secret()],
    ]  # fmt: skip
    texts = [json.dumps(line) for line in lines]
    return "\n".join([*texts, f"password = {_secret()}", f'"{_secret()}', _PEM, _TRACEBACK])


def _planted(folder: Path, page: str) -> tuple[Path, dict[str, str]]:
    """Return a configuration and an environment of a station full of secrets."""
    keys, store = folder / "s3kr1t-keys", folder / "store"
    (folder / "drop").mkdir()
    make_server(keys)
    (folder / "s3kr1t-password").write_text(_secret())
    (folder / "s3kr1t-password").chmod(0o600)
    file = folder / "kilokai.toml"
    file.write_text(
        f"# once: password = '{_secret()}'\n[station]\nname = 's3kr1t-station'\n"
        f"[drop]\npath = '{folder / 'drop'}'\n[store]\npath = '{store}'\n"
        f"[bus]\nkeys = '{keys}'\n[metrics]\npassword = '{folder / 's3kr1t-password'}'\n"
    )
    with open_ledger(store) as ledger:
        why = f"tried https://kea:{_secret()}@nas/x"
        file_ = FileProgress(f"{_secret()}.wav", 10, 1, state="set_aside", reason=why)
        ledger.commit(Step(files=(file_,)), "ocean")
    with closing(sqlite3.connect(store / LEDGER_FILE)) as database:
        database.execute("CREATE TABLE s3kr1t_table (x)")
    fixed = {"metrics": page, "bus": [], "drop": f"/d?token={_secret()}", _secret(): 3}
    StatusFile(store, heartbeat_s=5.0, fixed=fixed, say=dict).do(1.0)
    judged = Verdict(False, (f"api_key: {_secret()}", _PEM), {"auth": _secret(), _secret(): 1})
    Registry(store).register(model_folder(PRETRAINED), judged)
    write_state(store, State().begun("a", "b").ended("c", "failed", reasons=(_secret(),)))
    environ = {"SMTP_PASSWORD": _secret(), "CREDENTIALS_DIRECTORY": f"/{_secret()}"}
    environ |= {f"KILOKAI_{_secret().upper()}": "x", "KILOKAI_MAILER_TOKEN": _secret()}
    environ |= {"KILOKAI_EVIDENCE__CLIPS": "true", "KILOKAI_STATION__NAME": "s3kr1t-named"}
    return file, environ


def test_no_secret_that_lies_about_gets_into_a_bundle_and_what_helps_does(
    tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, environ = _planted(tmp_path, page)
    (tmp_path / "log").write_text(_log())
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\ncat {tmp_path / 'log'}\n")
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said = {"check": "config", "mark": "fail", "says": f"smtp: found {_secret()}", "do": ""}
    sets = ["station.timezone=UTC", "alerts.most_per_hour=7"]
    packed = pack(file, sets, environ, {"worst": "fail", "findings": [said]})
    (tmp_path / "b.tar.gz").write_bytes(packed)
    found = _members(tmp_path / "b.tar.gz")
    secret_key = read_secret(tmp_path / "s3kr1t-keys" / "server.secret").secret
    for name, text in found.items():
        for form in ("s3kr1t", "S3KR1T", "MIIEvQIBADANBg", "123456", secret_key):
            assert form not in name + text, (name, form)
    assert {name.partition("/")[0] for name in found} == {
        "doctor.json", "versions.json", "environment.json", "config.json", "log.jsonl",
        "metrics.txt", "status.json", "ledger.json", "retrain.json", "models.json", "models",
    }  # fmt: skip
    values = {name: json.loads(text) for name, text in found.items() if name.endswith(".json")}
    assert values["doctor.json"]["findings"][0] == {**said, "says": LEFT_OUT}
    assert values["config.json"]["alerts"]["most_per_hour"] == {"value": 7, "from": "--set"}
    assert values["config.json"]["station"] == {
        "name": {"value": LEFT_OUT, "from": "environment"},
        "timezone": {"value": "UTC", "from": "--set"},
    }
    assert values["config.json"]["bus"]["publish"]["value"] == "tcp://127.0.0.1:5556"
    assert (
        values["ledger.json"]["rows"]["files"] == values["ledger.json"]["files"]["set_aside"] == 1
    )
    assert values["status.json"]["files"]["set_aside"] == 1
    assert values["retrain.json"]["outcome"] == "failed"
    assert values["models/0/card.json"]["format"] == 2
    assert values["models/0/card.json"]["calibration"]["hours"] > 1
    assert "KILOKAI_STATION__NAME" in values["environment.json"]["keys"]
    assert values["versions.json"]["libzmq"]
    assert {"kilokai_threshold 20.5", 'kilokai_alarms_achieved_per_hour{span="day"} 0.5'} <= set(
        found["metrics.txt"].splitlines()
    )
    log = [json.loads(line) for line in found["log.jsonl"].splitlines()]
    assert log == [
        {"timestamp": "2026-12-01T05:00:00.25Z", "level": "info", "event": "request done",
         "request": LEFT_OUT, "kind": "retry"},
        {"event": "bus refused", "reason": LEFT_OUT, "count": 7},
        {"event": "request done", "kind": {}},
        {"file": "daemon/service/loop.py", "line": 120, "in": "run"},
        {"raised": "RuntimeError"},
        {"event": LEFT_OUT, "lines": _log().count("\n") + 1 - 5 - 1},
    ]  # fmt: skip


def test_a_wrong_configuration_is_packed_without_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "kilokai.toml"
    file.write_text("[smtp]\npassword = 's3kr1t'\n[metrics]\npassword = 's3kr1t-path'\n")
    says = "smtp: found {'password': 's3kr1t'}"
    packed = pack(file, ["smtp.token=s3kr1t"], {}, {"findings": [{"says": says}]})
    (tmp_path / "b.tgz").write_bytes(packed)
    found = _members(tmp_path / "b.tgz")
    assert "s3kr1t" not in "".join(found.values())
    assert "doctor.json" in found


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
    assert found["metrics.txt"] == f"# {LEFT_OUT}: no page of metrics\n"
    assert json.loads(found["status.json"]) == {"error": "KeyError"}
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


def test_the_log_lines_of_files_are_packed_without_what_they_name() -> None:
    line = {
        "timestamp": "2026-12-01T00:00:00Z",
        "event": "file set aside",
        "file": "s3kr1t",
        "records": 5,
    }
    said = [
        json.loads(text) for text in log_lines([json.dumps(line), '{"event": ["s3kr1t"]}', "x"])
    ]
    assert said[0] == {**line, "file": "(left out)"}
    assert said[1:] == [{"event": "(left out)", "lines": 2}]
