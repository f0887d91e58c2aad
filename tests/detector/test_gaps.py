"""Gaps are reported as they are, up to so many of a file; a dead channel is one."""

from __future__ import annotations

import json
from datetime import timedelta

from acoio.dead import DEAD
from acoio.sound import Gap
from detector.features.gaps import MOST_A_FILE, GapBook, dead_channel
from tests.detector.sounds import BEGIN

_SECOND = timedelta(seconds=1)


def _gap(at_s: float, seconds: float = 1.0, reason: str = "") -> Gap:
    begin = BEGIN + at_s * _SECOND
    return Gap(begin, begin + seconds * _SECOND, reason)


def test_of_a_file_so_many_are_reported_and_the_others_as_one() -> None:
    book = GapBook()
    assert book.begin("a") == []
    reported = [gap for k in range(500) for gap in book.missing(_gap(2 * k))]
    assert reported == [_gap(2 * k) for k in range(MOST_A_FILE)]
    (more,) = book.begin("b")
    assert more.reason == f"{500 - MOST_A_FILE} more gaps in a"
    assert (more.begin, more.end) == (_gap(2 * MOST_A_FILE).begin, _gap(998).end)
    assert more.seconds == 500 - MOST_A_FILE
    assert book.missing(_gap(2000)) == [_gap(2000)]


def test_a_channel_that_flickers_is_one_gap_until_a_window_is_scored() -> None:
    book = GapBook()
    for k in range(1000):
        book.died(_gap(10 * k, 0.2, DEAD + "x"))
    assert book.dead == Gap(_gap(0).begin, _gap(9990, 0.2).end, DEAD + "x")
    assert book.lives() == [Gap(_gap(0).begin, _gap(9990, 0.2).end, DEAD + "x")]
    assert book.lives() == []


def test_missing_records_end_a_dead_channel() -> None:
    book = GapBook()
    book.died(_gap(0, 5, DEAD))
    assert book.missing(_gap(5)) == [_gap(0, 5, DEAD), _gap(5)]


def test_a_restart_at_any_gap_changes_nothing() -> None:
    def reports(*, restart: bool) -> list[Gap]:
        book, found = GapBook(), []
        for k in range(60):
            found += book.begin(f"{k // 20}")
            if k % 3:
                found += book.missing(_gap(4 * k))
            else:
                book.died(_gap(4 * k, reason=DEAD))
            if k == 30:
                found += book.lives()
            if restart:
                state = json.loads(json.dumps(book.state))
                assert dead_channel({"gaps": state}) == book.dead
                book = GapBook(state)
        return [*found, *book.end()]

    assert reports(restart=True) == reports(restart=False)
    assert dead_channel({}) is None
