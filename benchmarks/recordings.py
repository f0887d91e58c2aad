"""What the pretrained model makes of labelled recordings.

`python -m benchmarks.recordings FOLDER LABELS.csv [PICTURE.png]`.  The labels have the columns
begin_utc, end_utc, low_hz, high_hz and label; stretches labelled `background` are
those where nothing should be found.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from matplotlib.figure import Figure

import acoio
from acoio.picture import Box, draw_boxes, draw_spectrogram, save
from acoio.spectrogram import spectrogram
from daemon.bus.wire import event_from_json
from daemon.hearing.batch import score_files
from detector import PRETRAINED, Event, Listener, load_model
from detector.evaluation.labels import BACKGROUND, read_labels

SHOWN = (timedelta(seconds=65), timedelta(seconds=185))


@dataclass(frozen=True)
class Label:
    """A stretch that somebody has looked at."""

    begin: datetime
    end: datetime
    low_hz: float
    high_hz: float
    word: str

    def overlaps(self, event: Event) -> bool:
        """Say whether an event shares time with it."""
        return event.begin < self.end and self.begin < event.end


def main() -> None:
    """Print what was found, missed and heard in the background; draw two minutes."""
    folder, labels_path = Path(sys.argv[1]), Path(sys.argv[2])
    files = sorted(folder.glob("*.HYD*"))
    labels = looked_at(labels_path)
    scorer = load_model(PRETRAINED)
    listener = Listener(scorer, station="bench")
    named = [(path.name, path) for path in files]
    findings = score_files(named, listener, scorer.features.rate_hz, told=print)
    events = [event_from_json(event) for event in findings.events.values()]
    first = datetime.fromisoformat(findings.scores[0]["begin"])
    print(f"model {scorer.model}, threshold {scorer.threshold:.1f} nats, {len(events)} events")
    report([label for label in labels if label.begin >= first], events, first)
    if len(sys.argv) > 3:
        draw(files[0], events, Path(sys.argv[3]))


def looked_at(path: Path) -> list[Label]:
    """Return the labels of a table."""
    truths = [label.truth for label in read_labels(path)]
    return [Label(x.begin, x.end, x.low_hz, x.high_hz, x.label) for x in truths]


def report(labels: Sequence[Label], events: Sequence[Event], first: datetime) -> None:
    """Print calls found by kind, and the events in stretches of background."""
    calls = [x for x in labels if x.word != BACKGROUND]
    found = Counter(x.word for x in calls if any(x.overlaps(event) for event in events))
    for word, count in Counter(x.word for x in calls).items():
        print(f"{word:24s} {found[word]:3d} of {count:3d} fall in an event")
    counted = f"{found.total():3d} of {len(calls):3d}"
    print(f"{'all':24s} {counted} that begin after {first:%H:%M:%S}")
    for stretch in (x for x in labels if x.word == BACKGROUND):
        inside = [event for event in events if stretch.overlaps(event)]
        seconds = (stretch.end - stretch.begin).total_seconds()
        print(f"background from {stretch.begin:%H:%M:%S}, {seconds:.0f} s: {len(inside)} events")
        for event in inside:
            print(
                f"    {event.begin:%H:%M:%S} to {event.end:%H:%M:%S}, {event.low_hz:.0f} to "
                f"{event.high_hz:.0f} Hz, {event.level_db:.0f} dB, score {event.score:.1f}"
            )


def draw(path: Path, events: Sequence[Event], out: Path) -> None:
    """Draw two minutes with the events found there."""
    sound = acoio.read(path)[SHOWN[0] : SHOWN[1]]
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    axes = figure.subplots()
    draw_spectrogram(axes, spectrogram(sound))
    inside = [e for e in events if e.begin < sound.end and e.end > sound.begin]
    draw_boxes(axes, [Box(e.begin, e.end, e.low_hz, e.high_hz) for e in inside], color="cyan")
    axes.set_title(f"{path.name}: events found")
    save(figure, out)


if __name__ == "__main__":
    main()
