"""kilokai keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from acoio.errors import SetupError
from daemon.bus import keys
from daemon.cli.options import ConfigFile, Json, Sets, config_of
from daemon.errors import plain

app = typer.Typer(
    help="Make the keys of the bus, and say which clients may listen.", no_args_is_help=True
)

_Folder = Annotated[
    Path | None, typer.Option("--keys", help="The station's folder; else bus.keys of --config.")
]
_Name = Annotated[str, typer.Argument(help="The client: 1 to 32 of a-z, 0-9 and -.")]


@app.command(epilog="Example: kilokai keys server --keys /etc/kilokai/keys")
def server(folder: _Folder = None, config: ConfigFile = None, sets: Sets = None) -> None:
    """Make the station's pair of keys, and print the public one."""
    where = _folder(folder, config, sets)
    pair = keys.make_server(where)
    typer.echo(f"made {where / keys.SERVER_SECRET}, which stays here", err=True)
    typer.echo(f"made {where / keys.SERVER_PUBLIC}, which every client needs", err=True)
    typer.echo(pair.public)


@app.command(epilog="Example: kilokai keys client ham")
def client(
    name: _Name,
    out: Annotated[Path, typer.Option(help="The folder that the two files go to.")] = Path(),
) -> None:
    """Make a client's pair of keys, where the client runs, and print the public one."""
    pair = keys.make_client(out, name)
    typer.echo(f"made {out / name}.secret, which stays here", err=True)
    typer.echo(f"made {out / name}.pub, for `kilokai keys allow {name}` at the station", err=True)
    typer.echo(pair.public)


@app.command(
    context_settings={"ignore_unknown_options": True},  # a public key may begin with -
    epilog="Example: kilokai keys allow ham ham.pub --keys /etc/kilokai/keys",
)
def allow(
    name: _Name,
    public: Annotated[str, typer.Argument(help="Its public key, or the file of it.")],
    folder: _Folder = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Let a client listen; a running daemon knows within a second or two."""
    keys.allow(_folder(folder, config, sets), name, keys.read_public(public))
    typer.echo(f"{name} may listen", err=True)


@app.command(epilog="Example: kilokai keys revoke ham --keys /etc/kilokai/keys")
def revoke(
    name: _Name, folder: _Folder = None, config: ConfigFile = None, sets: Sets = None
) -> None:
    """Let a client listen no longer; a running daemon cuts it off within a second or two."""
    keys.revoke(_folder(folder, config, sets), name)
    typer.echo(f"{name} may no longer listen", err=True)


@app.command("list", epilog="Example: kilokai keys list --keys /etc/kilokai/keys --json")
def list_clients(
    folder: _Folder = None, config: ConfigFile = None, sets: Sets = None, as_json: Json = False
) -> None:
    """List the clients that may listen, with their public keys."""
    names, faults = keys.clients(_folder(folder, config, sets))
    for fault in faults:
        typer.echo(f"kilokai: {plain(fault)}", err=True)
    if as_json:
        typer.echo(json.dumps(names))
    else:
        typer.echo("\n".join(f"{name:32}  {key}" for name, key in names.items()) or "nobody")


def _folder(folder: Path | None, config: Path | None, sets: list[str] | None) -> Path:
    """Return the station's folder of keys.

    Raises
    ------
    SetupError
        If none is named.
    """
    found = folder or config_of(config, sets, needs_drop=False).bus.keys
    if found is None:
        raise SetupError("bus.keys: found nothing, wanted the station's folder (--keys DIR)")
    return found
