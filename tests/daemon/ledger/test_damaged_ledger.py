"""A ledger that is damaged, gone or gone back: nothing is lost that the drop still holds."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.config import Config
from daemon.ledger.aside import guarded, moved_aside
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.mark import MARK_FILE
from daemon.ledger.storage import StorageError
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from daemon.service.run import run
from detector.values import Score
from tests.daemon.ledger.test_ledger import _MODEL, _score, _step

_STEPS = 40


def _fill(store: Path) -> str:
    """Make a ledger of some pages, and return its epoch."""
    with open_ledger(store) as ledger:
        for number in range(1, _STEPS + 1):
            ledger.commit(_step(number), _MODEL)
        return ledger.epoch


def _truncated(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def _zeroed_page(path: Path, page: int) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * (page - 1) : 4096 * page] = bytes(4096)
    path.write_bytes(data)


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE songs (name TEXT)")


def _changed(sql: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(sql)

    return change


_DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "header_only": lambda path: _truncated(path, 0.001),
    "half": lambda path: _truncated(path, 0.5),
    "a_page_short": lambda path: path.write_bytes(path.read_bytes()[:-4096]),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "noise": lambda path: path.write_bytes(random.Random(1).randbytes(path.stat().st_size)),
    "no_tables": lambda path: _zeroed_page(path, 1),
    "foreign": _foreign,
    "a_text": lambda path: path.write_text("sequence 40\n" * 100),
    "a_message_missing": _changed("DELETE FROM outbox WHERE sequence = 20"),
    "newest_missing": _changed("DELETE FROM outbox WHERE sequence = 40"),
    "no_json": _changed("UPDATE events SET json = substr(json, 1, 9)"),
    "no_epoch": _changed("DELETE FROM meta WHERE key = 'epoch'"),
    "no_number": _changed("UPDATE meta SET value = '4x' WHERE key = 'sequence'"),
    "no_lane": _changed(
        """INSERT OR REPLACE INTO meta VALUES ('lane.live', '{"tracker": {"begin_us"! 5}}')"""
    ),
    "another_lane": _changed(
        """INSERT OR REPLACE INTO meta VALUES ('lane.live', '{"recorfs": 1}')"""
    ),
    "no_schema": _changed("UPDATE meta SET value = 'x' WHERE key = 'schema'"),
    "a_trigger_changed": _changed(
        "DROP TRIGGER evidence_wanted;"
        "CREATE TRIGGER evidence_wanted AFTER INSERT ON events WHEN NEU.status = 'closed' "
        "BEGIN SELECT 1; END"
    ),
    "a_column_renamed": _changed("ALTER TABLE files RENAME COLUMN reason TO season"),
    "no_files": _changed("DROP TABLE files"),
}


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_ledger_is_kept_aside_and_a_new_epoch_begins(tmp_path: Path, damage: str) -> None:
    path, epoch = tmp_path / LEDGER_FILE, _fill(tmp_path)
    _DAMAGES[damage](path)
    left = path.read_bytes() if path.exists() else None
    with open_ledger(tmp_path) as ledger:
        assert ledger.rebuilt
        assert ledger.epoch != epoch
        assert (ledger.sequence, dict(ledger.files), ledger.oldest) == (0, {}, 1)
        ledger.commit(_step(1), _MODEL)
    kept = moved_aside(tmp_path)
    assert [(tmp_path / name).read_bytes() for name in kept] == ([] if left is None else [left])
    with open_ledger(tmp_path) as ledger:
        assert not ledger.rebuilt
        assert ledger.sequence == 1


def _goes_on(store: Path) -> bool:
    """Open a ledger and commit to it; say whether that went well."""
    try:
        with guarded(store), open_ledger(store) as ledger:
            number = ledger.sequence + 1
            ledger.commit(_step(number, scores=(_score(5000),)), _MODEL)
            return ledger.sequence == number
    except StorageError:
        return False


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_never_stop_a_second_start(tmp_path: Path, seed: int) -> None:
    sound, chance = tmp_path / "sound", random.Random(seed)
    _fill(sound)
    data = (sound / LEDGER_FILE).read_bytes()
    for k in range(25):
        store = tmp_path / str(k)
        shutil.copytree(sound, store)
        flipped = bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (store / LEDGER_FILE).write_bytes(flipped)
        assert _goes_on(store) or _goes_on(store)


def _torn_from_a_running_one(store: Path, copy: Path) -> str:
    """Leave a store in `copy` as a power cut would, with commits in the log; return its epoch."""
    with open_ledger(store) as ledger:
        ledger.commit(_step(1), _MODEL)
        ledger._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.commit(_step(2), _MODEL)
        ledger.commit(_step(3), _MODEL)
        epoch = ledger.epoch
        torn = Path(shutil.copytree(store, copy.with_name("torn")))
    for path in torn.iterdir():
        if path.name != MARK_FILE:  # the disk is the same one
            shutil.copy(path, store)
    store.rename(copy)
    return epoch


def test_a_log_and_an_index_that_were_left_are_worked_in(tmp_path: Path) -> None:
    epoch = _torn_from_a_running_one(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / f"{LEDGER_FILE}-shm").write_bytes(random.Random(1).randbytes(32768))
    with open_ledger(tmp_path / "b") as ledger:
        assert (ledger.rebuilt, ledger.epoch, ledger.sequence) == (False, epoch, 3)


_LOG_DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "noise": lambda path: path.write_bytes(random.Random(2).randbytes(path.stat().st_size)),
    "short": lambda path: _truncated(path, 0.6),
}


@pytest.mark.parametrize("damage", _LOG_DAMAGES)
def test_a_number_that_was_sent_is_never_given_out_again(tmp_path: Path, damage: str) -> None:
    """Without its log a ledger is sound, but older: what it held stays, the numbers begin anew."""
    epoch = _torn_from_a_running_one(tmp_path / "a", tmp_path / "b")
    _LOG_DAMAGES[damage](tmp_path / "b" / f"{LEDGER_FILE}-wal")
    with open_ledger(tmp_path / "b") as ledger:
        assert ledger.rebuilt
        assert ledger.epoch != epoch
        kept = ledger.sequence  # the messages that were in the file
        assert (kept < 3, ledger.published <= kept, ledger.oldest) == (True, True, 1)
        assert ledger.event("e1") is not None
        assert 1 <= ledger.files["a"].records < 3
        ledger.commit(_step(kept + 1, files=(), scores=(_score(9),)), _MODEL)
    assert moved_aside(tmp_path / "b") == []


def test_last_weeks_copy_begins_a_new_epoch(tmp_path: Path) -> None:
    epoch = _fill(tmp_path / "store")
    shutil.copy(tmp_path / "store" / LEDGER_FILE, tmp_path / "copy")
    with open_ledger(tmp_path / "store") as ledger:
        ledger.commit(_step(_STEPS + 1), _MODEL)
    shutil.copy(tmp_path / "copy", tmp_path / "store" / LEDGER_FILE)
    with open_ledger(tmp_path / "store") as ledger:
        assert (ledger.rebuilt, ledger.sequence) == (True, _STEPS)
        assert ledger.epoch != epoch
        assert ledger.files["a"].records == _STEPS


def test_a_log_without_its_ledger_is_never_given_to_the_next_one(tmp_path: Path) -> None:
    _torn_from_a_running_one(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / LEDGER_FILE).unlink()
    (tmp_path / "b" / "ledger.witness").unlink()
    log = (tmp_path / "b" / f"{LEDGER_FILE}-wal").read_bytes()
    with open_ledger(tmp_path / "b") as ledger:
        assert (ledger.rebuilt, ledger.sequence) == (True, 0)
    (kept,) = (tmp_path / "b").glob("ledger-damaged-*-wal")
    assert kept.read_bytes() == log


def test_damage_that_shows_later_ends_the_run_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    scores: tuple[Score, ...] = tuple(_score(second) for second in range(2000))
    with open_ledger(tmp_path) as ledger:
        ledger.commit(_step(1, scores=scores), _MODEL)
    path = tmp_path / LEDGER_FILE
    _zeroed_page(path, path.stat().st_size // 4096 // 2)  # nearly all of it are scores
    with (
        pytest.raises(StorageError, match="malformed"),
        guarded(tmp_path),
        open_ledger(tmp_path) as ledger,
    ):
        assert not ledger.rebuilt
        ledger.unscored(scores, _MODEL)
    with open_ledger(tmp_path) as ledger:
        assert (ledger.rebuilt, ledger.sequence) == (True, 0)
    with open_ledger(tmp_path) as ledger:
        assert not ledger.rebuilt


@pytest.mark.usefixtures("loud")
def test_the_sound_in_the_drop_gives_the_same_events_again(full_drop: Path, config: Config) -> None:
    store = config.store.path
    assert run(config, until_idle=True) == 0
    before = stored_scores(store), stored_events(store), stored_files(store)
    _truncated(store / LEDGER_FILE, 0.7)
    assert run(config, until_idle=True) == 0
    assert (stored_scores(store), stored_events(store), stored_files(store)) == before
    with open_ledger(store) as ledger:
        assert isinstance(ledger, Ledger)
        assert len(before[1]) < ledger.sequence


def test_pages_missing_behind_a_log_are_missed(tmp_path: Path) -> None:
    """What the log holds hides that the ledger itself was cut: until it is worked in."""
    scores = tuple(_score(second) for second in range(100, 2000))
    with open_ledger(tmp_path / "a") as ledger:
        ledger.commit(_step(1, scores=scores), _MODEL)
        ledger._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.commit(_step(2), _MODEL)
        shutil.copytree(tmp_path / "a", tmp_path / "b")
    _truncated(tmp_path / "b" / LEDGER_FILE, 0.6)
    with open_ledger(tmp_path / "b") as ledger:
        assert ledger.rebuilt
