"""How the last retraining goes or went: one small file of the store, for metrics and status."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from daemon.durable import write_whole
from daemon.locks import is_held
from detector.files import read_regular

STATE_FILE: Final = "retrain.json"
LOCK_FILE: Final = "retrain.lock"

Outcome = Literal["accepted", "refused", "too_little", "out_of_season", "failed"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_MOST: Final = 1 << 31  # retrainings: more is no number of them
KILLED: Final = "it ended without a word: killed, or the machine stopped"


@dataclass(frozen=True, slots=True)
class State:
    """What `kilokai retrain` says of itself; times are ISO 8601, UTC.

    While it runs, `begin` is its own, and `end`, `outcome`, `reasons` and `candidate`
    are those of the one before.  `accepted_at` is the last acceptance,
    `refused_in_a_row` how many were refused or failed since then.  `too_little_in_a_row` is how
    many found too little typical sound, since one was decided or it was out of season.
    """

    state: Literal["running", "idle"] = "idle"
    begin: str | None = None
    end: str | None = None
    outcome: Outcome | None = None
    reasons: tuple[str, ...] = ()
    candidate: str | None = None
    champion: str | None = None
    accepted_at: str | None = None
    refused_in_a_row: int = 0
    too_little_in_a_row: int = 0

    def begun(self, at: str, champion: str | None) -> State:
        """Return what is to be said once another one has begun."""
        return replace(self, state="running", begin=at, champion=champion)

    def ended(
        self,
        at: str,
        outcome: Outcome,
        *,
        reasons: tuple[str, ...] = (),
        candidate: str | None = None,
    ) -> State:
        """Return what is to be said once it has ended."""
        accepted, refused = outcome == "accepted", outcome in ("refused", "failed")
        too_little = outcome == "too_little"
        dry = too_little or outcome == "failed"
        return replace(
            self,
            state="idle",
            end=at,
            outcome=outcome,
            reasons=reasons,
            candidate=candidate,
            accepted_at=at if accepted else self.accepted_at,
            refused_in_a_row=0 if accepted else self.refused_in_a_row + refused,
            too_little_in_a_row=self.too_little_in_a_row + too_little if dry else 0,
        )


def read_state(store: Path) -> State | None:
    """Return how it goes or went last; None if there was none, or it cannot be read.

    One that was killed says nothing more: it is known by the lock that nobody holds, has
    failed, and ended when it began for all that is known.
    """
    state = _last_words(store)
    if state is None or state.state == "idle" or is_held(store / LOCK_FILE):
        return state
    return _settled(_last_words(store))  # it may just have said how it ended


def state_before(store: Path) -> State:
    """Return how it went last, for who holds the lock: it was not that one which runs."""
    return _settled(_last_words(store)) or State()


def write_state(store: Path, state: State) -> None:
    """Write the file whole.

    Raises
    ------
    NotReadyError
        If it cannot be written; the former one is as it was.
    """
    write_whole(store / STATE_FILE, (json.dumps(asdict(state)) + "\n").encode())


def _last_words(store: Path) -> State | None:
    with suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        return _state(json.loads(read_regular(store / STATE_FILE)))
    return None


def _state(said: dict[str, Any]) -> State:
    names = {field.name for field in fields(State)}
    known = {name: value for name, value in said.items() if name in names}
    state = State(**{**known, "reasons": tuple(known.get("reasons", ()))})
    if not _is_sound(state):
        raise ValueError(f"found {said!r:.80}, wanted what `write_state` writes")
    return state


def _is_sound(state: State) -> bool:
    """Say whether every value is there and of its kind: others count with them and show them.

    Raises
    ------
    ValueError, TypeError
        If a time is none.
    """
    for time in (state.begin, state.end, state.accepted_at):
        if time is not None:
            datetime.fromisoformat(time).timestamp()
    counts = (state.refused_in_a_row, state.too_little_in_a_row)
    texts = (state.begin, state.end, state.accepted_at, state.candidate, state.champion)
    return (
        _is_whole(state)
        and all(text is None or isinstance(text, str) for text in texts)
        and all(isinstance(reason, str) for reason in state.reasons)
        and all(isinstance(count, int) and 0 <= count < _MOST for count in counts)
    )


def _is_whole(state: State) -> bool:
    """Say whether one that runs says when it began, and one that is over how it ended."""
    is_over = state.end is not None and state.outcome in OUTCOMES
    if state.state == "running":
        return state.begin is not None and (is_over or (state.end, state.outcome) == (None, None))
    return state.state == "idle" and is_over


def _settled(state: State | None) -> State | None:
    if state is None or state.state == "idle":
        return state
    return state.ended(state.begin or "", "failed", reasons=(KILLED,))
