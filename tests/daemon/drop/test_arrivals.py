from dataclasses import replace
from typing import Any

import pytest

from daemon.drop.arrivals import LARGEST_BYTES, Arrivals, Plan, Task
from daemon.drop.listing import Seen, is_recording
from daemon.ledger.files import Files
from daemon.progress import FileProgress
from tests.daemon.fakes import files_of

_A = "2018-10-28--00.00.HYD24BBpk"
_B = "2018-10-28--00.05.HYD24BBpk"
_C = "2018-10-28--00.10.HYD24BBpk"


def _arrivals() -> Arrivals:
    return Arrivals(settle_s=30, rate_hz=24_000, band="BB")


def _seen(name: str, size: int = 10_000, inode: int = 1, **other: float) -> Seen:
    return Seen(name, size, inode, **other)  # type: ignore[arg-type]


def _read(name: str, size: int = 10_000, **other: object) -> FileProgress:
    file = FileProgress(name, size, 1, bytes_read=size, samples_read=4096, records=1)
    return replace(file, **other)  # type: ignore[arg-type]


def _known(*files: FileProgress) -> Files:
    return files_of(files)


def _does(plan: Plan) -> list[tuple[str, str]]:
    return [(task.do, task.seen.name) for task in plan.tasks]


@pytest.mark.parametrize(
    "name",
    [".a.HYD24BBpk.Xy12", _A + ".part", _A + ".tmp", f".~tmp~/{_A}", "truth.csv", "HYD24BBpk"],
)
def test_what_is_still_under_way_or_no_recording_is_left_alone(name: str) -> None:
    assert not is_recording(name)
    plan = _arrivals().look([_seen(name)], _known(), 0)
    assert plan == Plan(ignored=(name,))


def test_the_oldest_sound_comes_first_wherever_it_lies() -> None:
    listing = [_seen(f"new/{_C}", age_s=9), _seen(f"z/{_A}", age_s=9), _seen(_B, age_s=9)]
    plan = _arrivals().look(listing, _known(), 0)
    assert _does(plan) == [("read", f"z/{_A}"), ("read", _B), ("read", f"new/{_C}")]
    assert plan.order == (f"z/{_A}", _B, f"new/{_C}")


def test_a_growing_file_is_read_on_and_waited_for() -> None:
    arrivals, file = _arrivals(), _read(_A, 10_000)
    assert _does(arrivals.look([_seen(_A, 10_036)], _known(file), 0)) == []
    assert arrivals.look([_seen(_A, 10_036)], _known(file), 1).waiting == (_A,)
    assert _does(arrivals.look([_seen(_A, 10_037)], _known(file), 2)) == [("read", _A)]


def test_a_file_without_another_whole_record_is_not_read_again_until_it_grows() -> None:
    arrivals, file = _arrivals(), _read(_A, 10_000)
    arrivals.look([_seen(_A, 12_000)], _known(file), 0)
    arrivals.exhausted(Task("read", _seen(_A, 12_000), young=True), _known(file))
    assert _does(arrivals.look([_seen(_A, 12_000)], _known(file), 1)) == []
    assert _does(arrivals.look([_seen(_A, 12_001)], _known(file), 2)) == [("read", _A)]


def test_a_clock_that_steps_closes_no_file_that_grows() -> None:
    """By the clock of the machine it was written an hour ago, as soon as that steps ahead."""
    arrivals, known = _arrivals(), _known(_read(_A, 10_500))
    arrivals.look([_seen(_A, 10_000, age_s=0.1)], known, 0)
    for k in range(1, 30):
        plan = arrivals.look([_seen(_A, 10_500 + k, age_s=3600.0)], known, k)
        assert "close" not in dict(_does(plan))
    assert _does(arrivals.look([_seen(_A, 10_529, age_s=0.1)], known, 59)) == [("close", _A)]


def test_a_file_that_has_not_grown_for_the_settling_time_is_closed() -> None:
    arrivals, known = _arrivals(), _known(_read(_A))
    assert _does(arrivals.look([_seen(_A)], known, 100)) == []
    assert _does(arrivals.look([_seen(_A)], known, 129.9)) == []
    assert _does(arrivals.look([_seen(_A)], known, 130)) == [("close", _A)]


def test_growing_begins_the_settling_anew() -> None:
    arrivals = _arrivals()
    arrivals.look([_seen(_A, 10_000)], _known(_read(_A)), 0)
    arrivals.look([_seen(_A, 10_020)], _known(_read(_A)), 29)
    assert _does(arrivals.look([_seen(_A, 10_020)], _known(_read(_A)), 31)) == []


def test_a_file_is_not_begun_while_the_one_before_it_is_written_to() -> None:
    arrivals, listing = _arrivals(), [_seen(_A, 20_000), _seen(_B)]
    plan = arrivals.look(listing, _known(_read(_A)), 0)
    assert (_does(plan), plan.held) == ([("read", _A)], (_B,))
    assert arrivals.look([_seen(_A, 30_000), _seen(_B)], _known(_read(_A)), 0.9).held == (_B,)
    plan = arrivals.look([_seen(_A, 30_000), _seen(_B)], _known(_read(_A)), 2)
    assert (_does(plan), plan.held) == ([("read", _A), ("read", _B)], ())
    begun = _known(_read(_A), _read(_B))
    grown = [_seen(_A, 40_000), _seen(_B, 20_000)]
    assert _does(arrivals.look(grown, begun, 3)) == [("read", _A), ("read", _B)]


def test_a_file_is_not_begun_while_the_one_before_it_is_compared() -> None:
    replaced = [_seen(_A, 20_000, inode=2, age_s=99), _seen(_B, age_s=99)]
    plan = _arrivals().look(replaced, _known(_read(_A)), 0)
    assert (_does(plan), plan.held) == ([("compare", _A)], (_B,))


def test_what_can_never_be_read_is_no_part_of_the_sound_before_another() -> None:
    listing = [_seen(_A, LARGEST_BYTES + 1, age_s=99), _seen(_B, age_s=99)]
    assert _arrivals().look(listing, _known(), 0).order == (_B,)


def test_an_old_file_settles_at_first_sight() -> None:
    assert _does(_arrivals().look([_seen(_A, age_s=31)], _known(_read(_A)), 0)) == [("close", _A)]


def test_a_newer_file_with_sound_closes_the_one_before_sooner() -> None:
    arrivals, known = _arrivals(), _known(_read(_A), _read(_B))
    listing = [_seen(_A), _seen(_B)]
    assert _does(arrivals.look(listing, known, 0)) == []
    assert _does(arrivals.look(listing, known, 3)) == [("close", _A)]


def test_a_closed_file_that_is_not_as_it_was_left_is_compared_by_its_bytes() -> None:
    done = _read(_A, state="done", tail_bytes=500, size=10_500, mtime_ns=7)
    assert _does(_arrivals().look([_seen(_A, 10_500, mtime_ns=7)], _known(done), 0)) == []
    others = ({"size": 10_501}, {"inode": 2}, {"mtime_ns": 8}, {"size": 9_000})
    for other in others:
        seen = replace(_seen(_A, 10_500, mtime_ns=7), **other)  # type: ignore[arg-type]
        arrivals = _arrivals()
        assert arrivals.look([seen], _known(done), 0).waiting == (_A,)  # it may be written to
        assert _does(arrivals.look([seen], _known(done), 1)) == [("compare", _A)]


def test_a_copy_of_another_file_is_not_read_and_compared_once_it_is_whole() -> None:
    copy = FileProgress(_A, 10_000, 1, twin="sub/" + _A)
    arrivals = _arrivals()
    assert _does(arrivals.look([_seen(_A)], _known(copy), 0)) == []
    assert _does(arrivals.look([_seen(_A)], _known(copy), 30)) == [("compare", _A)]


def test_a_file_that_goes_before_it_was_done_is_told_and_goes_on_when_it_comes_back() -> None:
    half, done = _read(_A, 10_000), _read(_B, state="done")
    assert _does(_arrivals().look([], _known(half, done), 0)) == [("vanish", _A)]
    gone = replace(half, state="vanished")
    assert _does(_arrivals().look([], _known(gone, done), 0)) == []
    assert _does(_arrivals().look([_seen(_A, 20_000)], _known(gone), 0)) == [("read", _A)]


def test_a_file_that_is_to_be_heard_again_comes_in_its_turn() -> None:
    file = _read(_A, state="done", mtime_ns=7, rehear=True)
    listing = [_seen(_B), _seen(_A, mtime_ns=7)]
    plan = _arrivals().look(listing, _known(file), 0)
    assert _does(plan) == [("rehear", _A), ("read", _B)]


def test_a_glance_at_a_file_only_ever_says_to_read_on() -> None:
    arrivals, known = _arrivals(), _known(_read(_A))
    task = arrivals.glance(_seen(_A, 20_000), known, 0)
    assert task is not None
    assert task.do == "read"
    for seen in (_seen(_A), _seen(_A, inode=5), _seen("truth.csv"), _seen("tape.HYD24BBpk")):
        assert arrivals.glance(seen, known, 1000) is None


def test_an_empty_file_is_set_aside_once_settled() -> None:
    arrivals = _arrivals()
    assert _does(arrivals.look([_seen(_A, 0)], _known(), 0)) == []
    (task,) = arrivals.look([_seen(_A, 0)], _known(), 30).tasks
    assert (task.do, task.reason) == ("set_aside", "empty file: found 0 bytes, wanted records")


def test_noise_is_closed_with_the_first_complaint() -> None:
    noise = _read(_A, records=0, reason="byte 0: no record header")
    (task,) = _arrivals().look([_seen(_A, age_s=99)], _known(noise), 0).tasks
    assert (task.do, task.reason) == ("close", "byte 0: no record header")


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (_seen("2018-02-30--00.00.HYD24BBpk"), "no date"),
        (_seen("tape.HYD24BBpk"), "wanted YYYY-MM-DD"),
        (_seen("2018-10-28--00.00.HYD96BBpk"), "rate: found 96000 Hz, wanted 24000 Hz"),
        (_seen("2018-10-28--00.00.HYD24HFpk"), "band: found HF, wanted BB"),
        (_seen(_A, LARGEST_BYTES + 1), "size: found 1073741825 bytes"),
        (Seen(_A, 0, 1, regular=False), "found no regular file"),
    ],
)
def test_what_can_never_be_read_is_set_aside_once(seen: Seen, reason: str) -> None:
    arrivals = _arrivals()
    (task,) = arrivals.look([seen], _known(), 0).tasks
    assert task.do == "set_aside"
    assert reason in task.reason
    aside = FileProgress(seen.name, seen.size, seen.inode, state="set_aside", reason=task.reason)
    assert arrivals.look([seen], _known(aside), 1).tasks == ()


def test_a_file_that_shrank_or_was_replaced_while_it_was_read_is_compared() -> None:
    half = _read(_A, size=10_000, bytes_read=5_000)
    old: dict[str, Any] = {"age_s": 9.0}
    for seen in (_seen(_A, 4_000, **old), _seen(_A, 9_000, **old), _seen(_A, 11_000, 2, **old)):
        assert _does(_arrivals().look([seen], _known(half), 0)) == [("compare", _A)]
    assert _does(_arrivals().look([_seen(_A, 11_000)], _known(half), 0)) == [("read", _A)]


def test_a_file_set_aside_is_read_when_another_one_comes_by_its_name() -> None:
    aside = FileProgress(_A, 0, 1, state="set_aside", reason="empty file")
    assert _does(_arrivals().look([_seen(_A)], _known(aside), 0)) == [("read", _A)]
