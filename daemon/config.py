"""Read a configuration from its three places, and tell all that is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from acoio.errors import SetupError
from daemon.options import Config

__all__ = ["Config", "load_config"]

_PREFIX: Final = "KILOKAI_"
_Raw = dict[str, Any]


def load_config(path: Path | None, sets: Sequence[str], environ: Mapping[str, str]) -> Config:
    """Return the configuration: the file, then the environment, then `--set`, the last one wins.

    `sets` are `section.key=value`; the environment's names are
    `KILOKAI_SECTION__KEY`.  Values there are TOML values, or else strings.

    Raises
    ------
    SetupError
        With one line for each fault: the key, the value found, what is allowed.
    """
    faults: list[str] = []
    raw = _from_file(path, faults) if path else {}
    for key, text in _from_environ(environ) + _from_sets(sets, faults):
        _put(raw, key, _value(text), faults)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        unread = bool(faults and path and not raw)  # then what is missing may well be in the file
        faults += [_fault(d) for d in error.errors() if not (unread and d["type"] == "missing")]
    if faults:
        raise SetupError("wrong configuration:\n" + "\n".join(f"  {fault}" for fault in faults))
    return config


def _from_file(path: Path, faults: list[str]) -> _Raw:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        faults.append(f"{path}: {error.strerror}, wanted a TOML file that can be read")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{path}: {error}, wanted a TOML file")
    return {}


def _from_environ(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    names = sorted(name for name in environ if name.startswith(_PREFIX) and "__" in name)
    return [
        (name.removeprefix(_PREFIX).lower().replace("__", ".", 1), environ[name]) for name in names
    ]


def _from_sets(sets: Sequence[str], faults: list[str]) -> list[tuple[str, str]]:
    found = []
    for text in sets:
        key, equals, value = text.partition("=")
        if equals and key.count(".") == 1:
            found.append((key.strip(), value.strip()))
        else:
            faults.append(f"--set: found {text!r}, wanted section.key=value")
    return found


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(raw: _Raw, key: str, value: Any, faults: list[str]) -> None:
    section, _, name = key.partition(".")
    table = raw.setdefault(section, {})
    if isinstance(table, dict):
        table[name] = value
    else:
        faults.append(f"{section}: found {table!r}, wanted a table")


def _fault(detail: ErrorDetails) -> str:
    """Return one fault as `key: found ..., wanted ...`."""
    where = tuple(str(part) for part in detail["loc"])
    if not where:  # a fault between two keys says all of it itself
        return str(detail["ctx"]["error"])
    found = "nothing" if detail["type"] == "missing" else repr(detail["input"])
    return f"{'.'.join(where)}: found {found}, wanted {_wanted(where)}"


def _wanted(where: tuple[str, ...]) -> str:
    model: type[BaseModel] = Config
    for depth, part in enumerate(where):
        field = model.model_fields.get(part)
        if field is None:
            return f"one of {', '.join(model.model_fields)}"
        inner = field.annotation
        if depth + 1 < len(where) and isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        else:
            return field.description or f"a table with {_keys(inner)}"
    return "something else"


def _keys(table: Any) -> str:
    return ", ".join(table.model_fields)
