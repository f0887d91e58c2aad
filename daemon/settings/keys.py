"""Every key of kilokai.toml in its order: what it is, what is allowed, what it is by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from daemon.options import Config
from daemon.settings.meanings import MEANINGS


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `default` is None where there is none, `example` what it may look like."""

    table: str
    name: str
    meaning: str
    allowed: str
    default: Any
    example: Any
    required: bool

    @property
    def path(self) -> str:
        """Its name with its table's, as `--set` takes it."""
        return f"{self.table}.{self.name}"


def tables() -> Mapping[str, type[BaseModel]]:
    """Return the tables by their names."""
    found = {name: field.annotation for name, field in Config.model_fields.items()}
    return {
        name: table
        for name, table in found.items()
        if isinstance(table, type) and issubclass(table, BaseModel)
    }


def keys() -> tuple[Key, ...]:
    """Return every key, table by table."""
    return tuple(_keys())


def _keys() -> Iterator[Key]:
    for table, model in tables().items():
        for name, field in model.model_fields.items():
            default = None if field.is_required() else plain_value(field.default)
            yield Key(
                table=table,
                name=name,
                meaning=MEANINGS[f"{table}.{name}"],
                allowed=field.description or "",
                default=default,
                example=field.examples[0] if field.examples else default,
                required=field.is_required(),
            )


def plain_value(value: Any) -> Any:
    """Return a value of a key as TOML and JSON have it."""
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def in_toml(value: Any) -> str:
    """Return a plain value as TOML writes it: as JSON does, for what keys hold."""
    return json.dumps(value, ensure_ascii=False)
