"""The error tree of the whole project, by what is done about an error.

Every error is an `AcoError`.  `DataError`: the feed is at fault; count it, skip
the item, go on.  `SetupError`: the operator is at fault; say all of it and stop.
`NotReadyError`: the world is not ready; try again, with a limit.  Anything else
that is raised is a bug.
"""

from __future__ import annotations


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


class DamageWarning(UserWarning):
    """A file gave no sound where some was asked for: there is a gap."""
