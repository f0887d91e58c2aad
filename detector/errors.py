"""Why a model is refused."""

from __future__ import annotations

from typing import Final, Literal

from acoio.errors import SetupError

Reason = Literal["missing", "hash", "format", "golden", "rate", "other"]
REASONS: Final[tuple[Reason, ...]] = ("missing", "hash", "format", "golden", "rate", "other")


class ModelError(SetupError):
    """A model that must not score; `reason` says in a word what is wrong with it.

    "missing": a file is not there or cannot be read; "hash": its bytes are not what its
    card says; "format": no model of ours; "golden": it does not score as when it was
    registered; "rate": it is for another sampling rate; "other": the rest.
    """

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason: Reason = reason
