"""The commented example of kilokai.toml, made of the keys themselves (pure)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from daemon.settings.keys import Key, in_toml, keys, tables
from daemon.settings.live import is_live

_COLUMNS: Final = 88
_HEAD: Final = """\
# The configuration of kilokai. Only drop.path has to be given: each key that is commented
# out shows its default or, where it has none, what it may look like.
#
# Any key can also be given as --set table.key=value, or in the environment as
# KILOKAI_SECTION__KEY, which go over this file in that order: --set wins.
#
#   kilokai config check --config FILE    tells every fault at once
#   kilokai config show --config FILE     tells what is in force, and where it comes from
#   kilokai config schema > FILE          for editors that complete and check TOML (taplo)
#
# A running daemon takes "live" keys up on SIGHUP (systemctl reload kilokai); the others
# want a restart.
"""


def example() -> str:
    """Return the text of the example: it loads to the defaults."""
    return "\n".join([_HEAD, *_tables()]).rstrip() + "\n"


def _tables() -> Iterator[str]:
    for name, model in tables().items():
        yield f"# {(model.__doc__ or '').strip()}"
        yield f"[{name}]"
        for key in keys():
            if key.table == name:
                yield from _lines(key)
                yield ""


def _lines(key: Key) -> Iterator[str]:
    none = "; no default" if key.default is None and not key.required else ""
    live = "; live" if is_live(key.path) else ""
    for words in (key.meaning, f"Allowed: {key.allowed}{none}{live}."):
        yield from textwrap.wrap(words, _COLUMNS, initial_indent="# ", subsequent_indent="#   ")
    yield f"{'' if key.required else '#'}{key.name} = {in_toml(key.example)}"
