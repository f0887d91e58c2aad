"""A pipe in the place of a file of a store is refused or passed over, never waited for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from acoio.errors import SetupError
from daemon.events.reviews import Reviews
from daemon.ledger.aside import suspicion
from daemon.ledger.ledger import open_ledger
from daemon.ledger.witness import Witness
from daemon.metrics.guard import Guard, read_password
from daemon.options import Metrics

_Asked = Callable[[Path], object]


def _reviews(store: Path) -> object:
    with open_ledger(store / "elsewhere") as ledger:
        return Reviews(store, ledger, lambda *_: None)


def _certificate(store: Path) -> object:
    pipe = store / "pipe"
    return Guard(Metrics(certificate=pipe, key=pipe))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("verdicts.jsonl", _reviews),
        ("pipe", lambda store: read_password(store / "pipe")),
        ("pipe", _certificate),
    ],
)
def test_a_pipe_is_refused(tmp_path: Path, name: str, ask: _Asked) -> None:
    os.mkfifo(tmp_path / name, 0o600)
    with pytest.raises(SetupError, match="found no regular file"):
        ask(tmp_path)


@pytest.mark.timeout(60)
def test_a_pipe_says_nothing_of_a_ledger(tmp_path: Path) -> None:
    for name in ("ledger.witness", "ledger.suspect"):
        os.mkfifo(tmp_path / name)
    assert Witness(tmp_path).read() is None
    assert suspicion(tmp_path) == ""
    with open_ledger(tmp_path) as ledger:
        assert ledger.sequence == 0
