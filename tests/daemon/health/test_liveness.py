"""The watchdog hears of work that went on, or of honestly none; a loop that turns is no sign."""

from daemon.health.liveness import Liveness, got_on
from daemon.progress import FileProgress


def _stuck() -> Liveness:
    liveness = Liveness()
    liveness.did("a", 100, changed=False)
    liveness.found(due=True, waiting=True)
    liveness.did("a", 100, changed=False)
    return liveness


def test_nothing_found_is_alive_and_something_found_is_not_until_it_went_on() -> None:
    liveness = Liveness()
    assert liveness.is_alive()
    liveness.found(due=False, waiting=False)
    assert liveness.is_alive()
    liveness.found(due=True, waiting=True)
    assert not liveness.is_alive()
    liveness.did("a", 100, changed=True)
    assert liveness.is_alive()


def test_the_same_step_in_vain_for_ever_is_no_life() -> None:
    liveness = _stuck()
    assert not liveness.is_alive()
    for _ in range(5):
        liveness.found(due=True, waiting=True)
        liveness.did("a", 100, changed=False)
        assert not liveness.is_alive()


def test_a_file_that_grows_without_a_whole_record_is_not_stuck() -> None:
    liveness = Liveness()
    for size in range(100, 110):
        liveness.found(due=True, waiting=True)
        liveness.did("a", size, changed=False)
        assert liveness.is_alive()


def test_other_sound_that_goes_on_is_life_beside_a_file_that_does_not() -> None:
    liveness = _stuck()
    liveness.did("b", 100, changed=True)
    assert liveness.is_alive()


def test_what_the_drop_does_not_give_is_not_our_fault() -> None:
    liveness = Liveness()
    liveness.found(due=True, waiting=True)
    liveness.not_given()
    assert liveness.is_alive()
    liveness.found(due=False, waiting=True)
    assert liveness.is_alive()


def test_a_ledger_that_refuses_is_no_life_until_something_is_kept_or_nothing_waits() -> None:
    liveness = Liveness()
    liveness.refused()
    liveness.found(due=False, waiting=True)
    assert not liveness.is_alive()
    liveness.not_given()
    assert not liveness.is_alive()
    liveness.did("a", 100, changed=True)
    assert liveness.is_alive()
    liveness.refused()
    liveness.found(due=False, waiting=False)
    assert liveness.is_alive()


def test_one_try_more_is_not_getting_on() -> None:
    file = FileProgress("a", bytes_read=10)
    assert not got_on(file, FileProgress("a", bytes_read=10, attempts=3))
    assert got_on(file, FileProgress("a", bytes_read=11))
    assert got_on(file, FileProgress("a", bytes_read=10, state="done"))
    assert got_on(None, file)
    assert not got_on(None, None)


def test_each_piece_of_a_file_that_comes_is_life_once_until_work_goes_on() -> None:
    liveness = _stuck()
    assert [liveness.came("a", byte) for byte in (0, 4, 8)] == [True] * 3
    assert [liveness.came("a", byte) for byte in (0, 4, 8)] == [False] * 3
    liveness.refused()
    assert not liveness.came("a", 0)
    liveness.did("b", 100, changed=True)
    assert liveness.came("a", 0)
    liveness.not_given()
    assert liveness.came("a", 0)
