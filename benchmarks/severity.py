"""What of the noises, ships and calls of a simulated ocean is minor, moderate or major."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from acoio.simulate import OceanSettings, Truth, read_truth, simulate_drop
from daemon.bus.wire import event_from_json
from daemon.hearing.batch import recordings, score_files
from detector import PRETRAINED, Listener, load_model
from detector.events import SEVERITIES
from detector.values import Event

RESULTS = Path(__file__).parent / "SEVERITY.md"
SEAS = (
    (77, 6, OceanSettings()),
    (78, 10, OceanSettings(calls_per_hour=40.0, ships_per_hour=1.0, gear_per_hour=12.0)),
)
_PEAK_MODERATE, _PEAK_MAJOR = 50.0, 300.0  # nats: the rule before, by the peak alone
_RATE_HZ = 24_000.0
_Pair = tuple[str, str]  # by clear seconds, by the peak


def main() -> None:
    """Print the table, and keep it."""
    with tempfile.TemporaryDirectory(prefix="kilokai-bench-") as folder:
        found: Mapping[str, list[_Pair]] = defaultdict(list)
        for seed, hours, settings in SEAS:
            for cause, pair in heard(Path(folder) / str(seed), seed, hours, settings):
                found[cause].append(pair)
    page = "\n".join(_page(found))
    print(page)
    RESULTS.write_text(page + "\n")


def heard(
    folder: Path, seed: int, hours: int, settings: OceanSettings
) -> Iterator[tuple[str, _Pair]]:
    """Yield what each event of a sea was, and its severity by either rule."""
    list(simulate_drop(folder, seed=seed, minutes=60 * hours, settings=settings))
    truth = read_truth(folder / "truth.csv")
    listener = Listener(load_model(PRETRAINED), station="aco")
    found = score_files(recordings([folder], band="BB"), listener, _RATE_HZ, told=print)
    for event in map(event_from_json, found.events.values()):
        yield cause(event, truth), (event.severity, by_peak(event))


def cause(event: Event, truth: Sequence[Truth]) -> str:
    """Return what sounded during an event; where a call did and a noise too, that is said."""
    sounding = [row for row in truth if row.begin < event.end and event.begin < row.end]
    kinds = {row.kind for row in sounding}
    if "gear" in kinds:
        labels = min(row.label for row in sounding if row.kind == "gear")
        return "calls and gear at once" if "call" in kinds else labels
    return next((f"{kind}s" for kind in ("call", "ship") if kind in kinds), "nothing")


def by_peak(event: Event) -> str:
    """Return the severity that the peak alone would give."""
    above = event.score - event.threshold
    if above < _PEAK_MODERATE:
        return "minor"
    return "moderate" if above < _PEAK_MAJOR else "major"


def _page(found: Mapping[str, Sequence[_Pair]]) -> Iterator[str]:
    yield "# Measured by `python -m benchmarks.severity`"
    yield ""
    yield "Events on simulated ocean, 16 hours of two seas, by what sounded; minor, moderate,"
    yield "major in percent: by clear seconds, as it is, and by the peak alone, as it was."
    yield ""
    yield "| what sounded | events | by clear seconds | by the peak |"
    yield "|---|---|---|---|"
    for name, pairs in sorted(found.items()):
        now, before = (_shares([pair[k] for pair in pairs]) for k in (0, 1))
        yield f"| {name} | {len(pairs)} | {now} | {before} |"


def _shares(severities: Sequence[str]) -> str:
    counts = Counter(severities)
    return ", ".join(f"{100 * counts[name] / len(severities):.0f}" for name in SEVERITIES)


if __name__ == "__main__":
    main()
