"""The units as systemd reads them, and how much of the machine they leave open."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.config import load_config
from tests.station.test_install import _done

_SERVICES = ("kilokai.service", "kilokai-retrain.service")
_EXAMPLE = Path(__file__).parents[2] / "systemd/examples/local.conf"
_EXPOSED = {"kilokai.service": 1.5, "kilokai-retrain.service": 1.0}

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="no systemd-analyze on this machine"
)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units of a station whose command is there."""
    place = tmp_path_factory.mktemp("station")
    command = place / "opt/current/bin/kilokai"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    _done(place / "dest", "files", PREFIX=str(place / "opt"))
    return place / "dest/usr/local/lib/systemd/system"


def _analyzed(*words: object) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_with_them(units: Path) -> None:
    done = _analyzed("verify", "--man=no", *sorted(units.iterdir()))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("key", ["Watchdogsec=60s", "Type=notifie", "ExecStart=/nowhere"])
def test_what_is_wrong_would_be_found(units: Path, tmp_path: Path, key: str) -> None:
    text = (units / "kilokai.service").read_text().replace("[Service]\n", f"[Service]\n{key}\n")
    (tmp_path / "kilokai.service").write_text(text)
    assert _analyzed("verify", "--man=no", tmp_path / "kilokai.service").stderr != ""


@pytest.mark.parametrize("service", _SERVICES)
def test_they_leave_little_open(units: Path, service: str) -> None:
    threshold = round(10 * _EXPOSED[service])
    done = _analyzed("security", "--offline=true", f"--threshold={threshold}", units / service)
    assert done.returncode == 0, done.stdout[-200:]


def test_what_is_left_open_is_what_is_needed(units: Path) -> None:
    """Torch compiles and places its threads; libzmq and the metrics want sockets."""
    done = _analyzed("security", "--offline=true", "--json=short", units / "kilokai.service")
    exposed = {row["json_field"] for row in json.loads(done.stdout) if float(row["exposure"] or 0)}
    assert exposed == {
        "DeviceAllow", "IPAddressDeny", "MemoryDenyWriteExecute", "PrivateNetwork", "ProcSubset",
        "RestrictAddressFamilies_AF_INET_INET6", "RestrictAddressFamilies_AF_NETLINK",
        "RestrictAddressFamilies_AF_UNIX", "RootDirectoryOrRootImage",
        "SystemCallFilter_resources", "UMask",
    }  # fmt: skip


def test_what_a_station_may_change_is_right_and_leaves_little_open(
    units: Path, tmp_path: Path
) -> None:
    text = (units / "kilokai.service").read_text().partition("[Install]")[0]
    (tmp_path / "kilokai.service").write_text(text + _EXAMPLE.read_text())
    done = _analyzed("verify", "--man=no", tmp_path / "kilokai.service")
    assert (done.returncode, done.stderr) == (0, "")
    done = _analyzed("security", "--offline=true", "--threshold=15", tmp_path / "kilokai.service")
    assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="no systemd-sysusers here")
def test_the_user_is_one_that_nobody_logs_in_as(units: Path, tmp_path: Path) -> None:
    given = units.parents[1] / "sysusers.d/kilokai.conf"
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", given], check=True)
    user = (tmp_path / "etc/passwd").read_text().splitlines()[-1].split(":")
    assert (user[0], user[5], user[6]) == ("kilokai", "/var/lib/kilokai", "/usr/sbin/nologin")


def test_the_day_of_retraining_is_one(units: Path) -> None:
    text = (units / "kilokai-retrain.timer").read_text()
    calendar = next(line for line in text.splitlines() if line.startswith("OnCalendar="))
    done = _analyzed("calendar", calendar.removeprefix("OnCalendar="))
    assert done.returncode == 0, done.stderr
    assert "Next elapse" in done.stdout


def test_the_first_configuration_is_right(units: Path) -> None:
    toml = units.parents[4] / "etc/kilokai/kilokai.toml"
    config = load_config(toml, [], {})
    assert config.store.path == Path("/var/lib/kilokai")
