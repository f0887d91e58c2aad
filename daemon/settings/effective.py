"""What is in force, and where each value comes from (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from daemon.config import Loaded
from daemon.settings.keys import in_toml, keys, plain_value

_DEFAULT: Final = "default"
_WIDTH: Final = 44


def effective(loaded: Loaded) -> dict[str, dict[str, dict[str, Any]]]:
    """Return each table's keys, each with `value` and `from`."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key in keys():
        value = getattr(getattr(loaded.config, key.table), key.name)
        found.setdefault(key.table, {})[key.name] = {
            "value": plain_value(value),
            "from": loaded.origins.get(key.path, _DEFAULT),
        }
    return found


def effective_lines(loaded: Loaded) -> Iterator[str]:
    """Yield the same as TOML, with the places as comments."""
    for table, values in effective(loaded).items():
        yield f"[{table}]"
        for name, found in values.items():
            nothing = found["value"] is None  # which TOML cannot say
            text = f"#{name} =" if nothing else f"{name} = {in_toml(found['value'])}"
            yield f"{text:{_WIDTH}}  # {found['from']}"
        yield ""
