"""What was set aside, and is read again because somebody asked."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from acoio.errors import DataError
from daemon.config import Config
from daemon.ledger.stored import stored_files
from daemon.progress import FileProgress
from daemon.service.retry import to_retry
from daemon.service.run import run
from tests.daemon.fakes import files_of
from tests.daemon.health.test_status import _fill, _kilokai
from tests.daemon.sea import noise


@pytest.mark.usefixtures("loud")
def test_a_file_set_aside_is_read_again_when_asked_for(config: Config, drop: Path) -> None:
    store, name = config.store.path, "2024-03-01--06.00.HYD24BBpk"
    (drop / name).write_bytes(noise(5000))
    assert run(config, until_idle=True) == 1
    assert _kilokai("retry", name, "--store", store).exit_code == 0
    assert _kilokai("retry", "--all", "--store", store).exit_code == 0
    with capture_logs() as said:
        assert run(config, until_idle=True) == 1
    about = [line["event"] for line in said if line.get("file") == name]
    assert about[:2] == ["file tried again: somebody asked for it", "file set aside"]
    assert _states(store) == {name: "set_aside"}
    with capture_logs() as said:
        assert run(config, until_idle=True) == 1
    assert not any(line.get("file") == name for line in said)


def _states(store: Path) -> dict[str, str]:
    return {file["name"]: file["state"] for file in stored_files(store)}


def test_only_what_is_set_aside_can_be_asked_for(tmp_path: Path) -> None:
    _fill(tmp_path)
    shown = _kilokai("retry", "a", "none", "--store", tmp_path)
    assert shown.exit_code == 1
    assert "a: found no such file set aside or damaged" in shown.stderr
    assert "none: found no such file set aside or damaged" in shown.stderr
    assert _kilokai("retry", "--store", tmp_path).exit_code == 2
    assert _kilokai("retry", "a", "--all", "--store", tmp_path).exit_code == 2
    shown = _kilokai("retry", "--all", "--store", tmp_path)
    assert shown.stdout == "asked for 7 files to be read again\n"


@pytest.mark.parametrize("data", [{}, {"names": "f0"}, {"names": [1]}, {"all": "yes"}])
def test_a_request_for_nothing_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="retry: wanted"):
        to_retry(data, files_of())


def test_to_ask_twice_or_too_late_does_no_harm() -> None:
    known = files_of([FileProgress("a"), FileProgress("b", state="set_aside")])
    assert to_retry({"names": ["a", "b", "gone"]}, known) == ["b"]
    assert to_retry({"all": True}, known) == ["b"]


def test_what_is_done_with_damage_is_read_again_if_it_is_named() -> None:
    damaged = FileProgress("a", state="done", damaged_bytes=1)
    cut = FileProgress("b", state="done", tail_bytes=1)
    known = files_of([damaged, cut, FileProgress("c", state="done")])
    assert to_retry({"names": ["a", "b", "c"]}, known) == ["a", "b"]
    assert to_retry({"all": True}, known) == []
