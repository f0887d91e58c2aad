"""kilokai events."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from acoio.errors import DataError
from daemon.cli import review
from daemon.cli.options import ConfigFile, Json, Sets, StorePath, store_of
from daemon.cli.output import Force, deliver, require_place
from daemon.errors import plain
from daemon.events.export import export
from daemon.events.find import found, listed, one_of, stored_evidence, stored_verdicts, utc
from daemon.events.query import Filter
from daemon.show import HEADING, event_line, event_page

_PAGE: Final = 1000  # lines written at once

app = typer.Typer(help="Look at the events in the store, and judge them.", no_args_is_help=True)
app.command("review", epilog=review.EXAMPLE)(review.command)

_From = Annotated[str | None, typer.Option("--from", help="Going on after this time (UTC).")]
_To = Annotated[str | None, typer.Option("--to", help="Begun before this time (UTC).")]
_Status = Annotated[
    Literal["open", "closed", "reviewed"] | None, typer.Option(help="Of this status alone.")
]
_Severity = Annotated[
    Literal["minor", "moderate", "major"] | None, typer.Option(help="Of this severity at least.")
]
_Score = Annotated[float | None, typer.Option("--min-score", help="Of this score at least, nats.")]
_Band = Annotated[
    tuple[float, float] | None, typer.Option(metavar="LOW HIGH", help="Whose band meets this, Hz.")
]
_Verdict = Annotated[
    Literal["confirmed", "rejected", "none"] | None,
    typer.Option(help="Judged so; none: not judged yet."),
]
_Limit = Annotated[int | None, typer.Option(min=1, help="The last so many.")]
_Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="An event's id, or its first letters (four at least)."),
]


@app.command("list", epilog="Example: kilokai events list --store /var/lib/kilokai --json")
def list_events(
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    begin: _From = None,
    end: _To = None,
    status: _Status = None,
    severity: _Severity = None,
    min_score: _Score = None,
    band: _Band = None,
    verdict: _Verdict = None,
    limit: _Limit = None,
    as_json: Json = False,
) -> None:
    """List every event's newest state, oldest first; a running daemon does not mind."""
    wanted = _filter(begin, end, status, severity, min_score, band, verdict)
    events = found(store_of(store, config, sets), wanted, limit)
    if as_json:
        _print_list(map(json.dumps, events))
    else:
        for lines in _pages(chain([HEADING], map(event_line, events))):
            typer.echo("\n".join(lines))


@app.command("show", epilog="Example: kilokai events show 5158abc1 --store /var/lib/kilokai")
def show_event(
    event_id: _Id,
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of one event: figures, clip, picture, and every verdict."""
    place = store_of(store, config, sets)
    event = one_of(place, event_id)
    verdicts = stored_verdicts(place, event["id"])
    evidence = stored_evidence(place, event["id"])
    if as_json:
        typer.echo(json.dumps({**event, "verdicts": verdicts, "evidence": evidence}))
    else:
        typer.echo("\n".join(map(plain, event_page(event, verdicts, evidence))))


@app.command(
    "export", epilog="Example: kilokai events export --format raven -o night.txt --from 2018-10-28"
)
def export_events(
    form: Annotated[
        Literal["raven", "audacity", "csv", "json", "parquet"],
        typer.Option("--format", help="For which program."),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The file to write; - is standard output.")
    ],
    force: Force = False,
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    begin: _From = None,
    end: _To = None,
    status: _Status = None,
    severity: _Severity = None,
    min_score: _Score = None,
    band: _Band = None,
    verdict: _Verdict = None,
    limit: _Limit = None,
) -> None:
    """Write events to a file; Raven's and Audacity's are over the recordings they lie in."""
    require_place(out, force=force)
    wanted = _filter(begin, end, status, severity, min_score, band, verdict)
    place = store_of(store, config, sets)
    events = listed(place, wanted, limit)
    where = deliver(out, export(form, events, place), force=force)
    typer.echo(f"{len(events)} events written to {where}", err=True)


def _print_list(values: Iterator[str]) -> None:
    """Print JSON values as one list, without holding all of it."""
    before = "["
    for page in _pages(values):
        typer.echo(before + ", ".join(page), nl=False)
        before = ", "
    typer.echo("[]" if before == "[" else "]")


def _pages(lines: Iterator[str]) -> Iterator[list[str]]:
    while page := list(islice(lines, _PAGE)):
        yield page


def _filter(
    begin: str | None,
    end: str | None,
    status: str | None,
    severity: str | None,
    min_score: float | None,
    band: tuple[float, float] | None,
    verdict: str | None,
) -> Filter:
    if band is not None and not 0 <= band[0] <= band[1]:
        raise DataError(f"--band: found {band[0]:g} to {band[1]:g} Hz, wanted a low and a high one")
    if min_score is not None and math.isnan(min_score):
        raise DataError("--min-score: found nan, wanted a number of nats")
    since = None if begin is None else utc(begin, "--from")
    until = None if end is None else utc(end, "--to")
    if since and until and since >= until:
        raise DataError(f"--from: found {begin}, wanted a time before --to, {end}")
    return Filter(
        begin=since,
        end=until,
        status=status,
        severity=severity,
        score=min_score,
        band_hz=band,
        verdict=verdict,
    )
