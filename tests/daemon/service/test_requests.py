import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import DataError, NotReadyError, SetupError
from daemon.service.requests import FOLDER, LARGEST_BYTES, Requests, submit


class _Inbox:
    """A chore and what its one handler, `note`, was given; `error` is what that raises."""

    def __init__(self, store: Path) -> None:
        self.given: list[Mapping[str, Any]] = []
        self.error: Exception | None = None
        self.folder = store / FOLDER
        self.now_s = 100.0
        self.requests = Requests(store, {"note": self._note})

    def _note(self, data: Mapping[str, Any]) -> None:
        if self.error:
            raise self.error
        self.given.append(data)

    def turn(self, *, after_s: float = 0.0) -> list[Mapping[str, Any]]:
        self.now_s += after_s
        before = len(self.given)
        self.requests.do(self.now_s)
        return self.given[before:]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def inbox(tmp_path: Path) -> _Inbox:
    return _Inbox(tmp_path)


def test_what_was_asked_is_done_oldest_first_some_a_turn_and_then_gone(
    inbox: _Inbox, tmp_path: Path
) -> None:
    for k in range(6):
        submit(tmp_path, "note", {"k": k})
    turns = [inbox.turn(), inbox.turn()]
    assert turns == [[{"k": k} for k in range(4)], [{"k": 4}, {"k": 5}]]
    assert inbox.names() == []


def test_what_is_asked_of_a_daemon_that_does_not_run_waits_for_it(tmp_path: Path) -> None:
    path = submit(tmp_path, "note", {"name": "a"})
    assert json.loads(path.read_text()) == {"kind": "note", "data": {"name": "a"}}
    assert _Inbox(tmp_path).turn() == [{"name": "a"}]
    assert not path.exists()


def test_an_empty_inbox_is_looked_at_twice_a_second(inbox: _Inbox, tmp_path: Path) -> None:
    assert inbox.turn() == []
    submit(tmp_path, "note", {})
    assert inbox.turn(after_s=0.4) == []
    assert inbox.turn(after_s=0.2) == [{}]


_MALFORMED = {
    "empty": b"",
    "half": b'{"kind": "note", "da',
    "noise": bytes(range(256)),
    "list": b"[]",
    "no_data": b'{"kind": "note"}',
    "no_kind": b'{"data": {}}',
    "strange_kind": b'{"kind": "drop table", "data": {}}',
    "deep": b"[" * 60_000,
    "large": b'{"kind": "note", "data": {}}' + b" " * LARGEST_BYTES,
    "digits": b'{"kind": "note", "data": {"n": ' + b"9" * 9000 + b"}}",
}


@pytest.mark.parametrize("what", _MALFORMED)
def test_a_malformed_request_is_refused_and_the_next_one_done(
    inbox: _Inbox, tmp_path: Path, what: str
) -> None:
    (inbox.folder / "0.json").write_bytes(_MALFORMED[what])
    submit(tmp_path, "note", {"k": 1})
    assert inbox.turn() == [{"k": 1}]
    assert inbox.names() == ["0.json.refused"]
    assert (inbox.folder / "0.json.refused").read_bytes() == _MALFORMED[what]


def test_what_is_no_regular_file_is_refused_without_a_wait(inbox: _Inbox, tmp_path: Path) -> None:
    os.mkfifo(inbox.folder / "0.json")
    (inbox.folder / "1.json").mkdir()
    (inbox.folder / "2.json").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(inbox.folder / "3.json"))
    submit(tmp_path, "note", {})
    assert [*inbox.turn(), *inbox.turn()] == [{}]
    assert inbox.names() == [f"{k}.json.refused" for k in range(4)]


def test_half_written_and_foreign_files_are_left_alone(inbox: _Inbox) -> None:
    names = [".x.json.part", "notes.txt", "y.json.refused"]
    for name in names:
        (inbox.folder / name).write_bytes(b"{")
    assert inbox.turn() == []
    assert inbox.names() == sorted(names)


@pytest.mark.parametrize("error", [DataError("no such event"), KeyError("event"), TypeError("no")])
def test_data_that_its_handler_cannot_take_is_refused(
    inbox: _Inbox, tmp_path: Path, error: Exception
) -> None:
    path = submit(tmp_path, "note", {})
    inbox.error = error
    inbox.turn()
    assert inbox.names() == [path.name + ".refused"]


def test_what_cannot_be_done_now_is_tried_again_and_holds_nothing_up(
    inbox: _Inbox, tmp_path: Path
) -> None:
    submit(tmp_path, "note", {"k": 0})
    inbox.error = NotReadyError("disk full")
    assert inbox.turn() == []
    inbox.error = None
    submit(tmp_path, "note", {"k": 1})
    assert inbox.turn() == [{"k": 1}]
    assert inbox.turn(after_s=1) == []
    assert inbox.turn(after_s=5) == [{"k": 0}]
    assert inbox.names() == []


def test_a_bug_in_a_handler_is_no_reason_to_go_on(inbox: _Inbox, tmp_path: Path) -> None:
    submit(tmp_path, "note", {})
    inbox.error = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        inbox.turn()
    assert len(inbox.names()) == 1


def test_nothing_can_be_asked_of_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"store\.path: .*No such file"):
        submit(tmp_path / "none", "note", {})


@pytest.mark.parametrize("kind", ["link", "file"])
def test_nothing_is_asked_through_what_is_no_folder(tmp_path: Path, kind: str) -> None:
    store, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    store.mkdir()
    elsewhere.mkdir()
    if kind == "link":
        (store / FOLDER).symlink_to(elsewhere)
    else:
        (store / FOLDER).touch()
    with pytest.raises((SetupError, NotReadyError), match=f"{FOLDER}|store"):
        submit(store, "retry", {"all": True})
    assert not list(elsewhere.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_nothing_is_asked_in_a_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    os.chown(tmp_path, 65534, 65534)
    submit(tmp_path, "retry", {"all": True})  # it is ours
    os.chown(tmp_path / FOLDER, 1234, 1234)
    with pytest.raises(SetupError, match="not the store's owner's"):
        submit(tmp_path, "retry", {"all": True})
