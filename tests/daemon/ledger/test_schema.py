import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from acoio.errors import SetupError
from daemon.ledger import schema
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import open_ledger
from daemon.ledger.storage import DiskError
from daemon.ledger.witness import Numbers, Witness
from daemon.progress import FileProgress, LaneState, Outgoing

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    name TEXT PRIMARY KEY, size INTEGER, inode INTEGER, bytes_read INTEGER, samples_read INTEGER,
    records INTEGER, damaged_bytes INTEGER, tail_bytes INTEGER, state TEXT, reason TEXT);
CREATE TABLE scores (
    begin_us INTEGER, model TEXT, end_us INTEGER, score REAL, threshold REAL,
    PRIMARY KEY (begin_us, model)) WITHOUT ROWID;
CREATE TABLE events (id TEXT PRIMARY KEY, begin TEXT, status TEXT, json TEXT NOT NULL);
CREATE INDEX events_by_begin ON events (begin);
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY, topic TEXT, type TEXT, json TEXT NOT NULL);
INSERT INTO meta VALUES ('schema', '1'), ('epoch', 'abc'), ('sequence', '1'), ('published', '1'),
    ('tracker', '{"begin_us": 5}'), ('heard', 'a'), ('model', 'loudness');
INSERT INTO files VALUES ('a', 100, 7, 90, 4096, 1, 0, 10, 'done', '');
INSERT INTO events VALUES ('e1', '2018', 'open', '{"id": "e1"}');
INSERT INTO outbox VALUES (1, 'kilokai.v1.event.aco', 'kilokai.v1.event', '{}');
"""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A ledger as the first version made it."""
    path = tmp_path / LEDGER_FILE
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(_FIRST)
    return path


def _tables(path: Path) -> dict[str, set[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
        return {name: {row[1:] for row in _columns(database, name)} for name in names}


def _columns(database: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return database.execute(f"PRAGMA table_info('{table}')").fetchall()


def test_a_ledger_of_the_first_version_goes_on_where_it_was(first: Path) -> None:
    with open_ledger(first.parent) as ledger:
        assert not ledger.rebuilt
        assert (ledger.epoch, ledger.sequence, ledger.model) == ("abc", 1, "loudness")
        done = FileProgress(
            "a", 100, 7, bytes_read=90, samples_read=4096, records=1, tail_bytes=10, state="done"
        )
        assert ledger.files["a"] == done
        assert ledger.event("e1") == {"id": "e1"}
        assert ledger.messages(0, 9) == [
            Outgoing(1, "kilokai.v1.event.aco", "kilokai.v1.event", "{}")
        ]
        ((_, written_us),) = ledger.written(9)
        assert written_us > 1.7e15  # now, so that it is kept for its days
        assert ledger.lane("live") == LaneState({"begin_us": 5}, "a")


def test_migrated_and_new_ledgers_have_the_same_tables(first: Path, tmp_path: Path) -> None:
    with open_ledger(first.parent), open_ledger(tmp_path / "new"):
        pass
    assert _tables(first) == _tables(tmp_path / "new" / LEDGER_FILE)


def test_a_migration_that_fails_leaves_all_as_it_was(
    first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _tables(first)
    monkeypatch.setitem(schema._STEPS, 1, schema._STEPS[1] + "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError), open_ledger(first.parent):
        pass
    assert _tables(first) == before
    monkeypatch.undo()
    with open_ledger(first.parent) as ledger:
        assert ledger.epoch == "abc"


def test_a_newer_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with open_ledger(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / LEDGER_FILE)) as database, database:
        database.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        database.execute("DROP TABLE files")  # whatever it may look like by then
    before = (tmp_path / LEDGER_FILE).read_bytes()
    wanted = f"found schema 99, wanted {schema.SCHEMA_VERSION} at most: a newer kilokai"
    with pytest.raises(SetupError, match=wanted), open_ledger(tmp_path):
        pass
    assert (tmp_path / LEDGER_FILE).read_bytes() == before
    assert list(tmp_path.glob("ledger-damaged-*")) == []


@pytest.mark.parametrize(
    ("found", "back"),
    [
        (Numbers("a", 5), False),
        (Numbers("a", 6), False),
        (Numbers("a", 4), True),
        (Numbers("b", 9), True),
    ],
)
def test_numbers_go_back_if_they_could_be_given_out_twice(found: Numbers, back: bool) -> None:
    assert Numbers("a", 5).goes_back_to(found) is back


@pytest.mark.parametrize("text", ["", "abc", "abc x", "abc 1 2", "é 1"])
def test_a_witness_that_is_torn_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.witness").write_text(text)
    assert Witness(tmp_path).read() is None
    Witness(tmp_path).write(Numbers("abc", 7))
    Witness(tmp_path).write(Numbers("abc", 8))
    assert Witness(tmp_path).read() == Numbers("abc", 8)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_witness_that_finds_no_room_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("os.fsync", _failing(number))
    Witness(tmp_path).write(Numbers("abc", 7))
    assert Witness(tmp_path).read() is None


def test_a_witness_that_cannot_be_flushed_is_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", _failing(errno.EIO))
    with pytest.raises(DiskError, match="Input/output error"):
        Witness(tmp_path).write(Numbers("abc", 7))


def _failing(number: int) -> Callable[[int], None]:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    return fail
