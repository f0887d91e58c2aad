import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acoio.errors import SetupError
from daemon.config import Config
from daemon.doctor.finding import Told
from daemon.doctor.keeping import check_daemon, check_ledger, check_retraining
from daemon.doctor.machine import against, check_clock, check_hints
from daemon.doctor.mounts import holding
from daemon.doctor.places import check_disk, check_drop, check_store
from daemon.doctor.scoring import check_model, check_score, judged
from daemon.doctor.versions import misfits
from daemon.ledger.database import LEDGER_FILE, locked
from daemon.ledger.ledger import open_ledger
from daemon.retraining.state import Outcome, State, write_state
from tests.daemon.doctor.conftest import config_of

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _marks(told: Told) -> list[str]:
    return [mark for mark, _, _ in told]


def _worst(told: Told) -> tuple[str, str, str]:
    return max(told, key=lambda found: ("ok", "warn", "fail").index(found[0]))


def test_a_drop_needs_reading_and_no_writing(config: Config) -> None:
    (config.drop.path / "2024-03-01--06.00.HYD24BBpk").touch()
    config.drop.path.chmod(0o555)
    assert list(check_drop(config)) == [
        ("ok", f"{config.drop.path}: 1 recordings and 0 folders", "")
    ]
    config.drop.path.chmod(0o755)
    away = config.model_copy(update={"drop": config.drop.model_copy(update={"path": Path("/no")})})
    assert _worst(check_drop(away))[:2] == ("fail", "/no: found no such folder")


def test_a_store_that_a_link_leads_into_the_drop_fails(config: Config) -> None:
    (config.drop.path / "inside").mkdir()
    config.store.path.symlink_to(config.drop.path / "inside")
    mark, says, do = _worst(check_drop(config))
    assert (mark, do) == ("fail", "set store.path")
    assert says.endswith("within the drop")


def test_a_drop_that_is_a_circle_of_links_is_told_as_missing(config: Config) -> None:
    config.drop.path.rmdir()
    config.drop.path.symlink_to(config.drop.path)
    assert _worst(check_drop(config))[:2] == ("fail", f"{config.drop.path}: found no such folder")


def test_a_store_that_is_not_there_yet_is_well_and_a_file_of_roots_is_not(config: Config) -> None:
    assert _marks(check_store(config)) == ["ok"]
    config.store.path.mkdir()
    (config.store.path / "ledger").touch()
    assert _marks(check_store(config)) == ["ok"]
    if os.geteuid() == 0:
        os.chown(config.store.path, 65534, 65534)
        mark, says, do = _worst(check_store(config))
        assert mark == "warn"
        assert says.startswith("1 files are not nobody's")
        assert do == f"chown -hR nobody: {config.store.path}"


def test_what_another_left_among_the_models_is_found(config: Config) -> None:
    lock = config.store.path / "models/lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert _marks(check_store(config)) == ["ok"]
    if os.geteuid() == 0:
        os.chown(lock, 65534, 65534)
        assert "1 files are not root's, such as models/lock" in _worst(check_store(config))[1]


def test_room_is_asked_for_a_month(tmp_path: Path, config: Config) -> None:
    assert _marks(check_disk(config_of(tmp_path, "evidence.keep_gb=0.001"))) == ["ok"]
    assert _worst(check_disk(config_of(tmp_path, "evidence.keep_gb=1e6")))[0] == "warn"
    assert _worst(check_disk(config_of(tmp_path, "evidence.min_free_gb=1e6")))[0] == "fail"


_MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 0:5 / /data rw shared:2 - nfs4 host:/x rw
31 30 0:6 / /data/my\\040drop rw - fuse.sshfs me@host: rw
32 22 0:7 / /run rw - tmpfs tmpfs rw
33 22 0:8 / /mnt/données rw - nfs host:/y rw
34 22 0:9 / /mnt/a\u00a0b\u2028\udce9\\134x41 rw - cifs //host/z rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "remote", "lost"),
    [
        ("/var/lib", "ext4", False, False),
        ("/data", "nfs4", True, False),
        ("/database", "ext4", False, False),
        ("/data/my drop/2024", "fuse.sshfs", True, False),
        ("/run/x", "tmpfs", False, True),
        ("/mnt/données/x", "nfs", True, False),
        ("/mnt/a\u00a0b\u2028\udce9\\x41", "cifs", True, False),
    ],
)
def test_the_mount_that_holds_a_path_is_the_deepest(
    path: str, kind: str, remote: bool, lost: bool
) -> None:
    found = holding(path, _MOUNTS)
    assert (found.kind, found.is_remote, found.is_lost_at_boot) == (kind, remote, lost)


def test_hints_are_asked_for_only_where_they_are_used(tmp_path: Path, config: Config) -> None:
    assert _marks(check_hints(config)) == ["ok"]
    assert "scan" in _worst(check_hints(config_of(tmp_path, "drop.watch=scan")))[1]


def test_too_few_watches_fail(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.doctor.machine._limit", lambda name: 1)
    mark, says, _ = _worst(check_hints(config))
    assert (mark, says) == ("fail", "max_user_watches is 1, and the drop has 1 folders")


def test_sound_of_tomorrow_is_a_fault_of_a_clock() -> None:
    for apart, mark in (
        (timedelta(days=1), "fail"),
        (timedelta(days=-1), "warn"),
        (timedelta(minutes=-3), "ok"),
    ):
        assert _worst(against(_NOW + apart, _NOW, "sound"))[0] == mark


def test_the_clock_is_asked_of_the_kernel(config: Config) -> None:
    assert _marks(check_clock(config)) in (["ok"], ["warn"])


def test_what_was_not_scored_yet_is_known_by_its_name(config: Config) -> None:
    for name in ("2999-03-01--06.00.HYD24BBpk", "2024-03-01--06.00.HYD24BBpk", "nothing"):
        (config.drop.path / name).touch()
    mark, says, _ = _worst(check_clock(config))
    assert mark == "fail"
    assert says.startswith("the newest recording, by its name, is of 2999-03-01 06:00:00")


def test_a_ledger_is_sound_or_why_not(config: Config) -> None:
    assert _marks(check_ledger(config)) == ["ok"]
    with open_ledger(config.store.path):
        pass
    assert "sound; schema 4" in _worst(check_ledger(config))[1]
    ledger = config.store.path / LEDGER_FILE
    ledger.write_bytes(b"x" * 5000)
    mark, says, do = _worst(check_ledger(config))
    assert (mark, says) == ("fail", f"{ledger}: file is not a database")
    assert "restart" in do


def test_who_holds_the_store_is_told(config: Config) -> None:
    assert _worst(check_daemon(config))[1] == "none runs on this store"
    with open_ledger(config.store.path):
        pass
    with locked(config.store.path):
        mark, says, _ = _worst(check_daemon(config))
        assert (mark, says.partition(":")[0]) == ("warn", f"process {os.getpid()}")


def test_a_retraining_that_was_refused_is_told_with_its_reason(config: Config) -> None:
    assert _marks(check_retraining(config))[0] == "ok"
    config.store.path.mkdir()
    state = State().begun("2026-05-01T06:00:00Z", "ocean")
    write_state(
        config.store.path, state.ended("2026-05-01T07:00:00Z", "refused", reasons=("slow",))
    )
    mark, says, _ = next(iter(check_retraining(config)))
    assert (mark, says) == ("warn", "refused at 2026-05-01T07:00:00Z, 1 in a row: slow")


@pytest.mark.parametrize(
    ("outcome", "told"), [("too_little", ("warn", 1)), ("out_of_season", ("ok", 0))]
)
def test_too_little_sound_is_a_warning_in_season_alone(
    config: Config, outcome: Outcome, told: tuple[str, int]
) -> None:
    config.store.path.mkdir()
    write_state(config.store.path, State().ended("2026-05-01T07:00:00Z", outcome))
    mark, says, _ = next(iter(check_retraining(config)))
    assert (mark, says.count(", 1 in a row")) == told


def test_a_model_that_is_not_there_fails(tmp_path: Path, config: Config) -> None:
    assert _worst(check_model(config))[1].startswith("ocean-v1-")
    with pytest.raises(SetupError, match="No such file"):
        list(check_model(config_of(tmp_path, f"detector.model={tmp_path / 'none'}")))


def test_the_known_sound_has_its_known_score() -> None:
    assert _marks(check_score()) == ["ok"]


@pytest.mark.parametrize(
    ("changed", "mark"),
    [({}, "ok"), ({"score": 142.2}, "ok"), ({"score": 141.9}, "fail"), ({"high_hz": 90.0}, "fail")],
)
def test_another_score_or_band_is_a_fault(changed: dict[str, float], mark: str) -> None:
    assert judged({"score": 142.6, "low_hz": 26.4, "high_hz": 67.4, **changed})[0] == mark
    assert judged(None)[0] == "fail"


def test_a_library_that_does_not_fit_is_named() -> None:
    wanted = ["numpy>=2.1", "torch>=2.6,<3", "Prometheus_Client>=0.2", "x>1; extra == 'dev'"]
    found = {"numpy": "2.4.0", "torch": "3.0", "prometheus-client": "0.3"}
    assert list(misfits(wanted, found)) == ["torch: found 3.0, wanted <3,>=2.6"]
    assert list(misfits(["gone"], found)) == ["gone: found none, wanted "]


def test_a_fault_of_systemctl_is_told_in_words(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho inactive\nexit 3\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("daemon.doctor.keeping._RUNS", tmp_path)
    assert _worst(check_retraining(config))[:2] == (
        "warn", "kilokai-retrain.timer is inactive"
    )  # fmt: skip
