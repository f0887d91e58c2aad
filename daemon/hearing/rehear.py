"""Sound that came before the sound before it: what the gap left out is scored after all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acoio.record import Record
from daemon.hearing.ears import Hearing
from detector.listen import Heard
from detector.values import Event, Score


def rehear(
    hearing: Hearing,
    name: str,
    records: Sequence[Record],
    order: Sequence[str],
    *,
    is_new: Callable[[Score], bool],
) -> tuple[Heard, bool]:
    """Return what the first records of a file give, which was heard before the one before it.

    `is_new` says whether a score is not in the ledger.  It ends at the first that is:
    an event that goes on there ends, as what was found there bears another id.  Told
    besides is whether it came so far: else the file after it lacks something too.
    """
    ear, ended = hearing.ear_at("backlog", (name, 0), order)
    scores: list[Score] = []
    events: list[Event] = [*ended.events]
    state, met = ear.state, False
    for record in records:
        heard = ear.push([record], name)
        if not all(map(is_new, heard.scores)):
            met = True
            break
        scores += heard.scores
        events += heard.events
        state = ear.state
    hearing.forget("backlog")
    return Heard(tuple(scores), (*events, *hearing.closed(state).events), ()), met
