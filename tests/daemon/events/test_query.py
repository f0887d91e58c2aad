"""What SQLite finds for a filter is what the filter's words mean, event by event."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daemon.events.query import UNJUDGED, Filter, events_of
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import open_ledger
from daemon.ledger.stored import reading
from daemon.progress import Step
from detector.events import SEVERITIES
from detector.values import iso

_MANY = 2300  # more than two pages
_BEGIN = datetime(2023, 12, 31, 23, tzinfo=UTC)


def _event(rng: np.random.Generator) -> dict[str, Any]:
    begin = _BEGIN + timedelta(seconds=int(rng.integers(4000)))  # some begin together
    low_hz = float(rng.uniform(10, 9000))
    return {
        "id": f"{rng.integers(1 << 62):016x}",
        "status": str(rng.choice(["open", "closed", "closed"])),
        "begin": iso(begin),
        "end": iso(begin + timedelta(seconds=float(rng.uniform(1, 400)))),
        "score": round(float(rng.normal(20, 9)), 1),
        "low_hz": low_hz,
        "high_hz": low_hz + float(rng.uniform(1, 3000)),
        "severity": str(rng.choice(SEVERITIES)),
    }


def _verdicts(rng: np.random.Generator, events: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for event in events:
        for _ in range(int(rng.integers(3)) if event["status"] == "closed" else 0):
            said = {"verdict": str(rng.choice(["confirmed", "rejected"])), "who": "keà"}
            yield event["id"], iso(_BEGIN + timedelta(days=int(rng.integers(3)))), json.dumps(said)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("store"), np.random.default_rng(7)
    events = [_event(rng) for _ in range(_MANY)]
    with open_ledger(folder) as ledger:
        ledger.commit(Step(events=tuple(events)), "m")
    with closing(sqlite3.connect(folder / LEDGER_FILE)) as database, database:
        rows = _verdicts(rng, events)
        database.executemany("INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?)", rows)
    return folder


@pytest.fixture(scope="module")
def known(store: Path) -> list[dict[str, Any]]:
    """All events as people know them, put together one by one."""
    with reading(store) as database:
        events = [json.loads(text) for (text,) in database.execute("SELECT json FROM events")]
        said: dict[str, list[tuple[str, str]]] = {}
        for name, at, text in database.execute("SELECT * FROM verdicts"):
            said.setdefault(name, []).append((at, text))
    for event in events:
        if event["id"] in said:
            event["status"] = "reviewed"
            event["verdict"] = json.loads(max(said[event["id"]])[1])
    return sorted(events, key=lambda event: (event["begin"], event["id"]))


def _takes(wanted: Filter, event: dict[str, Any]) -> bool:
    begin, end = (datetime.fromisoformat(event[name]) for name in ("begin", "end"))
    rank = SEVERITIES.index
    return all(
        (
            wanted.begin is None or end > wanted.begin,
            wanted.end is None or begin < wanted.end,
            wanted.status in (None, event["status"]),
            wanted.severity is None or rank(event["severity"]) >= rank(wanted.severity),
            wanted.score is None or event["score"] >= wanted.score,
            wanted.band_hz is None
            or (event["low_hz"] <= wanted.band_hz[1] and event["high_hz"] >= wanted.band_hz[0]),
            wanted.verdict in (None, event.get("verdict", {}).get("verdict", UNJUDGED)),
            wanted.prefix is None or event["id"].startswith(wanted.prefix),
        )
    )


def _parts(rng: np.random.Generator, known: list[dict[str, Any]]) -> dict[str, Any]:
    since = datetime.fromisoformat(str(rng.choice([event["end"] for event in known[::100]])))
    until = datetime.fromisoformat(str(rng.choice([event["begin"] for event in known[::100]])))
    low_hz = float(rng.uniform(0, 9000))
    return {
        "begin": since.astimezone(),
        "end": until,
        "status": str(rng.choice(["open", "closed", "reviewed"])),
        "severity": str(rng.choice(SEVERITIES)),
        "score": round(float(rng.normal(20, 9)), 1),
        "band_hz": (low_hz, low_hz + float(rng.uniform(0, 2000))),
        "verdict": str(rng.choice(["confirmed", "rejected", UNJUDGED])),
        "prefix": str(rng.choice(["0", "1a", "2"])),
    }


@pytest.mark.parametrize("seed", range(60))
def test_any_filter_finds_what_it_means(
    store: Path, known: list[dict[str, Any]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    parts = _parts(rng, known)
    chosen = [name for name in parts if rng.random() < 0.3]
    wanted = replace(Filter(), **{name: parts[name] for name in chosen})
    limit = int(rng.integers(1, _MANY + 9)) if rng.random() < 0.5 else None
    meant = [event for event in known if _takes(wanted, event)]
    meant = meant if limit is None else meant[max(len(meant) - limit, 0) :]
    with reading(store) as database:
        assert list(events_of(database, wanted, limit)) == meant
