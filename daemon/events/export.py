"""Events as files of other programs: Raven, Audacity, CSV, JSON, Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Final

from acoio.annotations import Annotation, FileSpan
from acoio.audacity import write_audacity
from acoio.clock import NOMINAL_RATE_HZ, true_rate_hz
from acoio.errors import DataError, NotReadyError
from acoio.filename import rate_of
from acoio.raven import write_raven
from daemon.durable import write_whole
from daemon.ledger.stored import stored_files
from detector.values import Event

_TIMES: Final = ("begin", "peak", "end")
_NUMBERS: Final = (
    "score", "mean_score", "threshold", "low_hz", "high_hz", "peak_hz", "level_db",
)  # fmt: skip
_VERDICT: Final = ("verdict", "call_type", "note", "who", "at")
COLUMNS: Final = (*Event.__slots__, "bout", "clip", "picture", *_VERDICT)

_Json = Mapping[str, Any]
Write = Callable[[Path, Sequence[_Json], Path], None]


def flat(event: _Json) -> dict[str, Any]:
    """Return an event's columns, those of its verdict among them; what it lacks is None."""
    verdict = event.get("verdict", {})
    return {name: verdict.get(name) if name in _VERDICT else event.get(name) for name in COLUMNS}


def recordings(events: Sequence[_Json], samples: Mapping[str, int]) -> list[FileSpan]:
    """Return the files that events begin in, as programs see them, in order of time.

    `samples` says how many each held, by its name in the drop.  The files need not be
    there any more: where an event begins, and at which sample, says when its file did.
    """
    first: dict[str, FileSpan] = {}
    for event in sorted(events, key=lambda event: str(event["begin"])):
        name = PurePosixPath(event["file"]).name
        rate_hz = _rate(name)
        true_hz = true_rate_hz(rate_hz)
        begin = datetime.fromisoformat(event["begin"])
        length_s = (datetime.fromisoformat(event["end"]) - begin).total_seconds()
        held = max(samples.get(event["file"], 0), event["sample"] + round(length_s * true_hz))
        known = first.get(name)
        start = known.begin if known else begin - timedelta(seconds=event["sample"] / true_hz)
        held = max(held, known.samples if known else 0)
        end = start + timedelta(seconds=held / true_hz)
        first[name] = FileSpan(name, start, end, held, rate_hz)
    return sorted(first.values(), key=lambda span: span.begin)


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


def export(form: str, path: Path, events: Sequence[_Json], store: Path) -> None:
    """Write events to a file of a form, one of `FORMS`.

    Raises
    ------
    DataError
        If there is none to write, or the form cannot hold them.
    NotReadyError
        If the file cannot be written.
    """
    if not events:
        raise DataError("events: found none to export, wanted one at least")
    try:
        FORMS[form](path, events, store)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}, wanted to write events there") from error


def _json(path: Path, events: Sequence[_Json], _: Path) -> None:
    write_whole(path, (json.dumps(list(events), indent=1) + "\n").encode())


def _csv(path: Path, events: Sequence[_Json], _: Path) -> None:
    table = io.StringIO(newline="")
    lines = csv.DictWriter(table, COLUMNS, lineterminator="\r\n")
    lines.writeheader()
    lines.writerows(flat(event) for event in events)
    write_whole(path, table.getvalue().encode("utf-8", "backslashreplace"))


def _parquet(path: Path, events: Sequence[_Json], _: Path) -> None:
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
    write_whole(path, out.getvalue().to_pybytes())


def _raven(path: Path, events: Sequence[_Json], store: Path) -> None:
    write_raven(path, [annotation(event) for event in events], _files(events, store))


def _audacity(path: Path, events: Sequence[_Json], store: Path) -> None:
    write_audacity(path, [annotation(event) for event in events], _files(events, store))


def _files(events: Sequence[_Json], store: Path) -> list[FileSpan]:
    return recordings(events, {file["name"]: file["samples_read"] for file in stored_files(store)})


def _rate(name: str) -> float:
    try:
        return rate_of(name)
    except DataError:
        return NOMINAL_RATE_HZ


FORMS: Final[Mapping[str, Write]] = {
    "raven": _raven,
    "audacity": _audacity,
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
"""How each form is written."""
