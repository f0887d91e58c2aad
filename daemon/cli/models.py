"""kilokai models."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from acoio.errors import SetupError
from daemon.cli.options import ConfigFile, Json, Sets, StorePath, config_of
from daemon.config import Config
from daemon.errors import plain
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.stored import stored_models
from daemon.models import facts
from daemon.models.entry import Entry
from daemon.models.history import lineage
from daemon.models.meant import candidate, configured, shown
from daemon.models.registry import Registry

app = typer.Typer(
    help="Look at the models of a store, choose which one scores, and go back.",
    no_args_is_help=True,
)

_Id = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="An id, its first letters, `current`, a model's folder, or a pretrained name.",
    ),
]
_Reason = Annotated[str, typer.Option(help="Why; the bus and the history say so.")]


@app.command("list", epilog="Example: kilokai models list --store /var/lib/kilokai")
def list_models(
    store: StorePath = None, config: ConfigFile = None, sets: Sets = None, as_json: Json = False
) -> None:
    """List every model, newest first; `*` marks the champion."""
    settings = _settings(store, config, sets)
    registry = Registry(settings.store.path)
    found = [_facts(entry, settings) for entry in registry.entries()]
    champion = _champion(registry)
    if as_json:
        typer.echo(json.dumps({"current": champion, "models": found}))
    elif found:
        typer.echo("\n".join([facts.HEADING, *map(facts.model_line, found)]))
        if champion is None:
            typer.echo(f"no champion: {configured(settings)} scores", err=True)
    else:
        typer.echo(
            f"{plain(registry.path)}: no models yet; detector.model "
            f"({plain(settings.detector.model)}) scores.\n`kilokai retrain` makes one, "
            "`kilokai models promote FOLDER` takes one in."
        )


@app.command("show", epilog="Example: kilokai models show current --store /var/lib/kilokai")
def show_model(
    model: _Id,
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of one model: data, calibration, evaluation, verdict, history."""
    settings = _settings(store, config, sets)
    registry = Registry(settings.store.path)
    found = _facts(shown(registry, model, settings), settings)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo("\n".join(facts.page(found, registry.history())))


@app.command(
    "compare", epilog="Example: kilokai models compare current 3f2a --store /var/lib/kilokai"
)
def compare_models(
    first: _Id,
    second: _Id,
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Show two models side by side: threshold, calibration, evaluation, verdict, data."""
    settings = _settings(store, config, sets)
    registry = Registry(settings.store.path)
    both = [_facts(shown(registry, model, settings), settings) for model in (first, second)]
    if as_json:
        typer.echo(json.dumps(both))
    else:
        typer.echo("\n".join(facts.side_by_side(*both)))


@app.command(
    "promote",
    epilog="Examples: kilokai models promote 3f2a --reason 'quieter nights'; "
    "kilokai models promote ./mine; kilokai models promote ocean-v1",
)
def promote_model(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="An id, a model's folder, or a pretrained name.")
    ],
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    reason: _Reason = "",
    force: Annotated[bool, typer.Option("--force", help="Even if the gate refused it.")] = False,
) -> None:
    """Let a model score, from a running daemon's next window on; it is verified first."""
    from daemon.models.golden import load_registered

    settings = _settings(store, config, sets)
    registry = Registry(settings.store.path)
    entry = candidate(registry, model, settings)
    if not force and (why := _against(entry)):
        raise SetupError(f"{entry.id}: {why}; --force promotes it")
    load_registered(entry.folder, false_alarms_per_hour=settings.detector.false_alarms_per_hour)
    before = _champion(registry)
    registry.promote(entry.id, reason=reason)
    if before == entry.id:
        typer.echo(f"{entry.id} is the champion already: later ones are compared with it", err=True)
    else:
        _say(f"{entry.id} is the champion, after {before or configured(settings)}")


@app.command("rollback", epilog="Example: kilokai models rollback --reason 'alarm flood'")
def rollback_model(
    store: StorePath = None, config: ConfigFile = None, sets: Sets = None, reason: _Reason = ""
) -> None:
    """Let the model score that was champion before; twice goes back two champions.

    Before the first champion it was detector.model, which then scores again.
    """
    settings = _settings(store, config, sets)
    registry = Registry(settings.store.path)
    before = _champion(registry)
    now = registry.rollback(reason=reason)
    _say(f"{now or configured(settings)} is the champion again, after {before or 'none'}")


@app.command("prune", epilog="Example: kilokai models prune --config kilokai.toml --newest 3")
def prune_models(
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    newest: Annotated[int, typer.Option(min=0, help="Keep so many of the newest, too.")] = 5,
    include_referenced: Annotated[
        bool, typer.Option("--include-referenced", help="Remove even those that events name.")
    ] = False,
) -> None:
    """Remove old models, but none that is wanted.

    These are the champion, the one before it, the station's first one, with which
    retraining compares, and those that events name.  Which one is the first is said by
    retrain.since of --config: without a file, no champion since a person chose one is removed.
    """
    settings = _settings(store, config, sets)
    place = settings.store.path
    registry = Registry(place)
    entries = registry.entries()
    keep = {entry.id for entry in entries[:newest]} | _firsts(registry, settings, config)
    if not include_referenced and (place / LEDGER_FILE).exists():
        keep |= set(stored_models(place))
    gone = registry.prune([entry.id for entry in entries if entry.id not in keep])
    typer.echo("\n".join([*gone, f"{len(gone)} models removed"]), err=True)


def _settings(store: Path | None, file: Path | None, sets: list[str] | None) -> Config:
    """Return the settings; a store that is given must be there: a mistyped one is never made."""
    if store is not None and not os.access(store, os.R_OK | os.X_OK):
        raise SetupError(f"--store: {plain(store)}: found no such folder that may be read")
    own = [] if store is None else [f"store.path={json.dumps(str(store))}"]
    return config_of(file, [*(sets or []), *own], needs_drop=False)


def _firsts(registry: Registry, settings: Config, file: Path | None) -> set[str]:
    """Return the models that a retraining may compare with, by a configuration from a file."""
    from daemon.retraining.first import first_of_lineage
    from daemon.retraining.recent import changed
    from detector.scoring.checkpoint import read_model

    champion = registry.current()
    if file is not None and champion is not None:
        with suppress(SetupError):  # a damaged one, which hears nobody knows what
            now = read_model(registry.folder(champion))
            found = first_of_lineage(registry, now, changed(settings))
            return {found.id} if found else set()
    return set(lineage(registry.history()))


def _champion(registry: Registry) -> str | None:
    """Return the champion's id, or None; that the link to it is spoilt is said."""
    try:
        return registry.current()
    except SetupError as error:
        typer.echo(f"{plain(str(error))}; `promote` and `rollback` make it anew", err=True)
        return None


def _against(entry: Entry) -> str:
    """Return what the gate has against a model, "" if nothing."""
    if entry.verdict is None:
        return f"what the gate said of it cannot be read: {plain(entry.fault)}"
    why = "; ".join(entry.verdict.reasons) or "no reason given"
    return "" if entry.verdict.accepted else f"the gate refused it: {why}"


def _facts(entry: Entry, config: Config) -> dict[str, Any]:
    return facts.facts(entry, config.detector.false_alarms_per_hour)


def _say(done: str) -> None:
    typer.echo(f"{done}; a running daemon takes it over within a second or two", err=True)
