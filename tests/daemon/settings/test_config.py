import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import SetupError
from daemon.config import ConfigError, load_config

_DROP = "drop.path=/data/incoming"


def test_every_key_has_a_default_but_the_drop() -> None:
    config = load_config(None, [_DROP], {})
    assert config.station.name == "aco"
    assert config.bus.publish == "tcp://127.0.0.1:5556"
    assert config.metrics.listen == "127.0.0.1:9108"
    assert config.detector.false_alarms_per_hour == 1.0


@pytest.mark.parametrize("text", ["2026-05-01", "'2026-05-01'"])
def test_a_day_is_as_toml_or_iso_8601_writes_it(text: str) -> None:
    assert load_config(None, [_DROP, f"retrain.since={text}"], {}).retrain.since == date(2026, 5, 1)


@pytest.mark.parametrize("text", ["5", "2026-05-01T00:00:00Z", "'1746057600'", "1 May", "true"])
def test_what_is_no_day_is_a_fault(text: str) -> None:
    with pytest.raises(ConfigError, match=r"retrain\.since: found .*, wanted a day as YYYY-MM-DD"):
        load_config(None, [_DROP, f"retrain.since={text}"], {})


@pytest.mark.parametrize("hours", ["[18, 18]", "[0, 0]", "[24, 24]", "[24, 0]"])
def test_an_evening_without_an_hour_is_a_fault(hours: str) -> None:
    with pytest.raises(ConfigError, match=r"retrain\.evening: found .*, wanted .*, two hours"):
        load_config(None, [_DROP, f"retrain.evening={hours}"], {})


def test_no_drop_is_a_fault() -> None:
    with pytest.raises(SetupError, match=r"drop: found nothing, wanted a table with path"):
        load_config(None, [], {})


def test_set_wins_over_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kilokai.toml"
    file.write_text("[drop]\npath='/a'\nsettle_s=1\nrescan_s=1\n[station]\nname='one'\n")
    environ = {"KILOKAI_STATION__NAME": "two", "KILOKAI_DROP__SETTLE_S": "2", "KILOKAI_HOME": "x"}
    config = load_config(file, ["drop.settle_s=3"], environ)
    assert (config.station.name, config.drop.settle_s, config.drop.rescan_s) == ("two", 3.0, 1.0)


def test_all_faults_are_told_at_once_with_key_value_and_what_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "kilokai.toml"
    file.write_text("[drop]\npath='/a'\nsettle_s=-1\n[storage]\npath='/b'\n[bus]\nbacklog=3\n")
    sets = [
        "bus.publish=tcp://0.0.0.0:5556",
        "nonsense",
        "metrics.listen=9108",
        "bus.heartbeat_s=61",
    ]
    environ = {"KILOKAI_STATION__TIMEZONE": "Mars/Olympus", "KILOKAI_STATION__NAME": "A b"}
    with pytest.raises(SetupError) as fault:
        load_config(file, sets, environ)
    text = str(fault.value)
    for line in (
        "drop.settle_s: found -1, wanted seconds, above 0, at most 3600",
        "storage: found a table, wanted one of station, drop, store, bus, metrics, detector",
        "bus.backlog: found 3, wanted one of keys, credential, publish, replay, heartbeat_s",
        "bus.publish: found 'tcp://0.0.0.0:5556', wanted tcp://127.0.0.1:PORT or ipc://PATH",
        "bus.heartbeat_s: found 61, wanted seconds, 0.1 to 60",
        "--set: found 'nonsense', wanted section.key=value",
        "metrics.listen: found 9108, wanted HOST:PORT",
        "station.timezone: found 'Mars/Olympus', wanted an IANA time zone",
        "station.name: found 'A b', wanted 1 to 32 of a-z, 0-9 and -",
    ):
        assert line in text


def test_faults_come_in_the_order_of_the_file_and_as_toml_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "kilokai.toml"
    lines = ("[retrain]", "months = [13]", "days = 0", "[evidence]", "clipz = true", "[drop]")
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as error:
        load_config(file, ["bus.replay=9"], {})
    assert [fault.key for fault in error.value.faults] == [
        "retrain.months",
        "retrain.days",
        "evidence.clipz",
        "drop.path",
        "bus.replay",
    ]
    assert error.value.faults[2].says.startswith("found true, ")


def test_what_is_wrong_between_keys_is_told_beside_what_is_wrong_with_others() -> None:
    sets = [
        _DROP,
        "drop.settle_s=-1",
        "store.path=/data/incoming/store",
        "bus.credential=secret",
        "bus.replay=tcp://127.0.0.1:5556",
        "metrics.listen=127.0.0.1:5556",
        "metrics.key=/k",
    ]
    with pytest.raises(ConfigError) as fault:
        load_config(None, sets, {})
    assert [found.key for found in fault.value.faults] == [
        "drop.settle_s",
        "store.path",
        "bus.keys",
        "bus.replay",
        "metrics.certificate",
        "metrics.listen",
        "metrics.listen",
    ]


def test_nothing_is_said_between_a_key_and_one_that_is_wrong_itself() -> None:
    sets = ["store.path=/data/incoming/store", "bus.publish=udp://x", "bus.replay=tcp://[::1]:9"]
    with pytest.raises(ConfigError) as fault:
        load_config(None, [*sets, "metrics.certificate=3", "metrics.key=/k"], {})
    assert [found.key for found in fault.value.faults] == [
        "drop",
        "bus.publish",
        "metrics.certificate",
    ]


@pytest.mark.parametrize("text", ["nan", "inf", "true", "[1]", "x"])
def test_what_is_no_number_is_no_time(text: str) -> None:
    with pytest.raises(SetupError, match=r"drop\.settle_s: found"):
        load_config(None, [_DROP, f"drop.settle_s={text}"], {})


def test_a_file_that_is_no_toml_or_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        load_config(tmp_path / "none.toml", [_DROP], {})
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe= [")
    with pytest.raises(SetupError, match="wanted a TOML file"):
        load_config(tmp_path / "bad.toml", [_DROP], {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_any_editor_is_read_and_its_lines_are_told(
    tmp_path: Path, encoding: str, end: str
) -> None:
    file = tmp_path / "kilokai.toml"
    lines = ("# né \u2028 é", "[drop]", "path = '/é'", "[station]", "name = 'A b'", "")
    file.write_bytes(end.join(lines).encode(encoding))
    with pytest.raises(ConfigError) as error:
        load_config(file, [], {})
    assert [(fault.key, fault.origin) for fault in error.value.faults] == [
        ("station.name", f"{file}:5")
    ]
    assert load_config(file, ["station.name=b"], {}).drop.path == Path("/é")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_another_encoding_is_refused_with_its_line_and_the_remedy(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "kilokai.toml"
    file.write_bytes("[drop]\r\npath = '/é'\r\n".encode(encoding))
    line = 2 if encoding in ("latin-1", "cp1252") else 1
    says = rf"kilokai\.toml: line {line}: found .*; save it as UTF-8"
    with pytest.raises(ConfigError, match=says):
        load_config(file, [_DROP], {})


@pytest.mark.parametrize("text", ["[" * 20_000, "9" * 5000, f"0x{'f' * 5000}", f"[0x{'f' * 5000}]"])
@pytest.mark.parametrize("where", ["file", "environment", "set"])
def test_what_python_cannot_read_or_write_is_a_fault_in_few_words(
    tmp_path: Path, text: str, where: str
) -> None:
    file = tmp_path / "kilokai.toml"
    file.write_text(f"[retrain]\nmonths={text}\n" if where == "file" else "")
    environ = {"KILOKAI_RETRAIN__MONTHS": text} if where == "environment" else {}
    sets = [f"retrain.months={text}"] if where == "set" else []
    with pytest.raises(ConfigError) as fault:
        load_config(file, [_DROP, *sets], environ)
    assert len(fault.value.faults) == 1
    assert len(str(fault.value)) < 600


def test_what_a_file_may_say_that_cannot_be_read_is_not_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as fault:
        load_config(tmp_path / "none.toml", [], {"KILOKAI_STATION__NAME": "x"})
    assert [found.key for found in fault.value.faults] == [str(tmp_path / "none.toml")]
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(ConfigError) as fault:
        load_config(tmp_path / "empty.toml", ["nonsense"], {})
    assert [found.key for found in fault.value.faults] == ["--set", "drop"]


def test_the_store_may_not_lie_in_the_drop() -> None:
    with pytest.raises(SetupError, match=r"store\.path: found /data/incoming/store within"):
        load_config(None, [_DROP, "store.path=/data/incoming/store"], {})


def test_a_configuration_is_read_without_a_look_at_the_drop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, store = tmp_path / "drop", tmp_path / "store"
    drop.symlink_to(drop)  # a circle
    sets = [f"drop.path={drop}", f"store.path={store}"]

    def hanging(look: Any) -> Any:
        def hangs(path: Any, *args: Any, **more: Any) -> Any:
            assert not str(path).startswith(str(drop)), "it would hang here"
            return look(path, *args, **more)

        return hangs

    for name in ("stat", "lstat", "readlink"):
        monkeypatch.setattr(os, name, hanging(getattr(os, name)))
    assert load_config(None, sets, {}).drop.path == drop
    with pytest.raises(SetupError, match=r"store\.path: found .*drop/store within"):
        load_config(None, [sets[0], f"store.path={tmp_path}/x/../drop/store"], {})


@pytest.mark.parametrize("key", ["publish", "replay"])
def test_the_metrics_may_not_have_an_address_of_the_bus(key: str) -> None:
    taken = [f"bus.{key}=tcp://127.0.0.1:9300", "metrics.listen=127.0.0.1:9300"]
    with pytest.raises(SetupError, match=r"metrics\.listen: found 127\.0\.0\.1:9300, which bus"):
        load_config(None, [_DROP, *taken], {})
    load_config(None, [_DROP, f"bus.{key}=tcp://127.0.0.1:0", "metrics.listen=127.0.0.1:0"], {})
