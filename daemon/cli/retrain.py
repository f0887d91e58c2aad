"""kilokai retrain."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from daemon.cli.options import ConfigFile, Json, Sets, config_of, require_folder

if TYPE_CHECKING:
    from daemon.retraining.course import Ended

EXAMPLE: Final = "Example: kilokai retrain --config /etc/kilokai/kilokai.toml"
_NICE: Final = 10  # beside the daemon, which scores first


def command(
    config: ConfigFile = None,
    sets: Sets = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="The same seed and sound, the same model.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Train a model on the station's typical hours, and let it score if it is no worse.

    Exits with 0 once it is decided: also if the gate refused the candidate, or there was
    too little typical sound to make one, as out of season; with 1 or 78 if it failed.  A
    daemon may run meanwhile.
    """
    settings = config_of(config, sets)
    require_folder(settings.store.path, "store.path", wanted="that of a daemon")
    with suppress(OSError):
        os.nice(_NICE)
    import torch  # here, because it takes seconds to import

    from daemon.retraining.course import retrain

    torch.set_num_threads(settings.retrain.threads)
    ended = _told(retrain(settings, seed=seed), err=as_json)
    if as_json:
        typer.echo(json.dumps(ended.as_json()))
    else:
        typer.echo("\n".join(_lines(ended)))


def _told(lines: Generator[str, None, Ended], *, err: bool) -> Ended:
    while True:
        try:
            typer.echo(next(lines), err=err)
        except StopIteration as done:
            ended: Ended = done.value
            return ended


def _lines(ended: Ended) -> Iterable[str]:
    yield from ended.reasons
    if ended.outcome == "accepted":
        yield f"accepted: {ended.candidate} scores from the daemon's next window on"
        yield "go back with `kilokai models rollback`"
    else:
        yield f"{ended.outcome.replace('_', ' ')}: {ended.champion} goes on"
