"""Sound that came before the sound before it: what the gap left out is scored after all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from acoio.record import Record
from daemon.hearing.ears import Hearing
from daemon.progress import FileProgress
from detector.scoring.listen import Heard
from detector.values import Event, Score


def rehear(
    hearing: Hearing,
    file: FileProgress,
    records: Sequence[Record],
    order: Sequence[str],
    *,
    is_new: Callable[[Score], bool],
) -> tuple[Heard, bool]:
    """Return what the first records of a file give, which was heard before the one before it.

    `is_new` says whether a score is not in the ledger.  At one that is, an event ends, as
    what was found there bears another id.  Returned besides is whether the last score was
    in the ledger: else the file after it lacks something too.
    """
    begin = replace(file, bytes_read=0, samples_read=0, records=0)
    ear = hearing.apart(begin, order)
    scores: list[Score] = []
    events: list[Event] = []
    state, met = ear.state, False
    for record in records:
        heard = ear.push([record], file.name)
        if heard.fault:
            break
        if heard.scores:
            met = not all(map(is_new, heard.scores))
        if heard.scores and met:
            events += hearing.closed(state).events
            ear = hearing.with_no_event(ear)
        else:
            scores += heard.scores
            events += heard.events
        state = ear.state
    return Heard(tuple(scores), (*events, *hearing.closed(state).events), ()), met
