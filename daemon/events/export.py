"""Events as files of other programs: Raven, Audacity, CSV, JSON, Parquet."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Final

from acoio.annotations import Annotation, FileSpan
from acoio.audacity import audacity_track
from acoio.clock import JUMP_US, NOMINAL_RATE_HZ, from_us, to_us, true_rate_hz
from acoio.errors import DataError
from acoio.filename import rate_of
from acoio.raven import raven_table
from acoio.tables import csv_table
from daemon.ledger.stored import stored_files
from detector.values import Event

_TIMES: Final = ("begin", "peak", "end")
_NUMBERS: Final = (
    "score", "mean_score", "threshold", "low_hz", "high_hz", "peak_hz", "level_db",
)  # fmt: skip
_VERDICT: Final = ("verdict", "call_type", "note", "who", "at")
COLUMNS: Final = (*Event.__slots__, "bout", "clip", "picture", *_VERDICT)

_Json = Mapping[str, Any]
Encode = Callable[[Sequence[_Json], Path], bytes]


def flat(event: _Json) -> dict[str, Any]:
    """Return an event's columns, those of its verdict among them; what it lacks is None."""
    verdict = event.get("verdict", {})
    return {name: verdict.get(name) if name in _VERDICT else event.get(name) for name in COLUMNS}


def recordings(events: Sequence[_Json], files: Iterable[_Json]) -> list[FileSpan]:
    """Return the recordings that events lie in, as other programs see them, in order of time.

    `files` are rows of the ledger: how long a recording is, it says, not the events, which
    may end in the next one.  The recordings need not be there any more.

    Raises
    ------
    DataError
        If the ledger does not hold the length of a recording that an event begins in.
    """
    rows = {row["name"]: row for row in files if row["samples_read"]}
    busy = _union((_us(event["begin"]), _us(event["end"])) for event in events)
    spans = [_span(row) for row in rows.values() if row["span_samples"] and _meets(row, busy)]
    known = {span.name for span in spans}
    for event in events:
        if (name := PurePosixPath(event["file"]).name) not in known:
            known.add(name)
            spans.append(_span_by(event, rows.get(event["file"])))
    return _apart(spans)


def _span(row: _Json) -> FileSpan:
    name = PurePosixPath(row["name"]).name
    begin, end = from_us(row["begin_us"]), from_us(row["end_us"])
    return FileSpan(name, begin, end, row["span_samples"], _rate(name))


def _union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans as fewer that are apart, in order."""
    union: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if union and begin <= union[-1][1]:
            union[-1] = union[-1][0], max(end, union[-1][1])
        else:
            union.append((begin, end))
    return union


def _meets(row: _Json, busy: Sequence[tuple[int, int]]) -> bool:
    """Return whether a recording holds more of some spans, in µs, than clocks are off."""
    first, last = row["begin_us"] + JUMP_US, row["end_us"] - JUMP_US
    k = bisect_left(busy, (last,))
    return k > 0 and first < busy[k - 1][1]


def _span_by(event: _Json, row: _Json | None) -> FileSpan:
    """Return the recording that an event begins in, where the ledger lacks its times.

    It was read before the ledger had them: when it began, the event's place in it says.
    """
    name = PurePosixPath(event["file"]).name
    if row is None:
        raise DataError(
            f"events: found {event['id']} in {event['file']}, of which the store holds no length, "
            "wanted it for times over a list of recordings: csv, json and parquet hold UTC"
        )
    true_hz = true_rate_hz(_rate(name))
    begin = datetime.fromisoformat(event["begin"]) - timedelta(seconds=event["sample"] / true_hz)
    end = begin + timedelta(seconds=row["samples_read"] / true_hz)
    return FileSpan(name, begin, end, row["samples_read"], _rate(name))


def _apart(spans: Iterable[FileSpan]) -> list[FileSpan]:
    """Return recordings in order of time, without those of which others hold all."""
    apart: list[FileSpan] = []
    for span in sorted(spans, key=lambda span: (span.begin, -span.samples)):
        if not apart or span.end > apart[-1].end:
            apart.append(span)
    return apart


def annotation(event: _Json) -> Annotation:
    """Return an event as a label of its band: the call type if somebody said one."""
    columns = flat(event)
    extra = {
        "Kilokai ID": event["id"],
        "Score": f"{event['score']:.3f}",
        "Severity": event["severity"],
        "Verdict": columns["verdict"] or "",
        "Note": columns["note"] or "",
    }
    return Annotation(
        begin=datetime.fromisoformat(event["begin"]),
        end=datetime.fromisoformat(event["end"]),
        low_hz=event["low_hz"],
        high_hz=event["high_hz"],
        label=columns["call_type"] or columns["verdict"] or event["severity"],
        extra=tuple(extra.items()),
    )


def export(form: str, events: Sequence[_Json], store: Path) -> bytes:
    """Return events as a file of a form, one of `FORMS`.

    Raises
    ------
    DataError
        If there is none to write, or the form cannot hold them.
    """
    if not events:
        raise DataError("events: found none to export, wanted one at least")
    return FORMS[form](events, store)


def _json(events: Sequence[_Json], _: Path) -> bytes:
    return (json.dumps(list(events), indent=1) + "\n").encode()


def _csv(events: Sequence[_Json], _: Path) -> bytes:
    return csv_table(COLUMNS, map(flat, events)).encode("utf-8", "backslashreplace")


def _parquet(events: Sequence[_Json], _: Path) -> bytes:
    import pyarrow as pa  # here, because only this needs it
    import pyarrow.parquet as pq

    def kind(name: str) -> Any:
        if name in _TIMES:
            return pa.timestamp("us", tz="UTC")
        return pa.float64() if name in _NUMBERS else pa.int64() if name == "sample" else pa.string()

    rows = [flat(event) for event in events]
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    for name in _TIMES:
        columns[name] = [datetime.fromisoformat(text) for text in columns[name]]
    out = pa.BufferOutputStream()
    schema = pa.schema([(name, kind(name)) for name in COLUMNS])
    pq.write_table(pa.table(columns, schema=schema), out)
    return bytes(out.getvalue().to_pybytes())


def _raven(events: Sequence[_Json], store: Path) -> bytes:
    return raven_table([annotation(event) for event in events], _files(events, store)).encode()


def _audacity(events: Sequence[_Json], store: Path) -> bytes:
    return audacity_track([annotation(event) for event in events], _files(events, store)).encode()


def _files(events: Sequence[_Json], store: Path) -> list[FileSpan]:
    return recordings(events, stored_files(store))


def _us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))


def _rate(name: str) -> float:
    try:
        return rate_of(name)
    except DataError:
        return NOMINAL_RATE_HZ


FORMS: Final[Mapping[str, Encode]] = {
    "raven": _raven,
    "audacity": _audacity,
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
"""How each form is written."""
