"""kilokai.toml as JSON Schema, for editors (pure).

Draft 7 and without references, since editors of TOML (taplo, Even Better TOML) read that.
"""

from __future__ import annotations

from typing import Any, Final

from daemon.options import Config
from daemon.settings.keys import Key, keys, tables

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_Schema = dict[str, Any]


def schema() -> _Schema:
    """Return the JSON Schema of kilokai.toml."""
    properties = {
        name: _table(model.model_json_schema(), [key for key in keys() if key.table == name])
        for name, model in tables().items()
    }
    required = [name for name, field in Config.model_fields.items() if field.is_required()]
    return {
        "$schema": _DRAFT,
        "title": "kilokai.toml",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _table(found: _Schema, own: list[Key]) -> _Schema:
    """Return a table's schema with the words of its keys, as pydantic has the rest."""
    for key in own:
        field = found["properties"][key.name]
        field.pop("title", None)
        field["description"] = f"{key.meaning}\nAllowed: {key.allowed}."
    found.pop("title", None)
    return found
