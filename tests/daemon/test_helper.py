import subprocess
import sys
from pathlib import Path

import pytest

from daemon.demo.child import daemon_process
from daemon.evidence.work import Work
from daemon.helper import helper_environ
from tests.daemon.conftest import until

_PLANTED = ("json", "multiprocessing", "numpy", "pickle", "socket", "matplotlib", "daemon")


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of other people's modules; return the file that they leave once imported."""
    here, caught = tmp_path / "drop", tmp_path / "imported"
    here.mkdir()
    for name in _PLANTED:
        (here / f"{name}.py").write_text(f"open({str(caught)!r}, 'a').write('{name} ')\n1 / 0\n")
    (here / "matplotlibrc").write_text("backend: module://planted\ntext.usetex: True\n")
    monkeypatch.chdir(here)
    return caught


def test_the_evidence_helper_imports_nothing_from_the_working_folder(
    trap: Path, tmp_path: Path
) -> None:
    place = {"store": str(tmp_path), "drop": str(tmp_path), "station": "aco"}
    work = Work({**place, "rate_hz": 24_000.0, "context_s": 5.0})
    work.start([], 0.0)
    until(lambda: work.results(0.0) is not None, deadline_s=60)
    assert not trap.exists()


def test_what_a_command_spawns_imports_nothing_from_the_working_folder(
    trap: Path, tmp_path: Path
) -> None:
    script = tmp_path / "kilokai"  # elsewhere, as the installed command is
    script.write_text(
        "import sys\n"
        "from contextlib import suppress\n"
        "from daemon.cli import main\n"
        "from detector.training.ocean import simulator\n"
        "if __name__ == '__main__':\n"
        "    with suppress(SystemExit):\n"
        "        main()\n"
        "    with simulator(1) as pool:\n"
        "        print(pool.submit(len, 'abc').result())\n"
    )
    done = subprocess.run(
        [sys.executable, script, "--version"], capture_output=True, text=True, timeout=100
    )
    assert not trap.exists()
    assert done.stdout.splitlines()[-1:] == ["3"], done.stderr


def test_the_demonstrations_daemon_takes_nothing_from_where_it_is_started(
    trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = tmp_path / "live"
    monkeypatch.setenv("KILOKAI_STORE__PATH", str(live))  # of the station on this machine
    config = tmp_path / "kilokai.toml"
    config.write_text(
        f"[drop]\npath = '{tmp_path / 'drop'}'\n[store]\npath = '{tmp_path / 'store'}'\n", "utf-8"
    )
    with daemon_process(config, log=tmp_path / "log") as child:
        child.wait_ready()
    assert not trap.exists()
    assert not live.exists()
    assert (tmp_path / "store").is_dir()


def test_a_helper_knows_neither_settings_nor_what_the_unit_handed_to_the_daemon() -> None:
    environ = {
        "PATH": "/bin", "MPLCONFIGDIR": "/var/cache/kilokai", "OMP_NUM_THREADS": "1",
        "KILOKAI_BUS__KEYS": "keys", "NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1",
        "CREDENTIALS_DIRECTORY": "/run/credentials", "MATPLOTLIBRC": "mine",
    }  # fmt: skip
    assert helper_environ(environ) == {
        "PATH": "/bin", "MPLCONFIGDIR": "/var/cache/kilokai", "OMP_NUM_THREADS": "1",
        "PYTHONSAFEPATH": "1",
    }  # fmt: skip
