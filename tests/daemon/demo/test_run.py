from datetime import timedelta
from pathlib import Path

import pytest

from acoio.errors import SetupError
from acoio.simulate import Truth
from daemon.demo.report import report
from daemon.demo.run import MARKER, _places
from detector.values import event_json, iso
from tests.daemon.bus.test_wire import _BEGIN, _EVENT


def test_a_folder_that_is_no_demonstrations_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SetupError, match="no demonstration's"), _places(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").exists()


def test_a_former_demonstration_makes_room_and_no_sound_is_left_behind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _places(out):
        (out / "old").touch()
    with pytest.raises(KeyboardInterrupt), _places(out) as places:
        (places.drop / "sound").touch()
        raise KeyboardInterrupt
    assert [path.name for path in out.iterdir()] == [MARKER]


_PAGE = "kilokai_scored_seconds_total 3600.0\nkilokai_times_real_time_ratio 500.0\n"


def test_the_report_counts_only_what_was_scored() -> None:
    second = timedelta(seconds=1)
    scores = [
        {"begin": iso(_BEGIN + k * second), "end": iso(_BEGIN + (k + 2) * second)}
        for k in range(3600)
    ]
    truth = [
        Truth(_BEGIN + k * second, _BEGIN + (k + 3) * second, 80, 900, "song", snr_db, "call")
        for k, snr_db in ((-60, 10.0), (0, 10.0), (500, -5.0))
    ]
    lines = list(report([event_json(_EVENT)], scores, truth, page=_PAGE, wall_s=12.0))
    assert "Scored 3600 s of sound: 500 times real time by the daemon's own work," in lines
    assert "300 times real time by the wall clock" in lines[1]
    assert lines[3] == "calls outside of what was scored do not count: 1."
    assert "-5 dB      1      0             0" in "\n".join(lines)
    assert "+10 dB      1      1             0" in "\n".join(lines)
    assert lines[-3] == "1 events: 1 on calls, 0 on ships or gear, 0 on nothing."
    assert lines[-1] == "In 59.9 of 60.0 minutes there was nothing to hear."
    assert all(len(line) <= 80 for line in lines)


def test_too_little_sound_is_said() -> None:
    assert "No sound was scored" in next(iter(report([], [], [], page=_PAGE, wall_s=1.0)))
