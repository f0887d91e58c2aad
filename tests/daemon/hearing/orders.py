"""Sound that comes in any order: a recording in short files, and what a random order leaves of it.

In an order files come whole, grow, are replaced by longer ones, come again in other
folders, are sorted into folders, or never come; the daemon is ended in order, between two
steps or before or after a commit; and tasks are done by a plan older than the drop.
"""

from __future__ import annotations

import json
import shutil
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import numpy as np
import structlog

from acoio.clock import record_us, to_us
from acoio.errors import NotReadyError
from acoio.filename import FileName
from acoio.join import Joiner
from acoio.record import Record
from acoio.sound import Gap, Sound
from acoio.writer import encode_records
from daemon.drop.arrivals import Arrivals, Task
from daemon.drop.files import Drop
from daemon.drop.lanes import fork_at, is_astray, joins, lane_of
from daemon.drop.listing import scan
from daemon.hearing.keeping import Keeper, Station
from daemon.hearing.pipeline import Feed, Pipeline
from daemon.ledger.ledger import open_ledger
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from daemon.metrics import Metrics
from daemon.progress import LaneState, Outgoing, Step
from detector.events import EventSettings, EventTracker
from detector.scoring.listen import Heard
from detector.values import Event, Score

RECORDS_A_FILE: Final = 15
MEMORY: Final = 9  # records that a score depends on, its own among them
_A_STEP: Final = 4  # records
_BEGIN: Final = datetime(2024, 3, 1, 23, 55, tzinfo=UTC)  # some come before midnight
THRESHOLD: Final = 5.0
_A_LOOK_S: Final = 2.0  # a look at the drop comes so long after the one before


class Ear:
    """Scores each record by those before it: the context law, without a spectrum."""

    context_records = MEMORY

    def __init__(self, state: Mapping[str, Any]) -> None:
        settings = EventSettings("aco", "orders", THRESHOLD, 0.7 * THRESHOLD, (10.0, 20.0))
        self._tracker = EventTracker(settings, state)
        self._joiner = Joiner(24_000.0)
        self._past: list[bytes] = []

    @property
    def state(self) -> dict[str, Any]:
        return self._tracker.state

    def push(self, records: Sequence[Record], file: str) -> Heard:
        scores: list[Score] = []
        events: list[Event] = []
        gaps: list[Gap] = []
        for piece in self._joiner.push(records, file):
            if isinstance(piece, Gap):
                gaps.append(piece)
                self._past = []
                events += self._tracker.flush()
            else:
                found = list(self._scored(piece))
                scores += found
                events += self._tracker.push(found)
        return Heard(tuple(scores), tuple(events), tuple(gaps))

    def recall(self, records: Sequence[Record], file: str) -> None:
        for piece in self._joiner.push(records, file):
            if isinstance(piece, Gap):
                self._past = []
            else:
                list(self._scored(piece))

    def flush(self) -> Heard:
        return Heard((), tuple(self._tracker.flush()), ())

    def take_over(self, former: object) -> bool:
        assert isinstance(former, Ear)
        self._past, self._joiner = former._past, former._joiner
        return True

    def _scored(self, sound: Sound) -> Iterator[Score]:
        for k, begin_us in enumerate(sound.marks_us.tolist()):
            samples = sound.samples[4096 * k : 4096 * (k + 1)]
            self._past = [*self._past, samples.tobytes()][-MEMORY:]
            if len(self._past) == MEMORY:
                begin = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=begin_us)
                yield self._score(begin, samples, (sound.file, sound.sample + 4096 * k))

    def _score(self, begin: datetime, samples: Any, place: tuple[str, int]) -> Score:
        share = zlib.crc32(b"".join(self._past)) / (1 << 32)
        score = float(samples.max()) + share
        ones = np.ones(1, np.float32)
        end = begin + timedelta(microseconds=2 * record_us())
        return Score(begin, end, score, THRESHOLD, score * ones, ones, ones, *place)


@cache
def recording(files: int) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Return names, a minute apart, and the records of each: the sound has no gap."""
    rng = np.random.default_rng(files)
    count = files * RECORDS_A_FILE
    loud = np.repeat(rng.random(count // 3 + 1) < 0.3, 3)[:count]
    begins = to_us(_BEGIN) + np.rint(np.arange(count) * record_us()).astype(np.int64)
    records = []
    for k in range(count):
        samples = rng.integers(-3, 3, 4096).astype(np.int32)
        samples[7] = 6 if loud[k] else 3
        records.append(encode_records(samples, begins_us=begins[k : k + 1], first_number=k, bits=4))
    return tuple(
        (
            str(FileName(_BEGIN + timedelta(minutes=k))),
            tuple(records[k * RECORDS_A_FILE : (k + 1) * RECORDS_A_FILE]),
        )
        for k in range(files)
    )


class DiedError(BaseException):
    """The daemon is killed here."""


class Daemon:
    """A pipeline on a real drop and ledger, driven as the loop drives it."""

    def __init__(self, drop: Path, store: Path, *, settle_s: float = 0.0) -> None:
        self._drop = drop
        self._store = store
        self._settle_s = settle_s
        self._dies_in, self._dies_late = 1 << 30, False
        self._live: deque[Task] = deque()
        self._backlog: deque[Task] = deque()
        self._now_s = 0.0
        self.messages: list[Outgoing] = []

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.ledger = self._stack.enter_context(open_ledger(self._store))
        self._commit, self.ledger.commit = self.ledger.commit, self._mortal  # type: ignore[method-assign]
        metrics = _metrics()
        keeper = Keeper(
            Station("aco", "orders"),
            ledger=self.ledger,
            metrics=metrics,
            send=self.messages.extend,
            published=self._published,
        )
        feed = Feed(Drop(self._drop), records_a_step=_A_STEP)
        self.pipeline = Pipeline(feed, Ear, ledger=self.ledger, metrics=metrics, keeper=keeper)
        self._arrivals = Arrivals(settle_s=self._settle_s, rate_hz=24_000, band="BB")
        keeper.publish_again()
        return self

    def _published(self) -> int:
        return self.messages[-1].sequence if self.messages else self.ledger.published

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def die_in(self, commits: int, *, late: bool) -> None:
        """Die at a commit from now on, before it or (`late`) after it."""
        self._dies_in, self._dies_late = commits, late

    def _mortal(self, step: Step, model: str) -> None:
        self._dies_in -= 1
        if self._dies_in == 0 and not self._dies_late:
            raise DiedError
        self._commit(step, model)
        if self._dies_in == 0:
            raise DiedError

    def step(self) -> bool:
        """Do one step of the next task; return whether there was anything to do."""
        if not (self._live or self._backlog):
            self.look()
        tasks = self._live or self._backlog
        if not tasks:
            return False
        task, more = tasks[0], False
        try:
            more = self.pipeline.do(task, self.plan.order)
            if task.do == "read" and not more:
                self._arrivals.exhausted(task, self.ledger.files)
        except NotReadyError:  # it went away since the look
            self.look()
            return True
        if not more:
            tasks.popleft()
        return True

    def look(self) -> None:
        """Scan the drop and plan anew."""
        self._now_s += _A_LOOK_S
        self.plan = self._arrivals.look(scan(self._drop), self.ledger.files, self._now_s)
        live, backlog = self.ledger.lane("live"), self.ledger.lane("backlog")
        if is_astray(live, self.plan.tasks, self.plan.order):
            self.pipeline.begin_anew()
        live = self.ledger.lane("live")
        if backlog != LaneState() and joins(self.plan.tasks, self.plan.waiting, live):
            self.pipeline.join()
        elif name := fork_at(self.plan.tasks, live, self.ledger.files):
            self.pipeline.fork(name)
        self._live, self._backlog = deque(), deque()
        for task in self.plan.tasks:
            new = task.do == "read" and lane_of(task.seen.name, self.ledger.lane("live")) == "live"
            (self._live if new else self._backlog).append(task)

    def work(self) -> None:
        """Do all there is to do."""
        for _ in range(10_000):
            if not self.step():
                return
        raise AssertionError("there is always more to do")


@cache
def _metrics() -> Metrics:
    return Metrics("orders", 2.0)


def put(path: Path, data: bytes) -> None:
    """Deliver a file as rsync does, by rename."""
    path.parent.mkdir(exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    half.write_bytes(data)
    half.rename(path)


def grow(path: Path, data: bytes) -> None:
    """Write on a file to what is given."""
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.write(data[file.tell() :])


def deliveries(rng: Random, drop: Path, name: str, data: bytes) -> list[Callable[[], object]]:
    """Return the steps in which a file comes; after the last one all of its sound is there."""
    path, again = drop / name, drop / rng.choice(("resent", "a")) / name
    cuts = sorted(rng.randrange(len(data)) for _ in range(rng.randint(1, 3)))
    whole: Callable[[], object] = partial(put, path, data)
    grown = [partial(grow, path, data[:end]) for end in (*cuts, len(data))]
    copy = partial(put, again, data)
    match rng.choice(("whole", "grown", "longer", "copied", "copy first", "sorted", "grown copy")):
        case "whole":
            return [whole]
        case "grown":
            return [*grown]
        case "longer":
            return [partial(put, path, data[: cuts[0]]), whole]
        case "copied":
            return [whole, copy]
        case "copy first":
            return [copy, whole, *([again.unlink] if rng.random() < 0.3 else [])]
        case "sorted":
            return [whole, partial(_sorted, path, again)]
        case _:
            return [*(partial(grow, again, data[:end]) for end in (*cuts, len(data))), whole]


def _sorted(path: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    path.rename(to)


@dataclass
class Left:
    """What an order left: scores by their begin, events by their ids, messages of gaps."""

    scores: dict[str, float]
    events: dict[str, dict[str, Any]]
    gaps: list[dict[str, Any]]
    states: dict[str, str]


def in_order(folder: Path, files: Mapping[str, bytes]) -> Left:
    """Return what sound leaves that came in order, whole."""
    drop = folder / "drop"
    drop.mkdir(parents=True)
    for name, data in files.items():
        put(drop / name, data)
    with Daemon(drop, folder / "store") as daemon:
        daemon.work()
        daemon.pipeline.finish()
    return left_in(daemon, folder / "store")


def left_in(daemon: Daemon, store: Path, gaps: Sequence[dict[str, Any]] = ()) -> Left:
    """Return what is in a store."""
    return Left(
        {score["begin"]: score["score"] for score in stored_scores(store)},
        {event["id"]: event for event in stored_events(store)},
        [*gaps, *_gaps(daemon.messages)],
        {file["name"]: file["state"] for file in stored_files(store)},
    )


def _gaps(messages: Sequence[Outgoing]) -> list[dict[str, Any]]:
    return [json.loads(m.text)["data"] for m in messages if m.type == "kilokai.v1.gap"]


def wrong(left: Left, wanted: Left) -> list[str]:
    """Return what an order left otherwise than it must."""
    loud = {begin for begin, score in wanted.scores.items() if score >= THRESHOLD}
    spans = [(event["begin"], event["end"]) for event in left.events.values()]
    faults = {
        "never scored": wanted.scores.keys() - left.scores.keys(),
        "scored, and not in order": left.scores.keys() - wanted.scores.keys(),
        "of another score": {b for b, s in left.scores.items() if wanted.scores.get(b, s) != s},
        "loud, and in no event": {b for b in loud if not any(x <= b < y for x, y in spans)},
        "open": {e["id"] for e in left.events.values() if e["status"] != "closed"},
        "gap of negative length": {gap["begin"] for gap in left.gaps if gap["seconds"] < 0},
        "state": set(left.states.values()) - {"done", "duplicate", "vanished"},
    }
    return [f"{what}: {len(found)}, {sorted(found)[:3]}" for what, found in faults.items() if found]


def orders(first: int, count: int, folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the seeds of so many orders, and what each left otherwise than sound in order."""
    wanted: dict[tuple[bytes, ...], Left] = {}
    for seed in range(first, first + count):
        rng = Random(f"files of {seed}")
        sound = recording(rng.choice((3, 5, 9)))
        files = {name: b"".join(records) for name, records in sound if rng.random() > 0.1}
        sounds = tuple(files.values())
        if sounds not in wanted:
            wanted[sounds] = in_order(folder / f"in order {len(wanted)}", files)
        here = folder / str(seed)
        yield seed, wrong(play(seed, here, files), wanted[sounds])
        shutil.rmtree(here)


def play(seed: int, folder: Path, files: Mapping[str, bytes]) -> Left:
    """Return what a random order leaves of files, all of which come."""
    rng = Random(seed)
    drop, store = folder / "drop", folder / "store"
    drop.mkdir(parents=True)
    left = [deliveries(rng, drop, name, data) for name, data in files.items()]
    eager, gaps = rng.random(), list[dict[str, Any]]()
    while left:
        with suppress(DiedError), Daemon(drop, store, settle_s=_settling(rng)) as daemon:
            if rng.random() < 0.4:
                daemon.die_in(rng.randint(1, 25), late=rng.random() < 0.5)
            for _ in range(rng.randint(1, 40)):
                _one_thing(rng, daemon, left, eager)
                left = [steps for steps in left if steps]
            if rng.random() < 0.5:
                daemon.pipeline.finish()
        gaps += _gaps(daemon.messages)
    with Daemon(drop, store) as daemon:
        daemon.work()
        daemon.pipeline.finish()
    return left_in(daemon, store, gaps)


def _settling(rng: Random) -> float:
    return rng.choice((0.0, 3 * _A_LOOK_S, 1e9))


def _one_thing(
    rng: Random, daemon: Daemon, left: list[list[Callable[[], object]]], eager: float
) -> None:
    """Let the daemon do a step, or let the next thing come, or have the drop looked at."""
    if rng.random() < eager or not any(left):
        daemon.step()
    else:
        rng.choice([steps for steps in left if steps]).pop(0)()
    if rng.random() < 0.2:
        daemon.look()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with TemporaryDirectory() as folder:
        bad = [found for found in orders(0, int(sys.argv[1]), Path(folder)) if found[1]]
    for seed, faults in bad:
        sys.stdout.write(f"order {seed}: {'; '.join(faults)}\n")
    sys.stdout.write(f"{sys.argv[1]} orders, {len(bad)} of them wrong\n")
    sys.exit(bool(bad))
