"""The demonstration: a simulated ocean, a real daemon, and how they compare."""

from __future__ import annotations

import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from acoio.errors import NotReadyError, SetupError, unusable
from acoio.output import write_output
from acoio.simulate import OceanSettings, Truth, read_truth, simulate_drop
from daemon.client import Subscriber
from daemon.demo.child import Child, daemon_process
from daemon.demo.report import report
from daemon.errors import EXIT_DONE
from daemon.ledger.stored import reading, stored_events, stored_files, stored_scores
from daemon.show import HEADING, Bar, event_line, with_bar

MARKER: Final = ".kilokai-demo"
_FILE_MINUTES: Final = 5
_FILES_A_SECOND: Final = 1.0  # 300 times real time
_SLOWEST: Final = 5.0  # times real time; a daemon slower than that is stuck
_EVIDENCE_S: Final = 60.0
_LOOK_S: Final = 0.2
_QUIET_S: Final = 0.2
_SEA: Final = OceanSettings(calls_per_hour=90.0)  # a busy night: visits come in bouts

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the demonstration puts what."""

    out: Path
    staging: Path
    drop: Path

    @property
    def store(self) -> Path:
        return self.out / "store"

    @property
    def config(self) -> Path:
        return self.out / "kilokai.toml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the daemon left: events, scores and its metrics page, and how long it took."""

    events: Sequence[dict[str, Any]]
    scores: Sequence[dict[str, Any]]
    page: str
    wall_s: float


def run_demo(out: Path, *, minutes: float, seed: int, say: Say) -> int:
    """Run the demonstration into a folder; return the exit code.

    Raises
    ------
    SetupError
        If the folder holds something else than a former demonstration.
    NotReadyError
        If the daemon ends early or gets stuck.
    """
    with _places(out) as places:
        _configure(places)
        with daemon_process(places.config, log=places.out / "daemon.log") as child:
            say(f"Simulating {minutes:g} minutes of ocean, seed {seed} ...")
            files = _simulated(places.staging, minutes, seed)
            truth = read_truth(places.staging / "truth.csv")
            child.wait_ready()
            say(f"A daemon (process {child.process.pid}) gets a file a second.  Its events:\n")
            outcome = _watched(child, places, files, say)
        shutil.copy(places.staging / "truth.csv", places.out / "truth.csv")
        write_output(places.out / "metrics.txt", outcome.page.encode())
        say("")
        pictures = _drawn(places, outcome, truth)
    page, wall_s = outcome.page, outcome.wall_s
    for line in report(outcome.events, outcome.scores, truth, page=page, wall_s=wall_s):
        say(line)
    _say_places(places, pictures, say)
    return EXIT_DONE


@contextmanager
def _places(out: Path) -> Iterator[Places]:
    """Give fresh folders; those for the sound go at the end, however it comes."""
    out = out.resolve()
    if out.exists() and not (out / MARKER).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise SetupError(f"--out: found {out}, which is no demonstration's; wanted a new folder")
    try:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        (out / MARKER).touch()
    except OSError as error:
        raise unusable(f"--out: {out}", error) from error
    with tempfile.TemporaryDirectory(prefix=".sound-", dir=out) as sound:
        places = Places(out, Path(sound, "staging"), Path(sound, "drop"))
        places.staging.mkdir()
        places.drop.mkdir()
        yield places


def _configure(places: Places) -> None:
    def quoted(path: Path) -> str:
        return json.dumps(str(path))  # a JSON string is a TOML string

    text = (
        f"[station]\nname = 'demo'\n[drop]\npath = {quoted(places.drop)}\nsettle_s = 1.0\n"
        f"rescan_s = 1.0\n[store]\npath = {quoted(places.store)}\n[bus]\nheartbeat_s = 1.0\n"
    )
    write_output(places.config, text.encode())


def _simulated(staging: Path, minutes: float, seed: int) -> list[Path]:
    files = simulate_drop(staging, seed=seed, minutes=minutes, settings=_SEA)
    return list(with_bar(files, "simulating", math.ceil(minutes / _FILE_MINUTES)))


def _watched(child: Child, places: Places, files: Sequence[Path], say: Say) -> Outcome:
    """Deliver the files, say each event as it comes, and return what there is once all is done."""
    begin_s = time.monotonic()
    waiting, whole_bytes = list(files), sum(path.stat().st_size for path in files)
    say(HEADING)
    with (
        Subscriber(child.publish, child.replay, since=0, timeout=_QUIET_S) as subscriber,
        Bar("scoring", whole_bytes) as bar,
    ):
        while not _all_done(places, files, bar):
            child.check()
            while waiting and time.monotonic() >= begin_s + _due_s(len(files) - len(waiting)):
                waiting[0].rename(places.drop / waiting.pop(0).name)
            _say_closed(subscriber, say, bar)
            if time.monotonic() - begin_s > _deadline_s(len(files)):
                raise NotReadyError("demo: the daemon did not get done in time; see daemon.log")
        wall_s = time.monotonic() - begin_s
        _say_closed(subscriber, say, bar)
    _wait_for_evidence(child, places)
    page = child.page()
    child.stop()
    events = stored_events(places.store)
    for event in events:
        if event["status"] == "open":
            say(event_line(event))
    return Outcome(events, stored_scores(places.store), page, wall_s)


def _due_s(delivered: int) -> float:
    return delivered / _FILES_A_SECOND


def _deadline_s(files: int) -> float:
    return _due_s(files) + 60.0 + files * _FILE_MINUTES * 60.0 / _SLOWEST


def _all_done(places: Places, files: Sequence[Path], bar: Bar) -> bool:
    """Return True once all files are finished; show how far they are."""
    known = stored_files(places.store)
    bar.reach(sum(file["bytes_read"] for file in known))
    finished = {file["name"] for file in known if file["state"] != "pending"}
    return all(path.name in finished for path in files)


def _wait_for_evidence(child: Child, places: Places) -> None:
    """Wait until each event that ended has its clip and picture, or for long enough."""
    until_s = time.monotonic() + _EVIDENCE_S
    count = "SELECT count(*), count(*) FILTER (WHERE state != 'pending') FROM evidence"
    with Bar("clips and pictures", total=1) as bar:
        while time.monotonic() < until_s:
            child.check()
            with reading(places.store) as database:
                wanted, made = database.execute(count).fetchone()
            if made == wanted:
                return
            bar.reach(made, wanted)
            time.sleep(_LOOK_S)


def _say_closed(subscriber: Subscriber, say: Say, bar: Bar) -> None:
    for event in subscriber:
        if event["status"] == "closed":
            with bar.hidden():
                say(event_line(event))


def _drawn(places: Places, outcome: Outcome, truth: Sequence[Truth]) -> list[Path]:
    import matplotlib  # here, because it takes seconds to import

    from detector.scoring.pictures import draw_run

    matplotlib.rcdefaults()  # whatever a matplotlibrc of this folder says

    files = sorted(places.drop.iterdir())
    drawn = draw_run(places.out, files, outcome.events, truth, outcome.scores)
    return list(with_bar(drawn, "drawing", len(files)))


def _say_places(places: Places, pictures: Sequence[Path], say: Say) -> None:
    say("")
    say(f"pictures      {_near(places.out / '*.png')} ({len(pictures)})")
    say(f"clips         {_near(places.store / 'clips')} ({_count(places.store, 'flac')})")
    say(f"events        {_command()} events list --store {_near(places.store)}")
    say(f"metrics page  {_near(places.out / 'metrics.txt')}")
    say(f"truth         {_near(places.out / 'truth.csv')}")


def _count(folder: Path, suffix: str) -> int:
    return sum(1 for _ in folder.rglob(f"*.{suffix}"))


def _near(path: Path) -> Path:
    """Return a path as seen from here, where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _command() -> str:
    """Return how to call the command that belongs to this Python."""
    beside = Path(sys.executable).parent / "kilokai"
    return str(_near(beside)) if beside.is_file() else "kilokai"
