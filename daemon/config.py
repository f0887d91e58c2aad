"""Read a configuration from its three places, and tell all that is wrong with it."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from acoio.errors import NotReadyError, passes
from acoio.tables import decoded
from daemon.options import Config
from daemon.settings.between import conflicts
from daemon.settings.faults import ConfigError, Fault, fault_of, innermost
from daemon.settings.lines import lines_of

__all__ = [
    "PREFIX",
    "Config",
    "ConfigError",
    "Fault",
    "Loaded",
    "load_config",
    "read_config",
    "strays",
]

PREFIX: Final = "KILOKAI_"
_Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and where each key that has no default's value came from."""

    config: Config
    origins: Mapping[str, str]


@dataclass(slots=True)
class _Reading:
    """What was read up to now: later places go over earlier ones."""

    raw: _Raw = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def load_config(path: Path | None, sets: Sequence[str], environ: Mapping[str, str]) -> Config:
    """Return the configuration: the file, then the environment, then `--set`, the last one wins.

    `sets` are `section.key=value`; the environment's names are
    `KILOKAI_SECTION__KEY`.  Values there are TOML values, or else strings.

    Raises
    ------
    ConfigError
        With one line for each fault: the key, the value found, what is allowed.
    """
    return read_config(path, sets, environ).config


def read_config(path: Path | None, sets: Sequence[str], environ: Mapping[str, str]) -> Loaded:
    """Return the configuration as `load_config` does, and where its values came from.

    Raises
    ------
    ConfigError
        With every fault.
    """
    reading = _Reading()
    unread = path is not None and not _take_file(path, reading)  # what is missing may be there
    for key, text, origin in (*_of_environ(environ), *_of_sets(sets, reading.faults)):
        _put(reading, key, _value(text), origin)
    config, wrong = _checked(reading, unread=unread)
    if config and not unread:
        reading.faults += _between(config, wrong, reading.origins)
    if reading.faults or config is None:
        faults = reading.faults if path else map(_without_file, reading.faults)
        raise ConfigError(sorted(faults, key=lambda fault: fault.line))
    return Loaded(config, reading.origins)


def _checked(reading: _Reading, *, unread: bool) -> tuple[Config | None, frozenset[str]]:
    """Return the configuration and the keys that are wrong, for which it has their defaults.

    None if no more can be said than what is wrong with each of them.
    """
    try:
        return Config.model_validate(reading.raw), frozenset()
    except ValidationError as error:
        details = innermost(error.errors())
    reading.faults += [
        fault_of(detail, reading.origins)
        for detail in details
        if not (unread and detail["type"] == "missing")
    ]
    wrong = frozenset(".".join(str(part) for part in d["loc"][:2]) for d in details)
    right: _Raw = {"drop": {"path": ""}}
    for section, table in reading.raw.items():
        if section not in wrong and isinstance(table, dict):
            kept = {key: table[key] for key in table if f"{section}.{key}" not in wrong}
            right[section] = right.get(section, {}) | kept
    try:
        return Config.model_validate(right), wrong
    except ValidationError:
        return None, wrong


def _without_file(fault: Fault) -> Fault:
    """Return a fault that says why what every file has may be missing."""
    missing = fault.key.startswith("drop") and not fault.origin
    return replace(fault, origin="no --config was given") if missing else fault


def _between(config: Config, wrong: frozenset[str], origins: Mapping[str, str]) -> list[Fault]:
    """Return what is wrong between keys of which none is wrong by itself."""
    return [
        Fault(found.key, found.says, origins.get(found.key, ""))
        for found in conflicts(config)
        if not any(
            key in wrong or key.partition(".")[0] in wrong for key in (found.key, *found.others)
        )
    ]


def _take_file(path: Path, reading: _Reading) -> bool:
    """Take what a file says, and say whether it could be read.

    Raises
    ------
    NotReadyError
        If it may be read at the next try.
    """
    try:
        text = io.StringIO(decoded(path.read_bytes()), newline=None).read()
        reading.raw = _loads(text)
    except OSError as error:
        if passes(error.errno):
            raise NotReadyError(f"{path}: {error.strerror}") from error
        says = f"{error.strerror}, wanted a TOML file that can be read"
        reading.faults.append(Fault(str(path), says))
    except (ValueError, RecursionError) as error:
        reading.faults.append(Fault(str(path), f"{error}, wanted a TOML file"))
    else:
        lines = lines_of(text)
        for key in _names(reading.raw):
            reading.origins[key] = f"{path}:{lines[key]}" if key in lines else str(path)
        return True
    return False


def _loads(text: str) -> _Raw:
    """Return what a TOML text says.

    Raises
    ------
    ValueError, RecursionError
        If it is none, or nests too deep, or has a number of too many digits.
    """
    raw = tomllib.loads(text)
    repr(raw)  # no message could show such a number, which hexadecimal digits can write
    return raw


def _names(raw: _Raw) -> Iterable[str]:
    for section, table in raw.items():
        yield section
        if isinstance(table, dict):
            yield from (f"{section}.{key}" for key in table)


def _of_environ(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = sorted(name for name in environ if name.startswith(PREFIX) and "__" in name)
    return [
        (name.removeprefix(PREFIX).lower().replace("__", ".", 1), environ[name], name)
        for name in names
    ]


def _of_sets(sets: Sequence[str], faults: list[Fault]) -> list[tuple[str, str, str]]:
    found = []
    for text in sets:
        key, equals, value = text.partition("=")
        if equals and key.count(".") == 1:
            found.append((key.strip(), value.strip(), "--set"))
        else:
            faults.append(Fault("--set", f"found {text!r:.200}, wanted section.key=value"))
    return found


def strays(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the environment that are ours by their beginning, and no keys.

    Each with what was probably meant, or what a name is made of.
    """
    known = {
        f"{PREFIX}{section}_{key}".upper(): f"{PREFIX}{section}__{key}".upper()
        for section, option in Config.model_fields.items()
        for key in getattr(option.annotation, "model_fields", ())
    }
    names = sorted(name for name in environ if name.startswith(PREFIX) and "__" not in name)
    return {name: known.get(name, f"{PREFIX}SECTION__KEY") for name in names}


def _value(text: str) -> Any:
    try:
        return _loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _put(reading: _Reading, key: str, value: Any, origin: str) -> None:
    section, _, name = key.partition(".")
    table = reading.raw.setdefault(section, {})
    if isinstance(table, dict):
        table[name] = value
        reading.origins[key] = origin
        reading.origins.setdefault(section, origin)
    else:
        where = reading.origins.get(section, "")
        reading.faults.append(Fault(section, f"found {table!r:.200}, wanted a table", where))
