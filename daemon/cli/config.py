"""kilokai config."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.options import ConfigFile, Json, Sets
from daemon.cli.output import Force, deliver
from daemon.config import Config, ConfigError, Fault, Loaded, read_config, strays
from daemon.errors import EXIT_WRONG_SETUP, plain
from daemon.settings.effective import effective, effective_lines
from daemon.settings.example import example
from daemon.settings.schema import schema

app = typer.Typer(help="Check, show and begin a configuration.", no_args_is_help=True)


@app.command(epilog="Example: kilokai config check --config /etc/kilokai/kilokai.toml")
def check(config: ConfigFile = None, sets: Sets = None, as_json: Json = False) -> None:
    """Tell every fault of a configuration at once: exit 78 if there is any.

    Names of the environment that begin with KILOKAI_ and are no keys are told too, and which
    of the paths are not there, as on another machine than the station's.  Whether the model
    loads, and keys and certificates are whole, is for `kilokai doctor` to say.
    """
    for name, meant in strays(os.environ).items():
        typer.echo(f"kilokai: {plain(name)} is no key: name it {meant}", err=True)
    faults: tuple[Fault, ...] = ()
    try:
        loaded = _loaded(config, sets)
    except ConfigError as error:
        if not as_json:
            raise
        faults = error.faults
    if as_json:
        told = [{"key": f.key, "says": f.says, "from": f.origin or None} for f in faults]
        typer.echo(json.dumps({"right": not faults, "faults": told}))
        raise typer.Exit(EXIT_WRONG_SETUP if faults else 0)
    given = sum("." in key for key in loaded.origins)
    words = "1 key" if given == 1 else f"{given} keys"
    for key, path in _missing(loaded.config):
        waited = "; it is waited for" if key == "drop.path" else ""
        typer.echo(f"kilokai: {key}: {plain(path)} is not there now{waited}", err=True)
    typer.echo(f"right: {plain(config) if config else 'no file'}, {words} given")


@app.command(epilog="Example: kilokai config show --set drop.path=/data/incoming --json")
def show(config: ConfigFile = None, sets: Sets = None, as_json: Json = False) -> None:
    """Show what is in force, and where each value comes from."""
    loaded = _loaded(config, sets)
    if as_json:
        typer.echo(json.dumps(effective(loaded)))
    else:
        typer.echo("\n".join(effective_lines(loaded)).rstrip())


@app.command("schema", epilog="Example: kilokai config schema > kilokai.schema.json")
def print_schema() -> None:
    """Print the JSON Schema of kilokai.toml, by which editors complete and check it."""
    typer.echo(json.dumps(schema(), indent=2))


@app.command(epilog="Example: kilokai config init /etc/kilokai/kilokai.toml")
def init(
    path: Annotated[Path, typer.Argument(help="The file to write; - is standard output.")] = Path(
        "kilokai.toml"
    ),
    force: Force = False,
) -> None:
    """Write a commented configuration with every key, to begin with."""
    where = deliver(path, example().encode(), force=force)
    typer.echo(f"wrote {where}: say where files arrive, drop.path, then", err=True)
    typer.echo(f"kilokai config check --config {where}", err=True)


def _missing(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the paths of a configuration that lead nowhere; a store is made."""
    for name in Config.model_fields:
        section = getattr(config, name)
        for key in type(section).model_fields:
            path = getattr(section, key)
            if isinstance(path, Path) and (name, key) != ("store", "path") and not _is_there(path):
                yield f"{name}.{key}", path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # for all that may be seen
    except OSError:  # no path at all, or of a drop that does not answer
        return False


def _loaded(config: Path | None, sets: list[str] | None) -> Loaded:
    return read_config(config, sets or [], os.environ)
