"""kilokai events review."""

from __future__ import annotations

import getpass
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from acoio.errors import DataError
from daemon.cli.options import ConfigFile, Sets, StorePath, store_of
from daemon.events.find import one_of
from daemon.events.reviews import REQUEST, Verdict
from daemon.service.requests import REFUSED, submit
from detector.values import iso

EXAMPLE: Final = (
    "Example: kilokai events review 5158abc1 --confirmed --call-type humpback --who kea"
)
_PATIENCE_S: Final = 3.0
_LOOK_S: Final = 0.05


def command(
    event_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="An event's id, or its first letters (four at least)."),
    ],
    confirmed: Annotated[bool, typer.Option("--confirmed", help="True positive.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="False positive.")] = False,
    call_type: Annotated[str, typer.Option(help="What it is, as humpback.")] = "",
    note: Annotated[str, typer.Option(help="A line for those who come after.")] = "",
    who: Annotated[str | None, typer.Option(help="Who says so; else the user's name.")] = None,
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Judge an event: the daemon keeps the verdict and tells it; of several the last one counts."""
    if confirmed == rejected:
        found = "both" if confirmed else "neither"
        raise typer.BadParameter(f"found {found}, wanted either --confirmed or --rejected")
    place = store_of(store, config, sets)
    event = one_of(place, event_id)
    if event["status"] == "open":
        raise DataError(f"event {event['id']}: found it going on, wanted one that has ended")
    verdict = Verdict(
        verdict="confirmed" if confirmed else "rejected",
        at=iso(datetime.now(UTC)),
        call_type=call_type,
        note=note,
        who=getpass.getuser() if who is None else who,
    )
    asked = submit(place, REQUEST, {"id": event["id"], **verdict.as_json()})
    typer.echo(f"{event['id']}: {verdict.verdict}{_taken(asked)}")


def _taken(asked: Path) -> str:
    """Return what became of a request, as the end of a line.

    Raises
    ------
    DataError
        If the daemon refused it.
    """
    until_s = time.monotonic() + _PATIENCE_S
    while asked.exists():
        if time.monotonic() >= until_s:
            return (
                ".\nIt waits for a daemon: the next one on this store takes it, and then it shows."
            )
        time.sleep(_LOOK_S)
    if asked.with_name(asked.name + REFUSED).exists():
        raise DataError("the daemon refused the verdict; its log says why")
    return ", kept and told"
