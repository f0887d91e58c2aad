"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from acoio.errors import SetupError
from daemon.config import Config, load_config
from daemon.errors import plain
from detector.files import model_folder, read_part
from detector.scoring.fingerprint import CARD

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", readable=False, help="The configuration, as kilokai.toml."),
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="One key, as --set drop.settle_s=5; repeatable.")
]
StorePath = Annotated[
    Path | None,
    typer.Option("--store", readable=False, help="The store; else that of --config."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_NO_DROP: Final = "drop.path=/dev/null"


def config_of(file: Path | None, sets: list[str] | None, *, needs_drop: bool = True) -> Config:
    """Return the configuration; a command that never looks at the drop needs none.

    Raises
    ------
    SetupError
        With every fault.
    """
    return load_config(file, (sets or []) + ([] if needs_drop else [_NO_DROP]), os.environ)


def store_of(store: Path | None, file: Path | None, sets: list[str] | None) -> Path:
    """Return the store that is given, or else that of the configuration.

    Raises
    ------
    SetupError
        With every fault of the configuration.
    """
    return store or config_of(file, sets, needs_drop=False).store.path


def require_model(path_or_name: str) -> None:
    """Refuse a model that is not there, before what takes seconds is imported.

    Raises
    ------
    ModelError
        If its card cannot be read.
    """
    read_part(model_folder(path_or_name) / CARD)


def require_folder(folder: Path, option: str, *, wanted: str) -> None:
    """Refuse a folder that is not there, before what takes seconds is imported.

    Raises
    ------
    SetupError
        If it is none.
    """
    if not folder.is_dir():
        raise SetupError(f"{option}: {plain(folder)}: found no folder, wanted {wanted}")
