"""A start: which model scores, if it is another one than when the daemon ran last."""

from __future__ import annotations

from collections.abc import Callable

from daemon.hearing.ears import Listen
from daemon.hearing.keeping import Keeper
from daemon.ledger.ledger import Ledger
from daemon.models.loading import First, Loading
from daemon.models.switching import switch_draft
from daemon.progress import LANES
from detector.scoring.score import Scorer
from detector.values import Event


def announce_first(
    first: First,
    loading: Loading,
    listen: Callable[[Scorer], Listen],
    *,
    ledger: Ledger,
    keeper: Keeper,
) -> None:
    """Say which model scores and end what the former one left open, if it is another one.

    Raises
    ------
    NotReadyError
        If the ledger cannot be written right now.
    """
    before, now = ledger.model, first.scorer
    if before == now.model:
        return
    by, reason = first.why(loading.registry)
    draft = switch_draft(now, previous=before, by=by, reason=reason)
    keeper.announce(draft, model=now.model, ended=_left_open(before, loading, listen, ledger))


def _left_open(
    before: str | None, loading: Loading, listen: Callable[[Scorer], Listen], ledger: Ledger
) -> list[Event]:
    """Return what is open as the model that heard it would end it; nothing if that is gone."""
    trackers = [tracker for lane in LANES if (tracker := ledger.lane(lane).tracker)]
    former = loading.former(before) if before and trackers else None
    if former is None:
        return []
    return [event for tracker in trackers for event in listen(former)(tracker).flush().events]
