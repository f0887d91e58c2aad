import fcntl
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

from acoio.errors import NotReadyError, SetupError
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from daemon.progress import FileProgress, LaneState, Outgoing, Step
from detector.values import Score

_BEGIN = datetime(2018, 10, 28, tzinfo=UTC)
_MODEL = "loudness"


def _score(second: int, score: float = 1.5) -> Score:
    begin = _BEGIN + timedelta(seconds=second)
    bands = np.zeros(4, np.float32)
    return Score(begin, begin + timedelta(seconds=2), score, 2.0, bands, bands, bands, "a", 0)


def _message(sequence: int) -> Outgoing:
    return Outgoing(sequence, "kilokai.v1.gap.aco", "kilokai.v1.gap", f'{{"sequence":{sequence}}}')


def _step(number: int, **other: object) -> Step:
    values: dict[str, object] = {
        "published": number - 1,
        "files": (FileProgress("a", 100 * number, 7, bytes_read=100 * number, records=number),),
        "scores": (_score(number),),
        "events": ({"id": "e1", "begin": "2018", "status": "open", "number": number},),
        "outgoing": (_message(number),),
        "lanes": {"live": LaneState({"begin_us": number}, "a")},
    }
    return Step(**{**values, **other})  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as found:
        yield found


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        epoch = ledger.epoch
        ledger.commit(_step(1), _MODEL)
        ledger.commit(_step(2, model="loudness"), _MODEL)
    with open_ledger(tmp_path) as ledger:
        assert (ledger.epoch, ledger.sequence, ledger.published) == (epoch, 2, 1)
        assert (ledger.lane("live"), ledger.model) == (LaneState({"begin_us": 2}, "a"), "loudness")
        assert ledger.files == {"a": FileProgress("a", 200, 7, bytes_read=200, records=2)}
        assert ledger.messages(0, 10) == [_message(1), _message(2)]
        assert ledger.event("e1") == {"id": "e1", "begin": "2018", "status": "open", "number": 2}
        assert ledger.unscored([_score(1), _score(2), _score(3)], _MODEL)[0].begin.second == 3
        assert len(ledger.unscored([_score(1)], "another model")) == 1


def test_a_step_that_fails_leaves_nothing(ledger: Ledger) -> None:
    ledger.commit(_step(1), _MODEL)
    again = _step(2, scores=(_score(2), _score(1)))  # the second one is there already
    with pytest.raises(sqlite3.IntegrityError):
        ledger.commit(again, _MODEL)
    assert (ledger.sequence, ledger.files["a"].records) == (1, 1)
    assert ledger.lane("live") == LaneState({"begin_us": 1}, "a")
    assert ledger.lane("backlog") == LaneState()
    assert len(ledger.unscored([_score(2)], _MODEL)) == 1
    assert ledger.event("e1") == {"id": "e1", "begin": "2018", "status": "open", "number": 1}
    ledger.commit(_step(2), _MODEL)
    assert ledger.sequence == 2


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_number_that_does_not_follow_is_a_bug(ledger: Ledger, number: int) -> None:
    ledger.commit(_step(1), _MODEL)
    with pytest.raises(ValueError, match="wanted them on from 2"):
        ledger.commit(_step(2, outgoing=(_message(number),)), _MODEL)


def test_numbers_go_on_where_nothing_was_said(ledger: Ledger) -> None:
    assert (ledger.sequence, ledger.oldest) == (0, 1)
    ledger.commit(_step(1, outgoing=()), _MODEL)
    ledger.commit(_step(2, outgoing=(_message(1), _message(2))), _MODEL)
    assert (ledger.sequence, ledger.oldest) == (2, 1)
    assert ledger.messages(1, 10) == [_message(2)]


def test_a_second_daemon_is_refused_by_the_first_ones_process_id(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from daemon.ledger.ledger import open_ledger\n"
        "with open_ledger(Path(sys.argv[1])): print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(NotReadyError, match=f"in use by process {first.pid}"):  # noqa: SIM117
            with open_ledger(tmp_path):
                pass
        first.communicate(b"\n", timeout=90)
    with open_ledger(tmp_path) as ledger:
        assert ledger.sequence == 0


def test_the_store_can_be_read_while_a_daemon_writes_and_when_none_runs(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.commit(_step(1), _MODEL)
        assert stored_events(tmp_path)[0]["id"] == "e1"
        ledger.commit(_step(2), _MODEL)
        assert [score["begin"][17:19] for score in stored_scores(tmp_path)] == ["01", "02"]
    assert stored_files(tmp_path)[0]["records"] == 2
    with open_ledger(tmp_path) as ledger:
        assert ledger.sequence == 2


def test_no_store_is_the_operators_fault(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="found no such folder"):
        stored_events(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"store\.path"), open_ledger(tmp_path / "file"):
        pass


def test_commits_are_made_to_survive_a_power_cut(tmp_path: Path, ledger: Ledger) -> None:
    database = ledger._database
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger.lane("live") == LaneState()


def test_somebody_who_looks_whether_the_store_is_held_does_not_keep_a_daemon_out(
    tmp_path: Path,
) -> None:
    with open_ledger(tmp_path):
        pass
    with (tmp_path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        gone = Timer(0.03, lambda: fcntl.flock(looking, fcntl.LOCK_UN))
        gone.start()
        with open_ledger(tmp_path) as ledger:
            assert ledger.sequence == 0
        gone.join()
