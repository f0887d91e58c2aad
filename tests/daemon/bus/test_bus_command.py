"""`kilokai subscribe` as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daemon.bus.keys import make_client
from daemon.cli import app
from tests.daemon.station import NOW, Station, station


def _kilokai(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_wrong_use_is_told_in_one_line(tmp_path: Path) -> None:
    make_client(tmp_path, "ham")
    (tmp_path / "place").write_text("nowhere at all\n")
    for words, wanted in (
        (("--since", "yesterday"), "found 'yesterday', wanted a number or a message's id"),
        (("--keys", tmp_path / "ham.secret"), "server_key: found nothing, wanted both"),
        (("--keys", tmp_path / "no", "--server-key", tmp_path / "ham.pub"), "No such file"),
        (("--keys", tmp_path / "ham.secret", "--server-key", tmp_path / "no"), "No such file"),
        (("--keys", tmp_path / "ham.pub", "--server-key", tmp_path / "ham.pub"), "a public key"),
        (("--publish", "foo", "--replay", "tcp://127.0.0.1:9"), "foo: Invalid argument, wanted"),
        (("--publish", "tcp://127.0.0.1:9", "--replay", "foo"), "foo: Invalid argument, wanted"),
        (("--publish", "tcp://127.0.0.1:9"), "--replay: found nothing, wanted both"),
        (("--replay", "tcp://127.0.0.1:9"), "--publish: found nothing, wanted both"),
        (("--place", tmp_path / "place"), "place: found 'nowhere at all'"),
        (("--place", tmp_path / "no" / "place"), "found no folder that may be written"),
        (("--place", tmp_path), "found no regular file"),
    ):
        code, out, err = _kilokai("subscribe", *words)
        assert (code, out) == (78, "")
        assert wanted in err
        assert err.count("\n") == 1


def _until_done(running: Station, place: Path, last: int, *words: str | Path) -> list[int]:
    """Subscribe until the place says `last`, then Ctrl-C; return the events printed."""
    lines: list[int] = []

    def echo(text: str, **_: Any) -> None:
        if text.startswith("{"):
            lines.append(json.loads(text)["n"])
            if len(lines) == last:
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daemon.cli.subscribe.typer.echo", echo)
        to = ("--publish", running.publish, "--replay", running.replay)
        code, _, _ = _kilokai("subscribe", "--json", "--place", place, *to, *words)
    assert code == 0
    return lines


def test_it_goes_on_from_its_place_and_repeats_what_it_was_stopped_in(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with station() as running:
        for _ in range(5):
            running.say()
        assert _until_done(running, place, 3, "--since", "0") == [1, 2, 3]
        assert place.read_text() == "one-2-an2\n"
        assert _until_done(running, place, 3, "--since", "0") == [3, 4, 5]
    assert not list(tmp_path.glob(".*"))


def test_what_a_terminal_would_obey_is_escaped_and_what_is_no_event_is_a_line() -> None:
    event = {
        "id": "\x1b]0;x\x07", "status": "open", "begin": NOW, "end": NOW, "low_hz": 1.0,
        "high_hz": 2.0, "level_db": 3.0, "score": 4.0, "severity": "\x1b[2J",
    }  # fmt: skip
    with station() as running:
        for data in (event, {"id": 7, "begin": "\x1b[2J"}, event | {"low_hz": "low"}):
            running.shelf.add("event", **data)
        lines = _lines_of(running, 3)
    assert not any(mark in line for line in lines for mark in "\x1b\x07\n")
    assert "\\x1b[2J" in lines[0]
    assert [line.startswith("found no event") for line in lines] == [False, True, True]


def _lines_of(running: Station, count: int) -> list[str]:
    lines: list[str] = []

    def echo(text: str, *, err: bool = False) -> None:
        lines.extend([] if err else [text])
        if len(lines) == count:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daemon.cli.subscribe.typer.echo", echo)
        to = ("--publish", running.publish, "--replay", running.replay)
        _kilokai("subscribe", "--since", "0", *to)
    return lines
