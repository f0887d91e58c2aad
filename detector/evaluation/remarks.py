"""What to know of labelled recordings, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.evaluation.by_event import events_in
from detector.evaluation.labels import BACKGROUND, Label
from detector.evaluation.values import Scored


def remarks(scored: Scored, labels: Sequence[Label]) -> Iterator[str]:
    """Yield what was not scored, and false events."""
    if before := len(scored.piece.calls) - len(scored.calls()):
        yield (
            f"{before} of {len(scored.piece.calls)} calls lie where nothing is scored: in the "
            "first minute of sound, or outside of it"
        )
    faint = [x.truth.label for x in labels if x.faint and x.truth.label != BACKGROUND]
    for name in dict.fromkeys(faint):
        yield f"{name}: {faint.count(name)} noted with the word faint"
    for label in (x for x in labels if x.truth.label == BACKGROUND):
        span = (label.truth.begin, label.truth.end)
        bands = "; ".join(f"{e.low_hz:.0f}–{e.high_hz:.0f} Hz" for e in events_in(scored, span))
        noted = ", noted with the word faint" if label.faint else ""
        seconds = (span[1] - span[0]).total_seconds()
        told = f"events at {bands}" if bands else "no event"
        yield f"background from {span[0]:%H:%M:%S}, {seconds:.0f} s{noted}: {told}"
