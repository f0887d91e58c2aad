"""The error tree of the whole project, by what is done about an error.

Every error is an `AcoError`.  `DataError`: the feed is at fault; count it, skip
the item, go on.  `SetupError`: the operator is at fault; say all of it and stop.
`NotReadyError`: the world is not ready; try again, with a limit.  Anything else
that is raised is a bug.
"""

from __future__ import annotations

import errno
import socket
from typing import Final

_SETTLED: Final = frozenset(
    (
        errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
        errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EXDEV, errno.ENOTSUP,
        errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, socket.EAI_NONAME, socket.EAI_FAMILY,
    )
)  # fmt: skip
"""Errors of the system that stay until somebody changes a setting or a mode.

All others may pass by themselves: a full, failing or read-only disk, no file handle or memory
left, an address in use or not there yet.  A number that is unknown here counts as passing: to
try again in vain costs lines in a log, to stay down costs a station.
"""


class AcoError(Exception):
    """Base of all errors that this project raises on purpose."""


class DataError(AcoError, ValueError):
    """Bad input: what was found, what was wanted, and where."""


class FilenameError(DataError):
    """A name that does not say when its sound begins."""


class SetupError(AcoError, ValueError):
    """A wrong configuration, model or installation; exit code 78."""


class NotReadyError(AcoError, RuntimeError):
    """Something outside is not there yet: a folder, a file, a peer."""


def passes(number: int | None) -> bool:
    """Return whether an error of the system, by its number, may be gone at the next try."""
    return number not in _SETTLED


def unusable(where: str, error: OSError, wanted: str = "") -> SetupError | NotReadyError:
    """Return the error to raise, at a start, for one of the system: "where: why, wanted".

    `NotReadyError` if another try may do, `SetupError` if only a person can put it right.
    """
    kind = NotReadyError if passes(error.errno) else SetupError
    return kind(f"{where}: {error.strerror or error}" + (f", wanted {wanted}" if wanted else ""))


class DamageWarning(UserWarning):
    """A file gave no sound where some was asked for: there is a gap."""
