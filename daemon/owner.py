"""Whose a store is: it is read by its owner and the group, and written by its owner alone."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from acoio.errors import SetupError
from daemon.errors import plain
from daemon.ledger.database import LEDGER_FILE

_OTHERS: Final = 0o027  # what others may not do, nor the group write


def user_name(number: int) -> str:
    """Return the name of a user, or words for one that has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def require_owner(store: Path) -> None:
    """Let nobody write as root in a store that is another's; the modes of files see to the rest.

    Whoever owns the ledger owns the store, as the daemon runs by that name.

    Raises
    ------
    SetupError
        With the command that does it.
    """
    if os.geteuid() != 0:
        return
    for path in (store / LEDGER_FILE, store):
        with suppress(OSError):  # not there: the next, and none is nobody's yet
            owner = user_name(path.stat().st_uid)
            if owner != user_name(0):
                raise SetupError(
                    f"{plain(path)}: it is {owner}'s, who could not change what root wrote "
                    f"here: sudo -u {owner} kilokai …"
                )
            return


@contextmanager
def private_files() -> Iterator[None]:
    """Make files and folders that the owner writes, the group reads, and nobody else opens.

    A stricter umask stays as strict.
    """
    former = os.umask(_OTHERS)
    os.umask(former | _OTHERS)
    try:
        yield
    finally:
        os.umask(former)
