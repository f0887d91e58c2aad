from pathlib import Path

import pytest

from acoio.clock import to_us
from daemon.bus.outbox import open_outbox
from daemon.bus.replay import answer
from daemon.ledger import old_messages
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.old_messages import OldMessages, outdated
from tests.daemon.ledger.test_ledger import _MODEL, _step

_ROWS = [(k, 100 * k) for k in range(3, 9)]


@pytest.mark.parametrize(
    ("before_us", "newest", "last"),
    [(0, 9, 0), (500, 9, 4), (10_000, 9, 8), (10_000, 5, 5), (10_000, 2, 0)],
)
def test_what_is_old_goes_but_for_the_newest(before_us: int, newest: int, last: int) -> None:
    assert outdated(_ROWS, before_us=before_us, newest=newest) == last


def test_numbers_keep_having_no_holes_when_the_clock_went_back() -> None:
    rows = [(1, 900), (2, 100), (3, 100)]
    assert outdated(rows, before_us=500, newest=9) == 0


def _filled(ledger: Ledger, count: int) -> None:
    for number in range(1, count + 1):
        ledger.commit(_step(number), _MODEL)


def test_whoever_asks_for_an_old_message_is_told_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_messages, "ALWAYS_KEPT", 3)
    monkeypatch.setattr(old_messages, "_AT_ONCE", 4)
    with open_ledger(tmp_path) as ledger:
        _filled(ledger, 12)
        chore = OldMessages(ledger, days=1e-9)
        chore.do(100.0)
        assert ledger.oldest == 5  # four a turn
        chore.do(100.0)
        chore.do(100.0)
        assert ledger.oldest == 10
        assert ledger.event("e1") is not None
        path, newest = tmp_path / LEDGER_FILE, ledger.sequence
        with open_outbox(path, epoch=ledger.epoch, sequence=newest) as outbox:
            reply = answer(b'{"epoch":null,"since":8}', outbox)
        assert '"error":"too_old"' in reply
        assert '"oldest":10' in reply
        assert [message.sequence for message in ledger.messages(9, 99)] == [10, 11, 12]
    with open_ledger(tmp_path) as ledger:
        assert (ledger.rebuilt, ledger.oldest, ledger.sequence) == (False, 10, 12)


def test_what_was_not_sent_yet_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_messages, "ALWAYS_KEPT", 0)
    with open_ledger(tmp_path) as ledger:
        _filled(ledger, 5)  # the last step knew that 4 were sent
        OldMessages(ledger, days=1e-9).do(100.0)
        assert ledger.oldest == 5


def test_a_clock_that_jumps_by_years_costs_none_of_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(tmp_path) as ledger:
        monkeypatch.setattr("daemon.ledger.ledger.to_us", lambda when: to_us(when) - 10**15)
        ledger.commit(_step(1, scores=()), _MODEL)
        OldMessages(ledger, days=30.0).do(100.0)
        assert ledger.oldest == 1
