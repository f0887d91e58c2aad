"""The name of a file of the drop as text that a database, a log and JSON can hold (pure)."""

from __future__ import annotations

import os
import re
from typing import Final

_BACKSLASH: Final = r"\x5c"
_ESCAPED: Final = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")


def name_of(path: str) -> str:
    r"""Return the name of a path within the drop: bytes that are no UTF-8 as `\xff`.

    A backslash is `\x5c`, so that `path_of` gives back each path.
    """
    text = path.replace("\\", _BACKSLASH)
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def path_of(name: str) -> str:
    """Return the path within the drop that a name stands for."""
    data = name.encode("utf-8", "surrogateescape")
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), data))
